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


def test_moves_are_drawn_with_a_table_behind_each(journeys: AppTest) -> None:
    assert len(journeys.get("echarts_chart")) == 2  # the flows of both
    assert len(journeys.get("vega_lite_chart")) == 2  # entries and exits
    assert len([one for one in journeys.expander if one.label == "Table"]) == 5  # one of all steps
    told = texts(journeys)
    assert "5 different steps" in told  # a visit of all three pages, one without the second
    assert "What differs most from the other clustered users" in told
    assert "More begin at" in told
    steps = next(table.value for table in journeys.dataframe if "step_share" in table.value.columns)
    assert (steps["n"] >= steps["users"]).all()
    assert steps["differs"].any()


def test_sessions_are_followed_to_a_chosen_page(journeys: AppTest) -> None:
    journeys.segmented_control(key="journeys-way").set_value("Last steps").run()
    journeys.selectbox(key="journeys-at-Last steps-page").set_value(1).run()
    assert not journeys.exception
    assert "the last one on the right" in texts(journeys)
    assert journeys.selectbox(key="journeys-at-Last steps-page").label == "To"


def test_a_level_that_the_data_do_not_have_is_not_shown(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3", level="theme")
    assert not app.exception
    assert app.selectbox(key=LEVEL).value == "page"


def test_nobody_beside_draws_one_side(journeys: AppTest) -> None:
    journeys.selectbox(key=BESIDE).set_value("nobody").run()
    assert not journeys.exception
    assert "What differs most" not in texts(journeys)
    assert all("differs" not in table.value.columns for table in journeys.dataframe)


@pytest.mark.parametrize("key", ["group:bot_like", "group:one_page", "all"])
def test_rows_that_are_no_segment_are_drawn_as_well(
    open_app: OpenApp, finished_run: FinishedRun, key: str
) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3", segment=key)
    assert not app.exception
    assert "different steps" in texts(app)


def test_shares_of_a_few_users_are_not_drawn(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3", segment="group:bot_like")  # 4 users
    assert not app.get("vega_lite_chart")
    assert texts(app).count("Shares of fewer than 10 users are in the table alone.") == 2
    ends = [table.value for table in app.dataframe if "step_share" in table.value.columns][:2]
    assert [table["n"].max() for table in ends] == [4, 4]


def test_the_address_says_what_is_shown_before_anything_is_chosen(journeys: AppTest) -> None:
    assert journeys.query_params["segment"] == ["segment:0", "others"]
    assert journeys.query_params["level"] == "page"


def test_the_address_names_the_part_that_is_open(open_app: OpenApp, finished_run: FinishedRun) -> None:
    link = {"data": finished_run.dataset, "k": "3", "journeys-part": "Ways"}
    assert open_app(PAGE, **link).segmented_control(key="journeys-part").value == "Ways"


@pytest.mark.parametrize("part", ["Moves", "Ways", "Funnel", "Time to outcome"])
def test_a_filter_counts_every_part_anew(open_app: OpenApp, finished_run: FinishedRun, part: str) -> None:
    """All users who fit are in one segment: the others are gone, and there is nobody to stand beside."""
    app = open_app(PAGE, data=finished_run.dataset, k="3", country="Italy", **{"journeys-part": part})
    assert not app.exception
    assert "Counted: country Italy" in texts(app)
    alone = open_app(PAGE, data=finished_run.dataset, k="3", device="mobile", **{"journeys-part": part})
    assert not alone.exception
    assert "Nobody is left of" in texts(alone)
    assert alone.selectbox(key="journeys-Beside").options[0] == "Nobody"
