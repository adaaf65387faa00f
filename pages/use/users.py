"""Users: typical and random people of a segment, and one person's sessions step by step."""

from __future__ import annotations

from typing import Final

import numpy as np
import streamlit as st

from core.base.schema import Users
from core.profiles.profile_columns import Col
from core.profiles.rows import GROUP_OF
from core.profiles.samples import medoids, random_sample
from pages.ui.segments import cards, segment_controls, user_facts
from pages.ui.segments.figure import SIDE
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, state
from pages.ui.shell.links import USERS, heading

WANTED: Final = "wanted_user"
MOST_LISTED: Final = 50
TYPICAL: Final = (
    "Nearest to the middle of the segment, among its middle half by page views; one for each way of behaving."
)
RANDOM: Final = "Every user of the segment is equally likely."


def page() -> None:
    """Draw the page, or what to do first."""
    heading(USERS)
    live = segment_controls.ready()
    if live is None:
        return
    user = _search(live)
    _people(live)
    if user is not None:
        user_facts.show_timeline(live.sources.dataset, user, _belongs(live, user))


def _search(live: LiveSegments) -> int | None:
    mine = state.of_model(live.sources.model_key)
    state.display(WANTED, mine.setdefault(WANTED, ""))
    wanted = st.text_input(
        "Find a user by id", mine[WANTED], key=WANTED, type="search",
        placeholder="Paste an id, or tick a user below",
        on_change=lambda: mine.update({WANTED: st.session_state[WANTED]}),
        help="Exactly as in the file. Ids are text: nothing is rounded or cut.",
    )  # fmt: skip
    if not wanted:
        return None
    found = user_facts.find(live.sources.dataset, wanted)
    if found is None:
        errors.show(f"No user has the id {wanted!r}. Ids must match exactly, with every digit and dot.")
    return found


def _people(live: LiveSegments) -> None:
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
    views = live.sources.dataset.sequences.lengths
    typical = medoids(live.combined.vectors, live.segmentation.partition, views, n)[segment]
    drawn = random_sample(live.labels, n, seed)[segment]
    cards.swatch(segment)
    with st.grid(2, min_column_width=SIDE, gap="medium", key="people"):
        _list(live, typical, "typical", "Most typical", TYPICAL)
        _list(live, drawn, "random", "Drawn at random", RANDOM)


def _list(live: LiveSegments, users: np.ndarray, key: str, title: str, meaning: str) -> None:
    table = user_facts.listed(live, users)

    def choose() -> None:
        rows = st.session_state[key].selection.rows
        if rows:
            state.of_model(live.sources.model_key)[WANTED] = table[Users.USER_ID].iloc[rows[0]]

    with st.container():
        st.markdown(f"**{title}**")
        st.caption(meaning)
        user_facts.show_list(table, key, choose, f"Users, {key}")
        st.caption(f"{len(table)} users. Tick one to read what they did.")


def _belongs(live: LiveSegments, user: int) -> str:
    segment = int(live.labels[user])
    if segment in live.names:
        found = user_facts.belonging(live, np.array([user]))
        following = cards.heading(live.names[int(found.next_segment[0])])
        return f"{cards.heading(live.names[segment])} · belongs {found.share[0]:.0%}, next: {following}"
    row = live.profiles.parts.iloc[live.profiles.rows.place[user]]
    return cards.heading(row[Col.LABEL]) + ("" if segment in GROUP_OF else ", not clustered")


with errors.shown():
    page()
