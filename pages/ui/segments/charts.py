"""Charts as functions of a table, so that what is drawn can always be read as the table itself.

Segments take their colours from the theme's list by their place in it (``core/base/palette.py`` and
``.streamlit/config.toml`` hold the same list), so that light and dark switch without a rerun.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import altair as alt
import pandas as pd

from core.base.palette import MUTED
from core.facts.answer import ChartMark
from core.profiles.profile_columns import Col, RowKind

Chart: TypeAlias = alt.Chart | alt.LayerChart

NEUTRAL: Final = MUTED
ABOVE: Final = "#3862c4"
BELOW: Final = "#d07a2d"
"""Colours of more and less than the others, on both backgrounds and for every kind of colour vision."""
_LABEL_LIMIT: Final = 260
"""Pixels of an axis label, at most; page addresses are long."""
_LETTER: Final = 5.7
"""Pixels of a letter of an axis label, about."""
_LABEL_SHARE: Final = 0.5
"""Part of a chart's width for the labels, at most."""
ROW: Final = 26
"""Height in pixels of a row of a chart."""
AXIS: Final = 62
"""Height in pixels of an axis with its title."""
INK: Final = "currentColor"
"""The page's own text colour, light or dark: marks do not take it from the theme as axes do."""
QUANTILES: Final = {
    "p05": "5 % have at most", "p25": "25 % at most", "median": "Half at most", "p75": "75 % at most",
    "p95": "95 % at most",
}  # fmt: skip
_PADDING: Final = {"left": 0, "right": 12, "top": 4, "bottom": 4}
"""Padding of charts in pixels; below, too, as letters with a tail would be cut."""


def _segment_colour(names: Mapping[int, str]) -> alt.Color:
    """Colour by segment: the theme's list of colours, by the segment's id.

    Args:
        names: Segment → the name that the column ``label`` holds.
    """
    slots = [names.get(segment, f"({segment + 1})") for segment in range(max(names, default=-1) + 1)]
    return alt.Color(f"{Col.LABEL}:N", scale=alt.Scale(domain=slots), legend=None)


def segment_or(colour: str, segment: int) -> alt.Value | alt.Color:
    """Colour by the column ``slot``, the segment's id as text; ``colour`` where ``segment`` is below 0."""
    if segment < 0:
        return alt.value(colour)
    slots = [str(number) for number in range(segment + 1)]
    return alt.Color("slot:N", scale=alt.Scale(domain=slots), legend=None)


def gain_over_k(scores: pd.DataFrame, gradient: float, current: int) -> Chart:
    """Chart of how well kinds predict users, by their number, beside the best gradient.

    Args:
        scores: Columns ``k``, ``gain`` and ``supported``.
        gradient: The gain of the best gradient, a grey line.
        current: The number of segments on screen, a dashed line.
    """
    at = alt.X("k:O", title="Number of segments", axis=alt.Axis(labelAngle=0))
    y = alt.Y("gain:Q", title="Nats a user", axis=alt.Axis(tickCount=3))
    tooltip = tips({"k": ("Segments", ""), "gain": ("Nats a user", ",.2f"), "supported": ("Supported", "")})
    base = alt.Chart(scores).encode(x=at, y=y, tooltip=tooltip)
    of_degree = alt.Chart(pd.DataFrame({"gain": [gradient], "said": ["differ by degree"]})).encode(y=y)
    now = alt.Chart(scores[scores["k"] == current].assign(said="now")).encode(x=at)
    dashed = now.mark_rule(strokeDash=[4, 4], color=NEUTRAL)
    keys = _said(of_degree).encode(x=alt.value(0)) + _said(now).encode(y=alt.value("height"))
    supported = base.transform_filter("datum.supported").mark_point(
        shape="diamond", filled=True, size=190, opacity=1
    )
    points = base.mark_point(filled=True, size=40, opacity=1)
    lines = of_degree.mark_rule(color=NEUTRAL) + dashed + base.mark_line(strokeWidth=2)
    return sized(lines + points + supported + keys, 190)


def _said(base: alt.Chart) -> alt.Chart:
    """Layer of the texts in the column ``said``, above and right of their places."""
    text: alt.Chart = base.mark_text(
        fontSize=11, color=NEUTRAL, align="left", baseline="bottom", dx=4, dy=-2
    ).encode(text="said:N")
    return text


