"""Two processes do the same thing in one place, at about the same time; some are killed on the way.

    python -m benchmarks.faults.two --pairs 200

Both write into one OUT (``run``, from the stage ``cluster`` on, with another K each), or one
``--out FILE`` (``embed``). Each must succeed or be refused in one line, what is there afterwards must be
of one of them, whole, and the next run must not find its way barred.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.faults.scenarios import Embed, Run, export, settings
from benchmarks.faults.trial import DONE, TYPED, begin, ended, warm_up
from core.base.progress import silent
from core.base.settings import ClusterSettings, Device
from core.runs.run import read_previous, run
from core.runs.score import score

LATEST_S = 0.6
"""The second begins at most so much later, and a kill comes at most so much after that."""


def main() -> int:
    """Try, print, and say whether all was well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--command", nargs="+", choices=("run", "embed"), default=["run", "embed"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(
        "| command | pairs | done | refused in one line | killed | another error | mixed | next run barred |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="two-") as work:
        made = export(Path(work))
        tries = {"run": _runs, "embed": _embeds}
        rows = [tries[name](made, Path(work) / name, options) for name in options.command]
    return int(any(row["another error"] + row["mixed"] + row["barred"] for row in rows))


def _runs(made: Path, folder: Path, options: argparse.Namespace) -> Counter[str]:
    out = folder / "out"
    out.mkdir(parents=True)
    warm_up(lambda: Run(made).before(out), folder)

    def with_k(n_clusters: int) -> Callable[[], None]:
        return lambda: _cluster(out, n_clusters)

    return _pairs("run", folder, (with_k(3), with_k(4)), lambda: _is_one_run(out), options)


def _cluster(out: Path, n_clusters: int) -> None:
    cluster = ClusterSettings(n_clusters=n_clusters)
    previous = read_previous(out).settings
    run(out, [], previous.model_copy(update={"cluster": cluster}), silent, "cluster")


def _is_one_run(out: Path) -> bool:
    """Whether ``run.json``, the table and the summary are of one K; true where a kill left no run."""
    if not (out / "run.json").exists():
        return True
    said = json.loads((out / "run.json").read_text())["segments"]
    users = pq.read_table(out / "users.parquet")["cluster"].to_numpy()
    summary = json.loads((out / "clusters.json").read_text())["n_clusters"]
    return bool(said == summary == users.max() + 1)


def _embeds(made: Path, folder: Path, options: argparse.Namespace) -> Counter[str]:
    folder.mkdir()
    warm_up(lambda: Embed(made).before(folder), folder)
    other = folder / "other_run"
    warm_up(lambda: run(_made(other), [made], settings(4, keep_debug=False), silent) and None, folder)
    table = folder / "embed.parquet"

    def by(model: Path) -> Callable[[], None]:
        return lambda: score([made], model / "model", table, silent, Device.CPU) and None

    def whole() -> bool:
        return not table.exists() or len(pq.read_table(table)) > 0

    table.unlink()
    return _pairs("embed", folder, (by(folder / "model_run"), by(other)), whole, options)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _pairs(
    name: str,
    folder: Path,
    two: tuple[Callable[[], None], Callable[[], None]],
    is_whole: Callable[[], bool],
    options: argparse.Namespace,
) -> Counter[str]:
    chance, seen = random.Random(options.seed), Counter[str]()
    for _ in range(options.pairs):
        for status, said in _pair(folder, two, chance):
            seen[_name(status, said)] += 1
        seen["mixed"] += not is_whole()
        if chance.random() < 0.2:
            status, said = ended(begin(two[0], folder / "next"), folder / "next")
            seen["barred"] += status != DONE
            seen["mixed"] += not is_whole()
    cells = [options.pairs, *(seen[kind] for kind in ("done", "refused", "killed", "another error", "mixed", "barred"))]  # fmt: skip  # noqa: E501
    print(f"| {name} | {' | '.join(map(str, cells))} |", flush=True)
    shutil.rmtree(folder)
    return seen


def _pair(
    folder: Path, two: tuple[Callable[[], None], Callable[[], None]], chance: random.Random
) -> list[tuple[int, str]]:
    first = begin(two[0], folder / "one")
    time.sleep(chance.random() * LATEST_S)
    second = begin(two[1], folder / "two")
    if chance.random() < 0.3:
        time.sleep(chance.random() * LATEST_S)
        os.kill(chance.choice((first, second)), signal.SIGKILL)  # a child that has ended is not yet reaped
    return [ended(first, folder / "one"), ended(second, folder / "two")]


def _name(status: int, said: str) -> str:
    if status == TYPED and "is being written by process" in said and "\n" not in said:
        return "refused"
    if status not in (DONE, -signal.SIGKILL):
        print(said, file=sys.stderr)
        return "another error"
    return "done" if status == DONE else "killed"


if __name__ == "__main__":
    sys.exit(main())
