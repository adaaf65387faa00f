"""Two processes do the same thing in one place, at about the same time; some are killed on the way.

    python -m benchmarks.faults.two --pairs 200

Both write into one OUT (``run``, from the stage ``cluster`` on, with another K each), or one
``--out FILE`` (``embed``). Each must succeed or be refused in one line, what is there afterwards must be
of one of them, whole, and the next run must not find its way barred.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

import click
import pyarrow.parquet as pq

from benchmarks.faults.scenarios import USERS, embed, settings, whole_run
from benchmarks.faults.trial import DONE, TYPED, begin, ended, warm_up
from benchmarks.sets import demo_shop
from core.base.progress import silent
from core.base.settings import ClusterSettings, Device
from core.engines.bounded_run import embed_bounded
from core.engines.bounds import Bounds
from core.engines.placing import Placing
from core.runs.run import read_previous, run

Two: TypeAlias = tuple[Callable[[], None], Callable[[], None]]
WRONG: Final = ("another error", "mixed", "next run barred")
OUTCOMES: Final = ("done", "refused in one line", "killed", *WRONG)
LATEST_S = 0.6
"""The second begins at most so much later, and a kill comes at most so much after that."""


@click.command(help=__doc__)
@click.option("--pairs", type=int, default=200)
@click.option(
    "--command", "names", type=click.Choice(["run", "embed"]), multiple=True, default=["run", "embed"]
)
@click.option("--seed", type=int, default=0)
def main(pairs: int, names: Sequence[str], seed: int) -> None:
    """Try, print, and say whether all was well."""
    print("| command | pairs |", " | ".join(OUTCOMES), "|\n|---|---|" + "---|" * len(OUTCOMES))
    seen = Counter[str]()
    with tempfile.TemporaryDirectory(prefix="two-") as work:
        export = demo_shop(USERS, 1, Path(work))
        for name in names:
            folder = Path(work) / name
            two, is_whole = {"run": _runs, "embed": _embeds}[name](export, folder)
            found = _tried(folder, two, is_whole, pairs, random.Random(seed))
            print(f"| {name} | {pairs} |", " | ".join(str(found[kind]) for kind in OUTCOMES), "|", flush=True)
            seen += found
    sys.exit(any(seen[kind] for kind in WRONG))


def _runs(export: Path, folder: Path) -> tuple[Two, Callable[[], bool]]:
    out = folder / "out"
    out.mkdir(parents=True)
    warm_up(lambda: whole_run(export).before(out), folder)

    def with_k(n_clusters: int) -> None:
        cluster = ClusterSettings(n_clusters=n_clusters)
        previous = read_previous(out).settings
        run(out, [], previous.model_copy(update={"cluster": cluster}), silent, "cluster")

    def is_one_run() -> bool:
        """Whether all of OUT is of one K; true where a kill left no run."""
        if not (out / "run.json").exists():
            return True
        said = json.loads((out / "run.json").read_text())["segments"]
        users = pq.read_table(out / "users.parquet")["cluster"].to_numpy()
        summary = json.loads((out / "clusters.json").read_text())["n_clusters"]
        return bool(said == summary == users.max() + 1)

    return (partial(with_k, 3), partial(with_k, 4)), is_one_run


def _embeds(export: Path, folder: Path) -> tuple[Two, Callable[[], bool]]:
    other, table = folder / "other_run", folder / "embed.parquet"
    other.mkdir(parents=True)
    warm_up(lambda: embed(export).before(folder), folder)
    warm_up(lambda: run(other, [export], settings(4, keep_debug=False), silent), folder)
    table.unlink()

    def by(run_folder: Path) -> None:
        embed_bounded(
            [export], run_folder / "model", table, silent, Placing(Device.CPU), Bounds.told(None, None)
        )

    def is_whole() -> bool:
        return not table.exists() or len(pq.read_table(table)) > 0

    return (partial(by, folder / "model_run"), partial(by, other)), is_whole


def _tried(
    folder: Path, two: Two, is_whole: Callable[[], bool], pairs: int, chance: random.Random
) -> Counter[str]:
    seen = Counter[str]()
    for _ in range(pairs):
        for status, said in _pair(folder, two, chance):
            seen[_name(status, said)] += 1
        seen["mixed"] += not is_whole()
        if chance.random() < 0.2:
            status, said = ended(begin(two[0], folder / "next"), folder / "next")
            seen["next run barred"] += status != DONE
            seen["mixed"] += not is_whole()
    return seen


def _pair(folder: Path, two: Two, chance: random.Random) -> list[tuple[int, str]]:
    first = begin(two[0], folder / "one")
    time.sleep(chance.random() * LATEST_S)
    second = begin(two[1], folder / "two")
    if chance.random() < 0.3:
        time.sleep(chance.random() * LATEST_S)
        os.kill(chance.choice((first, second)), signal.SIGKILL)  # a child that has ended is not yet reaped
    return [ended(first, folder / "one"), ended(second, folder / "two")]


def _name(status: int, said: str) -> str:
    if status == TYPED and "is being written by process" in said and "\n" not in said:
        return "refused in one line"
    if status not in (DONE, -signal.SIGKILL):
        print(said, file=sys.stderr)
        return "another error"
    return "done" if status == DONE else "killed"


if __name__ == "__main__":
    main()
