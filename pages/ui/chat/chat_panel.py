"""The chat in the sidebar of every page: questions about the segments, answered from the profiles."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final, TypeAlias

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.base.errors import Beha2VecError, SettingsError
from core.base.schema import View
from core.facts.answer import Answer, Note, ScreenChange
from core.facts.context import Context
from core.periods.filter import CountFilter
from core.query import answering
from core.query.execute import users_of
from core.query.in_words import people
from core.query.parts import Part, parts
from core.query.query import By, Is, Query
from core.questions.answers import ask
from core.questions.topics import HELP
from core.saved import conversations
from core.saved.chat_task import ChatTask
from core.saved.controls import filter_of
from core.saved.conversations import Conversation, Exchange
from pages.ui.chat import assistants, chat_message, describe_view, topic
from pages.ui.segments import editing_view, session_segments, shared
from pages.ui.segments.live_segments import solve
from pages.ui.shell import errors, links, state
from pages.ui.shell.text import count, md_text

_CURRENT: Final = "conversation"
_BEFORE: Final = "before_changes"
"""Key of ``state.of_model``: exchange → values of the controls that its change replaced."""
_MAX_QUESTION_LENGTH: Final = 600
_OFFERED: Final = 3
"""Questions offered instead of a refused one, at most."""
UNFILTERED: Final = ":material/filter_alt: Answers count everybody and every day, whatever the filter."
Drawn: TypeAlias = list[tuple[DeltaGenerator, Exchange]]
"""Drawn exchanges, each with a container for a later note."""


def show() -> Drawn:
    """Draw the current model's conversation and the field for a question; return the drawn exchanges."""
    run = state.model()
    drawn: Drawn = []
    with st.container(key="chat", gap="xsmall"):
        if run is None:
            st.caption("Ask about the segments here, once a model is trained.")
            return drawn
        conversation = _current(run.key)
        turns = _turns(conversation)
        if any(one.answer is None for one in conversation.exchanges):
            conversation = _current(run.key)  # the answer may have come between the two
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown("**Ask about the segments**")
            _menu(conversation)
        st.chat_input("Ask about a segment", key="question", max_chars=_MAX_QUESTION_LENGTH, on_submit=_typed)
        if state.controls(run.key).counted.is_set:
            st.caption(UNFILTERED)
        if conversation.exchanges:
            _said(conversation, turns, drawn)
        else:
            st.caption("Every number in an answer is counted from your data. Try one of these:")
            _offer(_examples(), "example")
        return drawn


def mark(drawn: Drawn) -> None:
    """Mark the answers that are about other segments than those on screen."""
    made_from = session_segments.found_sources() if drawn else None
    made = made_from is not None and session_segments.session(made_from).history
    about = topic.on_screen() if made else None
    if about is None:
        return
    for room, exchange in drawn:
        if exchange.digest not in ("", about.tables.digest):
            also = "also " if exchange.segments == len(about.segment_keys) else ""
            room.caption(f":material/history: About earlier segments ({also}K = {exchange.segments})")


def _typed() -> None:
    """Ask the question that was typed (a callback)."""
    question = " ".join(str(st.session_state["question"] or "").split())
    if question:
        _ask(question)


def _ask(question: str) -> None:
    run = state.model()
    if run is None:
        return
    with errors.shown():
        conversation = conversations.ask(state.store(), _current(run.key), question)
        state.of_model(run.key)[_CURRENT] = conversation
        _answer(conversation, len(conversation.exchanges) - 1)


def _answer(conversation: Conversation, place: int) -> None:
    """Answer at once, or begin a turn in which the model answers after the turns before."""
    about = None
    with errors.shown():
        try:
            about = topic.on_screen()
            said = _answered(conversation, place, about)
        except Beha2VecError as error:
            said = Answer((Note(text=str(error)),), declined=True)
        if said is not None:
            conversations.answer(state.store(), conversation, place, said, about)


