"""The page Journeys: how users of a segment move, beside others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from pages.ui.journeys import funnel_view, movement_view, routes_view, survival_view
from pages.ui.journeys.choice import Choice, choose
from pages.ui.periods import count_filter
from pages.ui.segments import k_view, segment_controls
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors
from pages.ui.shell.links import JOURNEYS, heading

_PARTS: Final[dict[str, Callable[[LiveSegments, Choice], None]]] = {
    "Moves": movement_view.draw,
    "Ways": routes_view.draw,
    "Funnel": funnel_view.draw,
    "Time to outcome": survival_view.draw,
}
"""Title of a part → function that draws it."""


def page() -> None:
    """Draw the page Journeys, or what to do first."""
    heading(JOURNEYS)
    live = segment_controls.ready()
    if live is None:
        return
    k_view.remind(live)
    with errors.shown():
        count_filter.draw(live)
        _journeys(count_filter.counted(live))


def _journeys(live: LiveSegments) -> None:
    choice = choose(live)
    part = st.segmented_control(
        "Show", list(_PARTS), default=next(iter(_PARTS)), required=True, key="journeys-part",
        persist_state="session", label_visibility="collapsed", bind="query-params",
    )  # fmt: skip
    with errors.shown():
        _PARTS[part](live, choice)


with errors.shown():
    page()
