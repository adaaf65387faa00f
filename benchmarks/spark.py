"""Users placed by one process and by a Spark cluster of this machine: time, processor time, and what differs.

``python -m benchmarks.spark --users 20000``: a made-up shop, cut into a file a worker or more; a model is
trained on the first of them. The cluster is real, a master and workers on the loopback, so this measures what
Spark costs, not what more machines bring.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import psutil
import pyarrow.parquet as pq

from benchmarks.loopback_cluster import Cluster, loopback_cluster
from core.base.progress import silent
from core.ingest.sample import write_sample

CLOSE: Final = 1e-5
LOOK_S: Final = 0.2


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Args:
        wall_s: Seconds from its start to its end.
        cpu_s: CPU seconds of it and of all processes that worked for it, those of executors among them.
    """

    wall_s: float
    cpu_s: float


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--preset", default="fast")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="beha2vec-spark-benchmark.") as folder:
        files = make_files(Path(folder), asked.users, asked.files)
        model = Path(folder) / "out"
        core("run", files[0], "--out", model, "--preset", asked.preset, "--clusters", 6, "--labels", "rules")
        measure(files, model / "model", asked.workers, Path(folder))


def make_files(folder: Path, users: int, n_files: int) -> list[Path]:
    """Write a shop's export in files among which a user's events are spread; the paths."""
    whole = folder / "shop.csv"
    write_sample(whole, users, 0, silent)
    (folder / "files").mkdir()
    paths = [folder / "files" / f"part{number:02d}.csv" for number in range(n_files)]
    outs = [path.open("w") for path in paths]
    with whole.open() as rows:
        header = next(rows)
        for out in outs:
            out.write(header)
        for number, row in enumerate(rows):
            outs[number % n_files].write(row)
    for out in outs:
        out.close()
    whole.unlink()
    return paths


def measure(files: list[Path], model: Path, workers: int, folder: Path) -> None:
    """Place the users both ways, and print what it took and what differs."""
    here, there = folder / "one.parquet", folder / "spark.parquet"
    command = ("embed", *files, "--model", model, "--next", 3)
    print("| what places | wall s | CPU s |\n|---|---|---|", flush=True)
    cost = timed(*command, "--out", here)
    print(f"| one process | {cost.wall_s:.1f} | {cost.cpu_s:.1f} |", flush=True)
    with loopback_cluster(workers) as cluster:
        for turn in ("first", "second"):
            cost = timed(
                *command, "--out", there, "--engine", "spark", "--master", cluster.url, cluster=cluster
            )
            print(
                f"| Spark, {workers} executors, {turn} time | {cost.wall_s:.1f} | {cost.cpu_s:.1f} |",
                flush=True,
            )
    print("\n" + parity(here, there))


def parity(here: Path, there: Path) -> str:
    """How users differ between the Parquet files of two runs, in words."""
    one, other = (pq.read_table(path).sort_by("user_id") for path in (here, there))
    if one["user_id"] != other["user_id"]:
        return "The users are not the same"
    vectors = [np.stack(table["embedding"].to_pylist()) for table in (one, other)]
    gap = np.abs(vectors[0] - vectors[1]).max(axis=1)
    lines = [
        f"{one.num_rows:,} users; vectors differ by {gap.max():.1e} at most, {(gap > CLOSE).sum()} by more "
        f"than {CLOSE}"
    ]
    for name in ("cluster", "group", "next_pages"):
        differ = sum(a != b for a, b in zip(one[name].to_pylist(), other[name].to_pylist(), strict=True))
        lines.append(f"{name}: {differ} differ")
    return "\n".join(lines)


def core(*arguments: object) -> None:
    """Run a command of the app without its messages."""
    subprocess.run(
        [sys.executable, "-m", "core", *map(str, arguments)], check=True, stderr=subprocess.DEVNULL
    )


def timed(*arguments: object, cluster: Cluster | None = None) -> Cost:
    """Run a command and measure it, with a cluster's processes; CPU time is looked at five times a second.

    Raises:
        RuntimeError: If the command fails.
    """
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "core", *map(str, arguments)], stderr=subprocess.DEVNULL
    )
    roots = [process, *(cluster.workers if cluster else [])]
    before = sum(seconds_of(cluster.workers).values()) if cluster else 0.0
    seen: dict[int, float] = {}
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_S):
            seen.update(seconds_of(roots))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    status = process.wait()
    wall = time.monotonic() - began
    ended.set()
    looking.join()
    if status:
        raise RuntimeError(f"{arguments} ended with {status}")
    return Cost(wall, sum(seen.values()) - before)


def seconds_of(roots: list[subprocess.Popen[bytes]]) -> dict[int, float]:
    """Process id → CPU seconds, of some processes and all below them."""
    found = {}
    for root in roots:
        try:
            family = [psutil.Process(root.pid), *psutil.Process(root.pid).children(recursive=True)]
            found |= {process.pid: sum(process.cpu_times()[:2]) for process in family}
        except psutil.NoSuchProcess:
            continue
    return found


if __name__ == "__main__":
    main()
