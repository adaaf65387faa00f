"""Charts of the Labels page, as functions of the tables that can be read beside them."""

from __future__ import annotations

from typing import Final

import altair as alt
import pandas as pd

from core.base.schema import UNKNOWN, PageLabels
from core.labels.label_types import Rung
from core.labels.review import BY_TYPE, Review
from pages.ui.labels.label_table import RUNG_WORDS
from pages.ui.segments.charts import NEUTRAL, Chart, sized, tips

_RUNG_COLOURS: Final = {
    RUNG_WORDS[Rung.FROZEN]: "#6b7a99",
    RUNG_WORDS[Rung.OVERRIDE]: "#2f4fa3",
    RUNG_WORDS[Rung.EVENTS]: "#5b7be0",
    RUNG_WORDS[Rung.MARKUP]: "#8fa8ff",
    RUNG_WORDS[Rung.RULES]: "#279ea2",
    RUNG_WORDS[Rung.STRUCTURE]: "#7fc4a0",
    RUNG_WORDS[Rung.EMBEDDING]: "#d9a441",
    RUNG_WORDS[Rung.NLI]: "#c98a2b",
    RUNG_WORDS[Rung.LLM]: "#a86420",
    BY_TYPE: "#b39ddb",
    UNKNOWN: NEUTRAL,
}
"""Rung (what decided a label) in words → colour: certain ones blue or green, judged ones amber, none grey."""
_MIN_SHARE: Final = 0.035
"""Share of the mosaic below which a theme's name stands in the tooltip only."""


def coverage(table: pd.DataFrame) -> Chart:
    """Chart with a bar each for themes and types: the share of page views that each rung decided.

    Args:
        table: Columns ``view``, ``rung`` (in words), ``page_views``, ``pages`` and ``share``.
    """
    told = {
        Review.VIEW: ("View", ""), Review.RUNG: ("Decided by", ""), Review.SHARE: ("Page views", ".1%"),
        Review.PAGE_VIEWS: ("Page views", ","), Review.PAGES: ("Pages", ","),
    }  # fmt: skip
    rungs = list(_RUNG_COLOURS)
    ordered = table.assign(order=[rungs.index(rung) for rung in table[Review.RUNG]])
    present = [rung for rung in rungs if rung in set(table[Review.RUNG])]
    colours = [_RUNG_COLOURS[rung] for rung in present]
    chart = (
        alt.Chart(ordered)
        .mark_bar(height={"band": 0.7})
        .encode(
            x=alt.X(f"{Review.SHARE}:Q", title=None, axis=alt.Axis(format="%", tickCount=5)).stack("zero"),
            y=alt.Y(f"{Review.VIEW}:N", title=None, sort=["Types", "Themes"]),
            color=alt.Color(
                f"{Review.RUNG}:N", title=None, scale=alt.Scale(domain=present, range=colours),
                legend=alt.Legend(orient="bottom", columns=2),
            ),
            order=alt.Order("order:Q"),
            tooltip=tips(told),
        )
    )  # fmt: skip
    return sized(chart, 190)


def _type_colour(types: list[str]) -> alt.Color:
    legend = alt.Legend(
        orient="bottom", columns=3, columnPadding=6, labelFontSize=11, labelOffset=2, symbolSize=60,
        symbolStrokeWidth=0, values=[one for one in types if one != UNKNOWN],
    )  # fmt: skip
    return alt.Color(f"{PageLabels.TYPE}:N", title=None, scale=alt.Scale(domain=types), legend=legend)


def mosaic(table: pd.DataFrame) -> Chart:
    """Chart of page views as areas: themes one below the other, types within each.

    Args:
        table: From :func:`core.labels.review.mosaic`.
    """
    told = {
        PageLabels.THEME: ("Theme", ""), PageLabels.TYPE: ("Type", ""),
        Review.PAGE_VIEWS: ("Page views", ","), Review.SHARE: ("Of all", ".1%"),
    }  # fmt: skip
    by_views = table.sort_values(Review.PAGE_VIEWS, ascending=False)[PageLabels.TYPE]
    types = sorted(dict.fromkeys(by_views), key=lambda one: one == UNKNOWN)  # it takes no colour from others
    whole = alt.Scale(domain=[0, 1], nice=False)
    x = alt.X("y0:Q", title=None, axis=None, scale=whole)
    y = alt.Y("x0:Q", title=None, axis=None, scale=alt.Scale(domain=[0, 1], reverse=True))
    blocks = (
        alt.Chart(table)
        .mark_rect(stroke="white", strokeWidth=1, strokeOpacity=0.6)
        .encode(
            x=x, x2=alt.X2("y1:Q"), y=y, y2=alt.Y2("x1:Q"), tooltip=tips(told),
            color=alt.condition(
                alt.datum[PageLabels.TYPE] == UNKNOWN, alt.value(NEUTRAL), _type_colour(types)
            ),
        )
    )  # fmt: skip
    named = table.groupby(PageLabels.THEME, sort=False).agg(x0=("x0", "first"), x1=("x1", "first"))
    named = named[named["x1"] - named["x0"] >= _MIN_SHARE].reset_index()
    named["middle"] = (named["x0"] + named["x1"]) / 2
    names = (
        alt.Chart(named)
        .mark_text(align="right", baseline="middle", dx=-6, fontSize=11, color="currentColor", limit=110)
        .encode(x=alt.value(0), y=alt.Y("middle:Q", axis=None), text=alt.Text(f"{PageLabels.THEME}:N"))
    )
    return sized(blocks + names, 380)
