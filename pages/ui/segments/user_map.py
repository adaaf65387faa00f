"""The map of all users: one dot a user, one colour a segment, and a lasso.

Only coordinates travel to the browser and only the lasso's outline comes back; who lies inside is
computed in core. One ``large`` series a segment is the form that stays fluid at 270,000 dots.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import streamlit as st
from scipy.spatial.distance import cdist

from core.base.schema import OUTSIDE

HEIGHT: Final = 640
"""Pixels of the map above its legend."""
WIDE: Final = 480
NARROW: Final = 320
"""Pixels that a legend can count on: beside the controls, and on a phone."""
LEGEND_ROW: Final = 19
LEGEND_ITEM: Final = 25
LETTER: Final = 6
"""Pixels of a line of the legend, of a dot with its gaps, and of a letter, about."""
OUTSIDE_NAME: Final = "Outside clustering"
OUTSIDE_COLOUR: Final = "#8b94a5"
"""Reads as grey on both backgrounds; the segments take the theme's chart colours by their order."""
LABEL_LETTERS: Final = 20
LABEL_LINES: Final = 2
"""Of a name on the map; a longer one ends in dots, the legend has it whole."""
BESIDE: Final = 0.2
"""Share of the map's width at each side in which a name stands beside its point."""
JUDGED: Final = 200
"""Users of a segment among which the place of its name is looked for, and as many of the others."""
NEAR: Final = 0.1
"""Of the map's longer side (2): how far a user counts as near, as a standard deviation."""
LABEL: Final = {
    "show": True,
    "formatter": "{b}",
    "color": "#ffffff",
    "backgroundColor": "rgba(20, 26, 36, 0.85)",
    "padding": [4, 7],
    "borderRadius": 4,
    "fontSize": 12,
    "lineHeight": 15,
}
"""Light on a dark plate: readable over any colour, on both backgrounds."""

TOOLS: Final = {
    "brush": {
        "type": ["polygon", "rect", "clear"],
        "title": {"polygon": "Lasso", "rect": "Box", "clear": "Clear the selection"},
    },
    "dataZoom": {"title": {"zoom": "Zoom into a box", "back": "Zoom back"}},
}

Polygon = list[list[float]]


def user_map(
    xy: np.ndarray, labels: np.ndarray, names: Mapping[int, str], *, key: str, alt: str
) -> Polygon | None:
    """Draw the map.

    Args:
        xy: float32 of shape (n_users, 2).
        labels: int32 of shape (n_users,): the segment of each user, -1 outside clustering.
        names: Segment → what it is called; also the order of the legend.
        key: Keeps zoom and lasso while the colours change; another key starts afresh.
        alt: What a screen reader says.

    Returns:
        The outline that was drawn around users, in map coordinates; None when there is none.
    """
    height = HEIGHT + LEGEND_ROW * legend_rows(_legend(labels, names), WIDE)
    chosen = st.echarts_chart(option(xy, labels, names), key=key, height=height, on_select="rerun", alt=alt)
    return outline(chosen.selection.areas)


def outline(areas: Sequence[Mapping[str, Any]]) -> Polygon | None:
    """The corners of what was drawn: of a lasso as they are, of a box from its two ranges."""
    if not areas:
        return None
    found = areas[-1].get("coord_range") or []
    corners = [[float(value) for value in point] for point in found]
    if len(corners) == 2:  # a box: [[left, right], [bottom, top]]
        (left, right), (bottom, top) = corners
        return [[left, bottom], [right, bottom], [right, top], [left, top]]
    return corners or None


def option(xy: np.ndarray, labels: np.ndarray, names: Mapping[int, str]) -> dict[str, Any]:
    """The chart as data, in ECharts' own terms."""
    drawn = _slots(names)
    above = _heights(labels, drawn)
    listed = _legend(labels, names)
    dots = [
        _series(slot, segment, names, len(xy)) | {"z": above[segment]} for slot, segment in enumerate(drawn)
    ]
    return {
        "dataset": [{"source": _points(xy, labels == segment)} for segment in drawn],
        "series": [*dots, _name_series(xy, labels, names)],
        "legend": {
            "data": listed,
            "bottom": 0,
            "left": 0,
            "right": 0,
            "itemStyle": {"opacity": 1},
            "icon": "circle",
            "itemWidth": 10,
        },
        "grid": {"left": 4, "right": 4, "top": 44, "bottom": _below(listed, WIDE)},
        "media": [
            {"query": {"maxWidth": WIDE}, "option": {"grid": {"bottom": _below(listed, NARROW)}}},
            {"option": {"grid": {"bottom": _below(listed, WIDE)}}},  # or a wider window keeps the phone's
        ],
        "xAxis": _axis(xy[:, 0], 0.08),  # names must not be cut at the sides
        "yAxis": _axis(xy[:, 1], 0.03),
        "toolbox": {"right": 0, "feature": TOOLS},
        "brush": {
            "xAxisIndex": "all",
            "yAxisIndex": "all",
            "seriesIndex": len(drawn),  # the names only: dimming single dots needs every dot apart
            "throttleType": "debounce",
            "throttleDelay": 300,
        },
        "animation": False,
    }


