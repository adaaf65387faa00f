"""Profiles, view One or two: a segment beside the others, two compared, in figures and in the app's words."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.profiles.profile_columns import Col
from core.saved import saved_work
from core.storage.store import Store
from pages.ui.shell.text import md_text
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import HOSTILE_TITLE, FinishedRun, write_run

PAGE = "pages/segments/compare.py"


@pytest.fixture
def profile(open_app: OpenApp, finished_run: FinishedRun) -> AppTest:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert not app.exception
    return app


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)


def test_a_segment_is_described_and_every_figure_is_written_out(profile: AppTest) -> None:
    for number in (0, 1, 2):
        profile.selectbox(key="compare-first").select(f"segment:{number}").run()
        assert not profile.exception
        words = texts(profile)
        assert "[[F" not in words
        assert "against" in words


def test_a_link_that_names_a_segment_twice_is_of_that_segment(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3", segment=["segment:1", "segment:1"])
    assert not app.exception
    assert app.selectbox(key="compare-first").value == "segment:1"
    assert app.selectbox(key="compare-second").value == "all others"


def test_another_pair_is_compared(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    app.selectbox(key="compare-first").select("segment:2").run()
    app.selectbox(key="compare-second").select("segment:1").run()
    assert "Account spends more time on the site than Guide" in texts(app)
    assert "segment:2" not in app.selectbox(key="compare-second").options
    app.selectbox(key="compare-first").select("segment:1").run()  # the one that it was beside
    assert app.selectbox(key="compare-second").value == "all others"


def test_the_picker_and_the_words_have_the_names_of_the_screen(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    saved_work.rename(Store(finished_run.root), finished_run.model, {1: "Mine"})
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    app.selectbox(key="compare-second").select("segment:1").run()
    assert app.selectbox(key="compare-first").options[:3] == ["1 · Sale", "2 · Mine", "3 · Account"]
    assert md_text("Sale converts more often than Mine") in texts(app)


def test_names_sizes_and_what_differs_most_stand_side_by_side(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    saved_work.rename(Store(finished_run.root), finished_run.model, {1: "A | B"})
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    app.selectbox(key="compare-second").select("segment:1").run()
    (table,) = [block.value for block in app.markdown if block.value.startswith("|")]
    head, _, users, *leading = table.splitlines()
    assert head == f"|  | {md_text('1 · Sale')} | {md_text('2 · A | B')} |"
    assert users.startswith("| Users | ")
    assert 1 <= len(leading) <= 3
    assert all("points" in line or "[" in line for line in leading)


def test_suggested_names_are_taken_over_and_back(open_app: OpenApp, finished_run: FinishedRun) -> None:
    store, model = Store(finished_run.root), finished_run.model
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    saved_work.rename(store, model, {1: "Mine"})
    app.run()
    app.button(key="use-names").click().run()
    named = saved_work.names(store, model)
    assert sorted(named) == [0, 1, 2]
    assert named[1] == "Mine"
    assert len(set(named.values())) == 3
    app.button(key="undo-names").click().run()
    assert saved_work.names(store, model) == {1: "Mine"}
    app.button(key="undo-names").click().run()
    assert saved_work.names(store, model) == {}
    assert app.button(key="undo-names").disabled


def test_a_segment_is_set_beside_the_others_with_the_rule_of_engagement(profile: AppTest) -> None:
    told = {metric.label: metric.delta for metric in profile.metric}
    assert told["Page views"].startswith("others ")
    assert {"Outcome", "Engaged", "Gross revenue"} <= set(told)
    assert "Engaged time: sum of engagement_time_msec over all events" in texts(profile)


def test_several_segments_are_read_side_by_side(profile: AppTest) -> None:
    before = len(profile.metric)
    profile.selectbox(key="compare-second").select("segment:1").run()
    assert not profile.exception
    assert before and not profile.metric
    assert "What they look at" in texts(profile)


def test_one_page_segments_are_read_like_the_others(open_app: OpenApp, finished_run: FinishedRun) -> None:
    many = write_run(finished_run.root, one_pagers=120)
    app = open_app(PAGE, data=many.dataset, k="3")
    picker = app.selectbox(key="compare-first")
    assert "One-page C: Land on /sale" in picker.options
    assert "One-page users" not in picker.options  # a total of three others
    picker.select("one_page:2").run()
    assert not app.exception
    assert "A second page would be: /sale/shoes" in texts(app)


def test_a_segment_that_goes_while_it_is_read_breaks_nothing(profile: AppTest) -> None:
    profile.selectbox(key="compare-first").select("segment:2").run()
    profile.slider(key="k").set_value(2).run()
    assert not profile.exception


def test_pages_are_listed_as_plain_text(profile: AppTest) -> None:
    assert HOSTILE_TITLE not in texts(profile)
    tables = []
    for number in range(3):
        profile.selectbox(key="compare-first").select(f"segment:{number}").run()
        tables += [table.value for table in profile.dataframe if "page_title" in table.value.columns]
    assert any((table["page_title"] == HOSTILE_TITLE).any() for table in tables)


def test_next_pages_of_a_segment_stand_beside_the_others(profile: AppTest) -> None:
    toggle = next(one for one in profile.toggle if one.label == "What next?")
    toggle.set_value(True).run()
    assert not profile.exception
    assert not profile.error
    table = next(one.value for one in profile.dataframe if "why" in one.value.columns)
    assert (table["n"] > 0).all()
    assert table["share"].between(0, 1).all()
    assert not set(table["page_location"]) & {"shop.example/cart", "shop.example/account"}
    assert "What next: " in texts(profile)


def test_a_filter_counts_a_segment_anew(open_app: OpenApp, finished_run: FinishedRun) -> None:
    link = {"data": finished_run.dataset, "k": "3"}
    whole, app = open_app(PAGE, **link), open_app(PAGE, **link, device="mobile")
    assert not app.exception
    devices = next(t.value for t in app.dataframe if {"value", Col.N} <= set(t.value.columns))
    assert set(devices["value"]) == {"mobile"}
    assert whole.toggle and not app.toggle  # what comes next is asked of the model
