"""The map of all users: one dot a user, one colour a segment, and a lasso.

Only coordinates travel to the browser and only the lasso's outline comes back; who lies inside is
computed in core. One ``large`` series a segment is the form that stays fluid at 270,000 dots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import streamlit as st

from core.base.schema import OUTSIDE, SET_ASIDE, Group
from core.profiles.rows import GROUP_LABELS
from core.segments.map_places import number_places

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
GREYS: Final = {
    OUTSIDE: (OUTSIDE_NAME, "#8b94a5"), SET_ASIDE: (GROUP_LABELS[Group.SET_ASIDE], "#5f6b80"),
}  # fmt: skip
"""Name and colour of who is in no segment: they read as grey on both backgrounds; the segments take the
theme's chart colours by their order."""
BADGE: Final = 24
"""Pixels from a number on the map to the next one; its rim is 2 less."""
ABOVE: Final = 44
"""Pixels for the tools above the map."""
MARGIN: Final = 4
ROOM: Final = (0.06, 0.04)
"""Of the width and the height, beyond the outermost dots: a number must not be cut."""
NUMBER: Final = {"show": True, "color": "#ffffff", "fontSize": 12, "fontWeight": "bold"}
PLATE: Final = {"color": "#141a24", "opacity": 1, "borderColor": "#ffffff", "borderWidth": 1.5}
"""Light on dark with a light rim: readable over any colour, on both backgrounds."""

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
        labels: int32 of shape (n_users,): of each user, -1 outside clustering, lower in no segment.
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
        "series": [*dots, _number_series(xy, labels, names, listed)],
        "legend": {
            "data": listed,
            "bottom": 0,
            "left": 0,
            "right": 0,
            "itemStyle": {"opacity": 1},
            "icon": "circle",
            "itemWidth": 10,
        },
        "grid": {"left": MARGIN, "right": MARGIN, "top": ABOVE, "bottom": _below(listed, WIDE)},
        "media": [
            {"query": {"maxWidth": WIDE}, "option": {"grid": {"bottom": _below(listed, NARROW)}}},
            {"option": {"grid": {"bottom": _below(listed, WIDE)}}},  # or a wider window keeps the phone's
        ],
        "xAxis": _axis(xy[:, 0], ROOM[0]),
        "yAxis": _axis(xy[:, 1], ROOM[1]),
        "tooltip": {"show": True, "renderMode": "richText"},  # a name is never read as HTML
        "toolbox": {"right": 0, "feature": TOOLS},
        "brush": {
            "xAxisIndex": "all",
            "yAxisIndex": "all",
            "seriesIndex": len(drawn),  # the numbers only: dimming single dots needs every dot apart
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
    return [*range(max(names, default=-1) + 1), *GREYS]


def _heights(labels: np.ndarray, drawn: Sequence[int]) -> dict[int, int]:
    """Who lies above whom: small segments above large ones, users outside clustering below all."""
    sizes = {segment: int((labels == segment).sum()) for segment in drawn if segment > OUTSIDE}
    largest_first = sorted(sizes, key=lambda segment: -sizes[segment])
    return dict.fromkeys(GREYS, 1) | {segment: 2 + rank for rank, segment in enumerate(largest_first)}


def _points(xy: np.ndarray, which: np.ndarray) -> pa.Table:
    return pa.table({"x": xy[which, 0], "y": xy[which, 1]})  # as it is sent: it needs no conversion


def _series(slot: int, segment: int, names: Mapping[int, str], n_users: int) -> dict[str, Any]:
    grey, colour = GREYS.get(segment, ("", ""))
    style: dict[str, Any] = {"opacity": 0.35, "color": colour} if grey else {"opacity": 0.75}
    return {
        "type": "scatter",
        "name": grey or names.get(segment, f"({segment + 1})"),
        "datasetIndex": slot,
        "symbolSize": _dot(n_users),
        "large": True,
        "largeThreshold": 2000,
        "progressive": 0,  # drawn in chunks, all but the first vanish when a lasso repaints the map
        "itemStyle": style,
        "tooltip": {"show": False},
    }


def _dot(n_users: int) -> float:
    """Diameter in pixels: fewer users, larger dots."""
    for most, size in ((2_000, 7.0), (20_000, 5.0), (100_000, 3.5)):
        if n_users <= most:
            return size
    return 2.5


def _legend(labels: np.ndarray, names: Mapping[int, str]) -> list[str]:
    grey = [name for label, (name, _) in GREYS.items() if bool((labels == label).any())]
    return [names[segment] for segment in sorted(names)] + grey


def _number_series(
    xy: np.ndarray, labels: np.ndarray, names: Mapping[int, str], listed: Sequence[str]
) -> dict[str, Any]:
    """The number of each segment among its users; pointing at it tells the name."""
    height = HEIGHT - ABOVE + LEGEND_ROW * legend_rows(listed, WIDE) - _below(listed, NARROW)
    corners = np.array([_ends(values, room) for values, room in zip(xy.T, ROOM, strict=True)]).T
    pixel = np.ptp(corners, axis=0) / (NARROW - 2 * MARGIN, height)  # where the map is smallest
    places = number_places(xy, labels, corners, BADGE * pixel)
    data = [
        {"name": names[segment], "value": place.tolist(), "label": {"formatter": str(segment + 1)}}
        for segment, place in places.items()
    ]
    return {
        "type": "scatter", "data": data, "symbolSize": BADGE - 2, "label": NUMBER, "z": 99,
        "itemStyle": PLATE, "tooltip": {"show": True, "formatter": "{b}"},
    }  # fmt: skip


def _axis(values: np.ndarray, room: float) -> dict[str, Any]:
    """Without ticks: such axes have no meaning. Fixed ends, so that hiding a segment moves nothing."""
    low, high = _ends(values, room)
    return {
        "type": "value", "min": low, "max": high, "axisLabel": {"show": False},
        "axisTick": {"show": False}, "axisLine": {"show": False}, "splitLine": {"show": False},
    }  # fmt: skip


def _ends(values: np.ndarray, room: float) -> tuple[float, float]:
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    beyond = room * (high - low) or 0.5
    return low - beyond, high + beyond
