"""Charts as functions of a table: what is drawn can always be read and downloaded as the table itself.

Segments take their colours from the theme's list by their place in it (``core/palette.py`` and
``.streamlit/config.toml`` hold the same list), so that light and dark switch without a rerun.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import altair as alt
import pandas as pd
import streamlit as st

from core.export import csv_bytes
from core.profiles.columns import Col

NEUTRAL: Final = "#8b94a5"
"""Everybody, the rest, a reference: grey on both backgrounds."""
ABOVE: Final = "#3862c4"
BELOW: Final = "#d07a2d"
"""More and less than everybody; apart for every kind of colour vision."""
LABEL_LIMIT: Final = 260
"""Pixels of an axis label before it is cut; page addresses are long."""
ROW: Final = 26
"""Pixels a row of a chart that has one row a thing."""
AXIS: Final = 62
"""Pixels that an axis with its title takes of a chart's height."""


def figure(
    title: str,
    chart: alt.Chart | alt.LayerChart,
    table: pd.DataFrame,
    *,
    n: str,
    key: str,
    alt_text: str,
    columns: Mapping[str, object] | None = None,
    help_text: str | None = None,
    border: bool = True,
) -> None:
    """Draw a chart with what it counts and the table behind it.

    Args:
        title: What the chart says.
        chart: The chart.
        table: Every number of the chart.
        n: How many users (or page views) are counted, in words.
        key: A name of its own; also the name of the downloaded file.
        alt_text: What a screen reader says.
        columns: Column settings of the table.
        help_text: How to read the chart.
        border: Whether to draw a frame; not inside another one.
    """
    with st.container(border=border, key=f"figure-{key}"):
        st.markdown(f"**{title}**", help=help_text)
        st.caption(n)
        st.altair_chart(chart, alt=alt_text, key=f"chart-{key}")
        behind(table, key=key, columns=columns)


def behind(table: pd.DataFrame, *, key: str, columns: Mapping[str, object] | None = None) -> None:
    """The table behind a chart, closed at first, and its download."""
    with st.expander("Table", icon=":material/table_rows:", type="compact"):
        st.dataframe(
            table, hide_index=True, column_config=columns, key=f"table-{key}", alt="The numbers drawn"
        )
        download_csv(table, key)


def download_csv(table: pd.DataFrame, key: str, label: str = "Download as CSV") -> None:
    """A button that makes the file when it is clicked."""
    st.download_button(
        label, data=lambda: csv_bytes(table), file_name=f"{key}.csv", mime="text/csv",
        key=f"csv-{key}", icon=":material/download:", on_click="ignore", type="tertiary",
    )  # fmt: skip


def segment_colour(names: Mapping[int, str]) -> alt.Color:
    """Colour by segment: the theme's list of colours, by the segment's id.

    Args:
        names: Segment → the name that the column ``label`` holds.
    """
    slots = [names.get(segment, f"({segment + 1})") for segment in range(max(names, default=-1) + 1)]
    return alt.Color(f"{Col.LABEL}:N", scale=alt.Scale(domain=slots), legend=None)


def line_over_k(
    scores: pd.DataFrame, value: str, title: str, current: int, best: int | None
) -> alt.LayerChart:
    """One score over the number of segments, with the current number and the best one marked.

    Args:
        scores: Columns ``k`` and ``value``.
        value: Column to draw.
        title: Of the axis.
        current: The number of segments on screen.
        best: The suggested number; None where the score does not suggest one.
    """
    at = alt.X("k:O", title="Number of segments", axis=alt.Axis(labelAngle=0))
    base = alt.Chart(scores).encode(x=at, y=alt.Y(f"{value}:Q", title=title, scale=alt.Scale(zero=False)))
    line = base.mark_line(strokeWidth=2)
    points = base.mark_point(filled=True, size=55, opacity=1).encode(
        tooltip=[alt.Tooltip("k:O", title="Segments"), alt.Tooltip(f"{value}:Q", title=title, format=",.3f")]
    )
    now = alt.Chart(scores[scores["k"] == current]).mark_rule(strokeDash=[4, 4], color=NEUTRAL).encode(x=at)
    star = base.transform_filter(alt.datum.k == (best or -1)).mark_point(
        shape="diamond", filled=True, size=190, opacity=1
    )
    return (now + line + points + star).properties(height=150)


