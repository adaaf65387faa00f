"""The Labels page: without data, before and after labelling, a correction and its way back."""

from __future__ import annotations

from typing import Any

import pytest

from core import pipeline, tasks
from core.jobs import State
from core.labels.settings import LabelMode, LabelSettings, Override
from core.progress import silent
from core.schema import View
from core.store import Store
from pages.ui import desk, label_book, label_jobs, label_table
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import FakeJobs, texts
from tests.pages.fixtures_segments import HOSTILE_TITLE, FinishedRun

PAGE = "pages/prepare/labels.py"
RULES = LabelSettings(mode=LabelMode.RULES)
CART = "shop.example/cart"


def save(settings: LabelSettings) -> None:
    label_book.save(settings)


def label(run: FinishedRun, settings: LabelSettings) -> dict[str, Any]:
    """Do what the job would."""
    request = {"dataset": run.dataset, "label": settings.model_dump(mode="json")}
    return tasks.run("label", run.root, request, silent)


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)


def test_before_labelling_it_offers_to_start(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert not app.exception
    assert "9 pages get a theme and a type" in "".join(element.value for element in app.markdown)
    app.button(key="start-labels").click().run()
    ((task, request, subject),) = fake_jobs.started
    assert (task, subject) == ("label", finished_run.dataset)
    assert (request["label"]["mode"], request["fetch_hosts"]) == ("auto", [])
    assert request["model"] == finished_run.model
    assert "Labelling pages" in texts(app)


def test_labels_are_shown_with_who_decided(open_app: OpenApp, finished_run: FinishedRun) -> None:
    save(RULES)
    label(finished_run, RULES)
    app = open_app(PAGE, data=finished_run.dataset)
    assert not app.exception
    assert "Who decided" in texts(app)
    tables = [element.value for element in app.dataframe]
    rungs = next(table for table in tables if "rung" in table and "view" in table)
    assert {"Themes", "Types"} == set(rungs["view"])
    assert rungs["share"].sum() == pytest.approx(2.0)
    assert HOSTILE_TITLE not in texts(app)


def test_labels_that_are_off_are_said(open_app: OpenApp, finished_run: FinishedRun) -> None:
    save(LabelSettings(mode=LabelMode.OFF))
    app = open_app(PAGE, data=finished_run.dataset)
    assert "Labelling is off" in app.info[0].value
    assert "start-labels" not in {button.key for button in app.button}


def test_a_correction_wins_is_kept_and_can_be_undone(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    save(RULES)
    correction = Override(view=View.TYPE, target=CART, value="Blog")
    label_book.correct([correction])
    assert label_book.load().overrides == (correction,)
    label(finished_run, label_book.load())
    dataset = pipeline.open_dataset(Store(finished_run.root), finished_run.dataset)
    found = pipeline.find_labels(Store(finished_run.root), dataset, label_book.load())
    assert found is not None
    row = found.table.iloc[dataset.pages["page_location"].tolist().index(CART)]
    assert (row["type"], row["type_rung"]) == ("Blog", "override")
    app = open_app(PAGE, data=finished_run.dataset)
    app.button(key="undo-label").click().run()
    assert label_book.load().overrides == ()
    assert [task for task, _, _ in fake_jobs.started] == ["label"]


def test_an_edited_cell_becomes_a_correction(
    fake_jobs: FakeJobs, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas as pd

    monkeypatch.setattr(
        label_table.st, "session_state", {"t": {"edited_rows": {0: {"type": "Search"}, 1: {"theme": None}}}}
    )
    monkeypatch.setattr(label_table.state, "dataset", lambda: None)
    label_table._edited("t", pd.DataFrame({"template": ["/a/:slug", "/b"]}), "template")
    assert label_book.load().overrides == (Override(view=View.TYPE, target="/a/:slug", value="Search"),)


def test_users_are_placed_by_the_labels_as_they_are(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.button(key="start-labels").click().run()
    result = {"dataset": finished_run.dataset, "labels": "l", "model": finished_run.model}
    fake_jobs.end("label", State.DONE, result=result | {"embeddings": finished_run.embeddings})
    app.run()
    assert desk.chosen_vectors(Store(finished_run.root), finished_run.model) == finished_run.embeddings


def test_nothing_is_fetched_without_consent(
    open_app: OpenApp, fake_jobs: FakeJobs, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    assert app.button(key="fetch").disabled
    label_jobs.start(finished_run.dataset, LabelSettings(mode=LabelMode.OFF))
    assert fake_jobs.started == []


def test_a_taxonomy_that_cannot_be_used_is_said_and_nothing_is_lost(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    save(RULES)
    (finished_run.root / label_book.FILE).write_text("{broken")
    assert label_book.load() == LabelSettings()
    assert not open_app(PAGE, data=finished_run.dataset).exception
