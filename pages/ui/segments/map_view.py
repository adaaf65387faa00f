"""The map with its lasso, and what is known of the users inside it."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
import streamlit as st

from core.base.schema import Users
from core.base.settings import ViewWeights
from core.profiles.profile_columns import Col, PageRanking, RowKind
from core.profiles.selection import Selection, select
from core.runs.export import csv_bytes
from core.runs.stages import LAYOUT
from core.segments.layout import NEIGHBOURS as NEIGHBOURS_JUDGED
from core.segments.layout import Layout, inside_polygon
from pages.ui.segments import background, by_hand_view, shared
from pages.ui.segments import profile_tables as tables
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.user_map import user_map
from pages.ui.shell import job_panel, state, written_table
from pages.ui.shell.text import count, md_text

NEIGHBOURS, QUICK = "Neighbours", "Quick"
MAP_WEIGHTS: Final = "map_weights"
PAGE_COLUMNS: Final = (
    Col.PAGE_TITLE, Col.SHARE, Col.REST_SHARE, Col.LIFT, Col.USERS, Col.PAGE_LOCATION,
)  # fmt: skip
USED: Final = "lassos_used"
"""How many lassos have become a segment; the map after one is drawn without it."""
DRAWN: Final = "drawn"
"""The map that a lasso was drawn on, and who lies inside."""
ASKED: Final = "layouts_asked_for"
ISLANDS: Final = (
    "Distances between islands, and how large they look, mean little: read who lies beside whom, not how "
    "far apart groups are."
)


def draw(live: LiveSegments) -> None:
    """The map, which layout it has, and the users that a lasso selects."""
    weights = _map_weights(live)
    chosen = st.segmented_control(
        "Map", [NEIGHBOURS, QUICK], default=NEIGHBOURS, required=True, key="map", bind="query-params",
        persist_state="session", label_visibility="collapsed",
        help="Neighbours: similar users together. Quick: where users differ most (PCA).",
    )  # fmt: skip
    layout = background.neighbour_map(live.sources, weights) if chosen == NEIGHBOURS else None
    if chosen == NEIGHBOURS and layout is None:
        _offer_neighbours(live, weights)
    _map_and_selection(live, layout or shared.pca_map(live.sources, weights))
    _offer_new_layout(live, weights)


def _map_weights(live: LiveSegments) -> ViewWeights:
    """The weights the map was laid out for: dots stay where they are while the sliders move."""
    kept = st.session_state.get(MAP_WEIGHTS)
    if kept is None or kept[0] != live.sources.embeddings:
        _lay_out_again(live)
    weights: ViewWeights = st.session_state[MAP_WEIGHTS][1]
    return weights


def _lay_out_again(live: LiveSegments) -> None:
    st.session_state[MAP_WEIGHTS] = (live.sources.embeddings, live.steering.weights)


def _offer_neighbours(live: LiveSegments, weights: ViewWeights) -> None:
    """Draw the map in the background: at once when it is first asked for, by a button after a failure."""
    asked: set[tuple[str, ViewWeights]] = st.session_state.setdefault(ASKED, set())
    if (live.sources.embeddings, weights) not in asked:
        asked.add((live.sources.embeddings, weights))
        background.draw_map(live.sources, weights)
    if job_panel.panels([LAYOUT.name], live.sources.embeddings):
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="offer_neighbours"):
        st.caption("This map is not drawn yet; below is the quick one. Drawing takes up to two minutes.")
        st.button(
            "Draw it", key="draw_neighbours", icon=":material/play_arrow:", on_click=background.draw_map,
            args=(live.sources, weights),
        )  # fmt: skip


def _offer_new_layout(live: LiveSegments, weights: ViewWeights) -> None:
    if weights == live.steering.weights:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Dots lie where the earlier weights put them; their colours are of the weights now.")
        st.button("Lay out for these weights", key="lay_out_again", on_click=_lay_out_again, args=(live,))


@st.fragment
def _map_and_selection(live: LiveSegments, layout: Layout) -> None:
    n_users = len(live.labels)
    here = shared.token(layout.xy)
    used = state.of_model(live.sources.model_key).get(USED, 0)
    outline = user_map(
        layout.xy, live.labels, live.names, key=f"map-{here}-{used}",
        alt=f"Map of {n_users:,} users in {len(live.segments)} segments",
    )  # fmt: skip
    st.caption(f"All {count(n_users, 'user')}, laid out by {layout.method}. {_fidelity(layout)} {ISLANDS}")
    _outside(live)
    row = _one_row(live)
    drawn = _drawn(live, here, None if outline is None else inside_polygon(outline, layout.xy))
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
    """What it chose is a segment now."""
    mine = state.of_model(live.sources.model_key)
    mine.pop(DRAWN, None)
    mine[USED] = mine.get(USED, 0) + 1


def _one_row(live: LiveSegments) -> int | None:
    """The row whose users are to be listed: the lasso for those who use no mouse."""
    parts = tables.named(live.profiles.parts, live.names)
    rows = dict(zip(parts[Col.KEY], parts[Col.LABEL], strict=True))
    chosen = st.selectbox(
        "List users: draw the lasso (top right) around them, or choose", list(rows), None,
        format_func=rows.__getitem__, key=f"listed-of-{live.sources.model_key}", placeholder="A segment",
        help="With both, those of the segment inside the lasso.",
    )  # fmt: skip
    return None if chosen is None else list(rows).index(chosen)


def _outside(live: LiveSegments) -> None:
    """The legend of the grey dots: one-page users lie where their page is, so their segments are counts."""
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
        chosen = select(live.tables.basis.data, live.profiles.rows, users)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(f"{count(len(users), 'user')} selected", width="content")
            st.download_button(
                "Download their ids", data=lambda: _ids(live, users), file_name="selected_users.csv",
                mime="text/csv", icon=":material/download:", on_click="ignore", key="download_selection",
            )  # fmt: skip
        chosen_users = np.isin(np.arange(len(live.labels)), users)
        by_hand_view.offer(live, chosen_users, "chosen on the map", partial(_without_lasso, live))
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
        chosen.pages[list(PAGE_COLUMNS)], key="selection_pages", alt_text="Pages of the selected users",
        columns={
            Col.SHARE: ("Share", "Share of the selected users who saw it"),
            Col.REST_SHARE: ("Others", "The same of all others"),
        },
    )  # fmt: skip


def _ids(live: LiveSegments, users: np.ndarray) -> bytes:
    return csv_bytes(live.sources.dataset.users[[Users.USER_ID]].iloc[users])
