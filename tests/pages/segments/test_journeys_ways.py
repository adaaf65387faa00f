"""Routes, the index plot and the time to the outcome on the page Journeys."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.base.schema import EventTimes, Outcomes
from core.journeys.flow import ROUTE
from core.journeys.index_plot import STRIP
from core.journeys.moves import SESSIONS
from core.journeys.survival import HAVE_HAD, SECONDS
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from core.storage.dataset import EVENTS, OUTCOMES
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FinishedRun

PAGE, PART = "pages/segments/journeys.py", "journeys-part"
BUYERS = "segment:0"


def opened(open_app: OpenApp, run: FinishedRun, part: str, **link: str) -> AppTest:
    app = open_app(PAGE, **({"data": run.dataset, "k": "3"} | link))
    app.segmented_control(key=PART).set_value(part).run()
    assert not app.exception
    return app


def table(app: AppTest, column: str) -> pd.DataFrame:
    found: pd.DataFrame = next(one.value for one in app.dataframe if column in one.value.columns)
    return found


@pytest.fixture
def ways(open_app: OpenApp, finished_run: FinishedRun) -> AppTest:
    return opened(open_app, finished_run, "Ways")


def test_the_route_of_a_segment_is_listed_beside_the_others_with_its_outcome(ways: AppTest) -> None:
    routes = table(ways, ROUTE)
    assert routes[Col.SHARE].iloc[0] == 1  # every visit of a kind is the same three pages
    assert routes[Col.REST_SHARE].iloc[0] == 0
    assert routes[Diff.DIFFERS].iloc[0]
    assert routes[ROUTE].iloc[0].count(" → ") == 2
    assert f"{routes[SESSIONS].sum()} sessions of" in texts(ways)
    assert len(ways.get("vega_lite_chart")) == 2


def test_fewer_stops_make_a_session_go_on(ways: AppTest) -> None:
    ways.slider(key="routes-stops").set_value(2).run()
    assert not ways.exception
    assert table(ways, ROUTE)[ROUTE].iloc[0].endswith(" → …")


def test_routes_that_only_others_take_set_apart_too(ways: AppTest) -> None:
    ways.segmented_control(key="routes-order").set_value("apart").run()
    found = table(ways, ROUTE)
    assert found[Diff.DIFFERS].all()
    assert (found[Col.SHARE] == 0).any()


def test_with_nobody_beside_routes_that_set_apart_give_way_to_the_common_ones(ways: AppTest) -> None:
    ways.segmented_control(key="routes-order").set_value("apart").run()
    ways.selectbox(key="journeys-Beside").set_value("nobody").run()
    assert not ways.exception
    assert Col.REST_SHARE not in table(ways, ROUTE)
    assert len(table(ways, ROUTE))


def test_the_index_plot_says_of_how_many_it_is(ways: AppTest) -> None:
    users = table(ways, STRIP)[STRIP].max()
    assert f"All {users} users, drawn with seed 0." in texts(ways)
    ways.segmented_control(key="carpet-strip").set_value("session").run()
    assert not ways.exception
    assert table(ways, STRIP)[STRIP].max() > users


def test_everybody_had_it_at_once_beside_others_who_never_did(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = opened(open_app, finished_run, "Time to outcome", segment=BUYERS)
    said = texts(app)
    assert "100% of 25 users with purchase by the end of the data" in said
    assert "none of 48 users with purchase" in said
    assert "Who had it at all differs. Input" in said  # a page that only buyers saw
    curves = table(app, HAVE_HAD)
    assert curves.groupby("row")[HAVE_HAD].max().tolist() == [1, 0]


def test_another_horizon_ends_the_curve_sooner(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = opened(open_app, finished_run, "Time to outcome", segment=BUYERS)
    app.segmented_control(key="horizon").set_value("First day").run()
    assert not app.exception
    assert table(app, HAVE_HAD)[SECONDS].max() == 86_400


def test_a_page_is_an_outcome_that_the_model_has_read(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = opened(open_app, finished_run, "Time to outcome", segment=BUYERS)
    app.multiselect(key="outcome").set_value(["page:shop.example/cart"]).run()
    assert not app.exception
    assert "with a view of /cart by the end of the data, half of these within 2 min" in texts(app)
    assert "Input: a page that the model has read gives the outcome away." in texts(app)
    app.selectbox(key="journeys-Beside").set_value("nobody").run()
    assert "half of all within 2 min" in texts(app)  # beside the others, who reach no half, it was of these


def test_a_horizon_that_is_longer_than_the_data_is_given_up(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = opened(open_app, finished_run, "Time to outcome", segment=BUYERS)
    app.segmented_control(key="horizon").set_value("First day").run()
    app.selectbox(key="journeys-Beside").set_value("nobody").run()
    assert not app.exception
    app.session_state["horizon"] = "First week"
    app.run()
    assert not app.exception


@pytest.mark.usefixtures("nothing_kept")
def test_who_came_before_the_first_day_of_a_filter_is_left_out_of_the_clock(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    folder = finished_run.root / "preprocess" / finished_run.dataset
    bought = pd.read_parquet(folder / OUTCOMES)
    pd.DataFrame(
        {
            EventTimes.USER: bought[Outcomes.USER], EventTimes.EVENT_NAME: bought[Outcomes.EVENT_NAME],
            EventTimes.TIMESTAMP: bought[Outcomes.FIRST_TS], EventTimes.SESSION: np.int32(0),
            EventTimes.AFTER: np.int32(0),
        }
    ).to_parquet(folder / EVENTS)  # fmt: skip
    app = opened(open_app, finished_run, "Time to outcome", **{"from": "2023-11-15", "segment": BUYERS})
    assert "Left out: 49 users who came before the first day that is counted" in texts(app)
    assert not app.get("vega_lite_chart")  # all came on the day before


def test_without_an_outcome_it_says_where_to_choose_one(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = opened(open_app, finished_run, "Time to outcome")
    app.multiselect(key="outcome").set_value([]).run()
    assert not app.exception
    assert "No outcome is chosen. Choose one under Adjust segments." in texts(app)


@pytest.mark.parametrize("part", ["Ways", "Time to outcome"])
@pytest.mark.parametrize("key", ["group:bot_like", "all"])
def test_rows_that_are_no_segment_have_them_too(
    open_app: OpenApp, finished_run: FinishedRun, part: str, key: str
) -> None:
    app = opened(open_app, finished_run, part, segment=key)
    assert len(app.get("vega_lite_chart")) == {"Ways": 2, "Time to outcome": 1}[part]
