"""The map of all users, a dot each in the colour of its segment, with a lasso and the users inside it.

Only coordinates travel to the browser and only the lasso's outline comes back; who lies inside is
computed in core. One ``large`` series a segment is the form that stays fluid at 270,000 dots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
import streamlit as st

from core.base.palette import MUTED
from core.base.schema import OUTSIDE, SET_ASIDE, Group, Users
from core.base.settings import ViewWeights
from core.profiles.profile_columns import Col, PageRanking, RowKind
from core.profiles.rows import GROUP_LABELS
from core.profiles.top_pages import Selection, describe_selection
from core.runs.export import csv_bytes
from core.runs.stages import LAYOUT
from core.segments.layout import NEIGHBOURS as NEIGHBOURS_JUDGED
from core.segments.layout import Layout, inside_polygon, number_places, without_outliers
from pages.ui.segments import editing_view, shared
from pages.ui.segments import profile_tables as tables
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.shared import Sources
from pages.ui.shell import job_panel, state, written_table
from pages.ui.shell.text import count, md_text

HEIGHT: Final = 640
"""Pixels of the map above its legend."""
WIDE: Final = 480
NARROW: Final = 320
"""Width in pixels of a legend beside the controls, and on a phone."""
LEGEND_ROW: Final = 19
_LEGEND_ITEM: Final = 25
_LETTER: Final = 6
"""Pixels of a legend's line, of a dot with its gaps, and of a letter, about."""
OUTSIDE_NAME: Final = "Outside clustering"
_GREYS: Final = {
    OUTSIDE: (OUTSIDE_NAME, MUTED), SET_ASIDE: (GROUP_LABELS[Group.SET_ASIDE], "#5f6b80"),
}  # fmt: skip
"""Name and colour of users in no segment: they read as grey on both backgrounds; the segments take the
theme's chart colours by their order."""
BADGE: Final = 24
"""Pixels between two numbers on the map; the plate is 2 smaller."""
_ABOVE: Final = 44
"""Height in pixels of the tools above the map."""
_MARGIN: Final = 4
_ROOM: Final = (0.06, 0.04)
"""Margin beyond the outermost dots, as part of width and height, so that no number is cut."""
_NUMBER: Final = {"show": True, "color": "#ffffff", "fontSize": 12, "fontWeight": "bold"}
_PLATE: Final = {"color": "#141a24", "opacity": 1, "borderColor": "#ffffff", "borderWidth": 1.5}
"""Style of a number on the map, readable over any colour on both backgrounds."""

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
    """Draw the map of all users.

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
    """Corners of the last selection in the map, a lasso or a box; None without any."""
    if not areas:
        return None
    found = areas[-1].get("coord_range") or []
    corners = [[float(value) for value in point] for point in found]
    if len(corners) == 2:  # a box: [[left, right], [bottom, top]]
        (left, right), (bottom, top) = corners
        return [[left, bottom], [right, bottom], [right, top], [left, top]]
    return corners or None


def option(xy: np.ndarray, labels: np.ndarray, names: Mapping[int, str]) -> dict[str, Any]:
    """The map as an option of ECharts."""
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
        "grid": {"left": _MARGIN, "right": _MARGIN, "top": _ABOVE, "bottom": _below(listed, WIDE)},
        "media": [
            {"query": {"maxWidth": WIDE}, "option": {"grid": {"bottom": _below(listed, NARROW)}}},
            {"option": {"grid": {"bottom": _below(listed, WIDE)}}},  # or a wider window keeps the phone's
        ],
        "xAxis": _axis(xy[:, 0], _ROOM[0]),
        "yAxis": _axis(xy[:, 1], _ROOM[1]),
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
    """Number of lines that a legend takes, at most, so that it is fully shown and covers no dots.

    Args:
        listed: The names, in order.
        width: Pixels of a line.
    """
    rows, left = 1, width
    for name in listed:
        needed = _LEGEND_ITEM + _LETTER * len(name)
        if needed > left and left < width:
            rows, left = rows + 1, width
        left -= needed
    return rows


def _below(listed: Sequence[str], width: int) -> int:
    return 16 + LEGEND_ROW * legend_rows(listed, width)


def _slots(names: Mapping[int, str]) -> list[int]:
    """Ids in the order of colours: every id up to the largest, then users in no segment."""
    return [*range(max(names, default=-1) + 1), *_GREYS]


def _heights(labels: np.ndarray, drawn: Sequence[int]) -> dict[int, int]:
    """Layer of each segment: small segments above large ones, users outside clustering below all."""
    sizes = {segment: int((labels == segment).sum()) for segment in drawn if segment > OUTSIDE}
    largest_first = sorted(sizes, key=lambda segment: -sizes[segment])
    return dict.fromkeys(_GREYS, 1) | {segment: 2 + rank for rank, segment in enumerate(largest_first)}


def _points(xy: np.ndarray, which: np.ndarray) -> pa.Table:
    return pa.table({"x": xy[which, 0], "y": xy[which, 1]})  # as it is sent: it needs no conversion


def _series(slot: int, segment: int, names: Mapping[int, str], n_users: int) -> dict[str, Any]:
    grey, colour = _GREYS.get(segment, ("", ""))
    style = {"opacity": 1} | ({"color": colour} if grey else {})
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
    """Diameter of a dot in pixels: the fewer users, the larger."""
    for most, size in ((2_000, 7.0), (20_000, 5.0), (100_000, 3.5)):
        if n_users <= most:
            return size
    return 2.5


def _legend(labels: np.ndarray, names: Mapping[int, str]) -> list[str]:
    grey = [name for label, (name, _) in _GREYS.items() if bool((labels == label).any())]
    return [names[segment] for segment in sorted(names)] + grey


def _number_series(
    xy: np.ndarray, labels: np.ndarray, names: Mapping[int, str], listed: Sequence[str]
) -> dict[str, Any]:
    """Series with the number of each segment among its users, its name in the tooltip."""
    height = HEIGHT - _ABOVE + LEGEND_ROW * legend_rows(listed, WIDE) - _below(listed, NARROW)
    corners = np.array([_ends(values, room) for values, room in zip(xy.T, _ROOM, strict=True)]).T
    pixel = np.ptp(corners, axis=0) / (NARROW - 2 * _MARGIN, height)  # where the map is smallest
    places = number_places(xy, labels, corners, BADGE * pixel)
    data = [
        {"name": names[segment], "value": place.tolist(), "label": {"formatter": str(segment + 1)}}
        for segment, place in places.items()
    ]
    return {
        "type": "scatter", "data": data, "symbolSize": BADGE - 2, "label": _NUMBER, "z": 99,
        "itemStyle": _PLATE, "tooltip": {"show": True, "formatter": "{b}"},
    }  # fmt: skip


def _axis(values: np.ndarray, room: float) -> dict[str, Any]:
    """Axis without ticks, as it has no meaning; with fixed ends, so that hiding a segment moves nothing."""
    low, high = _ends(values, room)
    return {
        "type": "value", "min": low, "max": high, "axisLabel": {"show": False},
        "axisTick": {"show": False}, "axisLine": {"show": False}, "splitLine": {"show": False},
    }  # fmt: skip


def _ends(values: np.ndarray, room: float) -> tuple[float, float]:
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    beyond = room * (high - low) or 0.5
    return low - beyond, high + beyond


_NEIGHBOURS, _QUICK = "Neighbours", "Quick"
_MAP_WEIGHTS: Final = "map_weights"
_PAGE_COLUMNS: Final = (
    Col.PAGE_TITLE, Col.SHARE, Col.REST_SHARE, Col.LIFT, Col.USERS, Col.PAGE_LOCATION,
)  # fmt: skip
_USED: Final = "lassos_used"
"""Key, in a model's session state, of the number of lassos that became a segment; the map drops them."""
DRAWN: Final = "drawn"
"""Key, in a model's session state, of the map that a lasso was drawn on, and the users inside."""
_ASKED: Final = "layouts_asked_for"
_ISLANDS: Final = (
    "Distances between islands, and how large they look, mean little: read who lies beside whom, not how "
    "far apart groups are."
)


