"""Names of segments: suggested from what sets each apart, taken over, and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from core.desk import saved_work
from core.facts.context import Context
from core.facts.fact_maker import Figures
from core.facts.naming import names
from pages.ui.segments.live_segments import SESSIONS, LiveSegments
from pages.ui.shell import errors
from pages.ui.shell.text import md_text


def suggested(about: Context, told: Mapping[int, str]) -> dict[int, str]:
    """A name for each segment, all different, also from those given.

    Args:
        about: The segments, with the names given.
        told: Names by a model; the others are made of what sets a segment apart most.
    """
    free = {segment: name for segment, name in told.items() if not _is_given(name, segment, about.names)}
    known = replace(about, names=free | dict(about.names))
    return _suggested(known.tables.digest, tuple(sorted(known.names.items())), known) | free


def _is_given(name: str, segment: int, names: Mapping[int, str]) -> bool:
    """Whether another segment is called so."""
    return name.casefold() in {given.casefold() for other, given in names.items() if other != segment}


def use_all(live: LiveSegments, found: Mapping[int, str]) -> None:
    """A button that names every segment that the analyst has not named."""
    missing = {segment: name for segment, name in found.items() if segment not in live.own_names}
    st.button(
        "Use the suggested names", icon=":material/auto_awesome:", key="use-names", disabled=not missing,
        on_click=_rename, args=(live, missing), help="Names of your own stay as they are.",
    )  # fmt: skip


def use_one(live: LiveSegments, segment: int, name: str) -> None:
    """A button that gives one segment its suggested name."""
    st.button(
        "Use this name", key=f"use-name-{segment}", type="tertiary", icon=":material/check:",
        on_click=_rename, args=(live, {segment: name}),
    )  # fmt: skip


def offer(live: LiveSegments, segment: int, name: str) -> None:
    """A suggested name, and a button that gives it to the segment."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Suggested name: {md_text(name)}", width="content")
        use_one(live, segment, name)


def undo(live: LiveSegments) -> None:
    """A button that takes the last change of names back."""
    made_from = live.sources
    earlier = saved_work.earlier_names(made_from.store, made_from.model_key)
    st.button(
        "Undo names", icon=":material/undo:", key="undo-names", type="tertiary",
        disabled=not earlier, on_click=_undo, args=(live,),
    )  # fmt: skip


def _rename(live: LiveSegments, changes: Mapping[int, str]) -> None:
    with errors.shown():
        saved_work.rename(live.sources.store, live.sources.model_key, changes)


def _undo(live: LiveSegments) -> None:
    with errors.shown():
        saved_work.undo_names(live.sources.store, live.sources.model_key)


@st.cache_data(max_entries=4 * SESSIONS, show_spinner=False)
def _suggested(digest: str, given: tuple[tuple[int, str], ...], _about: Context) -> dict[int, str]:
    return names(Figures(_about))
