"""The sources of figures: value, interval, count and test of each, and a link to the chart that draws it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import pandas as pd
import streamlit as st

from core.base.attributes import attribute_words
from core.base.schema import View
from core.facts.answer import QUERY, Answer, Contrast, Fact, Title
from core.facts.context import UNSEEN, WITH, WITHOUT
from core.facts.items import ItemMetric
from core.facts.verbs import (
    LIKE,
    LIKE_IN,
    PRECISION,
    RECALL,
    RULE_USERS,
    measured,
)
from core.profiles.profile_columns import Col, PageRanking
from core.profiles.user_items import Family
from pages.ui.segments import spotlight
from pages.ui.segments.spotlight import ChartPlace
from pages.ui.shell.links import COMPARE, EXPLORE, JOURNEYS, PROFILES, RULES, USERS
from pages.ui.shell.text import count

_DIFFER: Final = ChartPlace("How segments differ", PROFILES, "segments")
_CONVERT: Final = ChartPlace("How segments convert", PROFILES, "outcome")
_SIZES: Final = ChartPlace("How large they are", PROFILES, "sizes")
MOVES: Final = ChartPlace("How they move", JOURNEYS)
_MAP: Final = ChartPlace("The map of users", EXPLORE)
_BY_MEASURE: Final = {
    Col.USERS: _SIZES, Col.SHARE: _SIZES, Col.SHARE_CLUSTERED: _SIZES, "segments": _SIZES,
    Col.OUTCOME_RATE: _CONVERT, Col.OUTCOME_USERS: _CONVERT,
    **dict.fromkeys((RULE_USERS, PRECISION, RECALL), ChartPlace("Rules", RULES)),
    **dict.fromkeys((LIKE, LIKE_IN), ChartPlace("Look-alikes", USERS)),
    "distance": _MAP, "moved": _MAP, "moved_share": _MAP,
}  # fmt: skip
"""Measure of a row → the chart that shows it; other measures of rows are in the heat map and its table."""
_BY_ITEM: Final[Mapping[str, tuple[str, str]]] = {
    Family.THEME: ("Page themes", f"labels-{View.THEME}"),
    Family.TYPE: ("Page types", f"labels-{View.TYPE}"),
}
"""Family → title and key of its chart on the page Profiles; attributes have their own."""
_OF_ANOTHER: Final = ("difference", "ratio", "detectable")
"""Beginnings of measures (``ratio:…``) that compare another figure, whose chart shows them."""
_IN_THE_ANSWER: Final = ("entry", "exit", "step", "route", QUERY)
"""Beginnings of measures that only the answer shows, and no chart of a page."""


def draw(answer: Answer, titles: Mapping[str, Title], key: str) -> None:
    """Draw a button that opens the figures of an answer with tests, query and links to charts."""
    facts = answer.facts
    followed = "-".join([key, *spotlight.asked()[:1]])  # a fresh button is closed: it would hide the chart
    with st.popover(count(len(facts), "figure"), type="tertiary", key=followed):
        table = pd.DataFrame(
            {
                "Value": [fact.text for fact in facts],
                "Of": [" and ".join(titles[row].label for row in fact.segments) for fact in facts],
                "Figure": [measured(fact) for fact in facts],
                "95 % interval": [interval(fact) for fact in facts],
                "n": [f"{fact.n:,}" for fact in facts],
            }
        )
        st.dataframe(table, hide_index=True, placeholder="–", alt="The figures of the answer")
        if tests := [decision(block, titles) for block in answer.blocks if isinstance(block, Contrast)]:
            st.caption(
                "Held against each other. What the model never saw is tested, and called different below "
                "p = 0.05 (q, where many were looked at); of the rest the interval of the difference decides."
                " Other sessions tell whether it shows there, too."
            )
            st.dataframe(pd.DataFrame(tests), hide_index=True, placeholder="–", alt="The tests of the answer")
        if answer.query:
            st.caption("What was asked of the data")
            st.code(answer.query, language="sql", wrap_lines=True)
        if places := together(map(chart_of, facts)):
            st.caption("Computed by the functions that draw the charts:")
            with st.container(horizontal=True, gap="small", key=f"charts-of-{key}"):
                for place in places:
                    place.link()


def decision(block: Contrast, titles: Mapping[str, Title]) -> dict[str, str]:
    """Row of the table of tests for a contrast: its figure, its two rows, the test, p and q."""
    rows = (block.first.row, block.second.row)
    return {
        "Figure": measured(block.first),
        "Of": " and ".join(titles[row].label for row in rows),
        "Test": block.test or "none",
        "p": _probability(block.p_value),
        "q": _probability(block.q_value),
    }


def _probability(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}" if value >= 0.001 else "< 0.001"


def together(charts: Iterable[ChartPlace | None]) -> list[ChartPlace]:
    """List each chart once, in order of first mention, with the rows of all its mentions; skip None."""
    rows: dict[tuple[str, str], list[str]] = {}
    places: dict[tuple[str, str], ChartPlace] = {}
    for place in charts:
        if place is not None:
            name = (place.title, place.chart)
            places.setdefault(name, place)
            rows.setdefault(name, []).extend(place.rows)
    return [
        ChartPlace(place.title, place.screen, place.chart, tuple(dict.fromkeys(rows[name])))
        for name, place in places.items()
    ]


def chart_of(fact: Fact) -> ChartPlace | None:
    """The chart that shows a figure; None where only the answer itself does."""
    kind, _, rest = fact.measure.partition(":")
    metric, _, dimension = (rest if kind in _OF_ANOTHER else fact.measure).partition(":")
    rows = tuple(key for key in fact.segments if key not in ("all", "others"))
    if any(row in (WITH, WITHOUT, UNSEEN) for row in rows):
        return None
    if not dimension:
        return _BY_MEASURE.get(metric, _DIFFER)
    if kind in _IN_THE_ANSWER:
        return None
    if metric == "move":
        return MOVES
    if dimension == Family.PAGE:
        return _pages(fact, metric, rows)
    if dimension in {*Family} - _BY_ITEM.keys():
        return None
    title, chart = _BY_ITEM.get(dimension) or (attribute_words(dimension).title, f"shares-{dimension}")
    return ChartPlace(title, COMPARE, chart, rows)


def pages_chart(key: str, ranking: str) -> str:
    """Key of the chart of a row's pages in a ranking, a value of :class:`PageRanking`."""
    return f"pages-{key}-{ranking}".replace(":", "-")


def _pages(fact: Fact, metric: str, rows: tuple[str, ...]) -> ChartPlace | None:
    """The chart of a row's pages by ranking; None for all users."""
    if not rows:
        return None
    ranking = PageRanking.MOST_VIEWED
    if metric == ItemMetric.LIFT and fact.measure.startswith(metric):
        ranking = PageRanking.OVER if fact.value >= 1 else PageRanking.UNDER
    return ChartPlace(f"Pages of {_row(rows[0])}", COMPARE, pages_chart(rows[0], ranking), rows)


def interval(fact: Fact) -> str:
    """The 95 % interval of a fact as text; empty without one."""
    if fact.low is None or fact.high is None:
        return ""
    return f"[{fact.low:.4g}, {fact.high:.4g}]"


def _row(key: str) -> str:
    """The title of a row by its key; segments are counted from 1."""
    kind, _, name = key.partition(":")
    return f"Segment {int(name) + 1}" if kind == "segment" else name.replace("_", " ")