def draw(live: LiveSegments) -> None:
    """Draw the map with the choice of its layout, and the users that a lasso selects."""
    weights = _map_weights(live)
    chosen = st.segmented_control(
        "Map", [_NEIGHBOURS, _QUICK], default=_NEIGHBOURS, required=True, key="map", bind="query-params",
        persist_state="session", label_visibility="collapsed",
        help="Neighbours: similar users together. Quick: where users differ most (PCA).",
    )  # fmt: skip
    layout = shared.neighbour_map(live.sources, weights) if chosen == _NEIGHBOURS else None
    if chosen == _NEIGHBOURS and layout is None:
        _offer_neighbours(live, weights)
    _map_and_selection(live, layout or shared.pca_map(live.sources, weights))
    _offer_new_layout(live, weights)


def _map_weights(live: LiveSegments) -> ViewWeights:
    """Weights that the map was laid out for: dots do not move with the sliders."""
    kept = st.session_state.get(_MAP_WEIGHTS)
    if kept is None or kept[0] != live.sources.embeddings:
        _lay_out_again(live)
    weights: ViewWeights = st.session_state[_MAP_WEIGHTS][1]
    return weights


def _lay_out_again(live: LiveSegments) -> None:
    st.session_state[_MAP_WEIGHTS] = (live.sources.embeddings, live.settings.weights)


