"""Real children: each test starts `python -m tests.core.runs.resting_child` and watches its folder."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core.base.errors import SettingsError
from core.base.settings import IngestSettings
from core.runs import job_process, jobs
from core.runs.file_requests import FilesRequest
from core.runs.job_child import _Reporter, paces
from core.runs.job_process import PROCESS
from core.runs.job_view import _left
from core.runs.jobs import JobView, ResourceLimits, State
from tests.core.runs.resting_child import RestRequest


def wait_for(root: Path, job: str, check: Callable[[JobView], bool], seconds: float = 60) -> JobView:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        view = jobs.view(root, job)
        if check(view):
            return view
        time.sleep(0.05)
    raise AssertionError(f"still {view}")


def ended(view: JobView) -> bool:
    return not view.active


def process_id(root: Path, job: str) -> int:
    known: dict[str, int] = json.loads((root / "jobs" / job / PROCESS).read_text())
    return known["pid"]


def rest(seconds: float = 30.0) -> RestRequest:
    return RestRequest(seconds=seconds)


def test_a_job_runs_reports_and_ends(tmp_path: Path) -> None:
    job = jobs.start(tmp_path, "rest", rest(0.4), "a")
    view = wait_for(tmp_path, job, ended)
    assert view.state is State.DONE
    assert view.result == {"rested": 0.4}
    assert [row["step"] for row in jobs.figures(tmp_path, job)] == list(range(1, 5))
    assert view.fraction == 1.0


def test_a_child_s_own_variables_are_nowhere_on_disk(tmp_path: Path) -> None:
    job = jobs.start(tmp_path, "rest", rest(), "a", environment={"OPENAI_API_KEY": "sk-of-the-test"})
    wait_for(tmp_path, job, lambda view: view.state is State.RUNNING)
    child = psutil.Process(process_id(tmp_path, job)).environ()
    jobs.cancel(tmp_path, job)
    wait_for(tmp_path, job, ended)
    assert child["OPENAI_API_KEY"] == "sk-of-the-test"
    assert child["PATH"] == os.environ["PATH"]
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not any(b"sk-of-the-test" in one for one in written)


def test_one_active_job_a_subject_and_others_join_it(tmp_path: Path) -> None:
    job = jobs.start(tmp_path, "rest", rest(), "a")
    assert jobs.start(tmp_path, "rest", rest(), "a") == job
    other = jobs.start(tmp_path, "rest", rest(0.1), "b")
    assert other != job
    jobs.cancel(tmp_path, job)
    assert wait_for(tmp_path, job, ended).state is State.CANCELLED


def test_another_request_on_the_subject_waits_and_is_not_lost(tmp_path: Path) -> None:
    first = jobs.start(tmp_path, "rest", rest(1.0), "a")
    second = jobs.start(tmp_path, "rest", rest(0.2), "a")
    assert second != first
    assert jobs.start(tmp_path, "rest", rest(0.2), "a") == second
    wait_for(tmp_path, second, lambda view: view.stage == "wait")
    assert wait_for(tmp_path, second, ended).result == {"rested": 0.2}
    assert jobs.view(tmp_path, first).result == {"rested": 1.0}


def test_a_request_that_replaces_stops_those_before_it(tmp_path: Path) -> None:
    first = jobs.start(tmp_path, "rest", rest(), "a")
    waiting = jobs.start(tmp_path, "rest", rest(20.0), "a")
    last = jobs.start(tmp_path, "rest", rest(0.2), "a", replace=True)
    assert jobs.view(tmp_path, first).stopping
    assert wait_for(tmp_path, last, ended).result == {"rested": 0.2}
    assert {jobs.view(tmp_path, job).state for job in (first, waiting)} == {State.CANCELLED}


def test_a_job_that_was_told_to_stop_is_not_joined(tmp_path: Path) -> None:
    first = jobs.start(tmp_path, "rest", rest(), "a")
    jobs.cancel(tmp_path, first)
    second = jobs.start(tmp_path, "rest", rest(), "a")
    assert second != first
    jobs.cancel(tmp_path, second)
    assert wait_for(tmp_path, second, ended).state is State.CANCELLED


def test_a_killed_child_is_noticed(tmp_path: Path) -> None:
    job = jobs.start(tmp_path, "rest", rest(), "a")
    wait_for(tmp_path, job, lambda view: view.state is State.RUNNING)
    os.kill(process_id(tmp_path, job), signal.SIGKILL)
    view = wait_for(tmp_path, job, ended)
    assert view.state is State.FAILED
    assert "killed" in view.error


def test_bad_input_is_one_line_and_no_bug(tmp_path: Path) -> None:
    missing = FilesRequest(paths=(tmp_path / "no.csv",), settings=IngestSettings())
    job = jobs.start(tmp_path, "preprocess", missing, "a", child=jobs.ENGINES)
    view = wait_for(tmp_path, job, ended)
    assert view.state is State.FAILED
    assert "no.csv" in view.error
    assert not view.is_bug
    assert "Traceback" not in view.error


def test_a_request_of_another_task_is_one_line_and_no_bug(tmp_path: Path) -> None:
    job = jobs.start(tmp_path, "preprocess", rest(), "a", child=jobs.ENGINES)
    view = wait_for(tmp_path, job, ended)
    assert view.state is State.FAILED
    assert view.error == "paths is not possible: Field required."
    assert not view.is_bug


def test_a_fault_of_the_program_shows_its_traceback(tmp_path: Path) -> None:
    job = jobs.start(tmp_path, "rest", RestRequest(broken=True), "a")
    view = wait_for(tmp_path, job, ended)
    assert view.is_bug
    assert "Traceback" in view.error


def test_the_wall_limit_ends_a_child(tmp_path: Path) -> None:
    job = jobs.start(tmp_path, "rest", rest(), "a", ResourceLimits(wall_s=1.0))
    view = wait_for(tmp_path, job, ended)
    assert view.state is State.FAILED
    assert "time limit" in view.error


def test_the_memory_limit_ends_a_child(tmp_path: Path) -> None:
    limits = ResourceLimits(memory_bytes=3_000_000_000)
    job = jobs.start(tmp_path, "rest", RestRequest(seconds=0.1, held_bytes=4_000_000_000), "a", limits)
    view = wait_for(tmp_path, job, ended)
    assert view.state is State.FAILED
    assert "memory limit" in view.error
    assert "python -m core run FILES --out OUT --memory SIZE" in view.error


def test_folders_of_jobs_that_ended_long_ago_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "MAX_FOLDERS", 1)
    names = []
    for subject in "abc":
        names.append(jobs.start(tmp_path, "rest", rest(0.1), subject))
        wait_for(tmp_path, names[-1], ended)
    kept = {path.name for path in (tmp_path / "jobs").iterdir() if path.is_dir()}
    assert names[0] not in kept
    assert names[2] in kept


def test_an_unknown_job_is_a_readable_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no job"):
        jobs.view(tmp_path, "../etc")


@pytest.mark.parametrize(
    ("began_at", "left", "factor"),
    [
        (0.0, 40 * 0.4 / 0.6, 1.217),  # 60 % in 40 seconds
        (0.5, 40 * 0.4 / 0.1, 1.3),  # resumed at half: 10 % in 40 seconds
        (0.58, 40 * 0.4 / 0.02, 1.7),  # the first steps
        (0.595, None, 0),  # too early to tell
    ],
)
def test_the_time_left_is_read_from_the_pace_of_this_run(
    tmp_path: Path, began_at: float, left: float | None, factor: float
) -> None:
    folder = tmp_path / "jobs" / "one"
    folder.mkdir(parents=True)
    status = {
        "state": "running", "stage": "train", "fraction": 0.6, "message": "",
        "paces": [(40.0, 0.6 - began_at), (13.3, (0.6 - began_at) / 3)],
    }  # fmt: skip
    order = {"task": "train", "subject": "a", "started": time.time(), "request": {}}
    (folder / jobs.REQUEST).write_text(json.dumps(order))
    (folder / jobs.STATUS).write_text(json.dumps(status))
    job_process.record_process(folder, os.getpid())
    found = jobs.view(tmp_path, "one").left_s
    assert found == (
        left and (pytest.approx(left / factor, rel=0.01), pytest.approx(left * factor, rel=0.01))
    )


def test_a_resumed_stage_is_timed_from_where_it_went_on(tmp_path: Path) -> None:
    reporter = _Reporter(tmp_path)
    reporter("train", 0.0, "Reading")
    reporter("train", 0.5)
    reporter("train", 0.6)
    (_, gained), _ = reporter.status["paces"]
    assert gained == pytest.approx(0.1)
    reporter("embed", 0.0)
    reporter("embed", 0.2)
    reporter("embed", 0.4)
    (_, gained), _ = reporter.status["paces"]
    assert gained == pytest.approx(0.2)


def test_a_pace_that_has_changed_widens_the_range() -> None:
    steady = [(second, second / 100) for second in range(31)]
    slower = [*steady, *((30 + second, 0.3 + second / 1000) for second in range(1, 31))]
    assert paces(steady) == [(30, 0.3), (10, pytest.approx(0.1))]
    assert paces(slower) == [(60, pytest.approx(0.33)), (20, pytest.approx(0.02))]
    low, high = _left({"fraction": 0.33, "paces": paces(slower)}) or (0, 0)
    assert low < 60 * 0.67 / 0.33 < 20 * 0.67 / 0.02 < high
