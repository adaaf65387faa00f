"""Many people on one server, measured.

    python -m benchmarks.company --sessions 20 --users 20000 --minutes 3
    python -m benchmarks.company --profile

Makes the demo shop and a model first (kept in ``--folder`` for the next time), starts the real server on a
free port of this machine, opens real sessions over Streamlit's own WebSocket protocol, and prints what people
waited for, what failed, what it cost the server and its memory. It stops by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.company.load import Load, Measured, drive
from benchmarks.company.profile import Cost, costs
from benchmarks.company.server import Server, running
from benchmarks.company.shop import prepare
from core.base.settings import Preset

MOST_SESSIONS, MOST_MINUTES = 50, 15.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Prepare, measure, print; 1 if anything failed."""
    asked = _asked(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        shop = prepare(folder, asked.users, asked.preset)
        link = {"data": shop.dataset, "model": shop.model}
        with running(shop.root, Path(scratch) / "server") as server:
            if asked.profile:
                print(_costs(asyncio.run(costs(server, link))))
                return 0
            return _load(server, link, asked)


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sessions", type=int, default=20, help=f"people at once, 1 to {MOST_SESSIONS}")
    parser.add_argument("--users", type=int, default=20_000, help="users of the demo shop")
    parser.add_argument("--minutes", type=float, default=3.0, help=f"how long, at most {MOST_MINUTES:g}")
    parser.add_argument("--pause", type=float, nargs=2, default=(3.0, 8.0), help="seconds, least and most")
    parser.add_argument("--preset", type=Preset, default=Preset.FAST, help="of the training")
    parser.add_argument("--seed", type=int, default=0, help="of what people do")
    parser.add_argument("--folder", type=Path, help="where the shop and the model are kept for the next time")
    parser.add_argument("--profile", action="store_true", help="CPU of each interaction, with one session")
    asked = parser.parse_args(arguments)
    if not 1 <= asked.sessions <= MOST_SESSIONS:
        parser.error(f"--sessions {asked.sessions}: 1 to {MOST_SESSIONS} are possible")
    if not 0 < asked.minutes <= MOST_MINUTES:
        parser.error(f"--minutes {asked.minutes:g}: more than 0 and at most {MOST_MINUTES:g} are possible")
    if not 0 <= asked.pause[0] <= asked.pause[1]:
        parser.error(f"--pause {asked.pause[0]:g} {asked.pause[1]:g}: the least first, and not below 0")
    return asked


def _load(server: Server, link: Mapping[str, str], asked: argparse.Namespace) -> int:
    load = Load(asked.sessions, asked.minutes * 60, tuple(asked.pause), asked.seed)
    measured = asyncio.run(drive(server, link, load))
    print(_waits(measured))
    print(_summary(measured, load.seconds))
    for failure in measured.failures:
        print(f"- {failure.kind} after {failure.seconds:.1f} s: {failure.failure[:300]}")
    return 1 if measured.failures else 0


def _waits(measured: Measured) -> str:
    by_kind: dict[str, list[float]] = defaultdict(list)
    for one in measured.done:
        by_kind[one.kind].append(one.seconds)
        by_kind["all"].append(one.seconds)
    rows = ((kind, len(found), *map(_s, _points(found))) for kind, found in by_kind.items())
    return _table(("interaction", "n", "p50", "p95", "max"), rows)


def _points(seconds: list[float]) -> tuple[float, float, float]:
    ordered = sorted(seconds)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], ordered[-1]


def _summary(measured: Measured, seconds: float) -> str:
    n, memory = max(1, len(measured.done)), measured.memory_mb
    quarters = " → ".join(f"{memory[len(memory) * part // 4]:.0f}" for part in range(4))
    return (
        f"\n{len(measured.failures)} failures of {len(measured.done)} interactions, {measured.polls} polls; "
        f"server CPU {measured.cpu_s:.0f} s, {1000 * measured.cpu_s / n:.0f} ms an interaction, "
        f"{measured.cpu_s / seconds:.2f} cores; memory {quarters} → {memory[-1]:.0f} MB"
    )


def _costs(found: list[Cost]) -> str:
    by_kind: dict[str, list[Cost]] = defaultdict(list)
    for cost in found:
        by_kind[cost.kind].append(cost)
    rows = (
        (
            kind,
            len(some),
            f"{1000 * statistics.mean(one.cpu_s for one in some):.0f} ms",
            _s(statistics.median(one.seconds for one in some)),
            f"{statistics.mean(one.received for one in some) / 1000:.0f} kB",
        )
        for kind, some in by_kind.items()
    )
    return _table(("interaction", "n", "server CPU, mean", "clock, median", "sent"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _s(seconds: float) -> str:
    return f"{seconds:.2f} s"


if __name__ == "__main__":
    sys.exit(main())
