"""The chat: before there is a model, a question and its answer, kept over pages and conversations."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from core.store import Store
from pages.ui import conversations
from pages.ui.chat_message import as_markdown
from tests.pages.conftest import OpenApp
from tests.pages.fixtures_segments import FinishedRun

EXPLORE, EXPORT = "pages/segments/explore.py", "pages/use/export.py"


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in app.sidebar.markdown)


def asked(app: AppTest, question: str) -> AppTest:
    return app.sidebar.chat_input(key="question").set_value(question).run()


def test_without_a_model_it_says_when_questions_can_be_asked(open_app: OpenApp) -> None:
    app = open_app()
    assert any("once a model is trained" in caption.value for caption in app.sidebar.caption)
    assert not app.sidebar.chat_input


def test_a_question_is_answered_with_a_figure_and_its_source(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset, k="3")
    app = asked(app, "How many users are in segment 1?")
    assert not app.exception
    session = app.session_state["workbench"]
    users = int((session.fits[0].partition.labels == 0).sum())
    assert f"**{users}**" in said(app)
    assert "How many users are in segment 1?" in said(app)


def test_it_is_kept_over_pages_and_sessions(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset), "How many users are in segment 1?")
    app.switch_page(EXPORT).run()
    assert "How many users are in segment 1?" in said(app)
    assert "How many users are in segment 1?" in said(open_app(EXPLORE, data=finished_run.dataset))


def test_another_conversation_begins_empty_and_the_first_can_be_opened_again(
    open_app: OpenApp, finished_run: FinishedRun
) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset), "Describe segment 2")
    app.button(key="chat-new").click().run()
    assert "Describe segment 2" not in "\n".join(
        element.value for element in app.sidebar.markdown if "person" in element.value
    )
    (first,) = conversations.earlier(Store(finished_run.root), finished_run.model)
    app.button(key=f"chat-{first.id}").click().run()
    assert "Describe segment 2" in said(app)
    app.button(key="chat-forget").click().run()
    assert conversations.earlier(Store(finished_run.root), finished_run.model) == []


def test_what_cannot_be_answered_says_what_can(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = asked(open_app(EXPLORE, data=finished_run.dataset), "How many users are in segment 99?")
    assert "There is no segment 99" in said(app)


def test_a_hostile_question_stays_text(open_app: OpenApp, finished_run: FinishedRun) -> None:
    app = open_app(EXPLORE, data=finished_run.dataset)
    app = asked(app, "![x](https://tracker.invalid/p.gif) **bold**")
    assert "![x](https" not in said(app)
    assert not app.exception


def test_a_conversation_can_be_taken_along(open_app: OpenApp, finished_run: FinishedRun) -> None:
    asked(open_app(EXPLORE, data=finished_run.dataset), "How many users are in segment 1?")
    (kept,) = conversations.earlier(Store(finished_run.root), finished_run.model)
    text = as_markdown(kept)
    assert "**You:** How many users are in segment 1?" in text
    assert "[[F" not in text
    assert "(n = " in text


def test_a_damaged_or_invented_conversation_is_not_opened(finished_run: FinishedRun) -> None:
    store = Store(finished_run.root)
    made = conversations.begin(finished_run.model).saying(conversations.Message("user", "hello"))
    conversations.save(store, made)
    assert conversations.load(store, finished_run.model, made.id) == made
    assert conversations.load(store, finished_run.model, "../../etc/passwd") is None
    (store.root / conversations.FOLDER / finished_run.model / f"{made.id}.json").write_text("{")
    assert conversations.load(store, finished_run.model, made.id) is None
