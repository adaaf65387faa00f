"""The chat in the sidebar of every page: questions about the segments, answered from the profiles."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import streamlit as st

from core.base.errors import Beha2VecError
from core.desk import conversations
from core.desk.conversations import Conversation, Message
from core.desk.turns import Turn
from core.facts.answer import Answer
from core.questions.answers import HELP, ask
from pages.ui.chat import assistants, chat_message, errand_view, errands, topic
from pages.ui.segments import live_segments
from pages.ui.shell import errors, state
from pages.ui.shell.text import count, md_text

CURRENT: Final = "conversation"
LONGEST: Final = 600


def show() -> None:
    """Draw the conversation and the field for the next question."""
    run = state.model()
    with st.container(key="chat", gap="xsmall"):
        if run is None:
            st.caption("Ask about the segments here, once a model is trained.")
            return
        conversation = _current(run.key)
        turn = errands.current(Turn, conversation.id)
        if turn is None:
            conversation = _current(run.key)  # the answer may have come between the two
        busy = turn is not None and not turn.done  # as it is drawn, even if it ends meanwhile
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown("**Ask about the segments**")
            _menu(conversation)
        st.chat_input(
            "Ask about a segment", key="question", max_chars=LONGEST, on_submit=_asked,
            disabled=busy,
        )  # fmt: skip
        _said(conversation, turn)
        if turn is not None:
            errand_view.ask_aside(turn)


def _asked() -> None:
    """Answer what was typed (a callback)."""
    question = " ".join(str(st.session_state["question"] or "").split())
    if question:
        _answer(question)


def _answer(question: str) -> None:
    run = state.model()
    if run is None:
        return
    conversation = _current(run.key)
    turn = errands.current(Turn, conversation.id)
    if turn is not None and not turn.done:
        st.toast(f"Not asked, as an answer is being written in another tab: {md_text(question)}")
        return
    conversation = conversation.saying(Message("user", question))
    with errors.shown():
        said = _turn(question, conversation)
        if isinstance(said, Answer):
            conversation = conversation.saying(conversations.to_message(said))
        conversations.save(state.store(), conversation)
        st.session_state[CURRENT] = conversation
        if isinstance(said, Turn):
            errands.begin(conversation.id, said)


def _turn(question: str, conversation: Conversation) -> Answer | Turn:
    """The answer, or the turn in which a model will write it."""
    try:
        about = topic.context()
        if about is None:
            return Answer("There are no segments yet: train a model first.", declined=True)
        helper = assistants.willing(about)
        if helper is None:
            return ask(question, about)
        exact = helper.now.answer_offline(question)
        return exact or helper.turn(conversation, ask(question, about))
    except Beha2VecError as error:
        return Answer(str(error), declined=True)


def _examples() -> tuple[str, ...]:
    """Questions that can be asked of these data."""
    made_from = live_segments.found_sources()
    outcome = made_from is not None and bool(live_segments.outcomes(made_from))
    themes = made_from is not None and made_from.labels is not None
    return (
        f"Which segment has the {'highest outcome rate' if outcome else 'most page views a user'}?",
        "Compare segment 1 and 2",
        "Describe segment 1",
        f"Top {'themes' if themes else 'pages'} of segment 2",
    )


def _said(conversation: Conversation, turn: Turn | None) -> None:
    """The newest question with its answer, right below the field; what was said before is folded away."""
    if not conversation.messages:
        st.caption("Every number in an answer is counted from your data. Try one of these:")
        for number, example in enumerate(_examples()):
            st.button(example, key=f"example-{number}", on_click=_answer, args=(example,), type="tertiary")
        return
    newest = max(place for place, one in enumerate(conversation.messages) if one.role == "user")
    with st.container(key="chat-log"):
        _draw(conversation, range(newest, len(conversation.messages)))
        if turn is not None and turn.problem:
            errors.show(turn.problem)
        elif turn is None and conversation.messages[-1].role == "user":
            _left_alone(conversation)
        elif turn is not None and not turn.waits:
            errand_view.watch(turn, "chat-stop")
    if newest:
        asked = sum(one.role == "user" for one in conversation.messages[:newest])
        with st.expander(f"{count(asked, 'earlier question')}", type="compact", key="chat-earlier"):
            _draw(conversation, range(newest))


def _draw(conversation: Conversation, places: range) -> None:
    for place in places:
        chat_message.draw(conversation.messages[place], f"{conversation.id}-{place}")


def _left_alone(conversation: Conversation) -> None:
    """A question whose answer was on its way when the app was stopped."""
    st.caption(":material/info: This was not answered: the app was stopped before.")
    st.button("Ask again", icon=":material/refresh:", key="chat-again", on_click=_again, args=(conversation,))


def _again(conversation: Conversation) -> None:
    *before, question = conversation.messages
    with errors.shown():
        conversations.save(state.store(), replace(conversation, messages=tuple(before)))
        _answer(question.text)


def _menu(conversation: Conversation) -> None:
    with st.popover("", icon=":material/more_horiz:", type="tertiary", key="chat-menu", help="Conversations"):
        st.button("New conversation", icon=":material/add_comment:", key="chat-new", on_click=_begin)
        st.button(
            "Delete this one", icon=":material/delete:", key="chat-forget", on_click=_forget,
            disabled=not conversation.messages,
        )  # fmt: skip
        st.download_button(
            "Export as Markdown", data=lambda: chat_message.as_markdown(conversation),
            file_name="conversation.md", mime="text/markdown", icon=":material/download:",
            key="chat-export", on_click="ignore", disabled=not conversation.messages,
        )  # fmt: skip
        found = conversations.earlier(state.store(), conversation.model)
        others = [one for one in found if one.id != conversation.id]
        if others:
            st.caption("Earlier conversations")
        for one in others:
            st.button(
                md_text(one.title), key=f"chat-{one.id}", type="tertiary", on_click=_open,
                args=(conversation.model, one.id),
            )  # fmt: skip
        with st.expander("What can I ask?"):
            st.write(HELP)


def _current(model: str) -> Conversation:
    """The session's conversation as it is now; in a new session the latest one about the model goes on.

    One that another tab has deleted is not said on: it would be there again.
    """
    held = st.session_state.get(CURRENT)
    if isinstance(held, Conversation) and held.model == model:
        found = conversations.load(state.store(), model, held.id)
        if found is not None or not held.messages:
            return found or held
        found = None
    else:
        latest = conversations.earlier(state.store(), model, most=1)
        found = conversations.load(state.store(), model, latest[0].id) if latest else None
    st.session_state[CURRENT] = found = found or conversations.begin(model)
    return found


def _begin() -> None:
    run = state.model()
    if run is not None:
        st.session_state[CURRENT] = conversations.begin(run.key)


def _open(model: str, name: str) -> None:
    found = conversations.load(state.store(), model, name)
    if found is not None:  # another tab may have deleted it
        st.session_state[CURRENT] = found


def _forget() -> None:
    held = st.session_state.get(CURRENT)
    if isinstance(held, Conversation):
        if (turn := errands.current(Turn, held.id)) is not None:
            turn.discard()
        conversations.forget(state.store(), held)
    _begin()
