"""How a job reads in one line."""

from pathlib import Path

import pytest

from core.base.errors import SettingsError, control
from core.runs import jobs
from core.runs.jobs import JobView, State
from pages.ui.shell.job_panel import file_limits, progress_line, to_show
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import FakeJobs, texts


def job(**fields: object) -> JobView:
    return JobView("id", "train", "data", State.RUNNING, **fields)  # type: ignore[arg-type] # fields vary


def test_a_job_that_has_not_reported_is_starting() -> None:
    assert progress_line(job()) == "Starting"


def test_message_and_time_left_in_one_line() -> None:
    line = progress_line(job(stage="train", message="epoch 2 of 5", left_s=(110.0, 200.0)))
    assert line == "epoch 2 of 5 · 2 to 3 minutes left in this step"


def test_a_stage_without_a_message_is_said_in_words() -> None:
    assert progress_line(job(stage="embed")) == "Making a vector for every user"


def test_one_that_does_not_answer_says_so_on_the_page_and_can_be_cancelled(
    open_app: OpenApp, fake_jobs: FakeJobs
) -> None:
    app = open_app()
    app.button(key="make_demo").click().run()
    fake_jobs.end("demo", State.RUNNING, answers=False)
    app.run()
    assert progress_line(job(stage="train", answers=False)) == "Not answering"
    assert "No sign of life from its process" in texts(app)
    assert not app.button(key="cancel-job-demo").disabled


def test_a_job_whose_folder_is_damaged_while_the_page_looks_leaves_the_page_whole(
    open_app: OpenApp, fake_jobs: FakeJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app()
    app.button(key="make_demo").click().run()
    going, times = jobs.active, iter(range(100))
    monkeypatch.setattr(jobs, "active", lambda *_, **__: going(Path()) if next(times) < 1 else [])

    def gone(_root: Path, job_id: str) -> JobView:
        raise SettingsError(f"There is no job {job_id!r}")

    monkeypatch.setattr(jobs, "view", gone)
    app.run()
    assert not app.exception


def test_one_that_cannot_start_says_why_in_the_words_of_the_app(
    open_app: OpenApp, fake_jobs: FakeJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(*_: object, **__: object) -> str:
        raise SettingsError("No user", remedy=f"Choose: {control('user_key')}")

    monkeypatch.setattr(jobs, "start", refusing)
    app = open_app()
    app.button(key="make_demo").click().run()
    assert "“Who is a user?” on the Data page" in texts(app)
    assert "--user-key" not in texts(app)


def test_one_that_does_not_answer_is_shown_beside_the_one_that_waits_for_it() -> None:
    waiting, deaf, ending = (
        JobView(name, "train", "data", State.RUNNING, answers=name != "deaf")
        for name in ("new", "deaf", "old")
    )
    assert to_show([waiting, deaf, ending]) == [waiting, deaf]


def test_a_message_that_quotes_a_file_is_escaped() -> None:
    assert "![t](" not in progress_line(job(stage="preprocess", message="![t](https://a.invalid/x)"))


def test_a_child_that_opens_a_file_is_limited() -> None:
    limits = file_limits(60.0)
    assert limits.wall_s == 60.0
    assert limits.memory_bytes is not None
    assert limits.memory_bytes >= 4 * 2**30