def legend_rows(listed: Sequence[str], width: int) -> int:
    """How many lines a legend takes at most, so that all of it is seen at once and none of it lies on dots.

    Args:
        listed: The names, in order.
        width: Pixels of a line.
    """
    rows, left = 1, width
    for name in listed:
        needed = LEGEND_ITEM + LETTER * len(name)
        if needed > left and left < width:
            rows, left = rows + 1, width
        left -= needed
    return rows


def _below(listed: Sequence[str], width: int) -> int:
    return 16 + LEGEND_ROW * legend_rows(listed, width)


def _slots(names: Mapping[int, str]) -> list[int]:
    """Every id up to the largest, so that a segment's place gives it its colour; then the rest."""
    return [*range(max(names, default=-1) + 1), OUTSIDE]


def _heights(labels: np.ndarray, drawn: Sequence[int]) -> dict[int, int]:
    """Who lies above whom: small segments above large ones, users outside clustering below all."""
    sizes = {segment: int((labels == segment).sum()) for segment in drawn if segment != OUTSIDE}
    largest_first = sorted(sizes, key=lambda segment: -sizes[segment])
    return {OUTSIDE: 1} | {segment: 2 + rank for rank, segment in enumerate(largest_first)}


def _points(xy: np.ndarray, which: np.ndarray) -> pa.Table:
    return pa.table({"x": xy[which, 0], "y": xy[which, 1]})  # as it is sent: it needs no conversion


def _series(slot: int, segment: int, names: Mapping[int, str], n_users: int) -> dict[str, Any]:
    outside = segment == OUTSIDE
    style: dict[str, Any] = {"opacity": 0.35, "color": OUTSIDE_COLOUR} if outside else {"opacity": 0.75}
    return {
        "type": "scatter",
        "name": OUTSIDE_NAME if outside else names.get(segment, f"({segment + 1})"),
        "datasetIndex": slot,
        "symbolSize": _dot(n_users),
        "large": True,
        "largeThreshold": 2000,
        "progressive": 0,  # drawn in chunks, all but the first vanish when a lasso repaints the map
        "itemStyle": style,
    }


def _dot(n_users: int) -> float:
    """Diameter in pixels: fewer users, larger dots."""
    for most, size in ((2_000, 7.0), (20_000, 5.0), (100_000, 3.5)):
        if n_users <= most:
            return size
    return 2.5


def _legend(labels: np.ndarray, names: Mapping[int, str]) -> list[str]:
    outside = [OUTSIDE_NAME] if bool((labels == OUTSIDE).any()) else []
    return [names[segment] for segment in sorted(names)] + outside


def _name_series(xy: np.ndarray, labels: np.ndarray, names: Mapping[int, str]) -> dict[str, Any]:
    """The names, each where its segment is among itself; one that would lie on another moves up or down."""
    clustered = labels != OUTSIDE
    places = {
        segment: _own_place(xy[labels == segment], xy[clustered & (labels != segment)])
        for segment in sorted(names)
        if (labels == segment).any()
    }
    data = [
        {"name": _short(names[segment]), "value": value, "label": {"position": _side(value[0], xy[:, 0])}}
        for segment, value in places.items()
    ]
    return {
        "type": "scatter", "data": data, "symbolSize": 1, "silent": True, "label": LABEL, "z": 99,
        "labelLayout": {"moveOverlap": "shiftY"}, "itemStyle": {"color": "transparent"},
    }  # fmt: skip


def _short(name: str) -> str:
    lines = textwrap.wrap(name, LABEL_LETTERS)
    if len(lines) > LABEL_LINES:
        lines = [*lines[: LABEL_LINES - 1], f"{lines[LABEL_LINES - 1][: LABEL_LETTERS - 1].rstrip()}…"]
    return "\n".join(lines)


def _own_place(own: np.ndarray, others: np.ndarray) -> list[float]:
    """The user of a segment with the most of its users around, and few of other segments among them.

    The middle of a segment that lies on several islands may be an island of others. So: own · (own / (own +
    others))², each a sum of Gaussian weights of distance.
    """
    judged = own[:: max(1, len(own) // JUDGED)]
    mine, theirs = _around(judged, own), _around(judged, others)
    return [float(value) for value in judged[(mine * (mine / (mine + theirs)) ** 2).argmax()]]


def _around(places: np.ndarray, users: np.ndarray) -> np.ndarray:
    judged = users[:: max(1, len(users) // JUDGED)]
    near = np.exp(-cdist(places, judged, "sqeuclidean") / (2 * NEAR**2)).sum(axis=1)
    weighted: np.ndarray = near * len(users) / max(1, len(judged))
    return weighted


def _side(x: float, every: np.ndarray) -> str:
    """Where a name stands at its point: towards the middle near the sides, where it would be cut."""
    low, high = float(every.min()), float(every.max())
    across = (x - low) / ((high - low) or 1.0)
    return "right" if across < BESIDE else "left" if across > 1 - BESIDE else "inside"


def _axis(values: np.ndarray, margin: float) -> dict[str, Any]:
    """Without ticks: such axes have no meaning. Fixed ends, so that hiding a segment moves nothing."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    room = margin * ((high - low) or 1.0)
    return {
        "type": "value", "min": low - room, "max": high + room, "axisLabel": {"show": False},
        "axisTick": {"show": False}, "axisLine": {"show": False}, "splitLine": {"show": False},
    }  # fmt: skip
