"""The choice at the top of the page Journeys: whose steps, beside whose, between which places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import streamlit as st

from core.facts.context import ALL, OTHERS
from core.journeys.moves import Level, Places, levels_of, most_readable_level
from core.profiles.profile_columns import Col
from pages.ui.segments import profile_tables as tables
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.shell import state

_NOBODY: Final = "nobody"
_LEVELS: Final = {
    Level.PAGE: "Pages",
    Level.TEMPLATE: "Templates",
    Level.THEME: "Themes",
    Level.TYPE: "Types",
}
_BESIDE: Final = {_NOBODY: "Nobody", OTHERS: "The other clustered users"}


@dataclass(frozen=True, eq=False)
class Choice:
    """What is chosen at the top of the page; every part draws this.

    Args:
        key: Key of a row of the profiles, such as ``segment:3``.
        title: Its title.
        users: Who belongs to it, bool of shape (n_users,).
        other: Key of the row to compare with, ``others`` for the other clustered users; None for none.
        other_title: Title of that row; empty without one.
        others: Users of that row who are not in ``users``, bool of shape (n_users,); all False without one.
        places: Which pages are one place, such as a folder or a page type: what a step goes from and to.
    """

    key: str
    title: str
    users: np.ndarray
    other: str | None
    other_title: str
    others: np.ndarray
    places: Places


def choose(live: LiveSegments) -> Choice:
    """Draw the choice of a row, one beside it, and the places, and return it."""
    titles, found = _titles(live), _levels(live.tables.basis.key, live)
    chosen = state.controls(live.sources.model_key).segments or ()
    with st.grid(3, min_column_width=200, gap="small", key="journeys-choice"):
        key = _pick(
            "Whose moves", titles, next((one for one in chosen if one in titles), next(iter(titles))), live
        )
        users = live.profiles.rows.members(list(titles).index(key))
        offered = _offered(live, titles, key, users)
        usual = next((one for one in chosen if one in offered), OTHERS if OTHERS in offered else _NOBODY)
        other = _pick("Beside", offered, usual, live)
        places = found[_level(live, found)]
    state.put_in_link(live.sources.model_key, segment=[key, other], level=[places.level.value])
    there = None if other == _NOBODY else other
    return Choice(
        key, titles[key], users, there, offered[other] if there else "",
        _members(live, titles, other) & ~users, places,
    )  # fmt: skip


def _titles(live: LiveSegments) -> dict[str, str]:
    """Row of the profiles → its title."""
    head = tables.named(live.profiles.rows.head, live.names)
    return dict(zip(head[Col.KEY], head[Col.LABEL], strict=True))


def _members(live: LiveSegments, titles: Mapping[str, str], key: str) -> np.ndarray:
    rows = live.profiles.rows
    if key in _BESIDE:
        return (rows.place < rows.n_segments) & (key == OTHERS)
    return rows.members(list(titles).index(key))


def _offered(live: LiveSegments, titles: Mapping[str, str], key: str, users: np.ndarray) -> dict[str, str]:
    """Rows that a row can be compared with: not those inside it; of a row around it, the other users."""
    found = {_NOBODY: _BESIDE[_NOBODY]}
    for other, title in ({OTHERS: _BESIDE[OTHERS]} | dict(titles)).items():
        members = _members(live, titles, other)
        if other not in (key, ALL) and (members & ~users).any():
            holds = other != OTHERS and (members & users).any()
            found[other] = f"{title}, without these" if holds else title
    return found


def _pick(label: str, titles: Mapping[str, str], now: str, live: LiveSegments) -> str:
    name = f"journeys-{label}"
    state.display(name, now)
    chosen: str = st.selectbox(
        label, list(titles), list(titles).index(now), format_func=titles.__getitem__, key=name,
        on_change=_keep, args=(live.sources.model_key,),
    )  # fmt: skip
    return chosen


def _keep(model: str) -> None:
    both = (st.session_state["journeys-Whose moves"], st.session_state["journeys-Beside"])
    state.set_controls(model, segments=tuple(dict.fromkeys(both)))


def _level(live: LiveSegments, found: Mapping[Level, Places]) -> Level:
    model, levels = live.sources.model_key, list(found)
    kept = state.controls(model).level
    now = (
        kept if kept in levels else most_readable_level(list(found.values()), live.sources.dataset.sequences)
    )
    state.display("journeys-level", now)
    return st.selectbox(
        "Told apart by", levels, levels.index(now), format_func=_LEVELS.__getitem__, key="journeys-level",
        on_change=lambda: state.set_controls(model, level=st.session_state["journeys-level"]),
        help="A step goes from one of these to the next. With many pages, templates, themes or types show "
        "more of what happens.",
    )  # fmt: skip


@st.cache_resource(max_entries=2, show_spinner="Laying out the pages …")
def _levels(basis: str, _live: LiveSegments) -> dict[Level, Places]:
    """Places of each level, laid out once a data set and its labels."""
    made_from = _live.sources
    named = levels_of(made_from.dataset.pages, made_from.labels)
    return {
        level: Places.from_names(level, names, made_from.dataset.sequences) for level, names in named.items()
    }
