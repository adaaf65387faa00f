"""Users: people of a segment, those that fit a search, look-alikes; and one person step by step."""

from __future__ import annotations

from typing import Final

import streamlit as st

from pages.ui.people import (
    chosen_user,
    look_alikes_view,
    next_pages_view,
    reasons_view,
    segment_people,
    user_search,
)
from pages.ui.segments import nothing_here, segment_controls, user_facts
from pages.ui.shell import errors
from pages.ui.shell.links import USERS, heading

OF_SEGMENT, SEARCH, LOOK_ALIKES = "Of a segment", "Search", "Look-alikes"
LISTS: Final = (OF_SEGMENT, SEARCH, LOOK_ALIKES)


def page() -> None:
    """Draw the page, or what to do first."""
    heading(USERS)
    live = segment_controls.ready()
    if live is None:
        return
    user = chosen_user.find(live)
    shown = st.segmented_control(
        "Users to list", LISTS, default=OF_SEGMENT, key="lists", required=True, persist_state="session",
        label_visibility="collapsed",
    )  # fmt: skip
    with errors.shown():
        if shown == SEARCH:
            user_search.draw(live)
        elif shown == LOOK_ALIKES:
            look_alikes_view.draw(live, user)
        else:
            nothing_here.draw(live)
            segment_people.draw(live)
    if user is not None:
        belongs = chosen_user.belongs(live, user)
        user_facts.show_timeline(live.sources.dataset, user, belongs, lambda: reasons_view.draw(live, user))
        next_pages_view.draw(live, user)


with errors.shown():
    page()
