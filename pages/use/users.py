"""The page Users: users of a segment or a search, look-alikes, and a single user step by step."""

from __future__ import annotations

from typing import Final

import streamlit as st

from pages.ui.people import (
    look_alikes_view,
    reasons_view,
    single_user,
    user_lists,
)
from pages.ui.segments import k_view, next_pages, segment_controls
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors
from pages.ui.shell.links import USERS, heading

_OF_SEGMENT, _SEARCH, _LOOK_ALIKES = "Of a segment", "Search", "Look-alikes"
_LISTS: Final = (_OF_SEGMENT, _SEARCH, _LOOK_ALIKES)
_CARD: Final = 420
"""Pixels that the user's card needs beside the lists; with fewer, it stands above them."""
_STAYS: Final = (
    "<style>@media (min-width: 1200px) { .st-key-looked-at { position: sticky; top: .5rem;"
    " max-height: calc(100vh - 1rem); overflow-y: auto } }</style>"
)
"""Style that keeps the user's card in sight beside the lists."""


def page() -> None:
    """Draw the page Users, or what to do first."""
    heading(USERS)
    live = segment_controls.ready()
    if live is None:
        return
    user = single_user.chosen(live)
    if user is None:
        _lists(live, None)
        return
    st.html(_STAYS)
    with st.grid(2, min_column_width=_CARD, gap="medium", key="user-and-lists"):
        with st.container(key="looked-at"):
            belongs = single_user.belongs(live, user)
            single_user.show_timeline(
                live.sources.dataset, user, belongs, lambda: reasons_view.draw(live, user)
            )
            next_pages.draw_of_user(live, user)
        with st.container():
            _lists(live, user)


def _lists(live: LiveSegments, user: int | None) -> None:
    shown = st.segmented_control(
        "Users to list", _LISTS, default=_OF_SEGMENT, key="lists", required=True, persist_state="session",
        label_visibility="collapsed",
    )  # fmt: skip
    with errors.shown():
        if shown == _SEARCH:
            user_lists.draw_search(live)
        elif shown == _LOOK_ALIKES:
            look_alikes_view.draw(live, user)
        else:
            k_view.remind(live)
            user_lists.draw_segment(live)


with errors.shown():
    page()
