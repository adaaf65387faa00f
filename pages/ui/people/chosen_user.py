"""The user who is looked at: by a typed id, or ticked in any list."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from core.base.schema import SET_ASIDE, Users
from core.profiles.profile_columns import Col
from pages.ui.segments import cards, user_facts
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import errors, state
from pages.ui.shell.text import count

WANTED: Final = "wanted_user"


def find(live: LiveSegments) -> int | None:
    """Draw the field for an id, and return the user's index; None without one."""
    model, ids = live.sources.model_key, live.sources.dataset.sequences.user_id
    mine, linked = state.of_model(model), state.controls(model).user
    if WANTED not in mine:
        mine[WANTED] = "" if linked is None or linked >= len(ids) else ids[linked].as_py()
    state.display(WANTED, mine[WANTED])
    wanted = st.text_input(
        "Find a user by id", mine[WANTED], key=WANTED, type="search",
        placeholder="Paste an id, or tick a user below",
        on_change=lambda: _want(live, st.session_state[WANTED]),
        help="Exactly as in the file. Ids are text: nothing is rounded or cut.",
    )  # fmt: skip
    if not wanted:
        return None
    found = user_facts.find(live.sources.dataset, wanted)
    if found is None:
        errors.show(f"No user has the id {wanted!r}. Ids must match exactly, with every digit and dot.")
    return found


def _want(live: LiveSegments, user_id: str) -> None:
    """Choose a user; a link names the user's index, as ids stay in the file."""
    model = live.sources.model_key
    state.of_model(model)[WANTED] = user_id
    state.hold_controls(model, user=user_facts.find(live.sources.dataset, user_id))


def show_list(live: LiveSegments, table: pd.DataFrame, key: str, title: str, meaning: str) -> None:
    """Draw a list of users; ticking a row chooses the user.

    Args:
        live: The segments.
        table: Rows of :func:`pages.ui.segments.user_facts.listed`.
        key: A unique key.
        title: What the list is called.
        meaning: Sentence on who is in the list.
    """

    def choose() -> None:
        rows = st.session_state[key].selection.rows
        if rows:
            _want(live, table[Users.USER_ID].iloc[rows[0]])

    with st.container():
        st.markdown(f"**{title}**")
        st.caption(meaning)
        user_facts.show_list(table, key, choose, f"Users, {key}")
        st.caption(
            f"{count(len(table), 'user')}. Tick one to read what they did." if len(table) else "Nobody."
        )


def belongs(live: LiveSegments, user: int) -> str:
    """Markdown on where a user belongs: segment and membership, and the next one; or why in none."""
    segment = int(live.labels[user])
    if segment in live.names:
        found = user_facts.belonging(live, np.array([user]))
        following = cards.heading(live.names[int(found.next_segment[0])])
        return f"{cards.heading(live.names[segment])} · belongs {found.share[0]:.0%}, next: {following}"
    row = live.profiles.parts.iloc[live.profiles.rows.place[user]]
    return cards.heading(row[Col.LABEL]) + ("" if segment == SET_ASIDE else ", not clustered")