def _answered(conversation: Conversation, place: int, about: Context | None) -> Answer | None:
    """The answer to a question; None where a turn of the model was begun for it."""
    if about is None:
        return Answer((Note(text="There are no segments yet: train a model first."),), declined=True)
    question, helper = conversation.exchanges[place].question, assistants.willing(about)
    if helper is None:
        return ask(question, about, conversation.reading(place))
    before = [turn for at, turn in _turns(conversation).items() if at < place and not turn.done]
    exact = None if before else helper.now.answer_offline(question, conversation.reading(place))
    if exact is None:
        describe_view.begin(_name(conversation, place), helper.turn(conversation, place, before))
    return exact


def _turns(conversation: Conversation) -> dict[int, ChatTask]:
    """Place of an exchange → turn in which its answer is being made, or could not be kept."""
    places = (place for place, one in enumerate(conversation.exchanges) if one.answer is None)
    found = ((place, describe_view.current(ChatTask, _name(conversation, place))) for place in places)
    return {place: turn for place, turn in found if turn is not None}


def _name(conversation: Conversation, place: int) -> str:
    return f"{conversation.id} {place}"


def _examples() -> tuple[str, ...]:
    """Example questions that these data can answer."""
    made_from = session_segments.found_sources()
    outcome = made_from is not None and bool(
        shared.usual_or_chosen(made_from, state.controls(made_from.model_key).outcomes)
    )
    themes = made_from is not None and View.THEME in made_from.vectors.views
    return (
        "Which segment converts best?" if outcome else "Who has the most page views a user?",
        "Compare segment 1 and 2",
        "Describe segment 1",
        f"Top {'themes' if themes else 'pages'} of segment 2",
    )


def _offer(questions: Iterable[str], key: str) -> None:
    """Draw questions as buttons that ask them."""
    with st.container(key=key, gap="xsmall"):
        for number, question in enumerate(questions):
            st.button(
                md_text(question), key=f"{key}-{number}", on_click=_ask, args=(question,), width="stretch"
            )  # fmt: skip


def _said(conversation: Conversation, turns: dict[int, ChatTask], drawn: Drawn) -> None:
    """Draw the newest question with its answer below the field; earlier ones are folded away.

    A question that is being answered comes first, then those that wait, then the last answer.
    """
    running = [place for place, turn in turns.items() if not turn.done]
    newest = running[0] if running else len(conversation.exchanges) - 1
    before = newest - 1 if running else newest
    with st.container(key="chat-log", gap="small"):
        _exchange(conversation, newest, turns.get(newest), drawn)
        for place in running[1:]:
            question = md_text(conversation.exchanges[place].question, _MAX_QUESTION_LENGTH)
            st.caption(f":material/hourglass_empty: Waits its turn: {question}")
        if running and before >= 0:
            _exchange(conversation, before, turns.get(before), drawn)
        elif (said := conversation.exchanges[newest].answer) is not None:
            _conditions(said, f"{conversation.id}-{newest}-users")
            _readings(said)
            _offer(said.suggestions[:_OFFERED], "suggested")
    if before > 0:
        with st.expander(count(before, "earlier question"), type="compact", key="chat-earlier"):
            for place in range(before):
                _exchange(conversation, place, turns.get(place), drawn)
    if running and turns[newest].waits:
        describe_view.ask_aside(turns[newest])


def _conditions(said: Answer, key: str) -> None:
    """Draw each part of an answered query as a chip that asks again with another one, or without it.

    Its users can be counted alone on every page, or become a segment.
    """
    about = topic.on_screen()
    if about is None or said.reading is None or not (said.reading.query and said.query):
        return  # a change of the screen has no query
    query = Query.model_validate_json(said.reading.query)
    with st.container(horizontal=True, gap="xsmall", key="parts"):
        for number, part in enumerate(parts(query, about)):
            _part(part, number, f"{key}-{number}")
        where, days = query.where, query.period
        if where is None or (isinstance(where, Is) and where.dimension is By.SEGMENT):
            return
        with suppress(SettingsError):  # segments, or hours: no filter has them
            if days is None or not (days.weekdays or days.hours):
                bounds = days.model_dump(include={"first_day", "last_day"}) if days else {}
                counted = filter_of(where, CountFilter(**bounds))
                _change(ScreenChange(label="Count only them", counted=counted), key)
        st.button(
            "Make them a segment", key="parts-segment", icon=":material/group_add:", type="tertiary",
            on_click=_make_segment, args=(said.reading.query,),
            help="These users leave their segments for a new one, on every page. Segments can undo it.",
        )  # fmt: skip


