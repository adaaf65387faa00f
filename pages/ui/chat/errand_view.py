"""What every errand looks like, whatever it is about: agreed to, watched while it is written, stopped."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final, TypeVar

import streamlit as st

from core.desk.comparisons import Comparing
from core.desk.descriptions import Describing
from core.desk.errand import Errand, Writing
from core.facts.answer import Title
from pages.ui.chat import chat_message, consent, errands
from pages.ui.shell.text import md_text

POLL_S: Final = 0.4
"""How often a page looks for more."""
CLOSED: Final = "You closed the question whether to send it; nothing was sent. Ask again to decide."
About = TypeVar("About", Describing, Comparing)


def current(kind: type[About], name: str, digest: str) -> About | None:
    """The errand of a name, but no question about other segments; the session that asked it withdraws it.

    Args:
        kind: Of errand.
        name: Under which it began.
        digest: Names the data set and the segments on screen.
    """
    errand = errands.current(kind, name)
    if errand is None or not errand.waits or errand.kept.digest == digest:
        return errand
    if errands.is_own(errand):
        errand.stop()
    return None


def ask(errand: Errand, key: str) -> None:
    """A card with what would be sent; nothing where nothing waits for an answer."""
    _follow(errand)
    if errand.waits:
        with st.container(border=True, key=f"consent-{key}"):
            st.subheader(_title(errand), icon=":material/outbox:")
            consent.ask(errand, partial(decide, errand), key)


def ask_aside(errand: Errand) -> None:
    """Ask for consent in front of the page; closing it without an answer sends and decides nothing."""
    _follow(errand)
    if errand.waits:
        closed = partial(errand.decline, CLOSED)
        dialog = st.dialog(_title(errand), width="medium", icon=":material/outbox:", on_dismiss=closed)
        dialog(consent.ask)(errand, partial(decide, errand), "aside")


def _title(errand: Errand) -> str:
    return f"Ask {md_text(errand.server.model, 60)}?"


def _follow(errand: Errand) -> None:
    """One that still waits does what its session decided meanwhile about another one of the same server."""
    decided = consent.given(errand.server) if errands.is_own(errand) else None
    if errand.waits and decided is not None:
        decide(errand, decided)
        st.rerun()


def decide(errand: Errand, agreed: bool) -> None:
    """Keep the decision for the session, and go on accordingly."""
    consent.decide(errand.server, agreed)
    if agreed:
        errand.agree()
    else:
        errand.decline()


@st.fragment(run_every=POLL_S)
def watch(errand: Writing, titles: Mapping[str, Title], key: str) -> None:
    """What is whole so far, and Stop; the page is drawn anew once it is done or has to ask."""
    if errand.done or errand.waits:
        st.rerun()
    if errand.blocks:
        chat_message.blocks(errand.blocks, titles, key)
    else:
        st.markdown(f":shimmer[Asking {md_text(errand.server.model, 60)} …]")
    with st.container(horizontal=True, vertical_alignment="center", key=f"writing-{key}"):
        st.button("Stop", icon=":material/stop_circle:", key=key, on_click=errand.stop)
        st.caption(f"{errand.seconds:.0f} s")
