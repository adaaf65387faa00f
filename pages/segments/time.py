"""The page Time: segments over days and weeks, and whether they still hold for a later export."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from pages.ui.periods import count_filter, drift_view, over_time_view
from pages.ui.segments import k_view, segment_controls
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors
from pages.ui.shell.links import TIME, heading

_PARTS: Final[dict[str, Callable[[LiveSegments], None]]] = {
    "Days and weeks": over_time_view.draw_over_time,
    "Coming back": over_time_view.draw_retention,
    "When they come": over_time_view.draw_rhythm,
    drift_view.TITLE: drift_view.draw,
}
"""Title of a part → function that draws it."""


def page() -> None:
    """Draw the page Time, or what to do first."""
    heading(TIME)
    live = segment_controls.ready()
    if live is None:
        return
    k_view.remind(live)
    above = st.container()
    part = st.segmented_control(
        "Show", list(_PARTS), default=next(iter(_PARTS)), required=True, key="time-part",
        persist_state="session", bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    with errors.shown():
        if part != drift_view.TITLE:  # to which no filter applies
            with above:
                count_filter.draw(live)
        _PARTS[part](live)


with errors.shown():
    page()
