"""Profiles, view All segments: without data, with a filter, and without an outcome."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

from core.base.settings import TrainSettings
from core.profiles.profile_columns import Col
from core.storage.dataset import OUTCOMES
from core.storage.store import MANIFEST, file_checksum
from pages.ui.shell import state
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import FakeJobs, texts
from tests.pages.fixtures_segments import FinishedRun

PAGE = "pages/segments/profiles.py"


@pytest.fixture
def profiles(open_app: OpenApp, finished_run: FinishedRun) -> AppTest:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert not app.exception
    return app


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)


def test_every_chart_has_its_n_and_a_table_behind_it(profiles: AppTest) -> None:
    drawn = len(profiles.get("vega_lite_chart"))
    assert drawn == 3  # heat-map, outcome, sizes
    assert len([one for one in profiles.expander if one.label == "Table"]) == drawn
    assert "87 users, 73 of them clustered." in texts(profiles)
    assert "25 of 73 clustered users converted." in texts(profiles)
    assert "25 users of all 87 converted." in texts(profiles)
    assert "Every row is compared with **the others**" in texts(profiles)


def test_controls_are_the_same_as_on_explore(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset)
    app.slider(key="k").set_value(4).run()
    app.switch_page("pages/segments/explore.py").run()
    assert app.slider(key="k").value == 4
    assert "73 users in 4 segments" in texts(app)


def test_controls_from_a_link_are_kept_at_the_first_page_switch(open_app: OpenApp, profiles: AppTest) -> None:
    profiles.switch_page("pages/segments/explore.py").run()
    assert "73 users in 3 segments" in texts(profiles)


@pytest.mark.usefixtures("nothing_kept")
def test_without_events_there_is_no_outcome_and_the_page_says_so(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    without_events(finished_run.root / "preprocess" / finished_run.dataset)
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert not app.exception
    assert "No outcome is chosen. Choose an event or a page" in texts(app)
    assert "How segments convert" not in texts(app)
    outcome = app.multiselect(key="outcome")
    assert not outcome.value
    outcome.set_value(["page:shop.example/cart"]).run()
    assert not app.exception
    assert "users of all 87 converted" in texts(app)
    assert "outcome: a view of /cart" in texts(app)


def test_pages_that_give_the_outcome_away_are_left_out_and_fitted_again_by_one_click(
    open_app: OpenApp, finished_run: FinishedRun, fake_jobs: FakeJobs, tmp_path: Path
) -> None:
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "toy.csv").write_text("x")
    for page in (PAGE, "pages/segments/explore.py"):
        assert "the model read pages that only users with it see" in texts(
            open_app(page, data=finished_run.dataset, k="3")
        )
    app = open_app(data=finished_run.dataset, model=finished_run.model)
    assert "see this, at the outcome or afterwards" in texts(app)
    app.button(key="leave-out").click().run()
    assert not app.exception
    ((request, subject),) = [job[1:] for job in fake_jobs.started if job[0] == "refit"]
    assert subject == finished_run.dataset
    assert "shop.example/cart" in request["ingest"]["strip_pages"]
    assert request["train"] == TrainSettings(epochs=1).model_dump(mode="json")
    assert request["paths"] == [str(tmp_path / "input" / "toy.csv")]
    assert "Reading and training again" in texts(app)
    made = {
        "dataset": finished_run.dataset,
        "model": finished_run.model,
        "embeddings": finished_run.embeddings,
    }
    fake_jobs.end("refit", result=made)
    app.run()
    assert not app.exception
    assert app.session_state[state.MODELS][finished_run.dataset] == finished_run.model


def without_events(dataset: Path) -> None:
    """Take every event but page views out of a data set."""
    table = pq.read_table(dataset / OUTCOMES).slice(0, 0)
    pq.write_table(table, dataset / OUTCOMES)
    manifest = json.loads((dataset / MANIFEST).read_text())
    manifest["files"][OUTCOMES] = file_checksum(dataset / OUTCOMES)
    (dataset / MANIFEST).write_text(json.dumps(manifest))


def test_a_filter_counts_anew_leaves_the_segments_and_is_in_the_link(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    link = {"data": finished_run.dataset, "k": "3"}
    whole, app = open_app(PAGE, **link), open_app(PAGE, **link, device="mobile")
    assert not app.exception
    told = texts(app)
    assert "Counted: device mobile" in told and "The segments are those of all users" in told
    sizes = [next(t.value for t in page.dataframe if Col.SHARE in t.value.columns) for page in (whole, app)]
    assert sizes[1][Col.USERS].sum() < sizes[0][Col.USERS].sum()
    of_all = [sizes[n].loc[sizes[n][Col.LABEL] == "All users", Col.USERS].item() for n in (0, 1)]
    assert of_all[1] == sizes[1][Col.USERS].max() < of_all[0]
    assert app.query_params["device"] == "mobile"
    app.button(key="clear-filter").click().run()
    assert "Everybody and every day is counted" in texts(app)


def test_a_filter_that_leaves_nobody_of_a_segment_names_it(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3", device="tablet")
    assert not app.exception
    assert "The filter leaves nobody" in texts(app)
    assert not app.pills


def test_days_of_a_data_set_without_times_of_events_are_told_in_words(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3", to="2023-11-15")
    assert not app.exception
    assert "has no times of events" in texts(app)
    assert app.button(key="clear-filter")
