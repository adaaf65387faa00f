"""Every operation on the disk fails once, fails for ever, is the last one, or the power goes with it.

    python -m benchmarks.faults                  all operations of a run and of an embed, by hand
    python -m benchmarks.faults --every 25       a sample, as the suite does

After each the results must be the old or the new ones, whole; the error one of ours, in one line; and the
next run must make the very bytes that an undisturbed one makes. Prints a Markdown table for
docs/reliability.md; exit status 1 if anything was torn, lost, left or said wrongly.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.faults.doors import start_under
from benchmarks.faults.scenarios import SCENARIOS, Scenario, export
from benchmarks.faults.trial import HOWS, Bench, Trial

NAMES = {3: "one of ours", 4: "another", 0: "none, it succeeded", 137: "killed"}


def main() -> int:
    """Try, print, and say whether all was well."""
    options = _options()
    wrong = 0
    print("| command | what happens | tried | error of ours | no error | another error | wrong after it |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="faults-") as work:
        made = export(Path(work))
        for name in options.scenario:
            wrong += _scenario(name, SCENARIOS[name](made), Path(work) / name, options)
    return int(wrong > 0)


def _scenario(name: str, scenario: Scenario, folder: Path, options: argparse.Namespace) -> int:
    folder.mkdir()
    bench = Bench(scenario, folder)
    bench.prepare()
    total = len(bench.operations)
    _tell(f"{name}: {total} operations, {dict(Counter(line.split()[0] for line in bench.operations))}")
    _tell(f"{name}: in place and not flushed after a success: {bench.unflushed or 'nothing'}")
    wrong = 0
    for how in options.how:
        bench.power = how == "power"
        trials = [bench.trial(HOWS[how], at) for at in range(options.first, total, options.every)]
        wrong += _row(name, how, trials)
    return wrong


def _row(name: str, how: str, trials: list[Trial]) -> int:
    ended = Counter(NAMES.get(trial.status, str(trial.status)) for trial in trials)
    bad = [trial for trial in trials if trial.faults]
    for trial in bad:
        _tell(f"{name} {how} {trial.at} {trial.door}: {'; '.join(trial.faults)}\n    {trial.said}")
    killed = how in ("kill", "power")
    cells = [ended["one of ours"], ended["none, it succeeded"], ended["another"]]
    shown = ["–"] * 3 if killed else list(map(str, cells))
    print(f"| {name} | {how} | {len(trials)} | {' | '.join(shown)} | {len(bad)} |", flush=True)
    return len(bad)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--scenario", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--how", nargs="+", choices=HOWS, default=list(HOWS))
    parser.add_argument("--every", type=int, default=1, help="Try only each so many-th operation.")
    parser.add_argument("--first", type=int, default=0, help="Begin with this operation.")
    return parser.parse_args()


if __name__ == "__main__":
    start_under("benchmarks.faults")
    sys.exit(main())
