"""Charts of a funnel, as functions of its tables."""

from __future__ import annotations

import altair as alt
import pandas as pd

from core.profiles.profile_columns import Col
from pages.ui.segments.charts import AXIS, INK, NEUTRAL, Chart, rows, sized, tips

STEP_NAME = "step_name"
WHO = "who"
BAR = 17
"""Pixels a bar."""
_ENDS = {Col.LOW: ("From", ".1%"), Col.HIGH: ("To", ".1%")}


def steps(table: pd.DataFrame, title: str) -> Chart:
    """Steps as bars with their intervals, for the row and for the others.

    Args:
        table: Columns ``step_name``, ``who``, ``share``, ``low``, ``high``, ``users`` and ``n``, in order.
        title: What the share is of.
    """
    order = list(dict.fromkeys(table[WHO]))
    told = {STEP_NAME: ("Step", ""), WHO: ("", ""), Col.SHARE: (title, ".1%")} | _ENDS
    told |= {Col.USERS: ("Users", ","), Col.N: ("Of", ",")}
    base = alt.Chart(table.rename(columns={WHO: Col.LABEL})).encode(
        y=rows(STEP_NAME, table[STEP_NAME]),
        yOffset=alt.YOffset(f"{Col.LABEL}:N", sort=order),
        tooltip=tips({(Col.LABEL if name == WHO else name): text for name, text in told.items()}),
    )
    paint = alt.condition(alt.datum[Col.LABEL] == order[0], alt.value(INK), alt.value(NEUTRAL))
    x = alt.X(f"{Col.SHARE}:Q", title=title, scale=alt.Scale(domain=[0, 1]), axis=_axis())
    bars = base.mark_bar(cornerRadiusEnd=3, opacity=0.45).encode(x=x, color=paint)
    span = base.mark_rule(strokeWidth=2, color="currentColor").encode(
        x=alt.X(f"{Col.LOW}:Q"), x2=alt.X2(f"{Col.HIGH}:Q")
    )
    return sized(bars + span, (BAR * len(order) + 12) * table[STEP_NAME].nunique() + AXIS)


def instead(table: pd.DataFrame, column: str, title: str) -> Chart:
    """Places that users went to in place of the next step, as bars with their intervals.

    Args:
        table: Columns ``instead`` (or as named), ``share``, ``low``, ``high``, ``users`` and ``n``, in order.
        column: Column of the places.
        title: What the share is of.
    """
    told = {column: ("Next", ""), Col.SHARE: (title, ".1%")} | _ENDS
    told |= {Col.USERS: ("Users", ","), Col.N: ("Of", ",")}
    base = alt.Chart(table).encode(y=rows(column, table[column]), tooltip=tips(told))
    bars = base.mark_bar(cornerRadiusEnd=3, color=NEUTRAL, opacity=0.8).encode(
        x=alt.X(f"{Col.SHARE}:Q", title=title, axis=_axis())
    )
    span = base.mark_rule(strokeWidth=2, color="currentColor").encode(
        x=alt.X(f"{Col.LOW}:Q"), x2=alt.X2(f"{Col.HIGH}:Q")
    )
    return sized(bars + span, 24 * len(table) + AXIS)


def _axis() -> alt.Axis:
    return alt.Axis(format="%", labelFlush=False, tickCount=5)
