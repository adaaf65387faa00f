"""The first or last places of sessions as flows from column to column, small ones folded, none left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.base.errors import SettingsError
from core.data.sequences import UserSequences
from core.journeys.moves import END, START, Visited
from core.journeys.places import Places
from core.profiles.paths import FROM, SESSIONS, TO
from core.profiles.profile_columns import Col

COLUMN: Final = "column"
OTHER_PLACES: Final = "(other places)"
FEWEST_COLUMNS, MOST_COLUMNS = 2, 8
_OTHER, _GONE = -2, -1


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
    sequences: UserSequences, places: Places, users: np.ndarray, columns: int = 4, *,
    backwards: bool = False, at: int | None = None, shown: int = 6,
) -> Flow:  # fmt: skip
    """Follow sessions from their start, or back from their end.

    Args:
        sequences: Page views of all users.
        places: What each page counts as.
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
    visited, place = Visited.of(sequences), places.of_views(sequences)
    session, view = _anchors(visited, place, users, at, backwards=backwards)
    grid = visited.around(place, session, view, -columns if backwards else columns)
    grid = grid[:, ::-1] if backwards else grid
    who = visited.user[session]
    folds = [_folded(column, shown, len(places.names)) for column in grid.T]
    near = np.stack([column for column, _ in folds], axis=1)
    names = np.array([*places.names, OTHER_PLACES, START if backwards else END], dtype=object)
    parts = [
        _links(near[:, at], near[:, at + 1], who, names).assign(**{COLUMN: at + 1})
        for at in range(columns - 1)
    ]
    links = pd.concat(parts, ignore_index=True)
    links[Col.SHARE] = links[SESSIONS] / max(1, len(session))
    order = [COLUMN, FROM, TO, SESSIONS, Col.SHARE, Col.USERS]
    n_users = int((np.diff(who, prepend=-1) != 0).sum())
    return Flow(links[order], tuple(count for _, count in folds), len(session), n_users)


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


def _folded(column: np.ndarray, shown: int, n_places: int) -> tuple[np.ndarray, int]:
    """The places of a column, all but the first ones in one, and how many these are."""
    sessions = np.bincount(column[column >= 0], minlength=n_places)
    order = np.argsort(-sessions, kind="stable")
    seen = int((sessions > 0).sum())
    kept = seen if seen == shown + 1 else min(seen, shown)  # one place is not folded into "others"
    name = np.full(n_places + 1, _OTHER)
    name[order[:kept]] = order[:kept]
    name[_GONE] = _GONE
    return name[column], seen - kept


def _links(left: np.ndarray, right: np.ndarray, who: np.ndarray, names: np.ndarray) -> pd.DataFrame:
    """Flows between two columns, without those of nobody: who is gone on both sides."""
    there = (left != _GONE) | (right != _GONE)
    code = (left[there] + 2) * (len(names) + 2) + right[there] + 2
    different, number = np.unique(code, return_inverse=True)
    sessions = np.bincount(number, minlength=len(different))
    pairs = np.unique(number * (int(who.max(initial=0)) + 1) + who[there])
    users = np.bincount(pairs // (int(who.max(initial=0)) + 1), minlength=len(different))
    order = np.argsort(-sessions, kind="stable")
    ends = [part[order] - 2 for part in np.divmod(different, len(names) + 2)]
    called = [names[part] for part in ends]  # the last two are what is folded and what is gone
    return pd.DataFrame({FROM: called[0], TO: called[1], SESSIONS: sessions[order], Col.USERS: users[order]})
