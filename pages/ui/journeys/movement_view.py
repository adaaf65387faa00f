"""The part Moves of the page Journeys: what differs most, where sessions go, begin and end.

``moved`` counts everything that is drawn once for all sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from core.journeys.flow import MAX_COLUMNS, MIN_COLUMNS, Flow, flow
from core.journeys.moves import FROM, SESSIONS, TO, Moves, Places
from core.journeys.step_table import (
    MIN_STEP_SHARE,
    MIN_USERS,
    MoveCol,
    differing_step_table,
    step_sentence,
    step_table,
)
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from pages.ui.journeys import movement_charts as charts
from pages.ui.journeys.choice import Choice
from pages.ui.segments import charts as shared
from pages.ui.segments.charts import INK
from pages.ui.segments.figure import SIDE, behind, figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.shared import SESSIONS as AT_ONCE
from pages.ui.segments.shared import token
from pages.ui.shell.shared_cache import cached
from pages.ui.shell.text import count, md_text
from pages.ui.shell.written_table import Columns

_RULE: Final = (
    "Of the users who were at a place, who took the step: called different where the 95 % interval of the "
    "difference leaves out 0 and the share of the steps leans the same way. The model saw the pages, so this "
    "describes a segment and proves nothing about it."
)
_AT_LEAST: Final = (
    "So many of these users take it more, or fewer of them, than at the others' share: at the end of the "
    "interval that is nearer to none."
)
_FLOW_COLUMNS: Final[Columns] = {Col.SHARE: "Share of sessions"}
_STEP_COLUMNS: Final[Columns] = {
    MoveCol.STEP_SHARE: ("Of steps", "Of all steps that leave the place."),
    SESSIONS: ("Sessions", "With this step."),
    Col.USERS: ("Users", "Who took it at least once."),
    Col.N: ("Users there", "Who were at the place; of a start, all."),
    Col.SHARE: ("Share of users", "Of those who were at the place."),
    MoveCol.REST_STEP_SHARE: "Others, of steps", Col.REST_USERS: "Others who took it",
    Col.REST_N: "Others there", Diff.DIFFERS: ("Differs", _RULE),
    MoveCol.AT_LEAST: st.column_config.NumberColumn("Users, at least", format="%.0f", help=_AT_LEAST),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class _MovementTables:
    """Everything that is drawn of some users' steps beside others', counted once for all sessions.

    It has only sums over users: a large site has very many steps.

    Args:
        n_users: The users in question.
        n_sessions: Their sessions.
        n_steps: Their steps.
        different: Different steps (from, to) among these.
        beside: Whether there are others to compare with.
        steps: :func:`core.journeys.step_table.step_table` of all steps.
        differing: Its rows that differ from the others'; empty without others.
        entries: Its columns for steps from the start of a session.
        exits: Its columns for steps to the end.
    """

    n_users: int
    n_sessions: int
    n_steps: int
    different: int
    beside: bool
    steps: pd.DataFrame
    differing: pd.DataFrame
    entries: pd.DataFrame
    exits: pd.DataFrame


def _key(live: LiveSegments, choice: Choice) -> tuple[str, ...]:
    return live.tables.basis.key, choice.places.level, token(choice.users), token(choice.others)


@cached(
    lambda live, places: (live.tables.basis.key, places.level), max_entries=4,
    show_spinner="Laying out all steps …",
)  # fmt: skip
def _all_moves(live: LiveSegments, places: Places) -> Moves:
    return Moves.of(live.sources.dataset.sequences, places)


@cached(_key, AT_ONCE, show_spinner="Counting who goes where …")
def _movement_tables(live: LiveSegments, choice: Choice) -> _MovementTables:
    """Count the steps of the chosen users, beside the others."""
    moves = _all_moves(live, choice.places)
    here = moves.taken(choice.users)
    there = moves.taken(choice.others) if choice.other else None
    steps = step_table(moves, here, there)
    return _MovementTables(
        here.n_users, here.n_sessions, here.n_steps, int((here.steps.times > 0).sum()), there is not None,
        steps, differing_step_table(steps, here) if there else steps.head(0),
        step_table(moves, here, there, moves.left == moves.start),
        step_table(moves, here, there, moves.reached == moves.end),
    )  # fmt: skip


@cached(
    lambda live, choice, columns, *, backwards, at: (*_key(live, choice), columns, backwards, at), AT_ONCE,
    show_spinner="Following the sessions …",
)  # fmt: skip
def flows(live: LiveSegments, choice: Choice, columns: int, *, backwards: bool, at: int | None) -> list[Flow]:
    """Flows (:func:`core.journeys.flow.flow`) of the chosen users, then of those beside them, if any."""
    moves = _all_moves(live, choice.places)
    sides = [choice.users, *([choice.others] if choice.other else [])]
    return [flow(moves, users, columns, backwards=backwards, at=at) for users in sides]


_FOLLOWED: Final = 200
"""Places that sessions can be followed from or to, the most viewed ones."""
_LISTED: Final = 10
_MIN_DRAWN: Final = 10
"""Users below which a share is not drawn: 100 % of two would look like 100 % of two hundred."""
_LED: Final = 3
"""Steps named above the charts that more users take, and as many that fewer take."""
_FIRST, _LAST = "First steps", "Last steps"
_WAYS: Final = {_FIRST: "The start of sessions", _LAST: "The end of sessions"}
_COLUMNS: Final = {
    _FIRST: "A column is a page view, the first one on the left.",
    _LAST: "A column is a page view, the last one on the right.",
}
_FLOW_HELP: Final = (
    "Small flows are drawn together as other places. From or to a place, only its first view counts."
)


def draw(live: LiveSegments, choice: Choice) -> None:
    """Draw the steps of the chosen users."""
    if not choice.users.any():
        st.caption("Nobody is in this row.")
        return
    found = _movement_tables(live, choice)
    _leading(found, choice)
    _flows(live, choice)
    _ends(found, choice)
    _all_steps(found)


def _leading(found: _MovementTables, choice: Choice) -> None:
    """Draw the steps that differ most, in words."""
    if not found.beside:
        return
    apart = found.differing
    if apart.empty:
        st.caption(
            f"No step is told apart: none that {MIN_USERS} users or more on each side could take differs by "
            f"{MIN_STEP_SHARE:.0%} of these users or more."
        )
        return
    more = apart[Col.DIFFERENCE] > 0
    with st.container(border=True, key="journeys-leading", gap="xsmall"):
        st.markdown(f"**What differs most from {md_text(_lower(choice.other_title))}**", help=_RULE)
        for step in [*apart[more].head(_LED).to_dict("records"), *apart[~more].head(_LED).to_dict("records")]:
            st.markdown(md_text(step_sentence(step)))


def _lower(title: str) -> str:
    return title[0].lower() + title[1:] if title.startswith("The ") else title


def _flows(live: LiveSegments, choice: Choice) -> None:
    with st.container(border=True, key="flows-and-controls"):
        names = choice.places.names[:_FOLLOWED]
        with st.container(horizontal=True, vertical_alignment="bottom"):
            way = st.segmented_control(
                "Follow", list(_WAYS), default=next(iter(_WAYS)), required=True, key="journeys-way",
                persist_state="session",
            )  # fmt: skip
            n = st.number_input(
                "Page views", MIN_COLUMNS, MAX_COLUMNS, 4, key="journeys-columns", width=130,
                persist_state="session",
            )  # fmt: skip
            at = st.selectbox(
                "From" if way == _FIRST else "To", range(-1, len(names)),
                key=f"journeys-at-{way}-{choice.places.level}",
                format_func=lambda code: _WAYS[way] if code < 0 else names[code], width=300,
            )  # fmt: skip
        found = flows(live, choice, n, backwards=way != _FIRST, at=None if at < 0 else at)
        titles = ((choice.title, "flows"), (choice.other_title, "flows-others"))
        for (title, key), one in zip(titles, found, strict=False):
            _one_flow(title, one, way, key)


def _one_flow(title: str, found: Flow, way: str, key: str) -> None:
    told = f"{count(found.n_sessions, 'session')} of {count(found.n_users, 'user')}. {_COLUMNS[way]}"
    if found.links.empty:
        st.caption(f"{md_text(title)}: no session came there.")
        return
    figure(
        f"Where sessions go: {md_text(title)}",
        partial(charts.sankey, found.links, found.folded, way == _FIRST), found.links,
        n=told, key=key, alt_text="Flows of sessions from column to column", columns=_FLOW_COLUMNS,
        help_text=_FLOW_HELP, border=False, min_width=charts.FLOW_WIDTH,
    )  # fmt: skip


def _ends(found: _MovementTables, choice: Choice) -> None:
    with st.grid(2, min_column_width=SIDE, gap="medium"):
        for table, name, title, n in (
            (found.entries, TO, "Where sessions begin", "Share of users with such a session."),
            (found.exits, FROM, "Where sessions end", "Share of the users who were there."),
        ):
            with st.container():
                _dumbbell(found, choice, table.assign(place=table[name]), title, n)


def _dumbbell(found: _MovementTables, choice: Choice, table: pd.DataFrame, title: str, n: str) -> None:
    drawn, key = _of_enough(table), title.lower().replace(" ", "-")
    few = f" Shares of fewer than {_MIN_DRAWN} users are in the table alone." * (len(drawn) < len(table))
    if drawn.empty:
        st.markdown(f"**{title}**")
        st.caption(few.strip() or "Nowhere in these sessions.")
        if few:
            behind(table, key=key, columns=_STEP_COLUMNS)
        return
    drawn = drawn.head(_LISTED).assign(label=choice.title, segment=0)
    beside = f" Grey: {md_text(_lower(choice.other_title))}." if found.beside else ""
    figure(
        title, partial(shared.dumbbell, drawn, "place", Col.SHARE, Col.REST_SHARE, "Share of users", INK),
        table,
        n=f"{n}{beside}{few}", key=key, alt_text=f"{title}: shares of users", columns=_STEP_COLUMNS,
    )  # fmt: skip


def _of_enough(table: pd.DataFrame) -> pd.DataFrame:
    """Rows with enough users; the share of others is left out where they are too few."""
    found = table[table[Col.N] >= _MIN_DRAWN]
    if Col.REST_SHARE not in found:
        return found.assign(**{Col.REST_SHARE: np.nan})
    return found.assign(**{Col.REST_SHARE: found[Col.REST_SHARE].where(found[Col.REST_N] >= _MIN_DRAWN)})


def _all_steps(found: _MovementTables) -> None:
    """Draw the table of all steps."""
    users, sessions = count(found.n_users, "user"), count(found.n_sessions, "session")
    st.caption(f"{users}, {sessions}, {found.different:,} different steps of {found.n_steps:,}.")
    behind(found.steps, key="moves", columns=_STEP_COLUMNS)
