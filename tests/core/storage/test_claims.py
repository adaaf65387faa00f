"""One writer a place, shown with real processes."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.base.errors import ResourceError
from core.storage.locks import claim_file, claim_folder
from core.storage.replace_files import finish_replacement, replace_files_atomic

ROOT = Path(__file__).resolve().parents[3]
HOLDER = """
import sys
from pathlib import Path
from core.storage.locks import claim_folder

with claim_folder(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process_in(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "mine\n"
        try:
            yield holder
        finally:
            holder.kill()


def test_the_second_is_told_who_is_there(tmp_path: Path) -> None:
    with another_process_in(tmp_path) as holder:
        with pytest.raises(ResourceError, match=f"being written by process {holder.pid} on") as told:
            claim_folder(tmp_path).__enter__()
        assert str(tmp_path) in str(told.value)


def test_a_folder_that_is_being_removed_is_said_in_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(ResourceError, match="removed"),
        replace_files_atomic(tmp_path, "run.json") as building,
    ):
        shutil.rmtree(building)  # the lock beside it is not gone yet


def test_what_is_built_by_the_living_is_not_cleared_away(tmp_path: Path) -> None:
    with another_process_in(tmp_path):
        (tmp_path / ".publishing.theirs").mkdir()
        with pytest.raises(ResourceError, match="being written"):
            finish_replacement(tmp_path)
        with pytest.raises(ResourceError, match="being written"), replace_files_atomic(tmp_path, "run.json"):
            raise AssertionError
    assert (tmp_path / ".publishing.theirs").exists()
    finish_replacement(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_lock_ends_with_its_process_and_its_file_bars_nobody(tmp_path: Path, end: signal.Signals) -> None:
    with another_process_in(tmp_path) as holder:
        holder.send_signal(end)
        holder.wait()
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    with claim_folder(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_process_still_has_what_it_claimed(tmp_path: Path) -> None:
    with another_process_in(tmp_path) as holder:
        holder.send_signal(signal.SIGSTOP)
        with pytest.raises(ResourceError, match=str(holder.pid)), claim_folder(tmp_path):
            pass


def test_a_thread_may_claim_again_what_it_has_and_another_may_not(tmp_path: Path) -> None:
    path = tmp_path / "embed.parquet"
    with claim_file(path), claim_file(path), ThreadPoolExecutor(1) as pool:
        refused = pool.submit(claim_file(path).__enter__).exception()
    assert isinstance(refused, ResourceError)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_vanished_is_the_cause_of_what_fails_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(ResourceError, match="out was removed"), claim_folder(folder):
        shutil.rmtree(folder)
        (folder / "users.parquet").write_text("x")
    assert not folder.exists()


def test_what_was_made_for_a_vanished_place_does_not_land_in_the_next_one(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(ResourceError, match="out was removed"), claim_folder(folder):
        shutil.rmtree(folder)
        folder.mkdir()  # as a second run does, which finds no lock there
        with another_process_in(folder), replace_files_atomic(folder, "run.json") as new:
            (new / "run.json").write_text("mine")
    assert not (folder / "run.json").exists()