def forest(rates: pd.DataFrame, names: Mapping[int, str], overall: float, title: str) -> alt.LayerChart:
    """Rates with their intervals, one row a segment, beside the rate of everybody.

    Args:
        rates: Columns ``label``, ``rate``, ``low``, ``high``, ``converted`` and ``users``.
        names: Segment → name, for the colours.
        overall: The rate of all users.
        title: Of the axis.
    """
    rows = alt.Y(
        f"{Col.LABEL}:N", title=None, sort=list(rates[Col.LABEL]), axis=alt.Axis(labelLimit=LABEL_LIMIT)
    )
    percent = alt.Axis(format="%", grid=True)
    base = alt.Chart(rates).encode(y=rows, color=segment_colour(names))
    tips = [
        alt.Tooltip(f"{Col.LABEL}:N", title="Segment"),
        alt.Tooltip("rate:Q", title="Rate", format=".2%"),
        alt.Tooltip("low:Q", title="From", format=".2%"),
        alt.Tooltip("high:Q", title="To", format=".2%"),
        alt.Tooltip("converted:Q", title="Converted users", format=","),
        alt.Tooltip("users:Q", title="Users", format=","),
    ]
    span = base.mark_rule(strokeWidth=3, opacity=0.55).encode(
        x=alt.X("low:Q", title=title, axis=percent), x2="high:Q", tooltip=tips
    )
    point = base.mark_point(filled=True, size=90, opacity=1).encode(x="rate:Q", tooltip=tips)
    everybody = alt.Chart(pd.DataFrame({"rate": [overall]})).mark_rule(strokeDash=[4, 4], color=NEUTRAL)
    return (everybody.encode(x="rate:Q") + span + point).properties(height=ROW * len(rates) + AXIS)


def dumbbell(table: pd.DataFrame, row: str, here: str, there: str, title: str) -> alt.LayerChart:
    """Two shares a row, joined: a segment's and the rest's.

    Args:
        table: One row a thing, in the order to draw.
        row: Column that names the thing.
        here: Column with the segment's share.
        there: Column with the rest's share.
        title: Of the axis.
    """
    order = list(dict.fromkeys(table[row]))
    rows = alt.Y(f"{row}:N", title=None, sort=order, axis=alt.Axis(labelLimit=LABEL_LIMIT))
    tips = [
        alt.Tooltip(f"{row}:N", title="Page"),
        alt.Tooltip(f"{here}:Q", title="Segment", format=".1%"),
        alt.Tooltip(f"{there}:Q", title="Everybody else", format=".1%"),
    ]
    base = alt.Chart(table).encode(y=rows, tooltip=tips)
    x = alt.X(f"{here}:Q", title=title, axis=alt.Axis(format="%"))
    joined = base.mark_rule(strokeWidth=2, opacity=0.5, color=NEUTRAL).encode(x=x, x2=f"{there}:Q")
    rest = base.mark_point(filled=True, size=60, opacity=1, color=NEUTRAL).encode(x=f"{there}:Q")
    own = base.mark_point(filled=True, size=110, opacity=1).encode(x=x)
    return (joined + rest + own).properties(height=ROW * len(order) + AXIS)


def shares(table: pd.DataFrame, names: Mapping[int, str]) -> alt.Chart:
    """Shares of the values of one attribute, a bar a segment within each value.

    Args:
        table: Columns ``label``, ``kind``, ``value`` and ``share``.
        names: Segment → name, for the colours and the order.
    """
    values = list(dict.fromkeys(table["value"]))
    shown = list(dict.fromkeys(table[Col.LABEL]))
    return (
        alt.Chart(table)
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            y=alt.Y("value:N", title=None, sort=values, axis=alt.Axis(labelLimit=150)),
            yOffset=alt.YOffset(f"{Col.LABEL}:N", sort=shown),
            x=alt.X("share:Q", title="Share of users", axis=alt.Axis(format="%", tickCount=4)),
            color=_segments_only(names),
            tooltip=[
                alt.Tooltip(f"{Col.LABEL}:N", title="Segment"),
                alt.Tooltip("value:N", title="Value"),
                alt.Tooltip("share:Q", title="Share of users", format=".1%"),
            ],
        )
        .properties(height=(11 * len(shown) + 12) * len(values) + AXIS)
    )


