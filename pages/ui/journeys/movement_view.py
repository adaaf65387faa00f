"""Moves: which place follows which, where sessions begin and end, where users turn back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from core.base import wording
from core.differences.table import Diff
from core.journeys.flow import FEWEST_COLUMNS, MOST_COLUMNS, Flow, flow
from core.journeys.in_words import in_words
from core.journeys.moves import END, START, Moves, Taken
from core.journeys.places import Places
from core.journeys.step_matrix import PLACE, POSITION, REST_SESSION_SHARE, SESSION_SHARE, step_matrix
from core.journeys.step_table import (
    LEAST,
    MoveCol,
    dead_ends,
    differing,
    edges_within,
    return_table,
    step_table,
)
from core.profiles.paths import FROM, SESSIONS, STEPS, TO
from core.profiles.profile_columns import Col
from pages.ui.journeys import movement_charts as charts
from pages.ui.journeys.choice import Choice
from pages.ui.segments import charts as shared
from pages.ui.segments.figure import SIDE, Columns, behind, figure
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.shared import SESSIONS as AT_ONCE
from pages.ui.segments.shared import token
from pages.ui.shell.text import count, md_text

NODES: Final = 15
EDGES: Final = 30
MOST_EDGES: Final = 120
"""Places and steps that are drawn at first, and steps at most."""
FOLLOWED: Final = 200
"""Places that sessions can be followed from or to, the most viewed ones."""
LISTED: Final = 10
LED: Final = 3
"""Steps that more users take, and as many that fewer do, before all charts."""


@dataclass(frozen=True, eq=False)
class _Moved:
    """All that is drawn of some users' moves beside others', counted once for all sessions.

    Of the users themselves only sums, and the page views of places that may be drawn: of different steps a
    large site has very many.
    """

    n_users: int
    n_sessions: int
    n_steps: int
    different: int
    beside: bool
    visits: dict[str, int]
    steps: pd.DataFrame
    differing: pd.DataFrame
    entries: pd.DataFrame
    exits: pd.DataFrame
    returns: pd.DataFrame
    repeats: pd.DataFrame
    dead: pd.DataFrame
    matrix: pd.DataFrame


def draw(live: LiveSegments, choice: Choice) -> None:
    """Draw how the chosen users move."""
    if not choice.users.any():
        st.caption("Nobody is in this row.")
        return
    found = _moved(_key(live, choice), live, choice)
    _leading(found, choice)
    _graph(found)
    _flows(live, choice)
    _matrix(found)
    _ends(live, found, choice)
    _loops(live, found, choice)


def _key(live: LiveSegments, choice: Choice) -> tuple[str, ...]:
    return live.tables.basis.key, choice.places.level, token(choice.users), token(choice.others)


@st.cache_resource(max_entries=4, show_spinner=False)
def _all_moves(key: tuple[str, ...], _live: LiveSegments, _places: Places) -> Moves:
    return Moves.of(_live.sources.dataset.sequences, _places)


@st.cache_resource(max_entries=AT_ONCE, show_spinner=False)
def _moved(key: tuple[str, ...], _live: LiveSegments, _choice: Choice) -> _Moved:
    moves = _all_moves(key[:2], _live, _choice.places)
    here = moves.taken(_choice.users)
    there = moves.taken(_choice.others) if _choice.other else None
    steps = step_table(moves, here, there)
    return _Moved(
        here.n_users, here.n_sessions, here.n_steps, int((here.steps.times > 0).sum()), there is not None,
        _visits(moves, here, steps), steps, differing(steps, here) if there else steps.head(0),
        step_table(moves, here, there, moves.left == moves.start),
        step_table(moves, here, there, moves.reached == moves.end),
        return_table(moves, here, there),
        step_table(moves, here, there, moves.left == moves.reached),
        dead_ends(moves, here),
        step_matrix(moves, _choice.users, _choice.others if _choice.other else None),
    )  # fmt: skip


def _visits(moves: Moves, here: Taken, steps: pd.DataFrame) -> dict[str, int]:
    """Page views of each place that may be drawn; of the start and the end the sessions."""
    views = dict(zip(moves.places.names, here.left.times.tolist(), strict=False))
    views |= {START: here.n_sessions, END: here.n_sessions}
    return {
        place: views[place] for place in dict.fromkeys(steps.head(MOST_EDGES)[[FROM, TO]].to_numpy().ravel())
    }


@st.cache_resource(max_entries=AT_ONCE, show_spinner=False)
def _flow(
    key: tuple[str, ...], columns: int, backwards: bool, at: int | None, _live: LiveSegments, _choice: Choice
) -> list[Flow]:
    """Of the users in question, and of those beside them."""
    moves = _all_moves(key[:2], _live, _choice.places)
    sides = [_choice.users, *([_choice.others] if _choice.other else [])]
    return [flow(moves, users, columns, backwards=backwards, at=at) for users in sides]


def _leading(found: _Moved, choice: Choice) -> None:
    """The steps that differ most, in words."""
    if not found.beside:
        return
    apart = found.differing
    if apart.empty:
        st.caption(f"No step is told apart: none differs by {LEAST:.0%} of these users or more.")
        return
    more = apart[Col.DIFFERENCE] > 0
    with st.container(border=True, key="journeys-leading", gap="xsmall"):
        st.markdown(f"**What differs most from {md_text(_lower(choice.other_title))}**", help=RULE)
        for step in [*apart[more].head(LED).to_dict("records"), *apart[~more].head(LED).to_dict("records")]:
            st.markdown(md_text(in_words(step)))


def _lower(title: str) -> str:
    return title[0].lower() + title[1:] if title.startswith("The ") else title


def _graph(found: _Moved) -> None:
    steps = found.steps
    with st.container(border=True, key="moves-and-slider"):
        n = st.slider(
            "Strongest steps", 1, max(2, min(MOST_EDGES, len(steps))),
            min(EDGES, edges_within(steps, NODES)), key="journeys-edges", width=320,
        )  # fmt: skip
        shown = steps.head(n)
        figure(
            "Which step follows", partial(charts.graph, shown, found.visits), steps,
            n=_coverage(found, shown) + (COLOURS if found.beside else ""), key="moves",
            alt_text="Places as dots and steps between them as arrows", columns=_columns(found),
            help_text=GRAPH_HELP, border=False, min_width=charts.GRAPH_WIDTH,
        )  # fmt: skip


def _coverage(found: _Moved, shown: pd.DataFrame) -> str:
    """How much of what these users did is drawn, and what only the others did."""
    drawn = int((shown[STEPS] > 0).sum())
    covered = wording.percent(shown[STEPS].sum() / max(1, found.n_steps), 0)
    users, sessions = count(found.n_users, "user"), count(found.n_sessions, "session")
    beside = f", and {len(shown) - drawn:,} that only others take" if len(shown) > drawn else ""
    return (
        f"{users}, {sessions}. {drawn:,} of {found.different:,} different steps, {covered} of all "
        f"{found.n_steps:,} steps{beside}. "
    )


def _columns(found: _Moved) -> Columns:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    columns: Columns = {
        FROM: text("From", width="medium"), TO: text("To", width="medium"),
        STEPS: number("Steps", format="localized"),
        MoveCol.STEP_SHARE: number("Of steps", format="percent", help="Of all steps that leave the place."),
        SESSIONS: number("Sessions", format="localized", help="With this step."),
        Col.USERS: number("Users", format="localized", help="Who took it at least once."),
        Col.N: number("Users there", format="localized", help="Who were at the place; of a start, all."),
        Col.SHARE: number("Share of users", format="percent", help="Of those who were at the place."),
        MoveCol.LOW: number("Low", format="percent", help="95 % interval of the share of users."),
        MoveCol.HIGH: number("High", format="percent"),
    }  # fmt: skip
    return columns | {
        MoveCol.REST_STEPS: number("Others' steps", format="localized"),
        MoveCol.REST_STEP_SHARE: number("Others, of steps", format="percent"),
        Col.REST_USERS: number("Others who took it", format="localized"),
        Col.REST_N: number("Others there", format="localized"),
        Col.REST_SHARE: number("Others' share", format="percent"),
        Col.DIFFERENCE: number("Difference", format="percent"),
        Diff.DIFFERENCE_LOW: number("Difference, low", format="percent", help="Its 95 % interval."),
        Diff.DIFFERENCE_HIGH: number("Difference, high", format="percent"),
        Diff.DIFFERS: st.column_config.CheckboxColumn("Differs", help=RULE),
        MoveCol.AT_LEAST: number("Users, at least", format="%.0f", help=AT_LEAST),
    }  # fmt: skip


def _flows(live: LiveSegments, choice: Choice) -> None:
    with st.container(border=True, key="flows-and-controls"):
        names = choice.places.names[:FOLLOWED]
        with st.container(horizontal=True, vertical_alignment="bottom"):
            way = st.segmented_control(
                "Follow", list(WAYS), default=next(iter(WAYS)), required=True, key="journeys-way",
                persist_state="session",
            )  # fmt: skip
            n = st.number_input(
                "Page views", FEWEST_COLUMNS, MOST_COLUMNS, 4, key="journeys-columns", width=130,
                persist_state="session",
            )  # fmt: skip
            at = st.selectbox(
                "From" if way == FIRST else "To", range(-1, len(names)),
                key=f"journeys-at-{way}-{choice.places.level}",
                format_func=lambda code: WAYS[way] if code < 0 else names[code], width=300,
            )  # fmt: skip
        found = _flow(_key(live, choice), n, way != FIRST, None if at < 0 else at, live, choice)
        titles = ((choice.title, "flows"), (choice.other_title, "flows-others"))
        for (title, key), one in zip(titles, found, strict=False):
            _one_flow(title, one, way, key)


def _one_flow(title: str, found: Flow, way: str, key: str) -> None:
    told = f"{count(found.n_sessions, 'session')} of {count(found.n_users, 'user')}. {COLUMNS[way]}"
    if found.links.empty:
        st.caption(f"{md_text(title)}: no session came there.")
        return
    figure(
        f"Where sessions go: {md_text(title)}",
        partial(charts.sankey, found.links, found.folded, way == FIRST), found.links,
        n=told, key=key, alt_text="Flows of sessions from column to column", columns=FLOW_COLUMNS,
        help_text=FLOW_HELP, border=False, min_width=charts.FLOW_WIDTH,
    )  # fmt: skip


def _matrix(found: _Moved) -> None:
    table, difference = found.matrix, False
    with st.container(border=True, key="matrix-and-choice"):
        if found.beside:
            shown = st.segmented_control(
                "Show", [SHARES, DIFFERENCES], default=SHARES, required=True, key="journeys-matrix",
                label_visibility="collapsed", persist_state="session",
            )  # fmt: skip
            difference = shown == DIFFERENCES
        figure(
            "Where sessions are, step by step",
            partial(charts.matrix, table, difference=difference), table,
            n=f"{count(found.n_sessions, 'session')} of {count(found.n_users, 'user')}. "
            + (APART if difference else "A column holds all of them, with those that have ended."),
            key="steps-by-position", alt_text="Heat map of places by page view of the session",
            columns=_matrix_columns(found),
            border=False, min_width=520,
        )  # fmt: skip


def _matrix_columns(found: _Moved) -> Columns:
    number = st.column_config.NumberColumn
    return _columns(found) | {
        PLACE: st.column_config.TextColumn("Place", width="medium"), POSITION: number("Page view"),
        SESSIONS: number("Sessions", format="localized"),
        SESSION_SHARE: number("Of sessions", format="percent"),
        REST_SESSION_SHARE: number("Others, of sessions", format="percent"),
        Col.USERS: number("Users", format="localized", help="With such a session."),
        Col.N: number("All users", format="localized"),
        Col.SHARE: number("Share of users", format="percent"),
    }  # fmt: skip


def _ends(live: LiveSegments, found: _Moved, choice: Choice) -> None:
    with st.grid(2, min_column_width=SIDE, gap="medium"):
        for table, name, title, n in (
            (found.entries, TO, "Where sessions begin", "Share of users with such a session."),
            (found.exits, FROM, "Where sessions end", "Share of the users who were there."),
        ):
            with st.container():
                _dumbbell(live, found, choice, table.assign(place=table[name]), title, n)


def _loops(live: LiveSegments, found: _Moved, choice: Choice) -> None:
    back, again = found.returns, found.repeats
    back = back.assign(place=[f"{a} → {b} → {a}" for a, b in zip(back[FROM], back[TO], strict=True)])
    with st.grid(2, min_column_width=SIDE, gap="medium"):
        with st.container():
            _dumbbell(
                live, found, choice, back, "Where users turn back", "Share of the users who took the step."
            )
        with st.container():
            _dumbbell(
                live, found, choice, again.assign(place=again[FROM]), "What users open again right away",
                "Share of the users who were there.",
            )  # fmt: skip
    _dead(found)


def _dumbbell(
    live: LiveSegments, found: _Moved, choice: Choice, table: pd.DataFrame, title: str, n: str
) -> None:
    if table.empty:
        st.markdown(f"**{title}**")
        st.caption("Nowhere in these sessions.")
        return
    head = live.profiles.rows.head.set_index(Col.KEY).loc[choice.key]
    drawn = table.head(LISTED).assign(
        label=choice.title, kind=head[Col.KIND], segment=head[Col.SEGMENT],
    )  # fmt: skip
    drawn = drawn if Col.REST_SHARE in drawn else drawn.assign(**{Col.REST_SHARE: np.nan})
    beside = f" Grey: {md_text(_lower(choice.other_title))}." if found.beside else ""
    figure(
        title, partial(shared.dumbbell, drawn, "place", Col.SHARE, Col.REST_SHARE, "Share of users"), table,
        n=f"{n}{beside}", key=title.lower().replace(" ", "-"), alt_text=f"{title}: shares of users",
        columns={"place": st.column_config.TextColumn("Place")} | _columns(found),
    )  # fmt: skip


def _dead(found: _Moved) -> None:
    st.markdown("**Dead ends**", help=DEAD_HELP)
    if found.dead.empty:
        st.caption("Nowhere do sessions end far more often than elsewhere.")
        return
    mean = wording.percent(found.dead["mean"].iloc[0])
    st.caption(f"Of the sessions that come to a place, {mean} end there on average.")
    behind(found.dead, key="dead-ends", columns=DEAD_COLUMNS)


FIRST, LAST = "First steps", "Last steps"
WAYS: Final = {FIRST: "The start of sessions", LAST: "The end of sessions"}
COLUMNS: Final = {
    FIRST: "A column is a page view, the first one on the left.",
    LAST: "A column is a page view, the last one on the right.",
}
SHARES, DIFFERENCES = "Shares", "Difference"
COLOURS: Final = "Blue arrows are taken by more users than by the others, orange ones by fewer."
RULE: Final = (
    "Of the users who were at a place, who took the step: called different where the 95 % interval of the "
    "difference leaves out 0 and the share of the steps leans the same way. The model saw the pages, so this "
    "describes a segment and proves nothing about it."
)
GRAPH_HELP: Final = (
    "An arrow is a step between two page views of a session, thicker the more often it is taken; a ring is a "
    "page view that repeats. Places where sessions begin stand on the left, where they end on the right. "
    "Point at a place to see its steps alone."
)
FLOW_HELP: Final = (
    "Small flows are drawn together as other places. From or to a place, only its first view counts."
)
DEAD_HELP: Final = (
    "Where, of the sessions that came, half as many again end as on average, with the whole interval above "
    "that. A page that is meant to be the last one is a dead end, too."
)
AT_LEAST: Final = (
    "So many of these users take it more, or fewer of them, than at the others' share: at the end of the "
    "interval that is nearer to none."
)
APART: Final = "Percentage points from the others' share, where users differ: blue more, orange less."
FLOW_COLUMNS: Final[Columns] = {
    "column": st.column_config.NumberColumn("Column"),
    FROM: st.column_config.TextColumn("From", width="medium"),
    TO: st.column_config.TextColumn("To", width="medium"),
    SESSIONS: st.column_config.NumberColumn("Sessions", format="localized"),
    Col.SHARE: st.column_config.NumberColumn("Share of sessions", format="percent"),
    Col.USERS: st.column_config.NumberColumn("Users", format="localized"),
}
DEAD_COLUMNS: Final[Columns] = {
    "place": st.column_config.TextColumn("Place", width="medium"),
    SESSIONS: st.column_config.NumberColumn("Sessions that ended there", format="localized"),
    Col.N: st.column_config.NumberColumn("Sessions that came", format="localized"),
    Col.SHARE: st.column_config.NumberColumn("Share", format="percent"),
    MoveCol.LOW: st.column_config.NumberColumn("Low", format="percent", help="Its 95 % interval."),
    MoveCol.HIGH: st.column_config.NumberColumn("High", format="percent"),
    "mean": st.column_config.NumberColumn("On average", format="percent"),
}
