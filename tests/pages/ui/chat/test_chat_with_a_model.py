"""The chat with a simulated model: consent first, an answer in pieces, Stop, and the answer without it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core.saved import conversations, preferences
from core.storage.store import Store
from tests.llm_simulator import Simulator, simulating
from tests.pages.conftest import OpenApp
from tests.pages.fake_jobs import texts
from tests.pages.fixtures_segments import FinishedRun
from tests.pages.simulated_writer import IDEA, MODEL, REMARK, UNKNOWN, until, use, writer

EXPLORE, EXPORT, SETTINGS = "pages/segments/explore.py", "pages/use/export.py", "pages/use/settings.py"


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    with simulating(writer()) as running:
        use(monkeypatch, running)
        yield running


def asked(app: AppTest, question: str) -> AppTest:
    return app.sidebar.chat_input(key="question").set_value(question).run()


def agreed(app: AppTest) -> AppTest:
    """What only the model can answer is asked, and may be sent."""
    return until(asked(app, UNKNOWN), has_button("agree-aside")).button(key="agree-aside").click().run()


def has_button(name: str) -> Callable[[AppTest], bool]:
    return lambda app: name in [button.key for button in app.button]


def is_answered(app: AppTest) -> bool:
    """Whether every question has its answer, and the screen shows it."""
    waits = any("Waits its turn" in caption.value for caption in app.sidebar.caption)
    return not waits and not has_button("chat-stop")(app) and not has_button("agree-aside")(app)


def said(app: AppTest) -> str:
    return texts(app.sidebar)


def from_us(simulator: Simulator) -> list[str]:
    """Questions of the analyst that were sent."""
    sent = (str(request["messages"][-1]["content"]) for request in simulator.requests)
    return [text for text in sent if '"question"' in text]


def test_nothing_is_sent_before_the_exact_text_was_agreed_to(
    open_app: OpenApp, finished_run: FinishedRun, simulator: Simulator
) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset, k="3"), UNKNOWN)
    app = until(app, has_button("agree-aside"))
    assert from_us(simulator) == []
    shown = next(code.value for code in app.code if UNKNOWN in code.value)
    assert "127.0.0.1" in texts(app).replace("\\", "")
    app.button(key="agree-aside").click().run()
    app = until(app, is_answered)
    (sent,) = from_us(simulator)
    assert sent in shown
    assert "user_" not in sent
    assert f"{MODEL.replace('-', chr(92) + '-')} · 100 tokens" in said(app)
    session = app.session_state["of_model"][finished_run.model]["session_segments"]
    users = int((session.history[0].partition.labels == 0).sum())
    words = said(app).replace("\\", "")
    assert f"(segment 1): **{users}** users." in words
    assert REMARK.removeprefix("S1") in words
    assert f"- {IDEA}" in words
    assert "Left out, as it did not hold or was said already: 1 part of the model" in words


def test_agreement_is_for_the_session_and_can_be_revoked(
    open_app: OpenApp, finished_run: FinishedRun, simulator: Simulator
) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset, k="3"), UNKNOWN)
    until(app, has_button("agree-aside")).button(key="agree-aside").click().run()
    until(app, is_answered)
    until(asked(app, "Which newsletter suits segment 2?"), is_answered)
    assert len(from_us(simulator)) == 2
    app.switch_page(SETTINGS).run()
    app.button(key="revoke").click().run()
    until(asked(app, "Which newsletter suits segment 3?"), has_button("agree-aside"))
    assert len(from_us(simulator)) == 2


def test_no_means_offline_and_nobody_asks_again(
    open_app: OpenApp, finished_run: FinishedRun, simulator: Simulator
) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset), UNKNOWN)
    until(app, has_button("decline-aside")).button(key="decline-aside").click().run()
    assert "I do not understand" in said(until(app, is_answered))
    app = asked(app, "Which newsletter suits segment 2?")
    assert is_answered(app)
    assert not has_button("agree-aside")(app)
    assert from_us(simulator) == []


def test_what_the_rules_can_answer_asks_nobody(
    open_app: OpenApp, finished_run: FinishedRun, simulator: Simulator
) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset), "How many users are in segment 1?")
    assert is_answered(app)
    assert simulator.requests == []


def test_stop_keeps_what_came_and_says_why(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer(piece_s=0.2, figures=100)) as slow:
        use(monkeypatch, slow)
        app = agreed(open_app(EXPLORE, data=finished_run.dataset, k="3"))
        until(app, lambda app: r"\(segment 1\)\:" in said(app))
        app.switch_page(EXPORT).run()
        assert r"\(segment 1\)\:" in said(app)
        app.button(key="chat-stop").click().run()
        app = until(app, is_answered)
    assert r"\(segment 1\)\:" in said(app)
    assert "Broken off" in said(app)


def test_stopped_before_anything_came_the_app_answers_and_says_why(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer(piece_s=1.0)) as slow:
        use(monkeypatch, slow)
        app = until(agreed(open_app(EXPLORE, data=finished_run.dataset, k="3")), has_button("chat-stop"))
        app.button(key="chat-stop").click().run()
        app = until(app, is_answered)
    assert "Answered without the model" in said(app)


def test_another_session_finds_the_answer_that_is_being_written(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer(piece_s=0.1, figures=8)) as slow:
        use(monkeypatch, slow)
        agreed(open_app(EXPLORE, data=finished_run.dataset, k="3"))
        again = open_app(EXPLORE, data=finished_run.dataset, k="3")  # F5: a new session
        assert has_button("chat-stop")(again)
        assert f"{MODEL.replace('-', chr(92) + '-')} · 100 tokens" in said(until(again, is_answered))


def test_what_is_not_there_is_never_shown(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer(holds=False)) as liar:
        use(monkeypatch, liar)
        app = until(agreed(open_app(EXPLORE, data=finished_run.dataset, k="3")), is_answered)
    assert "4711" not in said(app)
    assert "chose no figure of the data" in said(app)


def test_questions_that_come_meanwhile_wait_their_turn_and_stop_ends_the_current_one_only(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer(piece_s=0.1, figures=8)) as slow:
        use(monkeypatch, slow)
        app = agreed(open_app(EXPLORE, data=finished_run.dataset, k="3"))
        until(app, lambda app: r"\(segment 1\)\:" in said(app))
        asked(app, "Which newsletter suits segment 2?")
        asked(app, "How many users are in segment 3?")
        waiting = [caption.value for caption in app.sidebar.caption if "Waits its turn" in caption.value]
        assert [("segment 2" in one, "segment 3" in one) for one in waiting] == [(True, False), (False, True)]
        again = open_app(EXPLORE, data=finished_run.dataset, k="3")  # F5
        assert said(again).count("Waits its turn") == 2
        app.button(key="chat-stop").click().run()
        until(app, is_answered)
    store = Store(finished_run.root)
    (listed,) = conversations.earlier(store, finished_run.model)
    kept = conversations.load(store, finished_run.model, listed.id)
    assert kept is not None
    first, second, third = (one.answer for one in kept.exchanges)
    assert first is not None and second is not None and third is not None
    assert first.reason
    assert (second.source, second.reason) == (MODEL, "")
    assert (third.source, third.usage.calls) == ("rules", 0)
    assert third.reading is not None
    assert third.reading.rows == ("segment:2",)


def test_values_leave_only_where_the_analyst_says_so_and_the_text_shows_it(
    open_app: OpenApp, finished_run: FinishedRun, simulator: Simulator
) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset, k="3"), UNKNOWN)
    app = until(app, has_button("agree-aside"))
    session = app.session_state["of_model"][finished_run.model]["session_segments"]
    users = f'"{(session.history[0].partition.labels == 0).sum()}"'

    def shown() -> str:
        return next(code.value for code in app.code if UNKNOWN in code.value)

    assert users not in shown()
    app.checkbox(key="values-aside").check().run()
    assert preferences.load(Store(finished_run.root)).send_values
    assert users in shown()
    app.button(key="agree-aside").click().run()
    until(app, is_answered)
    (sent,) = from_us(simulator)
    assert users in sent


def test_a_server_that_cannot_be_reached_ends_in_the_answer_without_it(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEHA2VEC_MODEL", MODEL)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    app = until(asked(open_app(EXPLORE, data=finished_run.dataset), UNKNOWN), is_answered)
    assert "it cannot be reached" in said(app)
    assert "I do not understand" in said(app)


def test_a_conversation_deleted_while_it_is_answered_stays_deleted(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer(piece_s=0.05, figures=50)) as slow:
        use(monkeypatch, slow)
        app = agreed(open_app(EXPLORE, data=finished_run.dataset, k="3"))
        app.button(key="chat-forget").click().run()
        time.sleep(0.5)
        assert conversations.earlier(Store(finished_run.root), finished_run.model) == []


def test_revoking_stops_what_is_under_way(
    open_app: OpenApp, finished_run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulating(writer(piece_s=0.2, figures=100)) as slow:
        use(monkeypatch, slow)
        app = agreed(open_app(EXPLORE, data=finished_run.dataset, k="3"))
        until(app, lambda app: r"\(segment 1\)\:" in said(app))
        app.switch_page(SETTINGS).run()
        app.button(key="revoke").click().run()
        app = until(app, is_answered)
    assert "Broken off" in said(app)


def test_the_requests_before_consent_are_said(
    open_app: OpenApp, finished_run: FinishedRun, simulator: Simulator
) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset, k="3"), UNKNOWN)
    app = until(app, has_button("agree-aside"))
    assert simulator.requests
    assert any("have asked this server what it can" in caption.value for caption in app.caption)
    assert "nothing else" not in texts(app)


def test_a_question_from_a_second_tab_waits_its_turn(
    open_app: OpenApp, finished_run: FinishedRun, simulator: Simulator
) -> None:
    asked(open_app(EXPLORE, data=finished_run.dataset, k="3"), "How many users are in segment 1?")
    first, second = (open_app(EXPLORE, data=finished_run.dataset, k="3") for _ in range(2))
    until(asked(first, UNKNOWN), has_button("agree-aside"))
    second = asked(second, "How many users are in segment 2?")
    assert "Waits its turn" in said(second)
    first.button(key="decline-aside").click().run()
    words = said(until(second, is_answered))
    assert r"\(segment 2\), all days\:" in words


@pytest.mark.parametrize("broken", ["answers", "llm_log"])
def test_a_broken_folder_costs_no_answer_that_needs_no_model(
    open_app: OpenApp, finished_run: FinishedRun, simulator: Simulator, broken: str
) -> None:
    (finished_run.root / broken).write_text("a file where a folder should be")
    app = asked(open_app(EXPLORE, data=finished_run.dataset, k="3"), "How many users are in segment 1?")
    session = app.session_state["of_model"][finished_run.model]["session_segments"]
    users = int((session.history[0].partition.labels == 0).sum())
    assert f"**{users}**" in said(app)
    assert simulator.requests == []


def test_what_cannot_be_written_down_is_not_sent(
    open_app: OpenApp, finished_run: FinishedRun, simulator: Simulator
) -> None:
    (finished_run.root / "llm_log").write_text("a file where a folder should be")
    app = until(asked(open_app(EXPLORE, data=finished_run.dataset, k="3"), UNKNOWN), is_answered)
    assert "Answered without the model" in said(app)
    assert simulator.requests == []
