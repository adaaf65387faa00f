"""The funnel on the page Journeys: suggested, built, kept, linked, and refused in words."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from streamlit.testing.v1 import AppTest

from core.journeys.funnel import funnel_to_link
from core.journeys.funnel_table import INSTEAD
from core.saved import controls as kept_controls
from core.storage.dataset import EVENTS
from core.storage.store import Store
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FinishedRun

PAGE = "pages/segments/journeys.py"
SALE = "user;loose;page:/sale;page:/sale/shoes;page:/cart"


@pytest.fixture
def funnel(open_app: OpenApp, finished_run: FinishedRun) -> AppTest:
    return shown(open_app(PAGE, data=finished_run.dataset, k="3", funnel=SALE, segment="segment:0"))


def shown(app: AppTest) -> AppTest:
    app.segmented_control(key="journeys-part").set_value("Funnel").run()
    assert not app.exception
    return app


def step(app: AppTest, number: int) -> list[str]:
    [found] = [w for w in app.multiselect if w.label == f"What makes step {number}"]
    return list(found.value)


def shares(app: AppTest) -> list[float]:
    return next(
        t.value["share"].tolist() for t in app.dataframe if "rest_share" in t.value and "key" not in t.value
    )


def test_users_of_each_step_are_counted_beside_the_others(funnel: AppTest) -> None:
    told = texts(funnel)
    assert "reach /cart" in told.replace("\\", "")
    assert "That differs" in told
    assert set(shares(funnel)) in ({0.0}, {1.0})  # each kind of visitors sees its own pages, and all of them
    sides = next(t.value for t in funnel.dataframe if "key" in t.value and "dropped" in t.value)
    by_row = sides[sides["kind"] == "segment"].groupby("label")["share"].max()
    assert sorted(by_row) == [0.0, 0.0, 1.0]


def test_without_a_funnel_the_usual_way_is_there(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = shown(open_app(PAGE, data=finished_run.dataset, k="3"))
    assert step(app, 1)
    assert "funnel" not in app.query_params


def test_a_step_is_written_with_a_wild_card_and_says_at_once_what_it_matches(
    funnel: AppTest, finished_run: FinishedRun
) -> None:
    funnel.multiselect(key="funnel-0-any-page").set_value(["/sale*"]).run()
    assert not funnel.exception
    assert "Matches 2 pages" in texts(funnel)
    assert funnel.query_params["funnel"] == "user;loose;page:/sale*;page:/sale/shoes;page:/cart"
    kept = kept_controls.load(Store(finished_run.root), finished_run.model).funnel
    assert kept is not None
    assert funnel_to_link(kept) == funnel.query_params["funnel"]


def test_steps_are_added_moved_and_removed(funnel: AppTest) -> None:
    funnel.button(key="funnel-2-up").click().run()
    assert [step(funnel, place) for place in (1, 2, 3)] == [["/sale"], ["/cart"], ["/sale/shoes"]]
    funnel.button(key="funnel-0-gone").click().run()
    assert [step(funnel, place) for place in (1, 2)] == [["/cart"], ["/sale/shoes"]]
    funnel.button(key="funnel-add").click().run()
    assert "Without a pattern this step is left out" in texts(funnel)
    assert len(shares(funnel)) == 2
    funnel.multiselect(key="funnel-3-any-page").set_value(["/cart"]).run()
    assert len(shares(funnel)) == 3
    assert not funnel.exception


def test_order_and_limit_are_chosen_and_start_again_takes_them_back(funnel: AppTest) -> None:
    funnel.selectbox(key="funnel-order").set_value("strict").run()
    funnel.selectbox(key="funnel-within").set_value("limit").run()
    funnel.number_input(key="funnel-number").set_value(2).run()
    funnel.selectbox(key="funnel-unit").set_value("hour").run()
    assert funnel.query_params["funnel"] == "2 hours;strict;page:/sale;page:/sale/shoes;page:/cart"
    funnel.button(key="funnel-reset").click().run()
    assert not funnel.exception
    assert "funnel" not in funnel.query_params


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("page:/nowhere;page:/cart", "No page here matches. Nobody takes this step."),
        ("page:*a*a*a*a*a*b;page:/cart", "No page here matches"),
        ("page:/sale;page:/sale", "done by"),
        ("theme:Shoes", "A step of a theme is not possible"),
        ("event:purchase", "No event here matches"),
    ],
)
def test_what_nobody_did_or_nobody_can_do_is_said(
    open_app: OpenApp, finished_run: FinishedRun, steps: str, said: str
) -> None:
    app = shown(open_app(PAGE, data=finished_run.dataset, k="3", funnel=f"user;loose;{steps}"))
    assert said in texts(app)


@pytest.mark.parametrize("link", ["", "nonsense", "user;loose;" + "page:/a;" * 30, "a while;loose;page:/a"])
def test_a_link_that_is_no_funnel_counts_as_not_said_and_that_is_told(
    open_app: OpenApp, finished_run: FinishedRun, link: str
) -> None:
    app = shown(open_app(PAGE, data=finished_run.dataset, k="3", funnel=link))
    assert "funnel" not in app.query_params
    assert "The funnel of this link cannot be read" in texts(app)
    app.button(key="funnel-add").click().run()
    assert "cannot be read" not in texts(app)


def test_a_data_set_without_times_of_events_says_so(funnel: AppTest) -> None:
    assert "This data set does not say when events were done" in texts(funnel)
    kinds = funnel.selectbox(key="funnel-0-kind").options
    assert "Event" not in kinds


@pytest.mark.usefixtures("nothing_kept")
def test_times_that_a_data_set_gets_later_are_used_at_once(
    funnel: AppTest, finished_run: FinishedRun
) -> None:
    """Loading the same export again adds them under the same key; the server goes on."""
    assert "This data set does not say when events were done" in texts(funnel)
    write_events(finished_run)
    funnel.run()
    assert "This data set does not say when events were done" not in texts(funnel)
    assert "Event" in funnel.selectbox(key="funnel-0-kind").options


@pytest.mark.usefixtures("nothing_kept")
def test_with_times_an_event_is_a_step_and_what_came_instead_is_the_end(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    write_events(finished_run)
    link = {
        "data": finished_run.dataset,
        "k": "3",
        "funnel": "user;loose;page:/cart;event:like",
        "segment": "all",
    }
    app = shown(open_app(PAGE, **link))
    table = next(t.value for t in app.dataframe if "rest_share" in t.value and "key" not in t.value)
    assert table["users"].tolist()[1] == 1
    places = next(t.value for t in app.dataframe if INSTEAD in t.value)
    assert "(end of session)" in set(places[INSTEAD])


def write_events(run: FinishedRun) -> None:
    """One user likes something at the end."""
    store = Store(run.root)
    folder = store.root / "preprocess" / run.dataset
    sequences = pq.read_table(folder / "sequences.parquet").to_pylist()
    user = next(n for n, row in enumerate(sequences) if 2 in row["page"])
    row = sequences[user]
    columns = {
        "user": pa.array([user], pa.int32()), "event_name": ["like"],
        "event_timestamp": pa.array([row["event_timestamp"][-1] + 1], pa.int64()),
        "session": pa.array([row["session"][-1]], pa.int32()),
        "after": pa.array([len(row["page"])], pa.int32()),
    }  # fmt: skip
    pq.write_table(pa.table(columns), folder / EVENTS)


def test_the_command_of_the_export_page_names_the_file(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app("pages/use/export.py", data=finished_run.dataset, k="3", funnel=SALE)
    assert not app.exception
    assert [code.value.count("--funnel funnels.yaml") for code in app.code] == [1]
