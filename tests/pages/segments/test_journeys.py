"""The page Journeys: whose moves, beside whose, and how finely pages are told apart."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FinishedRun

PAGE = "pages/segments/journeys.py"
WHOSE, BESIDE, LEVEL = "journeys-Whose moves", "journeys-Beside", "journeys-level"


@pytest.fixture
def journeys(open_app: OpenApp, finished_run: FinishedRun) -> AppTest:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert not app.exception
    return app


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)


def test_a_segment_is_chosen_beside_the_others_at_the_level_of_its_pages(journeys: AppTest) -> None:
    assert journeys.selectbox(key=WHOSE).value == "segment:0"
    assert journeys.selectbox(key=BESIDE).value == "others"
    assert journeys.selectbox(key=LEVEL).options == ["Pages"]  # nothing is labelled


def test_what_is_chosen_goes_into_the_link_and_comes_from_it(
    journeys: AppTest, open_app: OpenApp, finished_run: FinishedRun
) -> None:
    journeys.selectbox(key=WHOSE).set_value("segment:1").run()
    journeys.selectbox(key=BESIDE).set_value("segment:2").run()
    assert journeys.query_params["segment"] == ["segment:1", "segment:2"]
    link = {"data": finished_run.dataset, "k": "3", "segment": "group:bot_like"}
    assert open_app(PAGE, **link).selectbox(key=WHOSE).value == "group:bot_like"


def test_nobody_beside_is_kept_and_all_users_have_nobody_beside(journeys: AppTest) -> None:
    journeys.selectbox(key=BESIDE).set_value("nobody").run()
    journeys.selectbox(key=WHOSE).set_value("segment:2").run()
    assert journeys.selectbox(key=BESIDE).value == "nobody"
    journeys.selectbox(key=WHOSE).set_value("all").run()
    assert not journeys.exception
    assert journeys.selectbox(key=BESIDE).options == ["Nobody"]
