"""The map with its lasso, and what is known of the users inside it."""

from __future__ import annotations

from typing import Final

import numpy as np
import streamlit as st

from core.base.schema import Users
from core.base.settings import ViewWeights
from core.profiles.columns import Col, Ranking
from core.profiles.selection import Selection, select
from core.runs.export import csv_bytes
from core.segments.layout import NEIGHBOURS as NEIGHBOURS_JUDGED
from core.segments.layout import Layout, inside_polygon
from pages.ui import background, job_panel, workbench
from pages.ui.figure import page_columns, written
from pages.ui.text import count
from pages.ui.user_map import user_map
from pages.ui.workbench import Bench

QUICK, NEIGHBOURS = "Quick (PCA)", "Neighbours"
MAP_WEIGHTS: Final = "map_weights"
PAGE_COLUMNS: Final = (
    Col.PAGE_TITLE, Col.SHARE, Col.REST_SHARE, Col.LIFT, Col.USERS, Col.PAGE_LOCATION,
)  # fmt: skip
ASKED: Final = "layouts_asked_for"
ISLANDS: Final = (
    "Distances between islands, and how large they look, mean little: read who lies beside whom, not how "
    "far apart groups are."
)


def draw(bench: Bench) -> None:
    """The map, which layout it has, and the users that a lasso selects."""
    weights = _map_weights(bench)
    chosen = st.segmented_control(
        "Map", [QUICK, NEIGHBOURS], default=QUICK, required=True, key="map", bind="query-params",
        persist_state="session", label_visibility="collapsed",
        help="Quick: the two directions in which users differ most. Neighbours: similar users together.",
    )  # fmt: skip
    layout = background.neighbour_map(bench.sources, weights) if chosen == NEIGHBOURS else None
    if chosen == NEIGHBOURS and layout is None:
        _offer_neighbours(bench, weights)
    _map_and_selection(bench, layout or workbench.pca_map(bench, weights))
    _offer_new_layout(bench, weights)


def _map_weights(bench: Bench) -> ViewWeights:
    """The weights the map was laid out for: dots stay where they are while the sliders move."""
    kept = st.session_state.get(MAP_WEIGHTS)
    if kept is None or kept[0] != bench.sources.embeddings:
        _lay_out_again(bench)
    weights: ViewWeights = st.session_state[MAP_WEIGHTS][1]
    return weights


def _lay_out_again(bench: Bench) -> None:
    st.session_state[MAP_WEIGHTS] = (bench.sources.embeddings, bench.steering.weights)


def _offer_neighbours(bench: Bench, weights: ViewWeights) -> None:
    """Draw the map in the background: at once when it is first asked for, by a button after a failure."""
    asked: set[tuple[str, ViewWeights]] = st.session_state.setdefault(ASKED, set())
    if (bench.sources.embeddings, weights) not in asked:
        asked.add((bench.sources.embeddings, weights))
        background.start(background.LAYOUT, bench.sources, weights)
    if job_panel.panels([background.LAYOUT], bench.sources.embeddings):
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="offer_neighbours"):
        st.caption("This map is not drawn yet; below is the quick one. Drawing takes up to two minutes.")
        st.button(
            "Draw it", key="draw_neighbours", icon=":material/play_arrow:", on_click=background.start,
            args=(background.LAYOUT, bench.sources, weights),
        )  # fmt: skip


def _offer_new_layout(bench: Bench, weights: ViewWeights) -> None:
    if weights == bench.steering.weights:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Dots lie where the earlier weights put them; their colours are of the weights now.")
        st.button("Lay out for these weights", key="lay_out_again", on_click=_lay_out_again, args=(bench,))


@st.fragment
def _map_and_selection(bench: Bench, layout: Layout) -> None:
    n_users = len(bench.labels)
    outline = user_map(
        layout.xy, bench.labels, bench.names, key=f"map-{workbench.token(layout.xy)}",
        alt=f"Map of {n_users:,} users in {len(bench.segments)} segments",
    )  # fmt: skip
    st.caption(f"All {count(n_users, 'user')}, laid out by {layout.method}. {_fidelity(layout)} {ISLANDS}")
    if outline is None:
        st.caption(
            ":material/lasso_select: Take the lasso at the top right and draw around users to list them."
        )
    else:
        _selection(bench, inside_polygon(outline, layout.xy))


def _fidelity(layout: Layout) -> str:
    if not layout.fidelity:
        return "Too few users to tell how true the map is."
    return f"It keeps **{layout.fidelity:.0%}** of each user's {NEIGHBOURS_JUDGED} nearest neighbours."


def _selection(bench: Bench, users: np.ndarray) -> None:
    with st.container(border=True, key="selection"):
        if not len(users):
            st.caption("Nobody lies inside the line. Draw around some dots.")
            return
        chosen = select(workbench.profile_data(bench.sources), bench.labels, users)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(f"{count(len(users), 'user')} selected", width="content")
            st.download_button(
                "Download their ids", data=lambda: _ids(bench, users), file_name="selected_users.csv",
                mime="text/csv", icon=":material/download:", on_click="ignore", key="download_selection",
            )  # fmt: skip
        _mix(bench, chosen)
        _pages(chosen)


def _mix(bench: Bench, chosen: Selection) -> None:
    st.caption("Where they belong")
    table = chosen.mix[[Col.SEGMENT, Col.LABEL, Col.USERS, Col.SHARE, Col.REST_SHARE]].copy()
    table[Col.LABEL] = [
        bench.names.get(segment, label)
        for segment, label in zip(table.pop(Col.SEGMENT), table[Col.LABEL], strict=True)
    ]
    st.dataframe(
        written(table), hide_index=True, key="selection_mix", placeholder="–",
        alt="Segments of the selected users",
        column_config={
            Col.LABEL: "Segment",
            Col.USERS: st.column_config.NumberColumn("Users"),
            Col.SHARE: st.column_config.NumberColumn("Share", help="Share of the selected users"),
            Col.REST_SHARE: st.column_config.NumberColumn("Elsewhere", help="Share of all other users"),
        },
    )  # fmt: skip


def _pages(chosen: Selection) -> None:
    ranking = chosen.pages[Col.RANKING].iloc[0] if len(chosen.pages) else Ranking.OVER.value
    over = ranking == Ranking.OVER.value
    st.caption("Pages they see more often than others" if over else "Pages they view most")
    st.dataframe(
        written(chosen.pages[list(PAGE_COLUMNS)]),
        hide_index=True, key="selection_pages", placeholder="–", alt="Pages of the selected users",
        column_config=page_columns("Share of the selected users who saw it", "The same of all others"),
    )  # fmt: skip


def _ids(bench: Bench, users: np.ndarray) -> bytes:
    return csv_bytes(bench.sources.dataset.users[[Users.USER_ID]].iloc[users])
