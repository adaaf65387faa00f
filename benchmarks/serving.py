"""Print how fast the scoring door answers, and whether its memory stays flat.

    python -m benchmarks.serving --work DIR [--seconds 30] [--rate 100] [--clients 8]
        [--model OUT/model --export CSV]

A real server process on loopback, on whatever cores there are; the client shares them. First as many requests
as the clients get answered one after the other (throughput), then so many a second, evenly, whether or not
earlier ones are answered (latency, from the moment a request was due: a late server cannot hide). Each
request is the whole history of a user of the export. A demo shop and its model are made in DIR where none is
named.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import click
import httpx2
import numpy as np
import orjson
import pandas as pd
import psutil

from benchmarks.tables import markdown

ROOT = Path(__file__).resolve().parent.parent
USER = "user_pseudo_id"
WARM_S = 3.0
USERS = 3_000


@click.command(help=__doc__)
@click.option("--work", type=click.Path(path_type=Path), required=True)
@click.option("--seconds", default=30.0, help="Of both parts together.")
@click.option("--rate", default=100.0, help="Requests a second of the second part.")
@click.option("--clients", default=8, help="Of the first part.")
@click.option("--model", type=click.Path(path_type=Path))
@click.option("--export", type=click.Path(path_type=Path), help="CSV that the model was made of.")
def main(
    work: Path, seconds: float, rate: float, clients: int, model: Path | None, export: Path | None
) -> None:
    """Make what is missing, start the server, ask, print."""
    export = export or _demo(work)
    bodies = histories(export)
    with serving(model or _model(work, export)) as (address, process, token):
        figures = asyncio.run(_measured(address, token, process, bodies, seconds, rate, clients))
    print(markdown(list(figures), [list(figures.values())]))


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
    """One request a user of a CSV."""
    table = pd.read_csv(export, dtype=str, keep_default_na=False)
    table = table[table[USER] != ""]
    rows = [{name: value for name, value in row.items() if value} for row in table.to_dict("records")]
    users: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        users.setdefault(row[USER], []).append(row)
    return [orjson.dumps({"events": events}) for events in users.values()]


@contextmanager
def serving(model: Path) -> Iterator[tuple[str, psutil.Process, str]]:
    """A server on a free port: its address, its process, its token; ended gracefully."""
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


async def _measured(
    address: str,
    token: str,
    process: psutil.Process,
    bodies: Sequence[bytes],
    seconds: float,
    rate: float,
    clients: int,
) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    limits = httpx2.Limits(max_connections=200, max_keepalive_connections=200)
    async with httpx2.AsyncClient(base_url=address, headers=headers, limits=limits, timeout=30) as client:
        told = cycle(bodies)
        await _closed(client, told, clients, WARM_S)
        before, spent = process.memory_info().rss, _cpu(process)
        asked, took = await _closed(client, told, clients, seconds / 2)
        spent = _cpu(process) - spent
        late = await _open(client, told, rate, seconds / 2)
        after = process.memory_info().rss
    p50, p95, p99 = np.quantile(late, [0.5, 0.95, 0.99]) * 1e3
    return {
        "requests/s": f"{asked / took:,.0f}", "CPU a request": f"{spent / asked * 1e3:.1f} ms",
        f"at {rate:.0f}/s: p50": f"{p50:.0f} ms",
        "p95": f"{p95:.0f} ms", "p99": f"{p99:.0f} ms", "requests": f"{asked + len(late):,}",
        "memory": f"{before / 2**20:,.0f} → {after / 2**20:,.0f} MiB",
    }  # fmt: skip


def _cpu(process: psutil.Process) -> float:
    """Seconds of processor time: what a busy machine cannot change."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def _closed(
    client: httpx2.AsyncClient, told: Iterator[bytes], clients: int, seconds: float
) -> tuple[int, float]:
    """Clients that ask again as soon as they are answered: requests, and the seconds they took."""
    began = time.perf_counter()

    async def asking() -> int:
        count = 0
        while time.perf_counter() - began < seconds:
            await _ask(client, next(told))
            count += 1
        return count

    counts = await asyncio.gather(*(asking() for _ in range(clients)))
    return sum(counts), time.perf_counter() - began


async def _open(
    client: httpx2.AsyncClient, told: Iterator[bytes], rate: float, seconds: float
) -> list[float]:
    """Requests at a steady rate: the seconds from when each was due to its answer."""
    began = time.perf_counter()

    async def due_at(moment: float) -> float:
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        await _ask(client, next(told))
        return time.perf_counter() - moment

    return list(
        await asyncio.gather(*(due_at(began + number / rate) for number in range(int(rate * seconds))))
    )


async def _ask(client: httpx2.AsyncClient, body: bytes) -> None:
    answer = await client.post("/v1/score", content=body)
    if answer.status_code not in (200, 422):  # of some users of an export no page view is left
        raise RuntimeError(f"{answer.status_code}: {answer.text}")


if __name__ == "__main__":
    main()
