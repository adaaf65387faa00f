"""Descriptions by a simulated model on the page Profiles: agreed to, watched, cancelled, kept, taken back."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core.saved import saved_work
from core.storage.store import Store
from tests.llm_simulator import Simulator, simulating
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FinishedRun
from tests.pages.simulated_writer import NAMES, UNKNOWN, until, use, writer

PAGE = "pages/segments/compare.py"


def keys(app: AppTest) -> list[str]:
    return [button.key for button in app.button]


def agreed(app: AppTest) -> AppTest:
    app.button(key="describe").click().run()
    until(app, lambda app: "agree-describe" in keys(app))
    return app.button(key="agree-describe").click().run()


def described(app: AppTest) -> AppTest:
    return until(agreed(app), lambda app: "undescribe" in keys(app) and "describe-stop" not in keys(app))


def test_without_a_model_nobody_offers_one(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    assert not {"describe", "undescribe"} & set(keys(app))


def test_every_segment_is_described_after_agreement_and_the_words_can_be_taken_back(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer()) as simulator:
        use(monkeypatch, simulator)
        app = open_app(PAGE, data=finished_run.dataset, k="3")
        app.button(key="describe").click().run()
        until(app, lambda app: "agree-describe" in keys(app))
        (shown,) = [code.value for code in app.code if "Name and describe" in code.value]
        for row in NAMES:
            assert f"Name and describe {row}" in shown
        assert not any("Name and describe" in str(request) for request in simulator.requests)
        app.button(key="agree-describe").click().run()
        until(app, lambda app: "undescribe" in keys(app) and "describe-stop" not in keys(app))
        asked = [request for request in simulator.requests if "Name and describe" in str(request)]
    assert len(asked) == 3  # the trial has shown that a schema is in vain
    app = open_app(PAGE, data=finished_run.dataset, k="3")
    for number, name in enumerate(NAMES.values()):
        words = texts(app.selectbox(key="compare-first").select(f"segment:{number}").run())
        assert words.count("- Write to them") == words.count("The model's reading, not counted") == 1
        assert f"Suggested name: {name}" in words
    app.button(key="undescribe").click().run()
    assert "Write to them" not in texts(app)


def test_the_model_s_names_are_taken_over_and_back(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(finished_run.root)
    with simulating(writer()) as simulator:
        use(monkeypatch, simulator)
        app = described(open_app(PAGE, data=finished_run.dataset, k="3"))
    app.selectbox(key="compare-first").select("segment:1").run()
    app.button(key="use-name-1").click().run()
    assert saved_work.names(store, finished_run.model) == {1: NAMES["S2"]}
    app.button(key="use-names").click().run()
    assert saved_work.names(store, finished_run.model) == dict(enumerate(NAMES.values()))
    app.button(key="undo-names").click().run()
    assert saved_work.names(store, finished_run.model) == {1: NAMES["S2"]}


def test_other_segments_are_not_described_by_words_about_these(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer()) as simulator:
        use(monkeypatch, simulator)
        app = described(open_app(PAGE, data=finished_run.dataset, k="3"))
    app.slider(key="k").set_value(2).run()
    assert "Write to them" not in texts(app)
    assert "undescribe" not in keys(app)


def test_no_means_the_app_s_own_words(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer()) as simulator:
        use(monkeypatch, simulator)
        app = open_app(PAGE, data=finished_run.dataset, k="3")
        app.button(key="describe").click().run()
        until(app, lambda app: "decline-describe" in keys(app))
        app.button(key="decline-describe").click().run()
    assert not {"describe", "decline-describe"} & set(keys(app))
    assert not any("Name and describe" in str(request) for request in simulator.requests)


def test_cancel_keeps_what_came_so_far(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer(hang_s=1.0)) as simulator:
        use(monkeypatch, simulator)
        app = agreed(open_app(PAGE, data=finished_run.dataset, k="3"))
        until(app, lambda app: "undescribe" in keys(app))
        app.button(key="describe-stop").click().run()
        until(app, lambda app: "describe-stop" not in keys(app))
        sent = len(simulator.requests)
        time.sleep(1.5)
        assert len(simulator.requests) == sent
    assert "Write to them" in texts(app)


@pytest.fixture
def waiting(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[AppTest, Simulator]]:
    """The question whether to send descriptions, unanswered."""
    with simulating(writer()) as simulator:
        use(monkeypatch, simulator)
        app = open_app(PAGE, data=finished_run.dataset, k="3")
        app.button(key="describe").click().run()
        yield until(app, lambda app: "agree-describe" in keys(app)), simulator


def ask(app: AppTest, question: str) -> AppTest:
    return app.sidebar.chat_input(key="question").set_value(question).run()


def sent(simulator: Simulator) -> int:
    return sum("Name and describe" in str(request) for request in simulator.requests)


def test_unanswered_it_waits_over_pages_and_other_questions(waiting: tuple[AppTest, Simulator]) -> None:
    app, simulator = waiting
    app.switch_page("pages/use/export.py").run()
    assert "agree-describe" not in keys(app)
    ask(app, "How many users are in segment 1?")
    app.switch_page(PAGE).run()
    assert "agree-describe" in keys(app)
    assert sent(simulator) == 0
    app.button(key="decline-describe").click().run()


def test_what_was_decided_about_another_question_holds_for_it(waiting: tuple[AppTest, Simulator]) -> None:
    app, simulator = waiting
    ask(app, UNKNOWN)
    until(app, lambda app: "agree-aside" in keys(app)).button(key="agree-aside").click().run()
    until(app, lambda app: "undescribe" in keys(app) and "describe-stop" not in keys(app))
    assert "agree-describe" not in keys(app)
    assert sent(simulator) == 3
    assert UNKNOWN in texts(app.sidebar)


def test_about_segments_that_changed_it_is_withdrawn(waiting: tuple[AppTest, Simulator]) -> None:
    app, simulator = waiting
    app.slider(key="k").set_value(2).run()
    assert "agree-describe" not in keys(app)
    assert not app.button(key="describe").disabled
    assert sent(simulator) == 0


@pytest.mark.parametrize("decided", [True, False])
def test_what_another_session_decided_before_holds_not_for_it(
    waiting: tuple[AppTest, Simulator], open_app: OpenApp, finished_run: FinishedRun, decided: bool
) -> None:
    app, simulator = waiting
    other = open_app("pages/use/export.py", data=finished_run.dataset, k="3")
    ask(other, UNKNOWN)
    until(other, lambda other: "agree-aside" in keys(other))
    other.button(key="agree-aside" if decided else "decline-aside").click().run()
    other.switch_page(PAGE).run()
    assert "agree-describe" in keys(other)
    assert "agree-describe" in keys(app.run())
    assert sent(simulator) == 0


def test_another_session_with_other_segments_leaves_it_alone(
    waiting: tuple[AppTest, Simulator], open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app, _ = waiting
    other = open_app(PAGE, data=finished_run.dataset, k="3")
    assert "agree-describe" in keys(other)
    other.slider(key="k").set_value(2).run()
    assert "agree-describe" not in keys(other)
    assert not other.button(key="describe").disabled
    assert "agree-describe" in keys(app.run())
