"""Charts of steps as data: a graph of steps, flows of sessions, and a heat map of places by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import numpy as np
import pandas as pd

from core.base import wording
from core.journeys.flow import COLUMN
from core.journeys.moves import END, FROM, OTHER_PLACES, SESSIONS, START, STEPS, TO
from core.journeys.step_table import PLACE, POSITION, REST_SESSION_SHARE, SESSION_SHARE, MoveCol
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from pages.ui.segments.charts import ABOVE, BELOW, INK, NEUTRAL, Chart, rows, sized, tips
from pages.ui.segments.figure import EChart

_GRAPH_HEIGHT: Final = 600
_GRAPH_WIDTH: Final = 620
"""Pixels below which the graph stands upright."""
FLOW_WIDTH: Final = 640
"""Pixels below which the picture scrolls sideways: its places need room."""
_ASPECT: Final = 1.4
_TALL: Final = 1.7
"""Factor by which the upright graph is longer."""
_CORNER: Final = 0.13
"""Part of a half turn that is left free around the start and the end of the graph."""
_FLOW_ROW: Final = 44
"""Pixels of a place in a column of the flows."""
_MARK: Final = "#5f6b80"
"""Colour of a place on both backgrounds; blue and orange mean more and fewer."""
_ENDS: Final = (START, END)
_MAX_LENGTH: Final = 26
"""Characters of a place's name beside its mark; the tooltip has the full name."""


def graph(table: pd.DataFrame, visits: Mapping[str, int]) -> EChart:
    """Graph of steps as arrows: thick where frequent, coloured where they differ from the others'.

    Where sessions begin stands on the left, where they end on the right; a place that is opened again right
    away has a ring in place of an arrow.

    Args:
        table: Rows of :func:`core.journeys.step_table.step_table`.
        visits: Place → its page views; of the start and the end the sessions.
    """
    places = list(dict.fromkeys(table[[FROM, TO]].to_numpy().ravel()))
    steps = table.to_dict("records")
    most_views, most = max(1, *(visits[place] for place in places)), max(1, int(table[STEPS].max()))
    again, xy = {row[FROM]: row for row in steps if row[FROM] == row[TO]}, _ellipse(places, table)
    nodes = [
        _node(place, xy[place], 8 + 30 * (visits[place] / most_views) ** 0.5, visits[place])
        | (_ring(place, visits[place], again[place], most) if place in again else {})
        for place in places
    ]
    series = {
        "type": "graph", "layout": "none", "roam": False, "data": nodes,
        "links": [_arrow(row, most) for row in steps if row[FROM] != row[TO]],
        "edgeSymbol": ["none", "arrow"], "edgeSymbolSize": 7,
        "emphasis": {"focus": "adjacency", "lineStyle": {"opacity": 1}},
        "left": "center", "top": 46, "bottom": 46,
    }  # fmt: skip
    upright = {"left": "center", "top": 30, "bottom": 30, "data": [_upright(node) for node in nodes]}
    drawn = _still(series, _GRAPH_HEIGHT)
    narrow = {"query": {"maxWidth": _GRAPH_WIDTH}, "option": {"series": [upright]}}
    wide = {"option": {"series": [{name: series[name] for name in ("left", "top", "bottom", "data")}]}}
    return EChart(
        drawn.option | {"media": [narrow, wide | {"query": {"minWidth": _GRAPH_WIDTH + 1}}]}, drawn.height
    )


