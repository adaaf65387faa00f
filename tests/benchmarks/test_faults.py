"""Samples of ``python -m benchmarks.faults``; all of it is for doing by hand."""

import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from benchmarks.faults import interpose
from benchmarks.faults.trial import HOWS

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or interpose.compiler() is None,
    reason="needs Linux and a C compiler",
)


def rows(*words: str) -> list[list[str]]:
    """The cells of the printed table, the command's name first."""
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()[2:]]


def test_any_operation_fails_or_is_the_last_one() -> None:
    names = ("store", "swap", "recovery")
    made = rows("benchmarks.faults", *chain(*(("--scenario", name) for name in names)), "--every", "2")
    assert [row[:2] for row in made] == [[name, how] for name in names for how in HOWS]
    assert all(int(row[2]) >= 9 and row[-1] == "0" for row in made)
    for name in names:
        once, ever = (row for row in made if row[0] == name and row[1] in ("once", "ever"))
        assert int(ever[3]) > 0  # a disk that refuses for ever is said
        assert once[5] == ever[5] == "0"


def test_an_operation_of_a_whole_run_is_the_last_one() -> None:
    """As the power goes: the small scenarios try all four ways, tests/core/cli a disk that refuses a run."""
    one = ("--how", "power", "--first", "330", "--every", "330")
    [row] = rows("benchmarks.faults", "--scenario", "run", *one)
    assert (row[2], row[-1]) == ("1", "0")
