"""Charts of two exports: shares before and now, and who moved between segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import altair as alt
import numpy as np
import pandas as pd

from core.base import wording
from core.periods.migration import AFTER, BEFORE
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from pages.ui.segments.charts import ABOVE, AXIS, BELOW, INK, NEUTRAL, ROW, Chart, rows, sized, tips

NAME, FROM_NAME, TO_NAME, _SAID = "name", "from", "to", "said"
_CELL: Final = 30
_NODE: Final = 42
"""Pixels of a segment in the picture of flows."""
_GAP: Final = 0.04
"""Gap between two places of the flows, as part of all users."""
_POINTS: Final = 24
_NAME_ROOM: Final = 190
NARROWEST: Final = 620
"""Pixels below which the flows scroll sideways: names need room."""


def shares(table: pd.DataFrame) -> Chart:
    """Chart of two shares a row with a line between: grey before, coloured now; pale if not different.

    Args:
        table: In order: ``name``, ``share`` now, ``rest_share`` before, their ``difference`` with
            ``difference_low`` and ``difference_high``, and whether it ``differs``.
    """
    told = {
        NAME: ("", ""), Col.REST_SHARE: ("Before", ".2%"), Col.SHARE: ("Now", ".2%"),
        Diff.DIFFERENCE_LOW: ("Difference from", "+.2%"), Diff.DIFFERENCE_HIGH: ("to", "+.2%"),
    }  # fmt: skip
    base = alt.Chart(table).encode(y=rows(NAME, table[NAME]), tooltip=tips(told))
    axis = alt.Axis(format="%", labelFlush=False, tickCount=5)
    x = alt.X(f"{Col.SHARE}:Q", title="Share of users", axis=axis)
    side = alt.condition(alt.datum[Col.DIFFERENCE] < 0, alt.value(BELOW), alt.value(ABOVE))
    sure = alt.condition(f"datum.{Diff.DIFFERS}", alt.value(1), alt.value(0.35))
    joined = base.mark_rule(strokeWidth=2, opacity=0.5, color=NEUTRAL).encode(x=x, x2=f"{Col.REST_SHARE}:Q")
    before = base.mark_point(filled=True, size=60, opacity=1, color=NEUTRAL).encode(x=f"{Col.REST_SHARE}:Q")
    now = base.mark_point(filled=True, size=110).encode(x=x, color=side, opacity=sure)
    return sized(joined + before + now, ROW * len(table) + AXIS)


def matrix(table: pd.DataFrame, names: Sequence[str]) -> Chart:
    """Heat map of moves: share of each row's users in each column; coloured where it differs from no change.

    Args:
        table: Table of a :class:`core.periods.migration.Migration`, and ``from``, ``to`` in words.
        names: Names of the segments, and of being in none, in order.
    """
    less = table[Col.DIFFERENCE] < 0
    shares = zip(table[Col.SHARE], table[Col.N], strict=True)
    shown = table.assign(
        side=less.map({True: "below", False: "above"}),
        size=(table[Col.DIFFERENCE].abs().fillna(0) / 0.3).clip(0.15, 1).where(table[Diff.DIFFERS], 0),
        text=[wording.percent(share, 0) if n else "" for share, n in shares],
    )  # fmt: skip
    told = {
        FROM_NAME: ("Before", ""), TO_NAME: ("Now", ""), Col.USERS: ("Users", ","), Col.N: ("of", ","),
        Col.SHARE: ("Share", ".1%"), Col.REST_SHARE: ("Without change", ".1%"),
        Diff.DIFFERENCE_LOW: ("Difference from", "+.1%"), Diff.DIFFERENCE_HIGH: ("to", "+.1%"),
    }  # fmt: skip
    above = alt.Axis(orient="top", labelAngle=-35, labelLimit=120, labelOverlap=False)
    base = alt.Chart(shown).encode(
        x=alt.X(f"{TO_NAME}:N", sort=list(names), title=None, axis=above),
        y=rows(FROM_NAME, list(names)), tooltip=tips(told),
    )  # fmt: skip
    sides = alt.Scale(domain=["above", "below"], range=[ABOVE, BELOW])
    cells = base.mark_rect(cornerRadius=3).encode(
        color=alt.Color("side:N", scale=sides, legend=None),
        opacity=alt.Opacity("size:Q", scale=alt.Scale(domain=[0, 1], range=[0, 0.7]), legend=None),
    )
    text = base.mark_text(fontSize=11, color=INK).encode(text="text:N")
    return sized(cells + text, _CELL * len(names) + 90)


def flows(table: pd.DataFrame, names: Sequence[str], segments: Sequence[int]) -> Chart:
    """Chart of flows from the segment before (left) to the one now; strong where they differ from no change.

    Args:
        table: Table of a :class:`core.periods.migration.Migration`.
        names: Names of the segments, and of being in none, in order.
        segments: The id of each, for its colour; −1 for in none.
    """
    moved = table[table[Col.USERS] > 0].reset_index(drop=True)
    stops = pd.concat([_stops(moved, BEFORE, 0, names), _stops(moved, AFTER, 1, names)])
    slots = [str(number) for number in range(max([*segments, 0]) + 1)]
    colours = {place: str(segment) if segment >= 0 else "none" for place, segment in enumerate(segments)}
    colour = alt.condition("datum.slot == 'none'", alt.value(NEUTRAL), _slot(slots))
    between = alt.Scale(domain=[0, 1], range=[_NAME_ROOM, alt.expr(f"width - {_NAME_ROOM}")])
    x = alt.X("x:Q", axis=None, scale=between)
    y = alt.Y("top:Q", axis=None, scale=alt.Scale(reverse=True, nice=False))
    told = {
        FROM_NAME: ("Before", ""), TO_NAME: ("Now", ""), Col.USERS: ("Users", ","),
        Col.SHARE: ("Share", ".0%"), Col.REST_SHARE: ("Without change", ".0%"),
    }  # fmt: skip
    bands = _bands(moved).assign(slot=lambda rows: rows[BEFORE].map(colours))
    drawn = alt.Chart(bands).mark_area(interpolate="linear").encode(
        x=x, y=y, y2="bottom:Q", detail="link:N", color=colour, tooltip=tips(told),
        opacity=alt.condition(f"datum.{Diff.DIFFERS}", alt.value(0.6), alt.value(0.2)),
    )  # fmt: skip
    base = alt.Chart(stops.assign(slot=stops["place"].map(colours))).encode(x=x)
    nodes = base.mark_rule(strokeWidth=10, strokeCap="butt").encode(y=y, y2="bottom:Q", color=colour)
    said = base.encode(y="middle:Q", text=f"{_SAID}:N")
    room = _NAME_ROOM - 14
    left = said.transform_filter(alt.datum.x == 0).mark_text(
        align="right", dx=-10, fontSize=12, color=INK, limit=room
    )
    right = said.transform_filter(alt.datum.x == 1).mark_text(
        align="left", dx=10, fontSize=12, color=INK, limit=room
    )
    return sized(drawn + nodes + left + right, _NODE * len(names) + 10)


def _slot(slots: Sequence[str]) -> alt.Color:
    return alt.Color("slot:N", scale=alt.Scale(domain=slots), legend=None)


def _stops(moved: pd.DataFrame, column: str, side: int, names: Sequence[str]) -> pd.DataFrame:
    """Begin and end of each place on one side of the flows."""
    users = moved.groupby(column)[Col.USERS].sum()
    top, whole = _tops(moved, column), users.sum()
    shares = (users / whole).to_numpy()
    named = zip(users.index.to_numpy(), shares, strict=True)
    parts = [(names[place], wording.percent(part, 0)) for place, part in named]
    said = [f"{part} {name}" if side else f"{name} {part}" for name, part in parts]
    found = pd.DataFrame({"place": users.index, "top": top, "bottom": top + users, "x": side})
    return found.assign(middle=(found["top"] + found["bottom"]) / 2, **{_SAID: said})


def _tops(moved: pd.DataFrame, column: str) -> pd.Series:
    """The upper end of each place, with equal gaps."""
    users = moved.groupby(column)[Col.USERS].sum()
    gap = users.sum() * _GAP
    tops: pd.Series = users.cumsum() - users + gap * np.arange(len(users))
    return tops


def _bands(moved: pd.DataFrame) -> pd.DataFrame:
    """Points of each flow's band from its place on the left to that on the right."""
    ends = {}
    for column, other in ((BEFORE, AFTER), (AFTER, BEFORE)):
        order = moved.sort_values([column, other])
        within = order.groupby(column)[Col.USERS].cumsum() - order[Col.USERS]
        ends[column] = (within + order[column].map(_tops(moved, column))).reindex(moved.index).to_numpy()
    at = np.linspace(0, 1, _POINTS)
    bend = at**2 * (3 - 2 * at)  # level at both ends
    top = ends[BEFORE][:, None] * (1 - bend) + ends[AFTER][:, None] * bend
    points = moved.loc[np.repeat(moved.index, _POINTS)].reset_index(drop=True)
    points = points.assign(link=np.repeat(moved.index, _POINTS), x=np.tile(at, len(moved)), top=top.ravel())
    return points.assign(bottom=points["top"] + points[Col.USERS])
