"""The chart that a link names, drawn at the top of its page instead of in its usual place.

The link (``?chart=outcome&of=segment:0``) comes from a figure of an answer. Nobody has to look for the chart,
and no script has to scroll there.
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

_CHART: Final = "chart"
_ROWS: Final = "of"
"""Query parameters of a link: the chart, and the rows to choose."""
_APPLIED: Final = "spotlight_applied"


@dataclass(frozen=True)
class ChartPlace:
    """A chart that a link can lead to.

    Args:
        title: Its title.
        screen: The page that draws it.
        chart: Its key there (see ``figure.py``); empty for the page as a whole.
        rows: Keys of the rows that have to be chosen to see it.
    """

    title: str
    screen: Screen
    chart: str = ""
    rows: tuple[str, ...] = ()

    def link(self) -> None:
        """Draw a link to the chart."""
        asked: dict[str, str | list[str]] = {_CHART: self.chart, _ROWS: list(self.rows)}
        link(self.screen, self.title, asked if self.chart else None)


def asked() -> tuple[str, tuple[str, ...]]:
    """Key of the chart and keys of the rows that the page's address names; empty where it names none."""
    return str(st.query_params.get(_CHART, "")), tuple(st.query_params.get_all(_ROWS))


def arrived() -> bool:
    """Whether the link has just been followed, so that its choice is applied only once."""
    now = asked()
    before = st.session_state.get(_APPLIED)
    st.session_state[_APPLIED] = now
    return bool(now[0]) and now != before


def leave() -> None:
    """Forget the followed link when another page is shown, so that it may be followed again."""
    st.session_state.pop(_APPLIED, None)


@contextmanager
def raised(screen: Screen) -> Iterator[None]:
    """Context at the top of a page in which the chart that the link names is drawn up here."""
    chart, _ = asked()
    token = _TOP.set(_Top(chart, st.container(key="spotlight"), screen) if chart else None)
    try:
        yield
    finally:
        _TOP.reset(token)


def holder(chart: str) -> DeltaGenerator | None:
    """The container at the top for a chart's key, if the link names it; None for other charts."""
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