def _upright(node: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a node of the chart for a phone: sessions begin at the top and end at the bottom."""
    label = node["label"] | {"position": "bottom" if node["x"] < _ASPECT else "top", "fontSize": 10}
    return {**node, "x": node["y"], "y": _TALL * node["x"], "label": label}


def _ellipse(places: Sequence[str], table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Coordinates of each place: left where sessions begin, right where they end, up and down in turn."""
    inward = table[table[FROM] == START].set_index(TO)[STEPS]
    outward = table[table[TO] == END].set_index(FROM)[STEPS]
    inner = [place for place in places if place not in _ENDS]
    lean = {place: _lean(int(inward.get(place, 0)), int(outward.get(place, 0))) for place in inner}
    order = sorted(inner, key=lean.__getitem__)
    angle = np.linspace(1 - _CORNER, _CORNER, len(order)) * np.pi
    side = np.where(np.arange(len(order)) % 2, 1, -1)
    found = {
        place: (float(_ASPECT * np.cos(a)), float(s * np.sin(a)))
        for place, a, s in zip(order, angle, side, strict=True)
    }
    return found | {START: (-_ASPECT, 0.0), END: (_ASPECT, 0.0)}


def _lean(begun: int, ended: int) -> float:
    return (ended - begun) / (ended + begun + 1)


def _node(place: str, xy: tuple[float, float], size: float, views: int) -> dict[str, Any]:
    is_end, position = place in _ENDS, "top" if xy[1] < 0 else "bottom"
    return {
        "name": place, "tooltip": {"formatter": _visited(place, views)},
        "x": xy[0], "y": xy[1], "symbolSize": size,
        "symbol": "rect" if is_end else "circle", "itemStyle": {"color": NEUTRAL if is_end else _MARK},
        "label": {"show": True, "position": position, "formatter": short(place), "fontSize": 11},
    }  # fmt: skip


def _visited(place: str, views: int) -> str:
    return f"{place}\n{views:,} {'sessions' if place in _ENDS else 'page views'}"


def _ring(place: str, views: int, row: Mapping[Any, Any], most: int) -> dict[str, Any]:
    width, colour, _ = _stroke(row, most)
    return {
        "tooltip": {"formatter": f"{_visited(place, views)}\n{_tooltip(row)}"},
        "itemStyle": {"color": _MARK, "borderWidth": width, "borderColor": colour},
    }


def _arrow(row: Mapping[Any, Any], most: int) -> dict[str, Any]:
    width, colour, opacity = _stroke(row, most)
    return {
        "source": row[FROM], "target": row[TO], "value": row[STEPS], "tooltip": {"formatter": _tooltip(row)},
        "lineStyle": {"width": width, "color": colour, "opacity": opacity, "curveness": 0.18},
    }  # fmt: skip


def _stroke(row: Mapping[Any, Any], most: int) -> tuple[float, str, float]:
    """Width, colour and opacity of a step."""
    width = 0.8 + 8 * (row[STEPS] / most) ** 0.5
    if not row.get(Diff.DIFFERS, False):
        return width, NEUTRAL, 0.4
    return width, ABOVE if row[Col.DIFFERENCE] > 0 else BELOW, 0.85


def _tooltip(row: Mapping[Any, Any]) -> str:
    """Tooltip of a step: its shares in words."""
    shares = f"{wording.percent(row[Col.SHARE], 1, row[Col.N])} of {row[Col.N]:,} users who were there"
    beside = (
        f", others {wording.percent(row[Col.REST_SHARE], 1, row[Col.REST_N])}"
        if Col.REST_SHARE in row
        else ""
    )
    return (
        f"{row[FROM]} → {row[TO]}\n{row[STEPS]:,} steps, {wording.percent(row[MoveCol.STEP_SHARE])} of those "
        f"that leave\n{shares}{beside}"
    )


def short(place: str) -> str:
    """Shorten the name of a place; of an address the end is kept, which tells more."""
    if len(place) <= _MAX_LENGTH:
        return place
    return f"…{place[1 - _MAX_LENGTH :]}" if place.startswith("/") else f"{place[: _MAX_LENGTH - 1]}…"


def sankey(links: pd.DataFrame, folded: Sequence[int], forwards: bool) -> EChart:
    """Sankey chart of flows from column to column.

    Args:
        links: Links of a :class:`core.journeys.flow.Flow`.
        folded: For each column, the number of places in its “other places”.
        forwards: Whether sessions are followed from their start to their end.
    """
    gone, whole = END if forwards else START, (links[SESSIONS] / links[Col.SHARE]).max()
    left = links[COLUMN].astype(str) + "|" + links[FROM]
    right = (links[COLUMN] + 1).astype(str) + "|" + links[TO]
    size = _stops(links, gone)
    nodes = [
        _stop(column, place, sessions / whole, folded[column - 1], gone)
        for column, place, sessions in zip(size[COLUMN], size["place"], size[SESSIONS].tolist(), strict=True)
    ]
    flows = [
        {
            "source": a,
            "target": b,
            "value": n,
            "tooltip": {"formatter": f"{x} → {y}\n{n:,} sessions, {wording.percent(share)}"},
        }
        for a, b, n, x, y, share in zip(
            left, right, links[SESSIONS].tolist(), links[FROM], links[TO], links[Col.SHARE], strict=True
        )
    ]
    series = {
        "type": "sankey", "data": nodes, "links": flows, "draggable": False, "nodeAlign": "left",
        "emphasis": {"focus": "adjacency"}, "nodeGap": 10, "nodeWidth": 12, "layoutIterations": 0,
        "lineStyle": {"color": NEUTRAL, "opacity": 0.15, "curveness": 0.5},
        "left": 4, "right": 134, "top": 8, "bottom": 8,
    }  # fmt: skip
    return _still(series, 20 + _FLOW_ROW * int(size[COLUMN].value_counts().max()))


def _still(series: dict[str, Any], height: int) -> EChart:
    """Chart of a series with plain-text tooltips: an address is never read as HTML."""
    return EChart(
        {"tooltip": {"renderMode": "richText", "confine": True}, "animation": False, "series": [series]},
        height,
    )


def _stops(links: pd.DataFrame, gone: str) -> pd.DataFrame:
    """Column, place and sessions of each node, sorted within columns, what is no place below."""
    ends = [(links[COLUMN], FROM), (links[COLUMN] + 1, TO)]
    parts = [
        links.assign(**{COLUMN: column, "place": links[place]}).groupby([COLUMN, "place"])[SESSIONS].sum()
        for column, place in ends
    ]
    size = parts[0].combine(parts[1], max, fill_value=0).astype(int).reset_index()
    overall = size.groupby("place")[SESSIONS].transform("sum")
    below = size["place"].map({OTHER_PLACES: 1, gone: 2}).fillna(0)
    return size.assign(below=below, overall=-overall).sort_values([COLUMN, "below", "overall", "place"])


def _stop(column: int, place: str, share: float, others: int, gone: str) -> dict[str, Any]:
    called = f"({others:,} other places)" if place == OTHER_PLACES else place
    key, text = f"{column}|{place}", f"{_whole(share)} {called}"
    return {
        "name": key, "depth": column - 1, "tooltip": {"formatter": text},
        "itemStyle": {"color": NEUTRAL if place in (OTHER_PLACES, gone) else _MARK},
        "label": {"formatter": text, "fontSize": 11, "width": 130, "overflow": "truncate"},
    }  # fmt: skip


def matrix(table: pd.DataFrame, *, difference: bool) -> Chart:
    """Heat map of places by step: the share of sessions there, or its difference from the others'.

    Args:
        table: Result of :func:`core.journeys.step_table.step_matrix`.
        difference: Whether to hold the shares against the others'; only what differs is coloured.
    """
    less = (
        table[SESSION_SHARE] < table[REST_SESSION_SHARE] if difference else np.zeros(len(table), dtype=bool)
    )
    shown = table.assign(
        text=[_in_cell(row, difference=difference) for row in table.to_dict("records")],
        size=_depth(table, difference=difference), side=np.where(less, "below", "above"),
    )  # fmt: skip
    base = alt.Chart(shown).encode(
        x=alt.X(f"{POSITION}:O", title="Page view of the session", axis=alt.Axis(orient="top", labelAngle=0)),
        y=rows(PLACE, table[PLACE], share=0.36).scale(paddingInner=0.12),
        tooltip=tips(_matrix_tips(difference=difference)),
    )
    side = alt.Scale(domain=["above", "below"], range=[ABOVE, BELOW] if difference else [NEUTRAL, NEUTRAL])
    fade = alt.Scale(domain=[0, 1], range=[0, 0.75])
    cells = base.mark_rect(cornerRadius=3).encode(
        color=alt.Color("side:N", scale=side, legend=None),
        opacity=alt.Opacity("size:Q", scale=fade, legend=None),
    )
    text = base.mark_text(fontSize=11, color=INK).encode(text=alt.Text("text:N"))
    return sized(cells + text, 28 * table[PLACE].nunique() + 50)


def _depth(table: pd.DataFrame, *, difference: bool) -> pd.Series:
    """Depth of each cell's colour, 0 to 1."""
    if not difference:
        return table[SESSION_SHARE].fillna(0) ** 0.5
    apart = (table[SESSION_SHARE] - table[REST_SESSION_SHARE]).abs().fillna(0)
    depth: pd.Series = ((apart / max(0.1, apart.max())) ** 0.5).clip(lower=0.15)
    return depth.where(table[Diff.DIFFERS], 0)


def _whole(share: float) -> str:
    """A share in whole percent; ``<1%`` where it would round to 0."""
    text = wording.percent(share, 0)
    return "<1%" if share > 0 and text == "0%" else text


def _in_cell(row: Mapping[Any, Any], *, difference: bool) -> str:
    if not difference:
        return _whole(row[SESSION_SHARE]) if row[SESSIONS] else ""
    apart = 100 * (row[SESSION_SHARE] - row[REST_SESSION_SHARE])
    return f"{apart:+.{int(abs(apart) < 1)}f}".replace("-", "−") if row[Diff.DIFFERS] else ""


def _matrix_tips(*, difference: bool) -> dict[str, tuple[str, str]]:
    told = {
        PLACE: ("Place", ""), POSITION: ("Page view", ","), SESSIONS: ("Sessions", ","),
        SESSION_SHARE: ("Share of sessions", ".1%"), Col.SHARE: ("Share of users", ".1%"),
    }  # fmt: skip
    beside = {REST_SESSION_SHARE: ("Others, of sessions", ".1%"), Col.REST_SHARE: ("Others, of users", ".1%")}
    return told | (beside if difference else {})
