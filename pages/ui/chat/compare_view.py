"""One comparison on the screen: in the app's words or a model's, asked for, on its way, taken back."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.desk import comparisons
from core.desk.comparisons import Comparing, Rows
from core.facts.answer import Answer
from core.facts.context import Context
from pages.ui.chat import assistants, chat_message, errand_view, errands, topic
from pages.ui.chat.assistants import Helper
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors
from pages.ui.shell.text import md_text


def draw(live: LiveSegments, about: Context, rows: Rows, own: Callable[[], Answer], key: str) -> None:
    """Draw a comparison, and what can be done with it.

    Args:
        live: The segments.
        about: The same, for questions.
        rows: That are compared; none for all segments.
        own: Makes the app's own words.
        key: Of the widgets.
    """
    kept = comparisons.kept(live.sources.store, live.sources.model_key, about.tables.digest)
    told = kept.load().get(comparisons.name_of(rows))
    errand = errand_view.current(Comparing, _name(live, rows), kept.digest)
    if errand is not None and not errand.done and not errand.waits:
        errand_view.watch(errand, topic.titles(live, about), f"compare-stop-{key}")
        return
    if about.withheld:  # a model would tell of kinds of users, too
        chat_message.draw(own(), key, topic.titles(live, about))
        return
    chat_message.draw(told or own(), key, topic.titles(live, about))
    if errand is not None and errand.done:
        errors.show(errand.problem)
    elif errand is not None:
        errand_view.ask(errand, key)
    with st.container(horizontal=True, vertical_alignment="center", key=f"comparing-{key}"):
        helper = assistants.willing(about)
        if helper is not None:
            st.button(
                f"Compare with {md_text(helper.server.model, 40)}", key=f"compare-{key}",
                icon=":material/neurology:", disabled=errand is not None and not errand.done,
                on_click=_begin, args=(helper, live, rows),
            )  # fmt: skip
        if told is not None:
            st.button(
                "Back to the app's words", key=f"uncompare-{key}", icon=":material/undo:", type="tertiary",
                on_click=comparisons.forget, args=(kept, rows),
            )  # fmt: skip


def _begin(helper: Helper, live: LiveSegments, rows: Rows) -> None:
    errands.begin(_name(live, rows), helper.comparing(live.sources.model_key, rows))


def _name(live: LiveSegments, rows: Rows) -> str:
    return f"{live.sources.model_key} {comparisons.name_of(rows)}"
