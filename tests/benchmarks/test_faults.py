"""Samples of ``python -m benchmarks.faults`` and of its two processes; all of it is for doing by hand."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults import doors

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or doors.compiler() is None, reason="needs Linux and a C compiler"
)


def rows(*words: str) -> list[list[str]]:
    """The cells of the printed table, the command's name first."""
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()[2:]]


@pytest.mark.parametrize("what", ["store", "swap", "recovery"])
def test_any_operation_fails_or_is_the_last_one(what: str) -> None:
    made = rows("benchmarks.faults", "--scenario", what, "--every", "2")
    assert [row[1] for row in made] == ["once", "ever", "kill", "power"]
    assert all(int(row[2]) >= 9 and row[-1] == "0" for row in made)
    assert int(made[1][3]) > 0  # a disk that refuses for ever is said
    assert made[0][5] == made[1][5] == "0"


def test_an_operation_of_a_whole_run_fails_or_is_the_last_one() -> None:
    made = rows("benchmarks.faults", "--scenario", "run", "--first", "330", "--every", "330")
    assert [int(row[2]) for row in made] == [1] * 4
    assert all(row[-1] == "0" for row in made)


def test_two_runs_into_one_folder() -> None:
    ((_, pairs, done, refused, killed, *wrong),) = rows(
        "benchmarks.faults.two", "--pairs", "4", "--command", "run"
    )
    assert int(done) + int(refused) + int(killed) == 2 * int(pairs)
    assert wrong == ["0"] * 3
