"""Charts of segments over days and weeks, and over the hours of the week."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import altair as alt
import pandas as pd

from core.periods.over_time import (
    AGE,
    BEGAN,
    CLOCK,
    IN_PART,
    PART,
    PERIOD,
    REST_VALUE,
    USERS,
    VALUE,
    WEEKDAY,
    WEEKDAYS,
)
from core.profiles.profile_columns import Col
from pages.ui.segments.charts import ABOVE, AXIS, INK, NEUTRAL, Chart, segment_or, sized, tips

_POINTS_AT_MOST: Final = 62
"""Periods that are marked by points, at most; more are only a line."""
_DATES: Final = 5
"""Periods whose date stands at the axis, at most."""
_WRITTEN_AT_MOST: Final = 16
"""Columns of a triangle up to which shares are written into cells."""
_CELL: Final = 24
"""Pixels of a row of a triangle."""
_TALLEST, _SMALLER = 640, 280
"""Pixels of all rows of a single triangle, and of one among others."""


def over_time(
    table: pd.DataFrame, segment: int, style: str, title: str, top: float, height: int, grey: str
) -> Chart:
    """Chart of a segment's line with its interval as a band, and a grey line for comparison.

    Args:
        table: Rows of one segment of :func:`core.periods.over_time.over_time`.
        segment: Its id, for the colour.
        style: Number format of the axis, ``%`` for shares.
        title: What is measured.
        top: Where the axis ends; the same for charts that stand side by side.
        height: Pixels.
        grey: What the grey line is, for its tooltip.
    """
    percent = style == "%"
    digits = ".1%" if percent else ",.2f"
    told = {
        "date": ("Begins", ""),
        VALUE: (title, digits),
        Col.LOW: ("From", digits),
        Col.HIGH: ("To", digits),
    }
    told |= {REST_VALUE: (grey, digits), PART: ("Counted", ","), Col.N: ("Of", ",")}
    shown = table.assign(slot=str(segment), date=[f"{day.day} {day:%b %Y}" for day in table[PERIOD]])
    days = [alt.DateTime(year=day.year, month=day.month, date=day.day) for day in table[PERIOD]]
    years = {day.year for day in table[PERIOD]}
    begins = alt.Axis(
        values=days[:: math.ceil(max(1, len(days)) / _DATES)], labelFlush=False, labelOverlap=True,
        format="%-d %b %Y" if len(years) > 1 else "%-d %b",
    )  # fmt: skip
    base = alt.Chart(shown).encode(x=alt.X(f"{PERIOD}:T", title=None, axis=begins), tooltip=tips(told))
    own = base.encode(color=segment_or(ABOVE, segment))
    axis = alt.Axis(format=style, tickCount=4)
    y = alt.Y(f"{VALUE}:Q", title=None, axis=axis, scale=alt.Scale(domain=[0, top], clamp=True))
    drawn = own.mark_area(opacity=0.18).encode(y=alt.Y(f"{Col.LOW}:Q"), y2=f"{Col.HIGH}:Q") + base.mark_line(
        strokeWidth=1.5, color=NEUTRAL, strokeDash=[4, 3]
    ).encode(y=f"{REST_VALUE}:Q")
    drawn += own.mark_line(strokeWidth=2).encode(y=y)
    if len(table) <= _POINTS_AT_MOST:
        drawn += own.mark_rule(opacity=0.35).encode(y=alt.Y(f"{Col.LOW}:Q"), y2=f"{Col.HIGH}:Q")
        whole = own.transform_filter(f"!datum.{IN_PART}").mark_point(filled=True, size=36, opacity=1)
        in_part = own.transform_filter(f"datum.{IN_PART}").mark_point(filled=False, size=50, opacity=1)
        drawn += whole.encode(y=y) + in_part.encode(y=y)
    return sized(drawn, height)


def retention(table: pd.DataFrame, segment: int, unit: str, top: float, height: int) -> Chart:
    """Chart of the share that comes again, by periods since the first, with interval; others in grey.

    Args:
        table: Rows of one segment of :func:`core.periods.over_time.curve`.
        segment: Its id, for the colour.
        unit: ``Days`` or ``Weeks``.
        top: Where the axis ends.
        height: Pixels.
    """
    told = {AGE: (f"{unit} since the first", ","), VALUE: ("Come again", ".1%"), Col.LOW: ("From", ".1%")}
    told |= {Col.HIGH: ("To", ".1%"), REST_VALUE: ("Others", ".1%"), PART: ("Users", ","), Col.N: ("Of", ",")}
    base = alt.Chart(table.assign(slot=str(segment))).encode(
        x=alt.X(
            f"{AGE}:Q",
            title=None,
            axis=alt.Axis(format="d", tickMinStep=1, tickCount=6),
            scale=alt.Scale(nice=False),
        ),
        tooltip=tips(told),
    )
    own = base.encode(color=segment_or(ABOVE, segment))
    scale = alt.Scale(domain=[0, top], clamp=True)
    y = alt.Y(f"{VALUE}:Q", title=None, axis=alt.Axis(format="%", tickCount=4), scale=scale)
    band = own.mark_area(opacity=0.18).encode(y=alt.Y(f"{Col.LOW}:Q"), y2=f"{Col.HIGH}:Q")
    rest = base.mark_line(strokeWidth=1.5, color=NEUTRAL, strokeDash=[4, 3]).encode(y=f"{REST_VALUE}:Q")
    line = own.mark_line(strokeWidth=2, point=alt.OverlayMarkDef(filled=True, size=30)).encode(y=y)
    return sized(band + rest + line, height)


def triangle(table: pd.DataFrame, segment: int, unit: str, top: float, few: int, *, written: bool) -> Chart:
    """Heat map of retention: a row a first period, a column a period since.

    Args:
        table: Rows of one segment of :func:`core.periods.over_time.triangle`.
        segment: Its id, for the colour.
        unit: ``Days`` or ``Weeks``.
        top: The share of the full colour.
        few: Users of a row below which it has no colour.
        written: Whether shares may be written into cells.
    """
    shown = table.assign(
        slot=str(segment),
        row=[f"{d.day} {d:%b %y} ({n:,.0f})" for d, n in zip(table[BEGAN], table[Col.N], strict=True)],
    )
    order = list(dict.fromkeys(shown.sort_values(BEGAN)["row"]))
    told = {"row": ("First came from (users)", ""), AGE: (f"{unit} since", ","), VALUE: ("Come again", ".1%")}
    told |= {
        Col.LOW: ("From", ".1%"),
        Col.HIGH: ("To", ".1%"),
        REST_VALUE: ("Others", ".1%"),
        PART: ("Users", ","),
    }
    y = alt.Y(
        "row:N", title=None, sort=order, axis=alt.Axis(labelLimit=120, labelOverlap=True, labelFlush=False)
    )
    above = alt.Axis(orient="top", labelAngle=0, labelOverlap=True)
    x = alt.X(f"{AGE}:O", title=f"{unit} since the first", axis=above)
    base = alt.Chart(shown).encode(x=x, y=y, tooltip=tips(told))
    scale = alt.Scale(domain=[0, top], range=[0.04, 0.65 if written else 0.9], clamp=True)
    fade = _unless_few(f"datum.{Col.N} < {few}", f"{VALUE}:Q", scale)
    drawn: Chart = base.mark_rect(cornerRadius=2).encode(color=segment_or(ABOVE, segment), opacity=fade)
    if written and shown[AGE].max() <= _WRITTEN_AT_MOST:
        drawn += base.mark_text(fontSize=11, color=INK).encode(text=alt.Text(f"{VALUE}:Q", format=".0%"))
    return sized(drawn, min(_TALLEST if written else _SMALLER, _CELL * len(order)) + AXIS)


def week(
    table: pd.DataFrame,
    segment: int,
    top: float,
    few: int,
    value: str = VALUE,
    days: Sequence[str] = WEEKDAYS,
) -> Chart:
    """Heat map of the week: hours across, weekdays down.

    Args:
        table: Rows of one segment of :func:`core.periods.over_time.rhythm`.
        segment: Its id, for the colour; −1 for grey.
        top: The share of the full colour.
        few: Number of users of the segment below which a cell has no colour.
        value: Column that is drawn: the segment's, or the others'.
        days: Names of the weekdays, in the order of rows.
    """
    told = {WEEKDAY: ("", ""), CLOCK: ("Hour", ","), value: ("Share", ".2%"), USERS: ("Users", ",")}
    base = alt.Chart(table.assign(slot=str(segment), day=table[WEEKDAY].str[:3])).encode(
        x=alt.X(f"{CLOCK}:O", title=None, axis=alt.Axis(labelAngle=0, values=[0, 3, 6, 9, 12, 15, 18, 21])),
        y=alt.Y("day:N", title=None, sort=[day[:3] for day in days], axis=alt.Axis(labelOverlap=False)),
        color=segment_or(NEUTRAL, segment),
        opacity=_unless_few(
            f"datum.{USERS} < {few}", f"{value}:Q", alt.Scale(domain=[0, top], range=[0.03, 1], clamp=True)
        ),
        tooltip=tips(told if segment >= 0 else {n: t for n, t in told.items() if n != USERS}),
    )
    return sized(base.mark_rect(cornerRadius=2), 7 * 20 + 34)


def _unless_few(few: str, value: str, scale: alt.Scale) -> Any:  # noqa: ANN401 - as altair says it
    """Opacity by a value; 0 where a condition says that few users are behind it."""
    return alt.when(few).then(alt.value(0)).otherwise(value, scale=scale, legend=None)


def _top_of(table: pd.DataFrame, columns: Sequence[str]) -> float:
    """Common end of the axes of several charts: the largest value of columns, 1 where all is 0."""
    found = table[list(columns)].max().max()
    return 1.0 if pd.isna(found) or found <= 0 else float(found)


def axis_top(table: pd.DataFrame, few: int, ends: Sequence[str] = ()) -> float:
    """Common end of the axes of several charts, above every figure that is drawn.

    Args:
        table: Rows of the charts.
        few: Users of a row below which its interval does not stretch the axis: it reaches far.
        ends: Columns with the upper end of the interval, where it is one of shares.
    """
    many = table[list(ends)].where(table[Col.N] >= few)
    return _top_of(table[[VALUE, REST_VALUE]].join(many), (VALUE, REST_VALUE, *ends))


def full_colour(table: pd.DataFrame, columns: Sequence[str], quantile: float) -> float:
    """Share from which a cell has the full colour, so that an outlier does not pale all others.

    It is a quantile of the non-empty cells, the largest of the columns; 1 where all are empty.
    """
    found = table[list(columns)]
    return _top_of(found[found > 0].quantile(quantile).to_frame().T, columns)


def of(table: pd.DataFrame, segment: int) -> pd.DataFrame:
    """The rows of a segment in a table, numbered anew from 0."""
    return table[table[Col.SEGMENT] == segment].reset_index(drop=True)