def _part(part: Part, number: int, key: str) -> None:
    """Draw a part of a query: a list of what it could be instead, and a button that leaves it out."""
    if not part.instead:
        _leave_out(part, number)
        return
    with st.popover(md_text(part.text), icon=":material/tune:", key=f"part-choices-{number}"):
        st.selectbox(
            "Instead", list(part.instead), index=None, key=key, on_change=_ask_instead, args=(part, key),
            placeholder=part.text,
        )  # fmt: skip
        _leave_out(part, number)


def _leave_out(part: Part, number: int) -> None:
    if part.without is not None:
        st.button(
            md_text(part.text), key=f"part-{number}", icon=":material/close:", on_click=_ask_query,
            args=(f"Without “{part.text}”", part.without.model_dump_json(exclude_none=True)),
            help="Ask again without this",
        )  # fmt: skip


def _ask_instead(part: Part, key: str) -> None:
    """Ask again with what was chosen in the place of a part (a callback)."""
    chosen = st.session_state[key]
    if chosen is not None:
        text = f"“{chosen}” instead of “{part.text}”"
        _ask_query(text, part.instead[chosen].model_dump_json(exclude_none=True))


def _change(change: ScreenChange, key: str) -> None:
    """Draw the button that applies a proposed change or, once it is applied, brings back what was before."""
    made_from = session_segments.found_sources()
    if made_from is None:
        return
    if change.page:
        links.link(next(one for one in links.PAGES["Data"] if one.url_path == change.page), change.label)
        return
    model, controls = made_from.model_key, state.controls(made_from.model_key)
    wanted = controls.changed(change, made_from.vectors.weighable)
    now = {name: getattr(controls, name) for name in wanted}
    if "n_clusters" in now:  # where nobody has chosen it, the one on screen
        now["n_clusters"] = controls.n_clusters or state.of_model(model).get(state.START)
    before = state.of_model(model).get(_BEFORE, {}).get(key)
    if now != wanted:
        st.button(
            md_text(change.label), icon=":material/tune:", key=f"apply-{key}", on_click=_apply,
            args=(model, wanted, key, now),
        )  # fmt: skip
    elif before is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                "Undo", icon=":material/undo:", key=f"undo-{key}", on_click=_apply, args=(model, before)
            )
            st.caption(f":material/check: {md_text(change.label)}", width="content")
    else:
        st.caption(":material/check: On screen now.")


def _apply(model: str, values: dict[str, Any], key: str = "", before: dict[str, Any] | None = None) -> None:
    """Set controls, and keep under a key what they were before (a callback)."""
    with errors.shown():
        state.set_controls(model, **values)
        if before is not None:
            state.of_model(model).setdefault(_BEFORE, {})[key] = before
        made_from = session_segments.found_sources()
        if made_from is not None:
            session_segments.settle(made_from, session_segments.read(made_from))


def _make_segment(asked: str) -> None:
    """Make a segment of the users whom a query asks about (a callback)."""
    made_from = session_segments.found_sources()
    if made_from is None:
        return
    live, query = solve(session_segments.shown(made_from)), Query.model_validate_json(asked)
    about = topic.context(live)
    with errors.shown():
        users = users_of(query, about.tables)
        editing_view.gather(live, users, people(query.where, about.title))


def _readings(said: Answer) -> None:
    """Draw what else a question can mean as buttons that ask it, each with its figure."""
    with st.container(gap="xsmall", key="readings"):
        if not said.declined and said.readings:
            st.caption("It can also mean:")
        for number, one in enumerate(said.readings):
            st.button(
                f"{md_text(one.text)}: **{md_text(one.figure)}**", key=f"reading-{number}",
                icon=":material/alt_route:", on_click=_ask_query, args=(one.text, one.query), width="stretch",
            )  # fmt: skip