def _offer_neighbours(live: LiveSegments, weights: ViewWeights) -> None:
    """Start the layout in the background when it is first asked for; after a failure offer a button."""
    asked: set[tuple[str, ViewWeights]] = st.session_state.setdefault(_ASKED, set())
    if (live.sources.embeddings, weights) not in asked:
        asked.add((live.sources.embeddings, weights))
        _start_drawing(live.sources, weights)
    if job_panel.panels([LAYOUT.name], live.sources.embeddings):
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="offer_neighbours"):
        st.caption("This map is not drawn yet; below is the quick one. Drawing takes up to two minutes.")
        st.button(
            "Draw it", key="draw_neighbours", icon=":material/play_arrow:", on_click=_start_drawing,
            args=(live.sources, weights),
        )  # fmt: skip


def _start_drawing(made_from: Sources, weights: ViewWeights) -> None:
    """Start the job that lays out the map, or join it (also a button's callback)."""
    job_panel.start(LAYOUT.name, made_from.layout_request(weights), made_from.embeddings)


def _offer_new_layout(live: LiveSegments, weights: ViewWeights) -> None:
    if weights == live.settings.weights:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Dots lie where the earlier weights put them; their colours are of the weights now.")
        st.button("Lay out for these weights", key="lay_out_again", on_click=_lay_out_again, args=(live,))


@st.fragment
def _map_and_selection(live: LiveSegments, layout: Layout) -> None:
    n_users, xy = len(live.labels), without_outliers(layout.xy)
    here = shared.token(layout.xy)
    used = state.of_model(live.sources.model_key).get(_USED, 0)
    outline = user_map(
        xy, live.labels, live.names, key=f"map-{here}-{used}",
        alt=f"Map of {n_users:,} users in {len(live.segments)} segments",
    )  # fmt: skip
    moved = int((xy != layout.xy).any(axis=1).sum())
    far = f"{count(moved, 'user')} far from all others are drawn at the edge." if moved else ""
    how = f"All {count(n_users, 'user')}, laid out by {layout.method}. {_fidelity(layout)} {_ISLANDS} {far}"
    st.caption(how.rstrip())
    _outside(live)
    row = _one_row(live)
    drawn = _drawn(live, here, None if outline is None else inside_polygon(outline, xy))
    if drawn is None and row is None:
        return
    users = np.arange(n_users) if drawn is None else drawn
    _selection(live, users if row is None else users[live.profiles.rows.members(row)[users]])


def _drawn(live: LiveSegments, layout: str, users: np.ndarray | None) -> np.ndarray | None:
    """The users inside the lasso; a map that comes later, drawn in the background, keeps them.

    Args:
        live: The segments.
        layout: Names the map on screen.
        users: Who lies inside what is drawn on it.
    """
    mine = state.of_model(live.sources.model_key)
    before: tuple[str, np.ndarray] | None = mine.get(DRAWN)
    if users is not None or (before is not None and before[0] == layout):
        mine[DRAWN] = before = None if users is None else (layout, users)
    if before is None:
        return None
    if before[0] != layout:
        with st.container(horizontal=True, vertical_alignment="center", key="drawn-before"):
            st.caption("The lasso was drawn on the map before this one; its users stay selected.")
            st.button("Clear", key="clear-drawn", type="tertiary", on_click=mine.pop, args=(DRAWN,))
    return before[1]


