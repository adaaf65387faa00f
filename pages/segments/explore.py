"""Explore: all users on a map, the controls that steer the segments, and a card a segment."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from core.profiles.selection import Selection, select
from core.schema import Group
from core.segments.layout import Layout, inside_polygon
from core.settings import ViewWeights
from pages.ui import background, cards, charts, errors, job_panel, state, steering, workbench
from pages.ui.text import count, md_text, share
from pages.ui.user_map import user_map
from pages.ui.workbench import Bench, Sources

QUICK, NEIGHBOURS = "Quick (PCA)", "Neighbours"
MAP_WEIGHTS: Final = "map_weights"
ISLANDS: Final = (
    "Distances between islands, and their sizes, mean little: read who is close to whom, not how far apart "
    "the groups lie."
)


def page() -> None:
    """Draw the page, or what to do first."""
    st.title("Explore")
    if not state.need():
        return
    made_from = workbench.sources()
    if made_from is not None:
        background.settle()
        _explore(made_from)


def _explore(made_from: Sources) -> None:
    status = st.container(key="status_line")
    map_side, control_side = st.columns([7, 4], gap="large")
    with control_side, st.container(border=True, key="steering"):
        set_to, slots = workbench.controls(made_from)
    bench = workbench.solve(made_from, set_to)
    steering.show_effective(slots, bench.combined.effective)
    with status:
        workbench.status_line(bench)
    with map_side:
        _map(bench)
    with control_side:
        _number_of_segments(bench)
    _cards(bench)


def _map(bench: Bench) -> None:
    weights = _map_weights(bench)
    chosen = st.segmented_control(
        "Map", [QUICK, NEIGHBOURS], default=QUICK, required=True, key="map", bind="query-params",
        persist_state="session", label_visibility="collapsed",
        help="Quick: the two directions in which users differ most. Neighbours: keeps similar users together.",
    )  # fmt: skip
    layout = background.neighbour_map(bench.sources, weights) if chosen == NEIGHBOURS else None
    if chosen == NEIGHBOURS and layout is None:
        _offer_neighbours(bench, weights)
    _map_and_selection(bench, layout or workbench.pca_map(bench, weights))
    _offer_new_layout(bench, weights)


def _map_weights(bench: Bench) -> ViewWeights:
    """The weights the map was laid out for; dots stay where they are while the sliders move."""
    made = st.session_state.setdefault(MAP_WEIGHTS, (bench.sources.embeddings, bench.steering.weights))
    if made[0] != bench.sources.embeddings:
        st.session_state[MAP_WEIGHTS] = made = (bench.sources.embeddings, bench.steering.weights)
    return made[1]


def _offer_neighbours(bench: Bench, weights: ViewWeights) -> None:
    if job_panel.panels([background.LAYOUT], bench.sources.embeddings):
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.caption("This map is not drawn yet; meanwhile you see the quick one. It takes up to two minutes.")
        st.button(
            "Draw it", key="draw_neighbours", icon=":material/play_arrow:", on_click=background.start,
            args=(background.LAYOUT, bench.sources, weights),
        )  # fmt: skip


def _offer_new_layout(bench: Bench, weights: ViewWeights) -> None:
    if weights == bench.steering.weights:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("The dots lie where the earlier weights put them; their colours are of the weights now.")
        st.button("Lay out for these weights", key="lay_out_again", on_click=_lay_out_again, args=(bench,))


def _lay_out_again(bench: Bench) -> None:
    st.session_state[MAP_WEIGHTS] = (bench.sources.embeddings, bench.steering.weights)


@st.fragment
def _map_and_selection(bench: Bench, layout: Layout) -> None:
    n_users = len(bench.labels)
    outline = user_map(
        layout.xy, bench.labels, bench.names, key=f"map-{workbench.token(layout.xy)}",
        alt=f"Map of {n_users:,} users in {len(bench.segments)} segments",
    )  # fmt: skip
    st.caption(
        f"All {count(n_users, 'user')}. Of a user's 15 nearest neighbours, the map keeps "
        f"**{layout.fidelity:.0%}**. {ISLANDS}"
    )
    if outline is None:
        st.caption(":material/lasso_select: Draw around users with the lasso at the top right to list them.")
        return
    _selection(bench, inside_polygon(outline, layout.xy))


def _selection(bench: Bench, users: np.ndarray) -> None:
    with st.container(border=True, key="selection"):
        st.subheader(f"{count(len(users), 'user')} selected")
        if not len(users):
            st.caption("Nobody lies inside. Draw around some dots.")
            return
        chosen = select(workbench.profile_data(bench.sources), bench.labels, users)
        mix, pages = st.columns(2)
        with mix:
            _mix(bench, chosen)
        with pages:
            _top_pages(chosen)
        st.download_button(
            "Download their ids", data=lambda: _ids(bench, users), file_name="selected_users.csv",
            mime="text/csv", icon=":material/download:", on_click="ignore", key="download_selection",
        )  # fmt: skip


def _ids(bench: Bench, users: np.ndarray) -> bytes:
    return pd.DataFrame(bench.sources.dataset.users["user_id"].iloc[users]).to_csv(index=False).encode()
