"""A watch that is killed a few times, in processes of its own: nothing of this one is forked."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import watch_kills
from core.runs.taken_files import TakenFile, TakenFiles

NOW = "2026-01-01T06:10:00+00:00"


def test_five_kills_and_every_file_counts_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.watch_kills", "--work", str(tmp_path / "kills")]
    done = subprocess.run(
        [*command, "--kills", "5", "--files", "3", "--users", "100"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 files: each counted once" in done.stdout


def test_a_file_that_is_missing_and_users_that_differ_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fresh").mkdir()
    trial = watch_kills.Trial(tmp_path, tmp_path, np.random.default_rng(0))
    (trial.folder / "day0.csv").touch()
    (trial.out / "watch.json").write_bytes(TakenFiles("", (TakenFile("other.csv", "1", NOW, {}),)).to_json())
    for name in watch_kills.SAME:
        (trial.out / name).write_text("ours")
        (tmp_path / "fresh" / name).write_text("theirs" if name == "users.parquet" else "ours")
    monkeypatch.setattr(watch_kills, "_once", lambda *_: None)
    assert list(trial.compare(1)) == [
        "1 of 1 files count: ['other.csv']", "users.parquet is not as of one look",
    ]  # fmt: skip
