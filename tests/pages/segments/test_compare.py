"""The Compare page: without a model, with one, and one choice."""

from __future__ import annotations

from core.saved import saved_work
from core.storage.store import Store
from pages.ui.shell.text import md_text
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FinishedRun

PAGE = "pages/segments/compare.py"


def test_without_data_it_says_where_to_go(open_app: OpenApp) -> None:
    app = open_app(PAGE)
    assert not app.exception
    assert "This page needs a data set" in texts(app)


def test_every_segment_is_described_and_every_figure_is_written_out(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert not app.exception
    words = texts(app)
    assert "[[F" not in words
    for number in (1, 2, 3):
        assert f"segment {number}" in words
    assert "against" in words


def test_another_pair_is_compared(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    app.selectbox(key="compare-first").select("segment:2").run()
    assert "Account spends more time on the site than Guide" in texts(app)
    assert "segment:2" not in app.selectbox(key="compare-second").options


def test_the_picker_and_the_words_have_the_names_of_the_screen(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    saved_work.rename(Store(finished_run.root), finished_run.model, {1: "Mine"})
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert app.selectbox(key="compare-first").options[:3] == [
        "Sale (segment 1)", "Mine (segment 2)", "Account (segment 3)",
    ]  # fmt: skip
    assert md_text("Sale converts more often than Mine") in texts(app)


def test_names_sizes_and_what_differs_most_stand_side_by_side(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    saved_work.rename(Store(finished_run.root), finished_run.model, {1: "A | B"})
    app = open_app(PAGE, data=finished_run.dataset, k="3")
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
