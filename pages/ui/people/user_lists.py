"""Lists of users: of a segment (typical, random, between two segments, unlike the others), or of a search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import streamlit as st

from core.base.attributes import titles_of
from core.base.schema import PAGE_OUTCOME, TEMPLATE_OUTCOME
from core.people.membership_order import borderline_users, outlying_users
from core.people.search import UNKNOWN_VALUE, UserSearch, search
from core.profiles.outcomes import path_of
from core.profiles.samples import medoids, random_sample
from core.segments.membership import Memberships, memberships
from pages.ui.people import single_user
from pages.ui.segments import cards, shared
from pages.ui.segments.figure import SIDE, download_csv
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import state
from pages.ui.shell.text import share

_MAX_LISTED: Final = 50
TYPICAL: Final = (
    "Nearest to the middle of the segment, among its middle half by page views; one for each way of behaving."
)
_RANDOM: Final = "Every user of the segment is equally likely."
_BETWEEN: Final = "Nearly as near to the middle of the next segment: a small change moves them."
_OUTLYING: Final = "Farthest from the middle of the segment: in it because the others are farther still."


def draw_segment(live: LiveSegments) -> None:
    """Draw the lists of users of a segment."""
    segment, n, seed = _controls(live)
    views = live.sources.dataset.sequences.lengths
    stand = _standing(live.sources.embeddings, live.segmentation.partition.digest, live)
    lists = {
        "typical": (
            "Most typical", TYPICAL,
            medoids(live.combined.vectors, live.segmentation.partition, views, n)[segment],
        ),
        "random": ("Drawn at random", _RANDOM, random_sample(live.labels, n, seed)[segment]),
        "between": ("Between two segments", _BETWEEN, borderline_users(stand, live.labels, segment, n)),
        "outlying": ("Least like the others", _OUTLYING, outlying_users(stand, live.labels, segment, n)),
    }  # fmt: skip
    cards.swatch(segment)
    with st.grid(2, min_column_width=SIDE, gap="medium", key="people"):
        for key, (title, meaning, users) in lists.items():
            single_user.show_list(live, single_user.listed(live, users), key, title, meaning)


def _controls(live: LiveSegments) -> tuple[int, int, int]:
    """Draw the choice of segment, length of a list, and seed."""
    model, keys = live.sources.model_key, {f"segment:{segment}": segment for segment in live.segments}
    chosen = [keys[key] for key in state.controls(model).segments or () if key in keys]
    first = chosen[0] if chosen else live.segments[0]
    state.display("people_of", first)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        segment = st.selectbox(
            "Segment", live.segments, live.segments.index(first), key="people_of",
            format_func=live.names.__getitem__, width=300,
            on_change=lambda: state.set_controls(
                model, segments=(f"segment:{st.session_state['people_of']}",)
            ),
        )  # fmt: skip
        n = st.number_input(
            "Users a list", 1, _MAX_LISTED, live.profiles.settings.samples, key="listed", width=130,
            persist_state="session",
        )  # fmt: skip
        seed = st.number_input(
            "Draw", 0, 2**31 - 1, 0, key="sample_seed", width=130, persist_state="session",
            help="Another number (the seed) draws other random users; the same one draws the same again.",
        )  # fmt: skip
    return int(segment), int(n), int(seed)


@st.cache_resource(max_entries=6, show_spinner=False)
def _standing(embeddings: str, segments: str, _live: LiveSegments) -> Memberships:
    vectors: np.ndarray = _live.combined.vectors
    return memberships(vectors, _live.labels, _live.segmentation.partition)


FIELD: Final = 220
"""Pixels that a field of the search needs."""
_MAX_SHOWN: Final = 500
"""Users in the table, at most; the file has all."""


def draw_search(live: LiveSegments) -> None:
    """Draw the fields and the users who fit."""
    wanted = _fields(live)
    if wanted == UserSearch():
        st.caption("Choose what users saw or did, where they came from, or their segment.")
        return
    users = search(wanted, live.tables.basis.data, live.profiles.rows)
    active = users[np.argsort(-live.tables.basis.data.page_views[users], kind="stable")]
    part = f"{share(len(users), live.profiles.n_users)} of {live.profiles.n_users:,}"
    shown = f"; the {_MAX_SHOWN:,} with the most page views are shown" if len(users) > _MAX_SHOWN else ""
    table = single_user.listed(live, active[:_MAX_SHOWN], segments=True)
    single_user.show_list(live, table, "searched", f"{len(users):,} users", f"{part}{shown}.")
    if len(users):
        with st.container(horizontal=True):
            download_csv(single_user.listed(live, active, segments=True), "users_found")


def _fields(live: LiveSegments) -> UserSearch:
    basis, outcomes = live.tables.basis.data, shared.outcomes(live.sources)
    seen = tuple(one for one in outcomes if one.startswith((PAGE_OUTCOME, TEMPLATE_OUTCOME)))
    titles = single_user.row_titles(live)

    def counted(one: str) -> str:
        place = one.removeprefix(TEMPLATE_OUTCOME).removeprefix(PAGE_OUTCOME)
        return f"{path_of(place) if one in seen else one} ({outcomes[one]:,})"

    with st.grid("auto", min_column_width=FIELD, gap="small", key="search-fields") as grid:
        with grid.cell(column_span=2):  # addresses are long
            saw = _field(
                live, "saw", "Saw", seen, counted, "Pages and templates, with how many users saw them."
            )
        did = _field(live, "did", "Did", tuple(one for one in outcomes if one not in seen), counted)
        rows = _field(live, "rows", "Segment or group", tuple(titles), titles.__getitem__)
        attributes = {
            name: _field(live, f"of-{name}", title, (*basis.attributes[name].values, UNKNOWN_VALUE), str)
            for name, title in titles_of(basis.attributes).items()
            if basis.attributes[name].values
        }
    given = {name: values for name, values in attributes.items() if values}
    return UserSearch(saw, did, rows, given)


def _field(
    live: LiveSegments, name: str, title: str, options: tuple[str, ...], written: Callable[[Any], str],
    help_text: str | None = None,
) -> tuple[str, ...]:  # fmt: skip
    """Draw a field of the search, as this session left it for this model."""
    mine, key = state.of_model(live.sources.model_key), f"search-{name}"
    now = [one for one in mine.get(key, ()) if one in options]
    state.display(key, now)
    found = st.multiselect(
        title, options, now, key=key, format_func=written, help=help_text, placeholder="Anything",
        filter_mode="contains", select_all=False,
        on_change=lambda: mine.update({key: tuple(st.session_state[key])}),
    )  # fmt: skip
    return tuple(found)
