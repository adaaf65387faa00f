"""Names of segments: suggested by what sets each apart, given by a click, and undone."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.naming.fitting import HeldName, reason
from core.saved import saved_work
from pages.ui.segments import live_segments
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors
from pages.ui.shell.text import md_text


def suggested(held: Mapping[int, HeldName], told: Mapping[int, str]) -> dict[int, str]:
    """Segment → suggested name: a language model's if it is free, else by what sets the segment apart.

    Args:
        held: What the segments are called.
        told: Names suggested by a language model.
    """
    own = {segment: (name.better or name).text for segment, name in held.items()}
    taken = {name.text.casefold(): segment for segment, name in held.items()}
    return own | {s: name for s, name in told.items() if taken.get(name.casefold(), s) == s}


def unfit(live: LiveSegments, segment: int) -> None:
    """Draw that the analyst's name no longer fits, with one that does; nothing where it fits."""
    name = live.held[segment]
    if name.better is None:
        return
    with st.container(border=True, key=f"unfit-{segment}", gap="xsmall"):
        why = md_text(reason(name), 400)
        st.markdown(f":material/rule: **{md_text(name.text)}** no longer fits", help=why)
        offer(live, segment, name.better.text)


def unfits(live: LiveSegments) -> None:
    """Draw :func:`unfit` for all segments."""
    for segment in live.segments:
        unfit(live, segment)


def use_all(live: LiveSegments, found: Mapping[int, str]) -> None:
    """Draw a button that gives all unnamed segments their suggested names."""
    missing = {segment: name for segment, name in found.items() if segment not in live.own_names}
    st.button(
        "Use the suggested names", icon=":material/auto_awesome:", key="use-names", disabled=not missing,
        on_click=_rename, args=(live, missing), help="Names of your own stay as they are.",
    )  # fmt: skip


def use_one(live: LiveSegments, segment: int, name: str) -> None:
    """Draw a button that gives a segment its suggested name."""
    st.button(
        "Use this name", key=f"use-name-{segment}", type="tertiary", icon=":material/check:",
        on_click=_rename, args=(live, {segment: name}),
    )  # fmt: skip


def offer(live: LiveSegments, segment: int, name: str) -> None:
    """Draw a suggested name with a button that gives it to the segment."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Suggested name: {md_text(name)}", width="content")
        use_one(live, segment, name)


def undo(live: LiveSegments) -> None:
    """Draw a button that undoes the last change of names."""
    made_from = live.sources
    earlier = saved_work.earlier_names(made_from.store, made_from.model_key)
    st.button(
        "Undo names", icon=":material/undo:", key="undo-names", type="tertiary",
        disabled=not earlier, on_click=_undo, args=(live,),
    )  # fmt: skip


def rename(live: LiveSegments, segment: int, name: str) -> None:
    """Set the analyst's name of a segment, or remove it if empty, and confirm once it is saved."""
    with errors.shown():
        live_segments.rename(live, {segment: name})
        kept = md_text(" ".join(name.split()))
        said = f"Saved: {kept}" if kept else f"Saved: Segment {segment + 1} has no name of its own"
        st.toast(said, icon=":material/check:")


def _rename(live: LiveSegments, changes: Mapping[int, str]) -> None:
    with errors.shown():
        live_segments.rename(live, changes)


def _undo(live: LiveSegments) -> None:
    with errors.shown():
        saved_work.undo_names(live.sources.store, live.sources.model_key)
