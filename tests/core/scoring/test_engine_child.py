"""The child of a job that reads files or BigQuery."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from core.base.settings import Settings
from core.runs import jobs
from core.runs.jobs import JobView, State
from core.scoring.bigquery_request import (
    ESTIMATE,
    READ,
    BigQueryEstimate,
    BigQueryRequest,
    DaysRequest,
)
from tests.core.scoring.fake_faults import TABLE, FakeFaults, serving


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFaults]:
    row = {"user_key": "a", "event_timestamp": "1000000000000000", "event_name": "page_view"}
    with serving(FakeFaults({"20261001": [row]})) as server:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", server.address)
        yield server


def ended(root: Path, task: str, request: Settings) -> JobView:
    job = jobs.start(root, task, request, "toy", child=jobs.ENGINES)
    for _ in range(1200):
        view = jobs.view(root, job)
        if not view.active:
            return view
        time.sleep(0.1)
    raise AssertionError(view)


def test_estimated_then_read_into_a_folder_of_the_input(fake: FakeFaults, tmp_path: Path) -> None:
    root, day = tmp_path / "cache", date(2026, 10, 1)
    asked = BigQueryRequest(table=TABLE, first=day, last=day)
    told = ended(root, ESTIMATE, asked)
    assert told.state is State.DONE, told.error
    estimate = BigQueryEstimate.checked(**told.result["estimate"])
    assert estimate.request == asked
    assert fake.queried() == []
    done = ended(root, READ, DaysRequest(estimate=estimate, input_dir=tmp_path / "input"))
    assert done.state is State.DONE, done.error
    assert done.result["folder"].startswith("analytics_123456789_20261001-20261001_")
    [file] = (tmp_path / "input" / done.result["folder"]).iterdir()
    assert file.name == "events_20261001.parquet"


def test_what_the_app_may_have_billed_is_asked_again(
    fake: FakeFaults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEHA2VEC_BIGQUERY_MAX_BYTES", "20GB")
    asked = BigQueryRequest(table=TABLE, first=date(2026, 10, 1), last=date(2026, 10, 1))
    agreed = BigQueryEstimate(request=asked, tables=(), bytes_billed=0)
    for task, request in (
        (ESTIMATE, asked),
        (READ, DaysRequest(estimate=agreed, input_dir=tmp_path / "input")),
    ):
        view = ended(tmp_path / "cache", task, request)
        assert view.state is State.FAILED
        assert "100.00 GB is more than may be billed here" in view.error
    assert fake.asked == []


def test_a_task_that_it_does_not_know(tmp_path: Path) -> None:
    day = date(2026, 10, 1)
    view = ended(tmp_path / "cache", "demo", BigQueryRequest(table=TABLE, first=day, last=day))
    assert view.state is State.FAILED
    assert "There is no task 'demo'" in view.error
