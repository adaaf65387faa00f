"""Shares of segments, outcome and activity, a day or a week."""

from __future__ import annotations

import streamlit as st

from pages.ui.segments.live_segments import LiveSegments


def draw(live: LiveSegments) -> None:
    """Draw the part of the page."""
    st.caption(f"{len(live.segments)} segments")
