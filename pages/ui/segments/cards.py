"""The parts of a segment's card: colour, name to edit, suggested names, and what it holds."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import streamlit as st

from core.base.palette import Mode, colour
from core.base.schema import OUTSIDE
from core.profiles.metrics import Profiles
from core.profiles.name_fitting import reason
from core.profiles.names import name_segments
from core.profiles.outcomes import path_of
from core.profiles.profile_columns import Col, figure
from core.saved import saved_work
from core.saved.saved_work import MAX_NAME_LENGTH
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, state
from pages.ui.shell.text import md_text


def swatch(segment: int, share: float = 1.0, mark: str = "") -> None:
    """Draw a bar in the segment's colour, as long as its share; grey for a marked segment.

    The browser picks the light or the dark shade.
    """
    segment = OUTSIDE if mark else segment
    light, dark = colour(segment, Mode.LIGHT), colour(segment, Mode.DARK)
    width = max(2.0, min(100.0, 100 * share))
    st.html(
        '<div style="height:6px;border-radius:3px;background:rgba(128,138,155,.18)">'
        f'<div style="height:6px;border-radius:3px;width:{width:.1f}%;background:light-dark({light},{dark})">'
        "</div></div>"
    )


def name_field(segment: int, own_name: str, rename: Callable[[int, str], None], mark: str = "") -> None:
    """Draw a segment's number, its name as a field, and its mark; an edit calls ``rename(segment, text)``."""
    # a name that changes elsewhere gets a fresh field, as a field keeps what was typed into it
    key = f"name-{segment}-{zlib.crc32(own_name.encode())}"

    def changed() -> None:
        # a browser also sends what a field began with, when a run was interrupted: nobody typed that
        if st.session_state[key] != own_name:
            rename(segment, st.session_state[key])

    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"**{segment + 1}**", width="content")
        st.text_input(
            f"Name of segment {segment + 1}", own_name, max_chars=MAX_NAME_LENGTH, key=key,
            placeholder=f"Segment {segment + 1}", label_visibility="collapsed", icon=":material/edit:",
            on_change=changed,
        )  # fmt: skip
        if mark:
            st.badge(mark, color="gray")


def heading(name: str) -> str:
    """A segment's name, escaped for a heading, which renders Markdown."""
    return md_text(name, MAX_NAME_LENGTH + 10)


def rule_card(title: str, share: float, facts: str, why: str, badge: str = "by rule") -> None:
    """Draw the card of a group or segment made by rule; ``facts`` and ``why`` are Markdown."""
    with st.container(gap="xsmall"):
        swatch(OUTSIDE, share)
        st.markdown(f"**{md_text(title)}** :gray-badge[{badge}]", help=why)
        st.markdown(f":small[{facts}]")


def second_pages(profiles: Profiles, key: str) -> str:
    """Sentence on the second pages of users who arrived like those of a one-page segment (its row's key)."""
    assert profiles.one_page is not None  # a row of its own is there only with it
    found = profiles.one_page.segments[profiles.one_page.keys.index(key)].second_pages
    if not found:
        return "No second page was seen by three or more of those who arrived alike."
    listed = (f"{md_text(path_of(page.page))} ({figure(Col.SHARE, page.share)})" for page in found)
    return (
        f"A second page would be: {', '.join(listed)} of {found[0].n:,} users who arrived alike and went on."
    )


def unfit(live: LiveSegments, segment: int) -> None:
    """Draw that the analyst's name no longer fits, with one that does; nothing where it fits."""
    name = live.current_names[segment]
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
    """Draw a button that gives every segment without a name of the analyst its suggested one.

    Args:
        live: The segments.
        found: Segment → suggested name.
    """
    missing = {
        segment: name
        for segment, name in found.items()
        if segment not in live.own_names and name != f"Segment {segment + 1}"  # which says nothing
    }
    st.button(
        "Use the suggested names", icon=":material/auto_awesome:", key="use-names", disabled=not missing,
        on_click=_rename, args=(live, missing), help="Names of your own stay as they are.",
    )  # fmt: skip


def _use_one(live: LiveSegments, segment: int, name: str) -> None:
    """Draw a button that gives a segment its suggested name."""
    st.button(
        "Use this name", key=f"use-name-{segment}", type="tertiary", icon=":material/check:",
        on_click=_rename, args=(live, {segment: name}),
    )  # fmt: skip


def offer(live: LiveSegments, segment: int, name: str) -> None:
    """Draw a suggested name with a button that gives it to the segment."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Suggested name: {md_text(name)}", width="content")
        _use_one(live, segment, name)


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
        _set_names(live, {segment: name})
        kept = md_text(" ".join(name.split()))
        said = f"Saved: {kept}" if kept else f"Saved: Segment {segment + 1} has no name of its own"
        st.toast(said, icon=":material/check:")


def _rename(live: LiveSegments, changes: Mapping[int, str]) -> None:
    with errors.shown():
        _set_names(live, changes)


def _set_names(live: LiveSegments, changes: Mapping[int, str]) -> None:
    """Set the analyst's names of segments; an empty one removes a name. This fixes the number of segments.

    Raises:
        ResourceError: If the disk is full.
    """
    store, model = live.sources.store, live.sources.model_key
    if state.controls(model).n_clusters is None:
        state.set_controls(model, n_clusters=live.settings.cluster.n_clusters)
    own = name_segments(live.tables.differences, live.tables.basis.site)
    evidence = {segment: own[segment].evidence for segment in changes if segment in own}
    saved_work.rename(store, model, changes, evidence)


def _undo(live: LiveSegments) -> None:
    with errors.shown():
        saved_work.undo_names(live.sources.store, live.sources.model_key)