def _without_lasso(live: LiveSegments) -> None:
    """Draw the map without the lasso whose users became a segment."""
    mine = state.of_model(live.sources.model_key)
    mine.pop(DRAWN, None)
    mine[_USED] = mine.get(_USED, 0) + 1


def _one_row(live: LiveSegments) -> int | None:
    """Draw the choice of a row to list its users, for those who use no mouse."""
    parts = tables.named(live.profiles.parts, live.names)
    rows = dict(zip(parts[Col.KEY], parts[Col.LABEL], strict=True))
    chosen = st.selectbox(
        "List users: draw the lasso (top right) around them, or choose", list(rows), None,
        format_func=rows.__getitem__, key=f"listed-of-{live.sources.model_key}", placeholder="A segment",
        help="With both, those of the segment inside the lasso.",
    )  # fmt: skip
    return None if chosen is None else list(rows).index(chosen)


def _outside(live: LiveSegments) -> None:
    """Draw the legend of the grey dots, with counts of one-page segments."""
    parts = live.profiles.parts
    grey = parts[parts[Col.KIND] != RowKind.SEGMENT]
    counts = (f"{label} ({users:,})" for label, users in zip(grey[Col.LABEL], grey[Col.USERS], strict=True))
    if listed := " · ".join(counts):
        st.caption(f"Grey: {md_text(listed, len(listed))}")


def _fidelity(layout: Layout) -> str:
    if not layout.fidelity:
        return "Too few users to tell how true the map is."
    return f"It keeps **{layout.fidelity:.0%}** of each user's {NEIGHBOURS_JUDGED} nearest neighbours."


def _selection(live: LiveSegments, users: np.ndarray) -> None:
    with st.container(border=True, key="selection"):
        if not len(users):
            st.caption("Nobody lies there. Draw around some dots, or choose another segment.")
            return
        chosen = describe_selection(live.tables.basis.data, live.profiles.rows, users)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(f"{count(len(users), 'user')} selected", width="content")
            st.download_button(
                "Download their ids", data=lambda: _ids(live, users), file_name="selected_users.csv",
                mime="text/csv", icon=":material/download:", on_click="ignore", key="download_selection",
            )  # fmt: skip
        chosen_users = np.isin(np.arange(len(live.labels)), users)
        editing_view.offer(live, chosen_users, "chosen on the map", partial(_without_lasso, live))
        _mix(live, chosen)
        _pages(chosen)


def _mix(live: LiveSegments, chosen: Selection) -> None:
    st.caption("Where they belong")
    table = chosen.mix[[Col.SEGMENT, Col.LABEL, Col.USERS, Col.SHARE, Col.REST_SHARE]].copy()
    table[Col.LABEL] = [
        live.names.get(segment, label)
        for segment, label in zip(table.pop(Col.SEGMENT), table[Col.LABEL], strict=True)
    ]
    written_table.draw(
        table, key="selection_mix", alt_text="Segments of the selected users", columns={
            Col.SHARE: ("Share", "Share of the selected users"),
            Col.REST_SHARE: ("Elsewhere", "Share of all other users"),
        },
    )  # fmt: skip


def _pages(chosen: Selection) -> None:
    ranking = chosen.pages[Col.RANKING].iloc[0] if len(chosen.pages) else PageRanking.OVER.value
    over = ranking == PageRanking.OVER.value
    st.caption("Pages they see more often than others" if over else "Pages they view most")
    written_table.draw(
        chosen.pages[list(_PAGE_COLUMNS)], key="selection_pages", alt_text="Pages of the selected users",
        columns={
            Col.SHARE: ("Share", "Share of the selected users who saw it"),
            Col.REST_SHARE: ("Others", "The same of all others"),
        },
    )  # fmt: skip


def _ids(live: LiveSegments, users: np.ndarray) -> bytes:
    return csv_bytes(live.sources.dataset.users[[Users.USER_ID]].iloc[users])
