"""The first or last places of sessions as flows from column to column, small ones folded, none left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.base.errors import SettingsError
from core.journeys.moves import END, FROM, SESSIONS, START, TO, Moves, Visited
from core.journeys.places import OTHER_PLACES
from core.profiles.profile_columns import Col

COLUMN: Final = "column"
FEWEST_COLUMNS, MOST_COLUMNS = 2, 8


@dataclass(frozen=True, eq=False)
class Flow:
    """Flows of sessions, in the order of time.

    Args:
        links: One row a flow: ``column`` that it leaves (from 1), ``from``, ``to``, ``sessions``, their
            ``share`` of those in the picture, and ``users``; most sessions first within a column.
        folded: Column → different places in its other places.
        n_sessions: Sessions in the picture.
        n_users: Users who had them.
    """

    links: pd.DataFrame
    folded: tuple[int, ...]
    n_sessions: int
    n_users: int


def flow(
    moves: Moves, users: np.ndarray, columns: int = 4, *, backwards: bool = False, at: int | None = None,
    shown: int = 6,
) -> Flow:  # fmt: skip
    """Follow sessions from their start, or back from their end.

    Args:
        moves: All steps.
        users: Who counts, bool of shape (n_users,).
        columns: Views in a row that are followed, :data:`FEWEST_COLUMNS` to :data:`MOST_COLUMNS`.
        backwards: Whether the last views are, or those before ``at``.
        at: Only sessions with this place, from (or to) its first view; None for all of them.
        shown: Places of a column that are told apart, those with most sessions; the others are one.

    Raises:
        SettingsError: If there are too few or too many columns.
    """
    if not FEWEST_COLUMNS <= columns <= MOST_COLUMNS:
        raise SettingsError(f"{columns} steps cannot be drawn", allowed=f"{FEWEST_COLUMNS} to {MOST_COLUMNS}")
    session, view = _anchors(moves.visited, moves.place, users, at, backwards=backwards)
    grid = moves.visited.around(moves.place, session, view, -columns if backwards else columns)
    folds = [_folded(column, shown, moves) for column in (grid[::-1] if backwards else grid)]
    names = [[*called, OTHER_PLACES, START if backwards else END] for _, called, _ in folds]
    new = np.diff(moves.visited.user[session], prepend=-1) != 0
    who = np.cumsum(new) - 1
    links = pd.concat(
        [
            _links(folds[left][0], folds[left + 1][0], who, (names[left], names[left + 1])).assign(
                **{COLUMN: left + 1}
            )
            for left in range(columns - 1)
        ],
        ignore_index=True,
    )
    links[Col.SHARE] = links[SESSIONS] / max(1, len(session))
    order = [COLUMN, FROM, TO, SESSIONS, Col.SHARE, Col.USERS]
    return Flow(links[order], tuple(count for _, _, count in folds), len(session), int(new.sum()))


def _anchors(
    visited: Visited, place: np.ndarray, users: np.ndarray, at: int | None, *, backwards: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Sessions that are followed, ascending, and the view of each that it is followed from."""
    if at is None:
        session = np.flatnonzero(users[visited.user])
        return session, (visited.last if backwards else visited.first)[session]
    view = np.flatnonzero(place == at)
    session, first = np.unique(visited.of_view[view], return_index=True)
    counts = users[visited.user[session]]
    return session[counts], view[first][counts]


def _folded(column: np.ndarray, shown: int, moves: Moves) -> tuple[np.ndarray, list[str], int]:
    """A column in few codes, what these are called, and how many places are in the one that follows them.

    The last code stands for sessions that are gone.
    """
    sessions = np.bincount(column[column >= 0], minlength=len(moves.places.names))
    order = np.argsort(-sessions, kind="stable")
    seen = int((sessions > 0).sum())
    kept = seen if seen == shown + 1 else min(seen, shown)  # one place is not folded into "others"
    code = np.full(len(sessions) + 1, kept)
    code[order[:kept]] = np.arange(kept)
    code[-1] = kept + 1  # −1, the gone, is the last
    return code[column], moves.called(order[:kept]), seen - kept


def _links(
    left: np.ndarray, right: np.ndarray, who: np.ndarray, names: tuple[list[str], list[str]]
) -> pd.DataFrame:
    """Flows between two columns, without those of nobody: who is gone on both sides."""
    width, n_codes = len(names[1]), len(names[0]) * len(names[1])
    code = left * width + right
    sessions = np.bincount(code, minlength=n_codes)
    once = np.zeros((n_codes, int(who.max(initial=-1)) + 1), dtype=bool)
    once[code, who] = True
    sessions[-1] = 0
    order = np.argsort(-sessions, kind="stable")[: int((sessions > 0).sum())]
    return pd.DataFrame(
        {
            FROM: [names[0][one] for one in (order // width).tolist()],
            TO: [names[1][one] for one in (order % width).tolist()],
            SESSIONS: sessions[order], Col.USERS: once[order].sum(axis=1),
        }
    )  # fmt: skip
