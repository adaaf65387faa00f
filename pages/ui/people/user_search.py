"""The search for users by what they saw and did, where they came from and where they belong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import streamlit as st

from core.base.schema import PAGE_OUTCOME, TEMPLATE_OUTCOME, Users
from core.people.search import NOBODY_SAID, Wanted, search
from core.profiles.outcomes import path_of
from pages.ui.people import chosen_user
from pages.ui.segments import shared, user_facts
from pages.ui.segments.figure import download_csv
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import state
from pages.ui.shell.text import share

ATTRIBUTES: Final = {
    Users.SOURCE: "First source", Users.DEVICE: "Device", Users.COUNTRY: "Country", Users.BROWSER: "Browser"
}  # fmt: skip
FIELD: Final = 220
"""Pixels that a field of the search needs."""
MOST_SHOWN: Final = 500
"""Users in the table, at most; the file has all."""


def draw(live: LiveSegments) -> None:
    """Draw the fields and the users who fit."""
    wanted = _fields(live)
    if wanted == Wanted():
        st.caption("Choose what users saw or did, where they came from, or their segment.")
        return
    users = search(wanted, live.tables.basis.data, live.profiles.rows)
    active = users[np.argsort(-live.tables.basis.data.page_views[users], kind="stable")]
    part = f"{share(len(users), live.profiles.n_users)} of {live.profiles.n_users:,}"
    shown = f"; the {MOST_SHOWN:,} with the most page views are shown" if len(users) > MOST_SHOWN else ""
    table = user_facts.listed(live, active[:MOST_SHOWN], segments=True)
    chosen_user.show_list(live, table, "searched", f"{len(users):,} users", f"{part}{shown}.")
    if len(users):
        with st.container(horizontal=True):
            download_csv(user_facts.listed(live, active, segments=True), "users_found")


def _fields(live: LiveSegments) -> Wanted:
    basis, outcomes = live.tables.basis.data, shared.outcomes(live.sources)
    seen = tuple(one for one in outcomes if one.startswith((PAGE_OUTCOME, TEMPLATE_OUTCOME)))
    titles = user_facts.row_titles(live)

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
            name: _field(live, name, title, (*basis.attributes[name].values, NOBODY_SAID), str)
            for name, title in ATTRIBUTES.items()
            if basis.attributes[name].values
        }
    given = {name: values for name, values in attributes.items() if values}
    return Wanted(saw, did, rows, given)


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