def forest(rates: pd.DataFrame, names: Mapping[int, str], title: str) -> Chart:
    """Forest plot: rates with intervals, a row a segment, and a grey tick at the others' rate.

    Args:
        rates: Columns ``label``, ``rate``, ``low``, ``high``, ``rest_share``, ``converted`` and ``users``.
        names: Segment → name, for the colours.
        title: What is measured; it stands above, where there is room for it.
    """
    told = {
        Col.LABEL: ("Segment", ""), "rate": ("Rate", ".2%"), "low": ("From", ".2%"), "high": ("To", ".2%"),
        Col.REST_SHARE: ("Others", ".2%"), "converted": ("Converted users", ","), "users": ("Users", ","),
    }  # fmt: skip
    base = alt.Chart(rates).encode(y=rows(Col.LABEL, rates[Col.LABEL]), tooltip=tips(told))
    own = base.encode(color=_segment_colour(names))
    span = own.mark_rule(strokeWidth=2).encode(x=_percent("low", title), x2=alt.X2("high:Q"))
    point = own.mark_point(filled=True, size=90, opacity=1).encode(x=alt.X("rate:Q"))
    return sized(span + point + _others(base, 16), ROW * len(rates) + AXIS)


def _others(base: alt.Chart, size: int) -> alt.Chart:
    """Layer of grey ticks at the others' values; nothing where there are none."""
    seen = base.transform_filter(f"isValid(datum.{Col.REST_SHARE})")
    ticks: alt.Chart = seen.mark_tick(thickness=3, size=size, color=NEUTRAL).encode(
        x=alt.X(f"{Col.REST_SHARE}:Q")
    )
    return ticks


def boxes(table: pd.DataFrame, names: Mapping[int, str], title: str) -> Chart:
    """Box plots of a measure over the users of each row: quartiles, median, 5 to 95 %, and mean.

    Args:
        table: Rows of one measure of :func:`core.profiles.differences.distributions`.
        names: Segment → name, for the colours.
        title: What is measured; it stands above, where there is room for it.
    """
    told = {Col.LABEL: ("Segment", ""), Col.N: ("Users", ","), "mean": ("Mean", ",.2f")}
    told |= {name: (text, ",.2f") for name, text in QUANTILES.items()}
    base = alt.Chart(table).encode(y=rows(Col.LABEL, table[Col.LABEL]), tooltip=tips(told))
    few_to_many = alt.Scale(type="symlog")  # a few users have hundreds of times what most have
    x = alt.X(
        "p05:Q",
        title=f"{title} (logarithmic)",
        scale=few_to_many,
        axis=alt.Axis(labelFlush=False, tickCount=6),
    )
    reach = base.mark_rule(strokeWidth=2, color=NEUTRAL).encode(x=x, x2=alt.X2("p95:Q"))
    half = base.mark_bar(height={"band": 0.55}).encode(
        x=alt.X("p25:Q", scale=few_to_many), x2=alt.X2("p75:Q"),
        color=_segments_only(names),
    )  # fmt: skip
    middle = base.mark_tick(thickness=3, color=INK, size=16).encode(x=alt.X("median:Q"))
    mean = base.mark_point(shape="diamond", filled=True, size=60, color=INK, opacity=1).encode(
        x=alt.X("mean:Q")
    )
    return sized(reach + half + middle + mean, ROW * len(table) + AXIS)


