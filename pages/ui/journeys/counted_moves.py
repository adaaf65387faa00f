"""What is drawn of how users move, counted once for all sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from core.journeys.flow import Flow, flow
from core.journeys.moves import END, FROM, START, TO, Moves, Taken
from core.journeys.places import Places
from core.journeys.step_matrix import step_matrix
from core.journeys.step_table import dead_ends, differing, return_table, step_table
from pages.ui.journeys.choice import Choice
from pages.ui.segments.live_segments import LiveSegments
from pages.ui.segments.shared import SESSIONS as AT_ONCE
from pages.ui.segments.shared import token
from pages.ui.shell.kept import kept

MOST_EDGES: Final = 120
"""Steps that are drawn at most."""


@dataclass(frozen=True, eq=False)
class Moved:
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


def _key(live: LiveSegments, choice: Choice) -> tuple[str, ...]:
    return live.tables.basis.key, choice.places.level, token(choice.users), token(choice.others)


@kept(
    lambda live, places: (live.tables.basis.key, places.level), max_entries=4,
    show_spinner="Laying out all steps …",
)  # fmt: skip
def _all_moves(live: LiveSegments, places: Places) -> Moves:
    return Moves.of(live.sources.dataset.sequences, places)


@kept(_key, AT_ONCE, show_spinner="Counting who goes where …")
def moved(live: LiveSegments, choice: Choice) -> Moved:
    """Count what the chosen users do, beside the others."""
    moves = _all_moves(live, choice.places)
    here = moves.taken(choice.users)
    there = moves.taken(choice.others) if choice.other else None
    steps = step_table(moves, here, there)
    return Moved(
        here.n_users, here.n_sessions, here.n_steps, int((here.steps.times > 0).sum()), there is not None,
        _visits(moves, here, steps), steps, differing(steps, here) if there else steps.head(0),
        step_table(moves, here, there, moves.left == moves.start),
        step_table(moves, here, there, moves.reached == moves.end),
        return_table(moves, here, there),
        step_table(moves, here, there, moves.left == moves.reached),
        dead_ends(moves, here),
        step_matrix(moves, choice.users, choice.others if choice.other else None),
    )  # fmt: skip


def _visits(moves: Moves, here: Taken, steps: pd.DataFrame) -> dict[str, int]:
    """Page views of each place that may be drawn; of the start and the end the sessions."""
    views = dict(zip(moves.places.names, here.left.times.tolist(), strict=False))
    views |= {START: here.n_sessions, END: here.n_sessions}
    return {
        place: views[place] for place in dict.fromkeys(steps.head(MOST_EDGES)[[FROM, TO]].to_numpy().ravel())
    }


@kept(
    lambda live, choice, columns, *, backwards, at: (*_key(live, choice), columns, backwards, at), AT_ONCE,
    show_spinner="Following the sessions …",
)  # fmt: skip
def flows(live: LiveSegments, choice: Choice, columns: int, *, backwards: bool, at: int | None) -> list[Flow]:
    """Flows of the users in question, and of those beside them; see :func:`core.journeys.flow.flow`."""
    moves = _all_moves(live, choice.places)
    sides = [choice.users, *([choice.others] if choice.other else [])]
    return [flow(moves, users, columns, backwards=backwards, at=at) for users in sides]
