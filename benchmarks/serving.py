"""Print how fast the scoring server answers, and whether its memory stays flat.

    python -m benchmarks.serving --work DIR [--seconds 20] [--rate 50 --rate 100] [--clients 8]
        [--model OUT/model --export CSV]

A real server process on loopback, on whatever cores there are; the client shares them, speaks plain HTTP/1.1
over kept connections, and what it uses itself is told. First as many requests as the clients get answered
one after the other (throughput), then so many a second, evenly, whether or not earlier ones are answered
(latency, from the moment a request was due: a late server cannot hide). Each request is the whole history of
a user of the export. Memory is read every minute: with --seconds 600 it shows whether it grows. A demo shop
and its model are made in DIR where none is named.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, cycle
from pathlib import Path
from urllib.parse import urlsplit

import click
import numpy as np
import orjson
import pandas as pd
import psutil

from benchmarks.tables import markdown

ROOT = Path(__file__).resolve().parent.parent
USER = "user_pseudo_id"
WARM_S = 5.0
USERS = 3_000
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
HEAD = [
    "asked", "answered a second", "p50", "p95", "p99", "CPU of the server a request", "of the client",
    "load", "memory, MiB: at first, each minute, at the end",
]  # fmt: skip


@click.command(help=__doc__)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--seconds", default=20.0, help="Of each part.")
@click.option("--rate", "rates", multiple=True, default=(50.0, 100.0), help="Requests a second of a part.")
@click.option("--clients", default=8, help="Of the first part; 0 leaves it out.")
@click.option("--model", type=click.Path(path_type=Path))
@click.option("--export", type=click.Path(path_type=Path), help="CSV that the model was made of.")
def main(
    work: Path,
    seconds: float,
    rates: Sequence[float],
    clients: int,
    model: Path | None,
    export: Path | None,
) -> None:
    """Make what is missing, start the server, ask, print."""
    export = export or _demo(work)
    bodies = histories(export)
    with serving(model or _model(work, export)) as (address, process, token):
        asker = Asker(address, token, bodies)
        rows = asyncio.run(_measured(asker, process, seconds, rates, clients))
    print(markdown(HEAD, rows))


def _demo(work: Path) -> Path:
    work.mkdir(parents=True, exist_ok=True)
    if not (work / "demo.csv").exists():
        _core("sample", "--users", USERS, "--out", work / "demo.csv")
    return work / "demo.csv"


def _model(work: Path, export: Path) -> Path:
    if not (work / "out" / "model").exists():
        _core("run", export, "--out", work / "out", "--preset", "fast", "--clusters", 8)
    return work / "out" / "model"


def _core(*args: object) -> None:
    subprocess.run([sys.executable, "-m", "core", *map(str, args)], cwd=ROOT, check=True)


def histories(export: Path) -> list[bytes]:
    """Bodies of requests, one a user of a CSV: all events of the user as JSON."""
    table = pd.read_csv(export, dtype=str, keep_default_na=False)
    table = table[table[USER] != ""]
    rows = [{name: value for name, value in row.items() if value} for row in table.to_dict("records")]
    users: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        users.setdefault(row[USER], []).append(row)
    return [orjson.dumps({"events": events}) for events in users.values()]


@contextmanager
def serving(model: Path) -> Iterator[tuple[str, psutil.Process, str]]:
    """Run a scoring server on a free port: its address, process and token; ended gracefully.

    Raises:
        RuntimeError: If it does not come up.
    """
    token = secrets.token_urlsafe(32)
    started = subprocess.Popen(
        [sys.executable, "-m", "core", "serve", "--model", str(model), "--port", "0"],
        cwd=ROOT, env=os.environ | {"BEHA2VEC_TOKEN": token}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert started.stderr is not None
    try:
        said = ""
        for said in started.stderr:
            if "answers at http" in said:
                break
        else:
            raise RuntimeError(f"The server ended: {said}")
        yield said.rsplit(" ", 1)[1].strip(), psutil.Process(started.pid), token
    finally:
        started.terminate()
        started.wait(60)


class Asker:
    """Sends requests over connections that are kept, at little cost: it shares the server's cores.

    Args:
        address: ``http://host:port``.
        token: Token of the server.
        bodies: Bodies of the requests, sent over and over.
    """

    def __init__(self, address: str, token: str, bodies: Sequence[bytes]) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname, parts.port
        head = f"POST /v1/score HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
        head += "Content-Type: application/json\r\nContent-Length: "
        self._told = cycle([f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies])
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self) -> None:
        """Send the next request, and wait for its answer.

        Raises:
            RuntimeError: If the status is neither 200 nor 422.
        """
        self._free = [pair for pair in self._free if not pair[0].at_eof()]  # the server closes idle ones
        pair = self._free.pop() if self._free else await asyncio.open_connection(self._host, self._port)
        reader, writer = pair
        writer.write(next(self._told))
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(LENGTH.search(head)[1]))  # type: ignore[index]
        status = int(head.split(b" ", 2)[1])
        if status not in (200, 422):  # of some users of an export no page view is left
            raise RuntimeError(f"{status}: {body.decode()}")
        self._free.append(pair)


async def _measured(
    asker: Asker, process: psutil.Process, seconds: float, rates: Sequence[float], clients: int
) -> list[list[str]]:
    me, rows = psutil.Process(), []
    await _closed(asker, max(1, clients), WARM_S)
    parts = [(f"{clients} clients", partial(_closed, asker, clients))] if clients else []
    parts += [(f"{rate:.0f} a second", partial(_open, asker, rate)) for rate in rates]
    for name, part in parts:
        spent, own, began = _cpu(process), _cpu(me), time.perf_counter()
        memory = [_rss(process)]
        reading = asyncio.create_task(_by_minute(process, memory))
        late = np.array(await part(seconds)) * 1e3
        took = time.perf_counter() - began
        reading.cancel()
        rows.append([
            name, f"{len(late) / took:,.0f}",
            *(f"{value:.0f} ms" for value in np.quantile(late, [0.5, 0.95, 0.99])),
            f"{(_cpu(process) - spent) / len(late) * 1e3:.1f} ms",
            f"{(_cpu(me) - own) / len(late) * 1e3:.1f} ms", f"{psutil.getloadavg()[0]:.1f}",
            " ".join(f"{size / 2**20:,.0f}" for size in [*memory, _rss(process)]),
        ])  # fmt: skip
        print(rows[-1], flush=True)
    return rows


async def _by_minute(process: psutil.Process, memory: list[int]) -> None:
    while True:
        await asyncio.sleep(60)
        memory.append(_rss(process))


def _rss(process: psutil.Process) -> int:
    return int(process.memory_info().rss)


def _cpu(process: psutil.Process) -> float:
    """Seconds of processor time."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def _closed(asker: Asker, clients: int, seconds: float) -> list[float]:
    """Clients that ask again as soon as they are answered: the seconds of each request."""
    until = time.perf_counter() + seconds

    async def asking() -> list[float]:
        took = []
        while (began := time.perf_counter()) < until:
            await asker.ask()
            took.append(time.perf_counter() - began)
        return took

    return list(chain.from_iterable(await asyncio.gather(*(asking() for _ in range(clients)))))


async def _open(asker: Asker, rate: float, seconds: float) -> list[float]:
    """Requests at a steady rate: the seconds from when each was due to its answer."""
    began, asked = time.perf_counter(), list[asyncio.Task[float]]()

    async def due_at(moment: float) -> float:
        await asker.ask()
        return time.perf_counter() - moment

    for number in range(int(rate * seconds)):
        moment = began + number / rate
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        asked.append(asyncio.create_task(due_at(moment)))
    return list(await asyncio.gather(*asked))


if __name__ == "__main__":
    main()
