"""Moves: which place follows which, where sessions begin and end, where users turn back."""

from __future__ import annotations

import streamlit as st

from pages.ui.journeys.choice import Choice
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell.text import count


def draw(live: LiveSegments, choice: Choice) -> None:
    """Draw how the chosen users move."""
    views = int(live.sources.dataset.sequences.lengths[choice.users].sum())
    st.caption(f"{count(int(choice.users.sum()), 'user')}, {count(views, 'page view')}.")
