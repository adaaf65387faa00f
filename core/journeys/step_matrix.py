"""Where users are at each step of their sessions: place × position, with those that have ended.

After the step matrix of retentioneering (github.com/retentioneering). A column holds all sessions, so that it
adds up to 100 % and the ended ones only grow.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from core.journeys.moves import SESSIONS, Moves, Visited
from core.journeys.places import OTHER_PLACES, READ_AT_ONCE
from core.journeys.step_table import compared
from core.profiles.profile_columns import Col
from core.profiles.wilson import wilson

ENDED: Final = "(ended)"
PLACE, POSITION = "place", "position"
SESSION_SHARE, REST_SESSION_SHARE = "session_share", "rest_session_share"
POSITIONS: Final = 8


def step_matrix(
    moves: Moves, users: np.ndarray, others: np.ndarray | None = None, positions: int = POSITIONS,
    shown: int = READ_AT_ONCE,
) -> pd.DataFrame:  # fmt: skip
    """Count where sessions are at each of their first steps.

    Args:
        moves: All steps.
        users: Who is in question, bool of shape (n_users,).
        others: Whom they are held against, bool of shape (n_users,); None for nobody.
        positions: First steps of a session that are looked at.
        shown: Places that are told apart, those where most sessions are at these steps, here or there.

    Returns:
        One row a place and position (from 1), the places in order, then the other ones and the ended
        sessions: ``sessions`` of ``session_share``, ``users`` with such a session of all ``n``, ``share``
        with ``low`` and ``high``; where there are others, ``rest_session_share`` and how their users compare,
        by the rule of the table of steps.
    """
    groups = [side for side in (users, others) if side is not None]
    grids = [_grid(moves.visited, moves.place, side, positions) for side in groups]
    n = len(moves.places.names)
    counts = [np.bincount(grid[grid >= 0], minlength=n) / max(1, len(who)) for grid, who in grids]
    often = np.max(counts, axis=0)
    chosen = np.argsort(-often, kind="stable")[:shown]
    chosen = chosen[often[chosen] > 0]
    row = np.full(n + 1, len(chosen))
    row[chosen], row[-1] = np.arange(len(chosen)), len(chosen) + 1  # −1, the ended, is the last
    names = [*moves.called(chosen), OTHER_PLACES, ENDED]
    sides = [_counted(row[grid], who, len(names)) for grid, who in grids]
    return _table(names, sides, [int(side.sum()) for side in groups])


def _grid(
    visited: Visited, place: np.ndarray, users: np.ndarray, positions: int
) -> tuple[np.ndarray, np.ndarray]:
    """The first places of each session of some users, and whose it is."""
    session = np.flatnonzero(users[visited.user])
    return visited.around(place, session, visited.first[session], positions), visited.user[session]


def _counted(rows: np.ndarray, who: np.ndarray, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Sessions at each row and position, and users with such a session: two of (n_rows, n_positions)."""
    new = np.diff(who, prepend=-1) != 0  # sessions come by user
    number, n_users = np.cumsum(new) - 1, int(new.sum())
    sessions, users = np.zeros((2, n_rows, len(rows)), dtype=np.int64)
    for position, now in enumerate(rows):
        sessions[:, position] = np.bincount(now, minlength=n_rows)
        once = np.zeros((n_rows, n_users), dtype=bool)
        once[now, number] = True
        users[:, position] = once.sum(axis=1)
    return sessions, users


def _table(names: list[str], sides: list[tuple[np.ndarray, np.ndarray]], n_users: list[int]) -> pd.DataFrame:
    (sessions, users), *others = sides
    n_positions = sessions.shape[1]
    with np.errstate(invalid="ignore"):
        shares = [(of / of.sum(axis=0)).ravel() for of, _ in sides]
    low, high = wilson(users.ravel(), np.array(n_users[0]))
    made = {
        PLACE: np.repeat(np.array(names, dtype=object), n_positions),
        POSITION: np.tile(np.arange(1, n_positions + 1), len(names)),
        SESSIONS: sessions.ravel(), SESSION_SHARE: shares[0], Col.USERS: users.ravel(), Col.N: n_users[0],
        Col.SHARE: users.ravel() / max(1, n_users[0]), Col.LOW: low, Col.HIGH: high,
    }  # fmt: skip
    for _, rest in others:
        made[REST_SESSION_SHARE] = shares[1]
        four = (users.ravel(), np.full(users.size, n_users[0]), rest.ravel(), np.full(rest.size, n_users[1]))
        made |= compared(*four, shares[0] - shares[1])
    empty = np.sum([of[-2].sum() for of, _ in sides]) == 0
    table = pd.DataFrame(made)
    return table[table[PLACE] != OTHER_PLACES].reset_index(drop=True) if empty else table
