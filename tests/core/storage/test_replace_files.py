"""A real process is killed before each change of the disk, one run a change."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.storage.replace_files import READY, finish_replacement, replace_files_atomic

ROOT = Path(__file__).resolve().parents[3]
KILLED_BEFORE = """
import os, sys
from pathlib import Path
from core.storage.replace_files import replace_files_atomic

folder, left = Path(sys.argv[1]), int(sys.argv[2])

def kill(event, _):
    global left
    if event in ("os.rename", "os.remove", "os.rmdir"):
        left -= 1
        if left < 0:
            os._exit(9)

with replace_files_atomic(folder, "run.json", optional=["labels"]) as new:
    for name in ("run.json", "users"):
        (new / name).write_text("new")
    (new / "model").mkdir()
    (new / "model" / "weights").write_text("new")
    sys.addaudithook(kill)
"""
OLD = {"run.json": "old", "users": "old", "labels": "old", "model/weights": "old"}
NEW = {"run.json": "new", "users": "new", "model/weights": "new"}


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_the_new_set_takes_the_place_of_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, OLD | {"stages/kept": "old"})
    with replace_files_atomic(tmp_path, "run.json", optional=["labels"]) as new:
        write(new, NEW)
    assert contents(tmp_path) == NEW | {"stages/kept": "old"}


def test_a_failure_while_the_set_is_made_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    with pytest.raises(ValueError, match="half way"), replace_files_atomic(tmp_path, "run.json") as new:
        write(new, {"users": "new"})
        raise ValueError("half way")
    assert contents(tmp_path) == OLD


def test_a_kill_before_any_change_leaves_the_old_set_or_goes_on_to_the_new_one(tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []
    vouched: list[dict[str, str | None]] = []
    for changes in range(40):
        folder = write(tmp_path / str(changes), OLD)
        command = [sys.executable, "-c", KILLED_BEFORE, str(folder), str(changes)]
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        files = contents(folder)
        if "run.json" in files:  # a set that says it is whole is one set
            vouched.append({name: files.get(name) for name in OLD})
        finish_replacement(folder)
        seen.append(contents(folder))
        finish_replacement(folder)
        assert contents(folder) == seen[-1]
        if status == 0:
            break
    assert status == 0
    assert [files for files in vouched if files not in (OLD, NEW | {"labels": None})] == []
    first_new = seen.index(NEW)
    assert first_new > 0
    assert seen == [OLD] * first_new + [NEW] * (len(seen) - first_new)
    assert len(seen) >= 10
    assert not (folder / READY).exists()