def _ask_query(text: str, query: str) -> None:
    """Answer a query that stands in the conversation under a text (a callback)."""
    run = state.model()
    about = topic.on_screen()
    if run is None or about is None:
        return
    with errors.shown():
        conversation = conversations.ask(state.store(), _current(run.key), text)
        state.of_model(run.key)[_CURRENT] = conversation
        try:
            said = answering.answer(Query.model_validate_json(query), about)
        except Beha2VecError as error:
            said = Answer((Note(text=str(error)),), declined=True)
        conversations.answer(state.store(), conversation, len(conversation.exchanges) - 1, said, about)


def _exchange(conversation: Conversation, place: int, turn: ChatTask | None, drawn: Drawn) -> None:
    exchange, key = conversation.exchanges[place], f"{conversation.id}-{place}"
    with st.container(border=True, key=f"asked-{key}"):
        st.markdown(f":material/person: {md_text(exchange.question, _MAX_QUESTION_LENGTH)}")
    if exchange.answer is not None:
        if exchange.answer.facts:
            drawn.append((st.empty(), exchange))
        chat_message.draw(exchange.answer, key)
        if exchange.answer.change is not None:
            _change(exchange.answer.change, key)
    elif turn is None:
        st.caption(":material/info: This was not answered: the app was stopped before.")
        st.button(
            "Ask again", icon=":material/refresh:", key=f"again-{key}", on_click=_answer,
            args=(conversation, place),
        )  # fmt: skip
    elif turn.problem:
        errors.show(turn.problem)
    elif not turn.waits:
        describe_view.watch(turn, turn.context.titles(), "chat-stop")


def _menu(conversation: Conversation) -> None:
    with st.popover("", icon=":material/more_horiz:", type="tertiary", key="chat-menu", help="Conversations"):
        st.button("New conversation", icon=":material/add_comment:", key="chat-new", on_click=_begin)
        st.button(
            "Delete this one", icon=":material/delete:", key="chat-forget", on_click=_forget,
            args=(conversation,), disabled=not conversation.exchanges,
        )  # fmt: skip
        st.download_button(
            "Export as Markdown", data=lambda: chat_message.as_markdown(conversation),
            file_name="conversation.md", mime="text/markdown", icon=":material/download:",
            key="chat-export", on_click="ignore", disabled=not conversation.exchanges,
        )  # fmt: skip
        for one in conversations.earlier(state.store(), conversation.model):
            if one.id != conversation.id:
                st.button(
                    md_text(one.title), key=f"chat-{one.id}", type="tertiary", on_click=_open,
                    args=(conversation.model, one.id), icon=":material/history:",
                )  # fmt: skip
        with st.expander("What can I ask?"):
            st.write(HELP)


def _current(model: str) -> Conversation:
    """The session's conversation, reloaded; in a new session the latest one about the model.

    A conversation that another tab has deleted is not continued, as that would bring it back.
    """
    current: Conversation | None = state.of_model(model).get(_CURRENT)
    if current is not None:
        found = conversations.load(state.store(), model, current.id)
        if found is not None or not current.exchanges:
            return found or current
        found = None
    else:
        latest = conversations.earlier(state.store(), model, most=1)
        found = conversations.load(state.store(), model, latest[0].id) if latest else None
    found = found or conversations.begin(model)
    state.of_model(model)[_CURRENT] = found
    return found


def _begin() -> None:
    run = state.model()
    if run is not None:
        state.of_model(run.key)[_CURRENT] = conversations.begin(run.key)


def _open(model: str, name: str) -> None:
    found = conversations.load(state.store(), model, name)
    if found is not None:  # another tab may have deleted it
        state.of_model(model)[_CURRENT] = found


def _forget(conversation: Conversation) -> None:
    for turn in _turns(conversation).values():
        turn.stop()
    conversations.forget(state.store(), conversation)
    _begin()
