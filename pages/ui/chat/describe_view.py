"""Descriptions by a language model on the screen: asked for, and on their way."""

from __future__ import annotations

import streamlit as st

from core.desk.descriptions import Describing
from core.desk.kept_words import KeptWords
from core.facts.context import Context
from core.writing import Description
from pages.ui.chat import assistants, errand_view, errands
from pages.ui.chat.assistants import Helper
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors
from pages.ui.shell.text import count, md_text


def actions(live: LiveSegments, about: Context, described: KeptWords[int, Description]) -> None:
    """Buttons: describe with the model, and back to the app's own words. None where there is no model."""
    helper = assistants.willing(about)
    if helper is not None:
        st.button(
            f"Describe with {md_text(helper.server.model, 40)}", key="describe", icon=":material/neurology:",
            disabled=bool((errand := _errand(live, about)) and not errand.done), on_click=_begin,
            args=(helper, live),
            help=f"{count(len(live.segments), 'call')}, one a segment. Names are only suggested.",
        )  # fmt: skip
    if described.load():
        st.button(
            "Back to the app's words", key="undescribe", icon=":material/undo:", type="tertiary",
            on_click=described.file.delete,
        )  # fmt: skip


def progress(live: LiveSegments, about: Context) -> None:
    """What is asked of the analyst, or how far it is; nothing where nothing goes on."""
    errand = _errand(live, about)
    if errand is None:
        return
    if errand.done:
        errors.show(errand.problem)
    elif errand.waits:
        errand_view.ask(errand, "describe")
    else:
        _watch(errand, len(errand.found))


@st.fragment(run_every=errand_view.POLL_S)
def _watch(errand: Describing, drawn: int) -> None:
    """How far it is; the page is drawn anew when a description is there, and in the end."""
    ready, wanted = len(errand.found), len(errand.segments)
    if errand.done or errand.waits or ready != drawn:
        st.rerun()
    with st.container(border=True, key="describing"):
        st.progress(ready / wanted, text=f"{ready} of {wanted} segments described · {errand.seconds:.0f} s")
        st.button("Cancel", key="describe-stop", icon=":material/stop_circle:", on_click=errand.stop)


def _begin(helper: Helper, live: LiveSegments) -> None:
    errands.begin(live.sources.model_key, helper.describing(live.sources.model_key))


def _errand(live: LiveSegments, about: Context) -> Describing | None:
    return errand_view.current(Describing, live.sources.model_key, about.tables.digest)
