"""Charts of the Labels page, as functions of the tables that can be read beside them."""

from __future__ import annotations

from typing import Final

import altair as alt
import pandas as pd

from core.base.schema import UNKNOWN, PageLabels
from core.labels.review import BY_TYPE, Review
from pages.ui.labels.label_table import RUNG_WORDS
from pages.ui.segments.charts import NEUTRAL, Chart, sized, tips

_RUNGS: Final = [*RUNG_WORDS.values(), BY_TYPE]
"""What decides a label, in words: certain ones first; what nothing decided is grey."""
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
    order = [*_RUNGS, UNKNOWN]
    ordered = table.assign(order=[order.index(rung) for rung in table[Review.RUNG]])
    present = [rung for rung in _RUNGS if rung in set(table[Review.RUNG])]
    legend = alt.Legend(orient="bottom", columns=2, values=present)
    colour = alt.Color(f"{Review.RUNG}:N", title=None, scale=alt.Scale(domain=_RUNGS), legend=legend)
    chart = (
        alt.Chart(ordered)
        .mark_bar(height={"band": 0.7})
        .encode(
            x=alt.X(f"{Review.SHARE}:Q", title=None, axis=alt.Axis(format="%", tickCount=5)).stack("zero"),
            y=alt.Y(f"{Review.VIEW}:N", title=None, sort=["Types", "Themes"]),
            color=alt.condition(alt.datum[Review.RUNG] == UNKNOWN, alt.value(NEUTRAL), colour),
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