def dumbbell(
    table: pd.DataFrame, row: str, here: str, there: str, title: str, colour: str | None = None
) -> Chart:
    """Dumbbell chart: a segment's and the rest's share in each row, joined by a line.

    Args:
        table: One row for each line, in order; ``label`` and ``segment`` of the first row give the colour,
            ``n`` and, if there, ``rest_n`` say of how many users the shares are.
        row: Column that names the row.
        here: Column with the segment's share.
        there: Column with the rest's share.
        title: What is measured; it stands above, where there is room for it.
        colour: Of these users; None for that of their segment.
    """
    told = {row: ("Page", ""), here: ("These users", ".1%"), Col.N: ("Of", ",")}
    told |= {there: ("Others", ".1%")} | ({Col.REST_N: ("Of others", ",")} if Col.REST_N in table else {})
    base = alt.Chart(table).encode(y=rows(row, table[row]), tooltip=tips(told))
    x = _percent(here, title)
    names = {int(table[Col.SEGMENT].iloc[0]): str(table[Col.LABEL].iloc[0])}
    joined = base.mark_rule(strokeWidth=2, color=NEUTRAL).encode(x=x, x2=alt.X2(f"{there}:Q"))
    rest = base.mark_point(filled=True, size=60, opacity=1, color=NEUTRAL).encode(x=alt.X(f"{there}:Q"))
    paint = _segments_only(names) if colour is None else alt.value(colour)
    own = base.mark_point(filled=True, size=110, opacity=1).encode(x=x, color=paint)
    lines = 1 + int(table[row].str.count("\n").max())
    return sized(joined + rest + own, ROW * (1 + lines) // 2 * table[row].nunique() + AXIS)


def shares(table: pd.DataFrame, names: Mapping[int, str], title: str = "Share of users") -> Chart:
    """Bar chart of an attribute's values, a bar a row within each value, a grey tick at the others'.

    Args:
        table: Columns ``label``, ``kind``, ``value``, ``share`` and ``rest_share``.
        names: Segment → name, for the colours and the order.
        title: What the share is of.
    """
    shown = list(dict.fromkeys(table[Col.LABEL]))
    told = {Col.LABEL: ("Segment", ""), "value": ("Value", ""), "share": (title, ".1%")}
    told |= {Col.REST_SHARE: ("Others", ".1%")}
    base = alt.Chart(table).encode(
        y=rows("value", table["value"]), yOffset=alt.YOffset(f"{Col.LABEL}:N", sort=shown), tooltip=tips(told)
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(x=_percent("share", title), color=_segments_only(names))
    return sized(bars + _others(base, 10), (11 * len(shown) + 12) * table["value"].nunique() + AXIS)


def sizes(table: pd.DataFrame, names: Mapping[int, str]) -> Chart:
    """Bar chart of the sizes of segments and of groups made by rule.

    Args:
        table: Columns ``label``, ``kind``, ``users`` and ``share``, in the order to draw.
        names: Segment → name, for the colours.
    """
    told = {Col.LABEL: ("Segment", ""), "users": ("Users", ","), "share": ("Share of all", ".1%")}
    base = alt.Chart(table).encode(
        y=rows(Col.LABEL, table[Col.LABEL]),
        x=alt.X("users:Q", title="Users", axis=alt.Axis(format=",d", labelFlush=False, tickCount=5)),
        tooltip=tips(told),
    )
    bars = base.mark_bar(cornerRadiusEnd=3, height={"band": 0.6}).encode(color=_segments_only(names))
    text = base.mark_text(align="left", dx=5, color=INK).encode(text=alt.Text("share:Q", format=".1%"))
    return sized(bars + text, ROW * len(table) + AXIS)


def heat(cells: pd.DataFrame, segments: Sequence[str], metrics: Sequence[str]) -> Chart:
    """Heat map of segments × metrics: the colour compares with the others, the text is the value.

    Args:
        cells: Columns ``label``, ``metric``, ``text`` and ``difference`` (in [-1, 1]; 0 is like the others).
        segments: Rows, in order.
        metrics: Columns, in order; a line break in one breaks the line of its label.
    """
    apart = alt.Scale(paddingInner=0.05)
    top = alt.Axis(
        orient="top",
        labelAngle=0,
        labelExpr="split(datum.label, '\\n')",
        labelFlush=False,
        labelOverlap=False,
    )
    base = alt.Chart(cells).encode(
        x=alt.X(f"{Col.METRIC}:N", title=None, sort=list(metrics), axis=top, scale=apart),
        y=rows(Col.LABEL, segments).scale(paddingInner=0.12),
        tooltip=tips({Col.LABEL: ("Segment", ""), Col.METRIC: ("Metric", ""), "text": ("Value", "")}),
    )
    text = base.mark_text(fontSize=12, color=INK).encode(text=alt.Text("text:N"))
    return sized(_squares(base) + text, 34 * len(segments) + 44)


def _squares(base: alt.Chart) -> alt.Chart:
    """Layer of cells in two hues, faded by difference: the page's background is the middle."""
    side = alt.Scale(domain=["above", "below"], range=[ABOVE, BELOW])
    fade = alt.Scale(type="pow", exponent=0.6, domain=[0, 1], range=[0, 0.7])  # small ones in the dark, too
    squares: alt.Chart = (
        base.mark_rect(cornerRadius=3)
        .transform_calculate(
            size=f"abs(datum.{Col.DIFFERENCE})", side=f"datum.{Col.DIFFERENCE} < 0 ? 'below' : 'above'"
        )
        .encode(
            color=alt.Color("side:N", scale=side, legend=None),
            opacity=alt.Opacity("size:Q", scale=fade, legend=None),
        )
    )
    return squares


def of_facts(table: pd.DataFrame, names: Mapping[int, str], title: str, style: str, mark: ChartMark) -> Chart:
    """Chart of figures of a measure, as bars, a line or points.

    Args:
        table: Columns ``name`` (of the row or item), ``label``, ``kind``, ``value`` and ``text``, in order.
        names: Segment → name, for the colours.
        title: What is measured, for the tooltip.
        style: Number format of the axis.
        mark: What they are drawn with; a line goes from left to right.
    """
    base = alt.Chart(table).encode(tooltip=tips({"name": ("", ""), "text": (title, "")}))
    value = alt.Axis(format=style, labelFlush=False, tickCount=4)
    if mark is ChartMark.LINE:
        names_below = alt.X("name:N", title=None, sort=None, axis=alt.Axis(labelAngle=-40, labelLimit=120))
        line = base.mark_line(point=True, strokeWidth=2)
        return sized(line.encode(x=names_below, y=alt.Y("value:Q", title=None, axis=value)), 240)
    bar = mark is ChartMark.BAR
    drawn = base.mark_bar(cornerRadiusEnd=3) if bar else base.mark_point(filled=True, size=90, opacity=1)
    along, x = rows("name", table["name"], 150), alt.X("value:Q", title=None, axis=value, stack=None)
    return sized(drawn.encode(y=along, x=x, color=_segments_only(names)), ROW * len(table) + AXIS)


def _segments_only(names: Mapping[int, str]) -> Any:  # noqa: ANN401 - Altair's conditions have no name
    """Colour condition: segments in their colours, groups made by rule and all users in grey."""
    segment = alt.datum[Col.KIND] == RowKind.SEGMENT.value
    return alt.condition(segment, _segment_colour(names), alt.value(NEUTRAL))


def rows(
    column: str, order: Sequence[str] | pd.Series, limit: int = _LABEL_LIMIT, share: float = _LABEL_SHARE
) -> alt.Y:
    """Vertical axis with a row a value, in order of first mention.

    A label gets ``limit`` pixels, in a narrow chart a ``share`` of its width: a longer address is shortened
    from the left, where the host and folders stand that it shares with others, and a longer name takes two
    lines. A line break in a value breaks its line.
    """
    most = f"min({limit}, {share} * containerSize()[0])"
    letters = f"floor({most} / {_LETTER})"
    gap = f"lastindexof(slice(datum.label, 0, {letters}), ' ')"
    long = f"indexof(datum.label, '\\n') < 0 && length(datum.label) > {letters}"
    address = "test(/^(\\/|https?:)/, datum.label)"
    text = (
        f"!({long}) ? split(datum.label, '\\n') : {address} ? '…' + slice(datum.label, 1 - {letters}) "
        f": {gap} > 0 ? [slice(datum.label, 0, {gap}), slice(datum.label, {gap} + 1)] : datum.label"
    )
    two_lines = {"test": f"{long} && !{address} && {gap} > 0", "value": -6}
    axis = alt.Axis(
        labelLimit=alt.expr(most), labelFlush=False, labelOverlap=False, labelExpr=text,
        labelOffset={"condition": two_lines, "value": 0},
    )  # fmt: skip
    return alt.Y(f"{column}:N", title=None, sort=list(dict.fromkeys(order)), axis=axis)


def _percent(column: str, title: str) -> alt.X:
    axis = alt.Axis(format="%", labelFlush=False, tickCount=5)
    return alt.X(f"{column}:Q", title=title, axis=axis)


def tips(told: Mapping[str, tuple[str, str]]) -> list[alt.Tooltip]:
    """Tooltip lines from column → title and number format; without a format the value is text."""
    return [
        alt.Tooltip(f"{column}:Q", title=title, format=style)
        if style
        else alt.Tooltip(f"{column}:N", title=title)
        for column, (title, style) in told.items()
    ]


def sized(chart: Chart, height: int) -> Chart:
    """Set a chart's height, axes included, and what all charts share.

    A screen reader gets the chart's text and its table, not a hundred marks without a name.
    """
    shared = chart.properties(height=height, padding=_PADDING).configure_mark(aria=False)
    ink = {"labelColor": INK, "titleColor": INK}  # Streamlit's grey has a contrast of 3.7 on white
    drawn: Chart = shared.configure_axis(**ink).configure_legend(**ink)
    return drawn
