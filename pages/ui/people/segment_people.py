"""Users of a segment: typical, drawn at random, between two segments, and far from everybody."""

from __future__ import annotations

from typing import Final

import numpy as np
import streamlit as st

from core.people.membership_order import between, outlying
from core.profiles.samples import medoids, random_sample
from core.segments.membership import Memberships, memberships
from pages.ui.people import chosen_user
from pages.ui.segments import cards, user_facts
from pages.ui.segments.figure import SIDE
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import state

MOST_LISTED: Final = 50
TYPICAL: Final = (
    "Nearest to the middle of the segment, among its middle half by page views; one for each way of behaving."
)
RANDOM: Final = "Every user of the segment is equally likely."
BETWEEN: Final = "Nearly as near to the middle of the next segment: a small change moves them."
OUTLYING: Final = "Farthest from the middle of the segment: in it because the others are farther still."


def draw(live: LiveSegments) -> None:
    """Draw the lists of users of a segment."""
    segment, n, seed = _controls(live)
    views = live.sources.dataset.sequences.lengths
    stand = _standing(live.sources.embeddings, live.segmentation.partition.digest, live)
    lists = {
        "typical": (
            "Most typical", TYPICAL,
            medoids(live.combined.vectors, live.segmentation.partition, views, n)[segment],
        ),
        "random": ("Drawn at random", RANDOM, random_sample(live.labels, n, seed)[segment]),
        "between": ("Between two segments", BETWEEN, between(stand, live.labels, segment, n)),
        "outlying": ("Least like the others", OUTLYING, outlying(stand, live.labels, segment, n)),
    }  # fmt: skip
    cards.swatch(segment)
    with st.grid(2, min_column_width=SIDE, gap="medium", key="people"):
        for key, (title, meaning, users) in lists.items():
            chosen_user.show_list(live, user_facts.listed(live, users), key, title, meaning)


def _controls(live: LiveSegments) -> tuple[int, int, int]:
    """Draw the choice of segment, length of a list, and seed."""
    model, keys = live.sources.model_key, {f"segment:{segment}": segment for segment in live.segments}
    held = [keys[key] for key in state.controls(model).segments or () if key in keys]
    first = held[0] if held else live.segments[0]
    state.display("people_of", first)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        segment = st.selectbox(
            "Segment", live.segments, live.segments.index(first), key="people_of",
            format_func=live.names.__getitem__,
            on_change=lambda: state.set_controls(
                model, segments=(f"segment:{st.session_state['people_of']}",)
            ),
        )  # fmt: skip
        n = st.number_input(
            "Users a list", 1, MOST_LISTED, live.profiles.settings.samples, key="listed", width=130,
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
