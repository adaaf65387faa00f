"""What is worked on: it belongs to its data set and model, and a link opens it again."""

from __future__ import annotations

import shutil

from streamlit.testing.v1 import AppTest

from core.storage.store import Store
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FLOAT_LIKE_ID, FinishedRun, write_run

DATA, EXPLORE, PROFILES = "pages/prepare/data.py", "pages/segments/explore.py", "pages/segments/profiles.py"
COMPARE, USERS = "pages/segments/compare.py", "pages/use/users.py"


def go(app: AppTest, page: str, run: FinishedRun | None = None) -> AppTest:
    """Turn to a page, and to a data set first, as a user does."""
    if run is not None:
        app.switch_page(DATA).run()
        app.button(key=f"open-{run.dataset}").click().run()
    app.switch_page(page).run()
    assert not app.exception
    return app


def test_what_is_set_for_a_data_set_is_there_on_the_way_back_and_never_shown_for_another(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    one, other = finished_run, write_run(finished_run.root, views=("url", "theme"), per_kind=20)
    app = open_app(EXPLORE, data=one.dataset)
    app.slider(key="k").set_value(4).run()
    go(app, COMPARE).selectbox(key="compare-first").select("segment:2").run()
    go(app, EXPLORE, other)
    assert app.slider(key="k").value == 6
    assert "the last move changed" not in texts(app)
    assert [app.slider(key=f"w_{view}").value for view in ("url", "theme", "type")] == [63, 37, 0]
    app.slider(key="w_url").set_value(80).run()
    assert go(app, COMPARE).selectbox(key="compare-first").value == "segment:0"
    go(app, EXPLORE, one)
    assert app.slider(key="k").value == 4
    assert app.query_params["k"] == "4"
    assert go(app, COMPARE).selectbox(key="compare-first").value == "segment:2"
    go(app, EXPLORE, other)
    assert [app.slider(key=f"w_{view}").value for view in ("url", "theme")] == [80, 20]
    app.button(key="reset-weights").click().run()
    assert [app.slider(key=f"w_{view}").value for view in ("url", "theme")] == [63, 37]


def test_a_link_opens_the_same_in_another_browser(open_app: OpenApp, finished_run: FinishedRun) -> None:
    both = write_run(finished_run.root, views=("url", "theme"), per_kind=20)
    app = open_app(EXPLORE, data=both.dataset)
    app.slider(key="k").set_value(5).run()
    app.slider(key="w_theme").set_value(90).run()
    go(app, COMPARE).selectbox(key="compare-first").select("segment:2").run()
    link = dict(app.query_params)
    shutil.rmtree(finished_run.root / "workbench")  # nothing but the link knows
    fresh = open_app(COMPARE, **link)
    assert fresh.selectbox(key="compare-first").value == "segment:2"
    assert fresh.slider(key="k").value == 5
    assert fresh.slider(key="w_theme").value == 90


def test_what_a_link_sets_is_for_its_own_model(open_app: OpenApp, finished_run: FinishedRun) -> None:
    other = write_run(finished_run.root, per_kind=20)
    app = open_app(EXPLORE, data=finished_run.dataset, model=finished_run.model, k="9")
    assert app.slider(key="k").value == 9
    assert go(app, EXPLORE, other).slider(key="k").value == 6
    gone = open_app(EXPLORE, data=finished_run.dataset, model="0123456789abcdef01234567", k="9")
    assert "The model of this address is no longer in the cache" in gone.warning[0].value
    go(gone, "pages/prepare/training.py").button(key=f"use-{finished_run.model}").click().run()
    assert go(gone, EXPLORE).slider(key="k").value == 6


def test_the_number_of_segments_is_never_more_than_the_data_allow(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    few = write_run(finished_run.root, per_kind=1)  # four users who can be clustered
    app = open_app(EXPLORE, data=few.dataset, k="9")
    assert not app.exception
    assert not app.error
    assert app.slider(key="k").value == 3
    for page in (PROFILES, COMPARE, USERS):
        assert not go(app, page).error


def test_pages_agree_on_the_chosen_segment(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(COMPARE, data=finished_run.dataset)
    app.selectbox(key="compare-first").set_value("segment:2").run()
    assert go(app, USERS).selectbox(key="people_of").value == 2
    app.selectbox(key="people_of").set_value(4).run()
    assert go(app, COMPARE).selectbox(key="compare-first").value == "segment:4"


def test_an_id_that_was_looked_for_stays_with_its_data(open_app: OpenApp, finished_run: FinishedRun) -> None:
    other = write_run(finished_run.root, per_kind=20)
    app = open_app(USERS, data=finished_run.dataset)
    app.text_input(key="wanted_user").set_value(FLOAT_LIKE_ID).run()
    assert go(app, USERS, other).text_input(key="wanted_user").value == ""
    assert go(app, USERS, finished_run).text_input(key="wanted_user").value == FLOAT_LIKE_ID


def test_a_data_set_that_is_deleted_while_it_is_on_screen_is_said_in_words(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset)
    shutil.rmtree(Store(finished_run.root).root / "preprocess" / finished_run.dataset)
    for page in (EXPLORE, PROFILES, COMPARE, USERS, "pages/segments/trust.py", "pages/prepare/training.py"):
        go(app, page)
        assert "data set of this address is no longer in the cache" in app.warning[0].value
        assert "This page needs a data set" in texts(app)


def test_two_of_the_same_name_are_told_apart(open_app: OpenApp, finished_run: FinishedRun) -> None:
    write_run(finished_run.root, per_kind=20)
    app = open_app(DATA, data=finished_run.dataset)
    assert "87 users" in app.sidebar.caption[0].value
    assert "Prepared " in app.sidebar.caption[0].value
    listed = next(text.value for text in app.markdown if text.value.startswith("**toy"))
    assert "75 users" in listed


def test_a_link_names_the_page_that_is_the_outcome_with_its_host_or_without(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset, outcome="page:/cart")
    assert not app.exception
    assert app.multiselect(key="outcome").value == ["page:shop.example/cart"]
