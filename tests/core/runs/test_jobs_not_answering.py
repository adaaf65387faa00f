"""Children that are stopped, hung or dead, and folders that are damaged: real processes, real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.base.errors import ResourceError, SettingsError
from core.runs import job_process, jobs
from core.runs.job_process import ALIVE, PROCESS
from core.runs.jobs import REQUEST, STATUS, State
from core.storage import locks
from tests.core.runs.test_jobs import ended, process_id, rest, wait_for


def folder_of(root: Path, job: str) -> Path:
    return root / "jobs" / job


def running(root: Path, subject: str = "a", seconds: float = 60.0) -> str:
    """A job that rests, and has given a sign of life."""
    job = jobs.start(root, "rest", rest(seconds), subject)
    wait_for(root, job, lambda view: view.stage == "rest")
    return job


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[str]:
    """A job whose process has been stopped by a signal."""
    job = running(tmp_path)
    os.kill(process_id(tmp_path, job), signal.SIGSTOP)
    yield job
    job_process.kill(folder_of(tmp_path, job))


def eventually(check: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_stopped_child_is_noticed_and_goes_on_where_it_was(tmp_path: Path, stopped: str) -> None:
    view = wait_for(tmp_path, stopped, lambda view: not view.answers, seconds=20)
    assert view.state is State.RUNNING
    os.kill(process_id(tmp_path, stopped), signal.SIGCONT)
    assert wait_for(tmp_path, stopped, lambda view: view.answers).state is State.RUNNING


def test_a_stopped_child_can_be_cancelled(tmp_path: Path, stopped: str) -> None:
    child = psutil.Process(process_id(tmp_path, stopped))
    jobs.cancel(tmp_path, stopped)
    view = wait_for(tmp_path, stopped, ended, seconds=20)
    assert view.state is State.CANCELLED
    assert "cancelled" in view.error
    eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert jobs.view(tmp_path, stopped).state is State.CANCELLED


def test_a_job_that_waits_goes_on_although_nobody_looks(tmp_path: Path, stopped: str) -> None:
    second = jobs.start(tmp_path, "rest", rest(0.2), "a")
    status = folder_of(tmp_path, second) / STATUS
    eventually(lambda: status.exists() and "does not answer" in status.read_text())  # and waits all the same
    jobs.cancel(tmp_path, stopped)
    eventually(lambda: json.loads(status.read_text())["state"] == State.DONE)


def test_one_that_replaces_ends_a_stopped_one(tmp_path: Path, stopped: str) -> None:
    last = jobs.start(tmp_path, "rest", rest(0.2), "a", replace=True)
    assert wait_for(tmp_path, last, ended).state is State.DONE
    assert jobs.view(tmp_path, stopped).state is State.CANCELLED


def test_a_machine_that_wakes_up_kills_nothing(tmp_path: Path) -> None:
    job = running(tmp_path, seconds=5.0)
    alive = folder_of(tmp_path, job) / ALIVE
    for hours in (-8, 8):  # a clock that jumped on, and one that was set back
        os.utime(alive, times=(time.time(), time.time() + 3600 * hours))
        assert jobs.view(tmp_path, job).state is State.RUNNING
    assert wait_for(tmp_path, job, ended).state is State.DONE


def test_a_job_is_known_by_its_process_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = running(tmp_path)
    created, boot = psutil.Process.create_time, psutil.boot_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: created(self) + 3600)
    monkeypatch.setattr(psutil, "boot_time", lambda: boot() + 3600)  # what setting the clock does to both
    assert jobs.view(tmp_path, job).state is State.RUNNING
    job_process.kill(folder_of(tmp_path, job))


NATIVE = """
import sys; from pathlib import Path; from core.runs import job_process
folder = Path(sys.argv[1]); job_process.start_heartbeat(folder)
sum(range(10**11))  # one native call that lets no other thread run
"""


def test_a_long_native_call_is_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen([sys.executable, "-c", NATIVE, str(tmp_path)]) as child:
        try:
            job_process.record_process(tmp_path, child.pid)
            eventually((tmp_path / ALIVE).exists)
            monkeypatch.setattr(job_process, "SILENT_S", 2.5)
            eventually(lambda: time.time() - (tmp_path / ALIVE).stat().st_mtime > 3)
            process = psutil.Process(child.pid)
            assert job_process.is_responding(tmp_path, process)
            child.send_signal(signal.SIGSTOP)
            eventually(lambda: not job_process.is_responding(tmp_path, process), seconds=10)
        finally:
            child.kill()


def test_the_number_of_a_process_that_another_one_got_is_not_killed(tmp_path: Path) -> None:
    job = running(tmp_path)
    child, noted = process_id(tmp_path, job), folder_of(tmp_path, job) / PROCESS
    known = json.loads(noted.read_text())
    noted.write_text(json.dumps(known | {"since_boot": known["since_boot"] - 100}))
    jobs.cancel(tmp_path, job)
    assert jobs.view(tmp_path, job).state is State.CANCELLED
    job_process.kill(folder_of(tmp_path, job))
    assert psutil.pid_exists(child)
    noted.write_text(json.dumps(known))


def test_damaged_orders_are_left_out_and_the_next_job_works(tmp_path: Path) -> None:
    texts = (
        "",
        "{",
        "[]",
        "3",
        "null",
        '{"task": "rest"}',
        '{"task": "rest", "request": 3}',
        '{"request": {}}',
    )
    for number, text in enumerate(texts):
        damaged = folder_of(tmp_path, f"20990101-000000-000000-aaaaaaa{number}")
        damaged.mkdir(parents=True)
        (damaged / REQUEST).write_text(text)
        assert jobs.recent(tmp_path) == [], text
        with pytest.raises(SettingsError, match="There is no job"):
            jobs.request_of(tmp_path, damaged.name)
    job = jobs.start(tmp_path, "rest", rest(0.1), "a")
    assert wait_for(tmp_path, job, ended).state is State.DONE


def test_a_damaged_status_is_not_more_than_a_status_that_is_missing(tmp_path: Path) -> None:
    texts = ("", "{", "[]", "3", '{"state": "odd"}', '{"state": []}', '{"fraction": 1}', "\0")
    job = running(tmp_path)
    os.kill(process_id(tmp_path, job), signal.SIGSTOP)
    for text in texts:
        (folder_of(tmp_path, job) / STATUS).write_text(text)
        assert jobs.view(tmp_path, job).state is State.STARTING, text
    job_process.kill(folder_of(tmp_path, job))
    wait_for(tmp_path, job, ended)
    for text in texts:
        (folder_of(tmp_path, job) / STATUS).write_text(text)
        view = jobs.view(tmp_path, job)
        assert view.state is State.FAILED, text
        assert "ended without a result" in view.error


HOLD = """
import sys, time; from filelock import FileLock
lock = FileLock(sys.argv[1]); lock.acquire(); print("held", flush=True); time.sleep(600)
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGSTOP])
def test_a_lock_of_a_dead_process_is_free_and_of_a_stopped_one_is_said_in_a_line(
    tmp_path: Path, sent: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "PATIENCE_S", 0.5)
    (tmp_path / "jobs").mkdir()
    command = [sys.executable, "-c", HOLD, str(tmp_path / "jobs" / ".lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.send_signal(sent)
        try:
            if sent is signal.SIGSTOP:
                with pytest.raises(ResourceError, match=r"jobs has been busy for .* another process"):
                    jobs.start(tmp_path, "rest", rest(0.1), "a")
        finally:
            holder.kill()
            holder.wait()
        job = jobs.start(tmp_path, "rest", rest(0.1), "a")
        assert wait_for(tmp_path, job, ended).state is State.DONE


def test_a_job_that_was_cleaned_away_can_be_cancelled(tmp_path: Path) -> None:
    jobs.cancel(tmp_path, "20200101-000000-000000-aaaaaaaa")
    assert not (tmp_path / "jobs").exists()
