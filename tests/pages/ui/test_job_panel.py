"""How a job reads in one line."""

from core.jobs import JobView, State
from pages.ui.job_panel import file_limits, progress_line


def job(**fields: object) -> JobView:
    return JobView("id", "train", "data", State.RUNNING, **fields)  # type: ignore[arg-type] # fields vary


def test_a_job_that_has_not_reported_is_starting() -> None:
    assert progress_line(job()) == "Starting"


def test_message_and_time_left_in_one_line() -> None:
    line = progress_line(job(stage="train", message="epoch 2 of 5", left_s=(110.0, 200.0)))
    assert line == "epoch 2 of 5 · 2 to 3 minutes left in this step"


def test_a_stage_without_a_message_is_said_in_words() -> None:
    assert progress_line(job(stage="embed")) == "Making a vector for every user"


def test_a_message_that_quotes_a_file_is_escaped() -> None:
    assert "![t](" not in progress_line(job(stage="preprocess", message="![t](https://a.invalid/x)"))


def test_a_child_that_opens_a_file_is_limited() -> None:
    limits = file_limits(60.0)
    assert limits.wall_s == 60.0
    assert limits.memory_bytes is not None
    assert limits.memory_bytes >= 4 * 2**30
