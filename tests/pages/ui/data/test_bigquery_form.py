"""Days of BigQuery on the Data page: only with the extra, and none is read before an estimate was shown."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core.runs import jobs
from core.runs.jobs import State
from core.scoring import bigquery
from core.scoring.bigquery_request import BigQueryEstimate, BigQueryRequest, DayTable
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import FakeJobs, texts
from tests.pages.fixtures_segments import FinishedRun

TABLE = "my-project.analytics_1.events_*"


@pytest.fixture(autouse=True)
def with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bigquery, "installed", lambda: True)


def opened(open_app: OpenApp) -> Any:  # noqa: ANN401
    """The form, with a table typed."""
    app = open_app()
    app.button(key="bigquery_open_it").click().run()
    app.text_input(key="bigquery_table").set_value(f" {TABLE}").run()
    return app


def estimated(app: Any, fake_jobs: FakeJobs, size: int = 2**38) -> BigQueryEstimate:  # noqa: ANN401
    """Press Estimate, and let the job say that one day has a table."""
    app.button(key="bigquery_ask").click().run()
    request = BigQueryRequest.checked(**fake_jobs.started[-1][1])
    day = DayTable(day=request.first, name="x", modified="", rows=1200, columns=())
    told = BigQueryEstimate(request=request, tables=(day,), bytes_billed=size)
    fake_jobs.end("bigquery_estimate", result={"estimate": told.model_dump(mode="json")})
    app.run()
    return told


def test_without_the_extra_there_is_nothing_to_see(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bigquery, "installed", lambda: False)
    app = open_app()
    assert not app.exception
    assert "BigQuery" not in [card.value for card in app.subheader]
    assert "bigquery_open_it" not in [button.key for button in app.button]
    assert "Nothing leaves this machine." in texts(app)


def test_where_nothing_may_be_billed_it_is_not_offered(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEHA2VEC_BIGQUERY_MAX_BYTES", "0")
    app = open_app()
    assert "Nothing leaves" in texts(app)
    for shown in (app, open_app(data=finished_run.dataset)):
        assert not shown.exception
        assert "bigquery_open_it" not in [button.key for button in shown.button]


def test_a_limit_of_the_server_that_is_no_size_is_said_and_nothing_is_asked(
    open_app: OpenApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEHA2VEC_BIGQUERY_MAX_BYTES", "plenty")
    app = opened(open_app)
    assert "'plenty' is no size" in app.error[0].value
    assert "bigquery_ask" not in [button.key for button in app.button]


def test_nobody_raises_the_limit_of_whoever_runs_the_app(
    open_app: OpenApp, fake_jobs: FakeJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEHA2VEC_BIGQUERY_MAX_BYTES", "20GB")
    app = opened(open_app)
    assert "Nothing leaves" not in texts(app)
    assert (app.number_input(key="bigquery_most").max, app.number_input(key="bigquery_most").value) == (
        20,
        20,
    )
    assert estimated(app, fake_jobs, 0).request.max_bytes == 20 * 10**9


def test_estimated_then_read_then_looked_into(open_app: OpenApp, fake_jobs: FakeJobs, tmp_path: Path) -> None:
    app = opened(open_app)
    assert "bigquery_read" not in [button.key for button in app.button]
    told = estimated(app, fake_jobs, 2**40 // 100)
    assert fake_jobs.started[0][0] == "bigquery_estimate"
    assert fake_jobs.child == jobs.ENGINES
    assert told.request.table == TABLE
    assert "1,200 events to read" in texts(app)
    assert app.button(key="bigquery_read").label == "Read 1 day for about \\$0\\.06"
    app.button(key="bigquery_read").click().run()
    task, request, _ = fake_jobs.started[-1]
    assert (task, request["input_dir"]) == ("bigquery_read", str(tmp_path / "input"))
    assert request["estimate"] == told.model_dump(mode="json")
    (tmp_path / "input" / "days").mkdir(parents=True)
    fake_jobs.end("bigquery_read", result={"folder": "days"})
    app.run()
    assert not app.exception
    assert fake_jobs.started[-1][0] == "inspect"
    assert fake_jobs.started[-1][1]["paths"] == [str(tmp_path / "input" / "days")]


def test_what_changes_after_the_estimate_needs_another_one(open_app: OpenApp, fake_jobs: FakeJobs) -> None:
    app = opened(open_app)
    estimated(app, fake_jobs)
    app.date_input(key="bigquery_first").set_value(date(2026, 1, 5)).run()
    assert "estimate again" in texts(app)
    assert "bigquery_read" not in [button.key for button in app.button]


def test_more_than_may_be_billed_cannot_be_read(open_app: OpenApp, fake_jobs: FakeJobs) -> None:
    app = opened(open_app)
    estimated(app, fake_jobs)
    assert "more than may be billed" in texts(app)
    assert app.button(key="bigquery_read").disabled


def test_what_is_wrong_is_said_in_words(open_app: OpenApp, fake_jobs: FakeJobs) -> None:
    app = opened(open_app)
    app.text_input(key="bigquery_table").set_value("events").run()
    app.button(key="bigquery_ask").click().run()
    assert "is not possible" in app.error[0].value
    assert fake_jobs.started == []
    app.text_input(key="bigquery_table").set_value(TABLE).run()
    app.button(key="bigquery_ask").click().run()
    fake_jobs.end("bigquery_estimate", State.FAILED, error="A quota of BigQuery is used up.")
    app.run()
    assert "quota" in app.error[0].value
    assert app.text_input(key="bigquery_table").value == TABLE
    assert not app.exception


def test_beside_a_data_set_that_is_open(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(data=finished_run.dataset)
    app.button(key="bigquery_open_it").click().run()
    assert not app.exception
    assert app.text_input(key="bigquery_table").value == ""
    assert app.button(key="bigquery_ask").disabled
