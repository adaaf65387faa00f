"""Comparisons by a simulated model on the page Profiles: agreed to, watched, stopped, kept, taken back."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.saved import saved_work
from core.storage.store import Store
from tests.llm_simulator import Simulator, simulating
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FinishedRun
from tests.pages.segments.test_describe import PAGE, keys
from tests.pages.simulated_writer import until, use, writer

PAIR = ["segment:0", "segment:1"]
ALL = "pages/segments/profiles.py"
APPS_OWN = "converts more often than Guide"


def compared(simulator: Simulator) -> int:
    return sum("Compare" in str(request["messages"]) for request in simulator.requests)


def asked(app: AppTest, which: str) -> AppTest:
    app.button(key=f"compare-{which}").click().run()
    return until(app, lambda app: f"agree-{which}" in keys(app))


def agreed(app: AppTest, which: str) -> AppTest:
    asked(app, which).button(key=f"agree-{which}").click().run()
    return until(app, lambda app: f"compare-stop-{which}" not in keys(app))


def test_two_are_compared_after_agreement_and_the_words_can_be_taken_back(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer(figures=2)) as simulator:
        use(monkeypatch, simulator)
        app = asked(open_app(PAGE, data=finished_run.dataset, k="3", segment=PAIR), "two")
        assert any("Compare S1 and S2" in code.value for code in app.code)
        assert not compared(simulator)
        app.button(key="agree-two").click().run()
        until(app, lambda app: "uncompare-two" in keys(app))
        assert compared(simulator)
    words = texts(open_app(PAGE, data=finished_run.dataset, k="3", segment=PAIR))
    assert words.count("Write to them on Monday") == 1
    app.selectbox(key="compare-first").select("segment:2").run()
    assert "Write to them on Monday" not in texts(app)  # another pair
    app.selectbox(key="compare-first").select("segment:0").run()
    app.selectbox(key="compare-second").select("segment:1").run()
    app.button(key="uncompare-two").click().run()
    assert "Write to them on Monday" not in texts(app)


def test_all_are_compared_and_other_segments_are_not_told_these_words(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer(figures=2)) as simulator:
        use(monkeypatch, simulator)
        app = agreed(open_app(ALL, data=finished_run.dataset, k="3"), "all")
    assert "Write to them on Monday" in texts(app)
    app.slider(key="k").set_value(2).run()
    assert "Write to them on Monday" not in texts(app)


def test_stop_leaves_the_app_s_words(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer(piece_s=0.2, figures=200)) as simulator:
        use(monkeypatch, simulator)
        app = asked(open_app(PAGE, data=finished_run.dataset, k="3", segment=PAIR), "two")
        app.button(key="agree-two").click().run()
        until(app, lambda app: "Sale has" in texts(app))
        app.button(key="compare-stop-two").click().run()
        until(app, lambda app: "compare-stop-two" not in keys(app))
    assert APPS_OWN in texts(app)
    assert "uncompare-two" not in keys(app)


def test_figures_that_are_not_there_leave_the_app_s_words_with_the_reason(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer(holds=False)) as simulator:
        use(monkeypatch, simulator)
        app = agreed(open_app(PAGE, data=finished_run.dataset, k="3", segment=PAIR), "two")
    words = texts(app)
    assert APPS_OWN in words
    assert "Compared without the model" in words
    assert "4711" not in words


def test_what_is_kept_is_said_with_the_names_of_today(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(finished_run.root)
    saved_work.rename(store, finished_run.model, {0: "Early birds"})
    with simulating(writer(figures=2)) as simulator:
        use(monkeypatch, simulator)
        app = agreed(open_app(PAGE, data=finished_run.dataset, k="3", segment=PAIR), "two")
    assert "Early birds" in texts(app)
    saved_work.rename(store, finished_run.model, {0: "Night owls"})
    assert "Night owls (segment 1)" in texts(app.run()).replace("\\", "")


def test_what_an_older_release_kept_is_set_aside_with_a_word(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3", segment=PAIR)
    old = {"role": "assistant", "text": "12", "facts": [], "rows": [], "query": "", "source": "m"}
    told = {"digest": "d", "told": {"all": old, "segment:0 segment:1": old}}
    path = finished_run.root / saved_work.STAGE / f"{finished_run.model}.comparisons.json"
    path.write_text(json.dumps(told))
    app.run()
    assert not app.exception
    assert APPS_OWN in texts(app)
    assert "could not be read" in texts(app.run())


def test_another_session_with_other_segments_leaves_the_question_alone(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer(figures=2)) as simulator:
        use(monkeypatch, simulator)
        app = asked(open_app(ALL, data=finished_run.dataset, k="3"), "all")
        other = open_app(ALL, data=finished_run.dataset, k="3")
        assert "agree-all" in keys(other)
        other.slider(key="k").set_value(2).run()
        assert "agree-all" not in keys(other)
        assert "agree-all" in keys(app.run())
        app.slider(key="k").set_value(2).run()  # it is this session's to withdraw
        app.slider(key="k").set_value(3).run()
        assert "agree-all" not in keys(app)
