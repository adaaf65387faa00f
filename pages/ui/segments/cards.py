"""The parts of a segment's card: colour, name to edit, size, outcome, pages a user, what sets it apart."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import streamlit as st

from core.base.palette import Mode, colour
from core.base.schema import OUTSIDE
from core.profiles.metrics import Profiles
from core.profiles.outcomes import path_of
from core.profiles.profile_columns import Col, figure
from core.saved.saved_work import LONGEST_NAME
from pages.ui.shell.text import md_text

Rename = Callable[[int, str], None]


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


def name_field(segment: int, own_name: str, rename: Rename, mark: str = "") -> None:
    """Draw a segment's number, its name as a field to edit, and its mark."""
    # a name that changes elsewhere gets a fresh field, as a field keeps what was typed into it
    key = f"name-{segment}-{zlib.crc32(own_name.encode())}"

    def changed() -> None:
        # a browser also sends what a field began with, when a run was interrupted: nobody typed that
        if st.session_state[key] != own_name:
            rename(segment, st.session_state[key])

    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"**{segment + 1}**", width="content")
        st.text_input(
            f"Name of segment {segment + 1}", own_name, max_chars=LONGEST_NAME, key=key,
            placeholder=f"Segment {segment + 1}", label_visibility="collapsed", icon=":material/edit:",
            on_change=changed,
        )  # fmt: skip
        if mark:
            st.badge(mark, color="gray")


def heading(name: str) -> str:
    """A segment's name, escaped for a heading, which renders Markdown."""
    return md_text(name, LONGEST_NAME + 10)


def rule_card(title: str, share: float, facts: str, why: str, badge: str = "by rule") -> None:
    """Draw the card of a group that is no segment, or of a segment made by rule."""
    with st.container(gap="xsmall"):
        swatch(OUTSIDE, share)
        st.markdown(f"**{md_text(title)}** :gray-badge[{badge}]")
        st.markdown(f":small[{facts}]")
        st.caption(why)


def second_pages(profiles: Profiles, key: str) -> str:
    """Sentence on the second pages of users who arrived like those of a one-page segment and went on."""
    assert profiles.one_page is not None  # a row of its own is there only with it
    found = profiles.one_page.segments[profiles.one_page.keys.index(key)].second_pages
    if not found:
        return "No second page was seen by three or more of those who arrived alike."
    listed = (f"{md_text(path_of(page.page))} ({figure(Col.SHARE, page.share)})" for page in found)
    return (
        f"A second page would be: {', '.join(listed)} of {found[0].n:,} users who arrived alike and went on."
    )