def sizes(table: pd.DataFrame, names: Mapping[int, str]) -> alt.LayerChart:
    """Users a segment, and users of the groups made by rule.

    Args:
        table: Columns ``label``, ``kind``, ``users`` and ``share``, in the order to draw.
        names: Segment → name, for the colours.
    """
    base = alt.Chart(table).encode(
        y=alt.Y(
            f"{Col.LABEL}:N", title=None, sort=list(table[Col.LABEL]), axis=alt.Axis(labelLimit=LABEL_LIMIT)
        ),
        x=alt.X("users:Q", title="Users", axis=alt.Axis(format="~s")),
    )
    bars = base.mark_bar(cornerRadiusEnd=3, height={"band": 0.6}).encode(
        color=_segments_only(names),
        tooltip=[
            alt.Tooltip(f"{Col.LABEL}:N", title="Segment"),
            alt.Tooltip("users:Q", title="Users", format=","),
        ],
    )
    text = base.mark_text(align="left", dx=5).encode(text=alt.Text("share:Q", format=".1%"))
    return (bars + text).properties(height=ROW * len(table) + AXIS)


def _segments_only(names: Mapping[int, str]) -> object:
    """Segments in their colours, groups made by rule and all users in grey."""
    return alt.condition(alt.datum.kind == "segment", segment_colour(names), alt.value(NEUTRAL))


def heat(cells: pd.DataFrame, segments: Sequence[str], metrics: Sequence[str]) -> alt.LayerChart:
    """Segments × metrics: the colour compares with everybody, the text is the raw value.

    Args:
        cells: Columns ``label``, ``metric``, ``text`` and ``difference`` (in [-1, 1]; 0 is like everybody).
        segments: Rows, in order.
        metrics: Columns, in order.
    """
    base = alt.Chart(cells).encode(
        x=alt.X(
            "metric:N",
            title=None,
            sort=list(metrics),
            axis=alt.Axis(orient="top", labelAngle=0, labelExpr="split(datum.label, '\\n')"),
        ),
        y=alt.Y(f"{Col.LABEL}:N", title=None, sort=list(segments), axis=alt.Axis(labelLimit=LABEL_LIMIT)),
        tooltip=[
            alt.Tooltip(f"{Col.LABEL}:N", title="Segment"),
            alt.Tooltip("metric:N", title="Metric"),
            alt.Tooltip("text:N", title="Value"),
        ],
    )
    # two hues faded by size, not a ready-made scheme: the page's own background, light or dark, is the middle
    squares = (
        base.mark_rect(cornerRadius=3)
        .transform_calculate(size="abs(datum.difference)", side="datum.difference < 0 ? 'below' : 'above'")
        .encode(
            color=alt.Color(
                "side:N", scale=alt.Scale(domain=["above", "below"], range=[ABOVE, BELOW]), legend=None
            ),
            opacity=alt.Opacity("size:Q", scale=alt.Scale(domain=[0, 1], range=[0, 0.6]), legend=None),
        )
    )
    text = base.mark_text(fontSize=12).encode(text="text:N")
    return (squares + text).properties(height=34 * len(segments) + 40)


def share_column(label: str, help_text: str) -> object:
    """A share from 0 to 1 as a bar with its percentage."""
    return st.column_config.ProgressColumn(
        label, help=help_text, format="percent", min_value=0.0, max_value=1.0
    )


def page_columns(here: str, there: str) -> dict[str, object]:
    """Column settings of a table of pages.

    Args:
        here: What the share is of.
        there: What the other share is of.
    """
    return {
        Col.PAGE_TITLE: st.column_config.TextColumn("Title", width="medium"),
        Col.PAGE_LOCATION: st.column_config.TextColumn("Page", width="medium"),
        Col.USERS: st.column_config.NumberColumn("Users", format="localized"),
        Col.SHARE: share_column("Share", here),
        Col.REST_SHARE: share_column("Others", there),
        Col.LIFT: st.column_config.NumberColumn("Lift", format="%.1f×", help="Share over the others' share."),
    }
