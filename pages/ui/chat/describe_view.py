"""Requests to a language model on the screen: consent, progress, stopping, and descriptions and comparisons.

Requests of all sessions are kept for the whole process, so that F5 and another page find them again.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, TypeVar

import streamlit as st

from core.facts.answer import Answer, Title
from core.facts.context import Context
from core.llm import LlmSettings
from core.saved import descriptions
from core.saved.descriptions import CompareTask, DescribeTask, Rows, SegmentTexts
from core.saved.model_tasks import AnswerTask, ModelTask
from core.writing import Description
from pages.ui.chat import assistants, chat_message, connection, topic
from pages.ui.chat.assistants import ModelHelper
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors
from pages.ui.shell.text import count, md_text

_POLL_S: Final = 0.4
"""Seconds between two looks for progress."""
_CLOSED: Final = "You closed the question whether to send it; nothing was sent. Ask again to decide."
_About = TypeVar("_About", DescribeTask, CompareTask)


def _current_about(kind: type[_About], name: str, digest: str) -> _About | None:
    """The current request of a name; None where it waits for consent about segments no longer on screen.

    In that case it is stopped, if this session began it.

    Args:
        kind: Class of the request.
        name: Name under which :func:`begin` kept it.
        digest: Digest of the segments on screen.
    """
    task = current(kind, name)
    if task is None or not task.waits or task.kept.digest == digest:
        return task
    if _is_own(task):
        task.stop()
    return None


def _ask(task: ModelTask, key: str) -> None:
    """Draw a card that asks for consent; nothing where the request does not wait for it."""
    _follow(task)
    if task.waits:
        with st.container(border=True, key=f"consent-{key}"):
            st.subheader(_title(task), icon=":material/outbox:")
            connection.ask(task, partial(_decide, task), key)


def ask_aside(task: ModelTask) -> None:
    """Ask for consent in a dialog; closing it sends nothing and decides nothing."""
    _follow(task)
    if task.waits:
        closed = partial(task.decline, _CLOSED)
        dialog = st.dialog(_title(task), width="medium", icon=":material/outbox:", on_dismiss=closed)
        dialog(connection.ask)(task, partial(_decide, task), "aside")


def _title(task: ModelTask) -> str:
    return f"Ask {md_text(task.server.model, 60)}?"


def _follow(task: ModelTask) -> None:
    """Apply a decision of the session about the same server to a request that still waits."""
    decided = connection.given(task.server) if _is_own(task) else None
    if task.waits and decided is not None:
        _decide(task, decided)
        st.rerun()


def _decide(task: ModelTask, agreed: bool) -> None:
    """Keep the decision for the session, and send or decline the request."""
    connection.decide(task.server, agreed)
    if agreed:
        task.agree()
    else:
        task.decline()


@st.fragment(run_every=_POLL_S)
def watch(task: AnswerTask, titles: Mapping[str, Title], key: str) -> None:
    """Draw the finished blocks and a Stop button; the page is drawn anew when the request ends or asks."""
    if task.done or task.waits:
        st.rerun()
    if task.blocks:
        chat_message.blocks(task.blocks, titles, key)
    else:
        st.markdown(f":shimmer[Asking {md_text(task.server.model, 60)} …]")
    with st.container(horizontal=True, vertical_alignment="center", key=f"writing-{key}"):
        st.button("Stop", icon=":material/stop_circle:", key=key, on_click=task.stop)
        st.caption(f"{task.seconds:.0f} s")


_BEGUN: Final = "errands_begun"

Task_co = TypeVar("Task_co", bound=ModelTask)


def current(kind: type[Task_co], name: str) -> Task_co | None:
    """The request kept under a name while it runs, or after its result could not be kept; else None."""
    found = _tasks().get((kind, name))
    return found if isinstance(found, kind) and (not found.done or found.problem) else None


def begin(name: str, task: ModelTask) -> None:
    """Start a request and keep it under a name for all sessions; finished ones are dropped."""
    known = _tasks()
    for key in [key for key, one in known.items() if one.done]:
        known.pop(key, None)
    known[(type(task), name)] = task
    st.session_state.setdefault(_BEGUN, weakref.WeakSet()).add(task)
    task.begin()


def _is_own(task: ModelTask) -> bool:
    """Whether this session began the request: a decision of another session does not answer it."""
    return task in st.session_state.get(_BEGUN, ())


def stop_all(server: LlmSettings) -> None:
    """Stop all requests to a server, in every session, when consent is taken back."""
    for task in list(_tasks().values()):
        if task.server.identity == server.identity and not task.done:
            task.stop()


@st.cache_resource(show_spinner=False)
def _tasks() -> dict[tuple[type[ModelTask], str], ModelTask]:
    return {}


def actions(live: LiveSegments, about: Context, described: SegmentTexts[int, Description]) -> None:
    """Draw buttons to describe with the model, and to go back to the app's words; none without a model."""
    helper = assistants.willing(about)
    if helper is not None:
        st.button(
            f"Describe with {md_text(helper.server.model, 40)}", key="describe", icon=":material/neurology:",
            disabled=bool((task := _describe_task(live, about)) and not task.done), on_click=_begin,
            args=(helper, live),
            help=f"{count(len(live.segments), 'call')}, one a segment. Names are only suggested.",
        )  # fmt: skip
    if described.load():
        st.button(
            "Back to the app's words", key="undescribe", icon=":material/undo:", type="tertiary",
            on_click=described.file.delete,
        )  # fmt: skip


