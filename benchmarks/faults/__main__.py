"""Every operation on the disk fails once, fails for ever, is the last one, or the power goes with it.

    python -m benchmarks.faults                  all operations of a run and of an embed, by hand
    python -m benchmarks.faults --every 25       a sample, as the suite does

After each the results must be the old or the new ones, whole; the error one of ours, in one line; and the
next run must make the very bytes that an undisturbed one makes. Prints a Markdown table for
docs/reliability.md; exit status 1 if anything was torn, lost, left or said wrongly.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from benchmarks.faults.interpose import start_under
from benchmarks.faults.scenarios import SCENARIOS, USERS
from benchmarks.faults.trial import DONE, HOWS, TYPED, UNTYPED, Bench, Trial
from benchmarks.sets import demo_shop


@click.command(help=__doc__)
@click.option("--scenario", "names", type=click.Choice([*SCENARIOS]), multiple=True, default=[*SCENARIOS])
@click.option("--how", "hows", type=click.Choice([*HOWS]), multiple=True, default=[*HOWS])
@click.option("--every", type=int, default=1, help="Try only each so many-th operation.")
@click.option("--first", type=int, default=0, help="Begin with this operation.")
def main(names: Sequence[str], hows: Sequence[str], every: int, first: int) -> None:
    """Run the trials and print their table; exit status 1 if anything went wrong."""
    print("| command | what happens | tried | error of ours | no error | another error | wrong after it |")
    print("|---|---|---|---|---|---|---|")
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="faults-") as work:
        export = demo_shop(USERS, 1, Path(work))
        for name in names:
            bench = Bench(SCENARIOS[name](export), Path(work) / name)
            bench.prepare()
            kinds = dict(Counter(line.split()[0] for line in bench.operations))
            _tell(f"{name}: {len(bench.operations)} operations, {kinds}")
            _tell(f"{name}: in place and not flushed after a success: {bench.unflushed or 'nothing'}")
            for how in hows:
                bench.power = how == "power"
                places = range(first, len(bench.operations), every)
                wrong += _row(name, how, [bench.trial(HOWS[how], at) for at in places])
    sys.exit(wrong > 0)


def _row(name: str, how: str, trials: list[Trial]) -> int:
    """Print one; how many trials went wrong."""
    bad = [trial for trial in trials if trial.faults]
    for trial in bad:
        _tell(f"{name} {how} {trial.at} {trial.operation}: {'; '.join(trial.faults)}\n    {trial.said}")
    ended = Counter(trial.status for trial in trials)
    shown = ["–"] * 3 if how in ("kill", "power") else [ended[status] for status in (TYPED, DONE, UNTYPED)]
    print(f"| {name} | {how} | {len(trials)} | {' | '.join(map(str, shown))} | {len(bad)} |", flush=True)
    return len(bad)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    start_under("benchmarks.faults")
    main()
