"""How time and memory grow with the number of events, in a bound of memory.

    python -m benchmarks.growth --memory 1500MB --folder DISK

Demo shops, several where one would be large, are written to disk as they are made, and not counted. With
``--folder`` they stay there for the next time (300 bytes an event); what runs made does not. Each run is a
process of its own with all that it starts; its resident memory is looked at ten times a second. The model
learns from a sample of users, so that what grows is reading, cleaning, placing and profiles. The last lines
are the slopes of log CPU time and log memory over log events.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import psutil

from benchmarks.tables import markdown
from core.base.progress import silent
from core.ingest.sample import write_sample

EVENTS_A_USER = 10.98
"""Events of a user of the demo shop, on average."""
MOST = 14_000_000
"""Events of a shop; of more, shops of other users are made beside it."""
EVERY_S = 0.1


class Growth(NamedTuple):
    """What a run took."""

    events: int
    users: int
    trained: int
    wall_s: float
    cpu_s: float
    peak_mb: float


def run(files: list[Path], out: Path, options: tuple[str, ...]) -> Growth:
    """Run the command line on files, and measure it with all that it starts."""
    before = os.times()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "core", "run", *map(str, files), "--out", str(out), *options]
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        time.sleep(EVERY_S)
    if process.returncode:
        raise click.ClickException(f"The run of {files[0].name} ended with {process.returncode}")
    after = os.times()
    cpu = sum(after[2:4]) - sum(before[2:4])
    record = json.loads((out / "run.json").read_text())
    events = json.loads((out / "receipt.json").read_text())["records"]
    trained = record.get("trained_users", record["users"])
    return Growth(events, record["users"], trained, time.perf_counter() - began, cpu, peak / 2**20)


def resident(pid: int) -> int:
    """Resident memory in bytes of a process and of all that it started.

    A child that is not a program of its own yet shows its parent's memory, which would count twice.
    """
    total, own = 0, None
    try:
        for one in (process := psutil.Process(pid), *process.children(recursive=True)):
            with suppress(psutil.Error):  # it has just ended
                called = one.cmdline()
                total += one.memory_info().rss if called != own else 0
                own = own or called
    except psutil.Error:
        return 0
    return total


def slope(events: list[int], values: list[float]) -> float:
    """Slope of log values over log events: 1 where twice the events take twice as much, 0 where no more."""
    return float(np.polyfit(np.log(events), np.log(values), 1)[0])


@click.command(help=__doc__)
@click.option(
    "--events", type=int, multiple=True, default=(140_000, 1_400_000, MOST, 7 * MOST), show_default=True
)
@click.option("--preset", default="bag", show_default=True)
@click.option("--memory", default="1500MB", show_default=True)
@click.option("--sample-users", type=int, default=10_000, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where files are made and left, or are.")
def main(events: tuple[int, ...], preset: str, memory: str, sample_users: int, folder: Path | None) -> None:
    """Measure and print."""
    options = ("--preset", preset, "--memory", memory, "--sample-users", str(sample_users))
    with tempfile.TemporaryDirectory(dir=folder) as name:
        rows = []
        for number in events:
            files = max(1, round(number / MOST))
            made = [(folder or Path(name)) / f"{number // files}-{seed}.csv" for seed in range(files)]
            for seed, csv in enumerate(made):
                if not csv.exists():
                    write_sample(csv, round(number / files / EVENTS_A_USER), seed, silent)
            rows.append(run(made, Path(name) / f"out{number}", options))
    cells = [
        (
            f"{r.events:,}",
            f"{r.users:,}",
            f"{r.trained:,}",
            f"{r.wall_s:.0f}",
            f"{r.cpu_s:.0f}",
            f"{r.peak_mb:,.0f}",
        )
        for r in rows
    ]
    print(markdown(["events", "users", "trained on", "wall s", "CPU s", "peak MiB"], cells))
    if len(rows) > 1:
        counts = [r.events for r in rows]
        for what, values in (("CPU time", [r.cpu_s for r in rows]), ("memory", [r.peak_mb for r in rows])):
            print(f"slope of {what}: {slope(counts, values):.2f}")


if __name__ == "__main__":
    main()
