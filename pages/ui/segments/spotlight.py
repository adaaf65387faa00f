"""One chart of a page before all others: the one that a figure of an answer comes from.

A link names it (``?chart=outcome&of=segment:0``). The chart is drawn at the top in place of where it stands,
so that nobody has to look for it and no script has to scroll there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.shell.links import Screen, link

CHART: Final = "chart"
ROWS: Final = "of"
"""Query parameters."""
APPLIED: Final = "spotlight_applied"


@dataclass(frozen=True)
class Place:
    """A chart.

    Args:
        title: What it is called.
        screen: The page that draws it.
        chart: Its key there (see ``figure.py``); empty for the page as a whole.
        rows: Keys of the rows that have to be chosen to see it.
    """

    title: str
    screen: Screen
    chart: str = ""
    rows: tuple[str, ...] = ()

    def link(self) -> None:
        """Draw a link to it."""
        asked: dict[str, str | list[str]] = {CHART: self.chart, ROWS: list(self.rows)}
        link(self.screen, self.title, asked if self.chart else None)


def asked() -> tuple[str, tuple[str, ...]]:
    """The chart that the link names, and the rows; empty where it names none."""
    return str(st.query_params.get(CHART, "")), tuple(st.query_params.get_all(ROWS))


def arrived() -> bool:
    """Whether the link has just been followed: what it chooses is chosen once, and can be changed then."""
    now = asked()
    before = st.session_state.get(APPLIED)
    st.session_state[APPLIED] = now
    return bool(now[0]) and now != before


def leave() -> None:
    """Another page is shown: the same link may be followed again."""
    st.session_state.pop(APPLIED, None)


@contextmanager
def raised(screen: Screen) -> Iterator[None]:
    """Within it, the chart that the link names is drawn here."""
    chart, _ = asked()
    token = _TOP.set(_Top(chart, st.container(key="spotlight"), screen) if chart else None)
    try:
        yield
    finally:
        _TOP.reset(token)


def holder(chart: str) -> DeltaGenerator | None:
    """Where a chart is to be drawn, if not in its own place."""
    top = _TOP.get()
    if top is None or top.chart != chart:
        return None
    with top.holder, st.container(horizontal=True, horizontal_alignment="distribute"):
        st.caption(":material/ads_click: The chart that the figure comes from")
        link(top.screen, "Back to its place")
    return top.holder


@dataclass(frozen=True)
class _Top:
    chart: str
    holder: DeltaGenerator
    screen: Screen


_TOP: ContextVar[_Top | None] = ContextVar("spotlight", default=None)