def progress(live: LiveSegments, about: Context) -> None:
    """Draw the consent or the progress of a description; nothing where none is running."""
    task = _describe_task(live, about)
    if task is None:
        return
    if task.done:
        errors.show(task.problem)
    elif task.waits:
        _ask(task, "describe")
    else:
        _watch(task, len(task.found))


@st.fragment(run_every=_POLL_S)
def _watch(task: DescribeTask, drawn: int) -> None:
    """Draw the progress; the page is drawn anew with each description and at the end."""
    ready, wanted = len(task.found), len(task.segments)
    if task.done or task.waits or ready != drawn:
        st.rerun()
    with st.container(border=True, key="describing"):
        st.progress(ready / wanted, text=f"{ready} of {wanted} segments described · {task.seconds:.0f} s")
        st.button("Cancel", key="describe-stop", icon=":material/stop_circle:", on_click=task.stop)


def _begin(helper: ModelHelper, live: LiveSegments) -> None:
    begin(live.sources.model_key, helper.describing(live.sources.model_key))


def _describe_task(live: LiveSegments, about: Context) -> DescribeTask | None:
    return _current_about(DescribeTask, live.sources.model_key, about.tables.digest)


def draw(live: LiveSegments, about: Context, rows: Rows, own: Callable[[], Answer], key: str) -> None:
    """Draw a comparison, in the app's or a model's words, with its buttons.

    Args:
        live: The segments.
        about: The segments as the context of questions.
        rows: Keys of the compared rows; empty for all segments.
        own: Makes the app's own words; called where there are none of a model.
        key: Prefix of the widgets' keys.
    """
    kept = descriptions.saved_comparisons(live.sources.store, live.sources.model_key, about.tables.digest)
    told = kept.load().get(descriptions.name_of(rows))
    task = _current_about(CompareTask, _name(live, rows), kept.digest)
    if task is not None and not task.done and not task.waits:
        watch(task, topic.titles(live, about), f"compare-stop-{key}")
        return
    if about.withheld:  # a model would tell of kinds of users, too
        chat_message.draw(own(), key, topic.titles(live, about))
        return
    chat_message.draw(told or own(), key, topic.titles(live, about))
    if task is not None and task.done:
        errors.show(task.problem)
    elif task is not None:
        _ask(task, key)
    with st.container(horizontal=True, vertical_alignment="center", key=f"comparing-{key}"):
        helper = assistants.willing(about)
        if helper is not None:
            st.button(
                f"Compare with {md_text(helper.server.model, 40)}", key=f"compare-{key}",
                icon=":material/neurology:", disabled=task is not None and not task.done,
                on_click=_begin_comparison, args=(helper, live, rows),
            )  # fmt: skip
        if told is not None:
            st.button(
                "Back to the app's words", key=f"uncompare-{key}", icon=":material/undo:", type="tertiary",
                on_click=descriptions.forget, args=(kept, rows),
            )  # fmt: skip


def _begin_comparison(helper: ModelHelper, live: LiveSegments, rows: Rows) -> None:
    begin(_name(live, rows), helper.comparing(live.sources.model_key, rows))


def _name(live: LiveSegments, rows: Rows) -> str:
    return f"{live.sources.model_key} {descriptions.name_of(rows)}"
