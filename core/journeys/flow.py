"""Sessions as flows between their first or last places, and as whole routes.

``flow`` follows sessions from column to column of a picture; small places are folded into one, no session is
left out. ``Routes`` sorts whole sessions by the places that they pass, from their first page view on.

Page views of one place in a row are one stop, marked ``×2+`` where there were several: a reload, or several
pages of one theme, is part of the route, while whether it was two or seven makes no route of its own. A
session of more stops than are told apart *goes on* (``…``), and is one route with those that begin alike.
Every session is in exactly one route.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from core.base.errors import SettingsError
from core.journeys.moves import (
    END,
    FROM,
    OTHER_PLACES,
    SESSIONS,
    SESSIONS_N,
    START,
    TO,
    Moves,
    Places,
    SessionEnds,
)
from core.profiles.differences import Diff
from core.profiles.outcomes import OutcomeRecord
from core.profiles.profile_columns import Col
from core.profiles.two_shares import difference_interval, wilson
from core.storage.sequences import UserSequences

COLUMN: Final = "column"
MIN_COLUMNS, MAX_COLUMNS = 2, 8


@dataclass(frozen=True, eq=False)
class Flow:
    """Flows of sessions between columns, in the order of time.

    Args:
        links: One row a flow: ``column`` that it leaves (from 1), ``from``, ``to``, ``sessions``, their
            ``share`` of those in the picture, and ``users``; most sessions first within a column.
        folded: Of each column, the number of places that "(other places)" stands for.
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
        users: Users who count, bool of shape (n_users,).
        columns: Views in a row that are followed, :data:`MIN_COLUMNS` to :data:`MAX_COLUMNS`.
        backwards: Whether the last views are, or those before ``at``.
        at: Number of a place: only sessions with it, from (or to) its first view; None for all sessions.
        shown: Places of a column that are told apart, those with most sessions; the others are one.

    Raises:
        SettingsError: If there are too few or too many columns.
    """
    if not MIN_COLUMNS <= columns <= MAX_COLUMNS:
        raise SettingsError(f"{columns} steps cannot be drawn", allowed=f"{MIN_COLUMNS} to {MAX_COLUMNS}")
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
    visited: SessionEnds, place: np.ndarray, users: np.ndarray, at: int | None, *, backwards: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the sessions that are followed, ascending, and the page view each is followed from."""
    if at is None:
        session = np.flatnonzero(users[visited.user])
        return session, (visited.last if backwards else visited.first)[session]
    view = np.flatnonzero(place == at)
    session, first = np.unique(visited.of_view[view], return_index=True)
    counts = users[visited.user[session]]
    return session[counts], view[first][counts]


def _folded(column: np.ndarray, shown: int, moves: Moves) -> tuple[np.ndarray, list[str], int]:
    """Fold a column: its codes, their names, and the number of places in the code for all other places.

    The last code stands for sessions that have ended or not yet begun.
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
    """Table of the flows between two columns; without sessions that have ended before both."""
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


_ARROW, _AGAIN, _GOES_ON = " → ", " ×2+", "…"
_NO_STOP: Final = -1
ROUTE, SESSION_SHARE = "route", "session_share"


class RouteOrder(StrEnum):
    """Which routes are listed first."""

    MOST = "most"
    """Routes of most users first; of equally many, those of more sessions."""
    APART = "apart"
    """Routes whose share of users differs most first, by the end of the difference's interval nearer to 0."""


@dataclass(frozen=True, eq=False)
class Routes:
    """The route of every session.

    Args:
        places: What a stop is at.
        user: int32 of shape (n_sessions,), user indices, ascending.
        route: int64 of shape (n_sessions,), the route of each session.
        stops: int32 of shape (n_routes, n), twice the place of each stop, one more where there were several
            page views; ``NO_STOP`` after the last.
        goes_on: bool of shape (n_routes,), whether its sessions have further stops.
    """

    places: Places
    user: np.ndarray
    route: np.ndarray
    stops: np.ndarray
    goes_on: np.ndarray

    @classmethod
    def of(cls, sequences: UserSequences, places: Places, most: int) -> Routes:
        """Sort the sessions of all users into routes.

        Args:
            sequences: Their page views.
            places: What a stop is at.
            most: Stops that are told apart, at least 1.
        """
        place, visited = places.of_views(sequences), SessionEnds.of(sequences)
        moved = np.diff(place, prepend=-1) != 0
        moved[visited.first] = True
        first = np.flatnonzero(moved)
        code = 2 * place[first].astype(np.int64) + (np.diff(first, append=len(place)) > 1)
        opening = np.searchsorted(first, visited.first)
        n_stops = np.diff(opening, append=len(first))
        stops = np.full((len(opening), most), _NO_STOP, dtype=np.int32)
        for step in range(most):
            has = n_stops > step
            stops[has, step] = code[opening[has] + step]
        goes_on = n_stops > most
        route, example = _alike(stops, goes_on, 2 * len(places.names) + 1)
        return cls(places, visited.user, route, stops[example], goes_on[example])

    @cached_property
    def _takers(self) -> tuple[np.ndarray, np.ndarray]:
        """Users and routes of all different pairs that occur: two arrays of equal length."""
        user, route = np.divmod(
            pd.unique(self.user * np.int64(len(self.stops)) + self.route), len(self.stops)
        )
        return user, route

    def text(self, route: int) -> str:
        """Write a route as text: ``Home → Product ×2+ → Cart``, with ``→ …`` where its sessions go on."""
        stops = [divmod(stop, 2) for stop in self.stops[route].tolist() if stop != _NO_STOP]
        said = [self.places.names[place] + _AGAIN * again for place, again in stops]
        return _ARROW.join([*said, _GOES_ON] if self.goes_on[route] else said)

    def listed(
        self, users: np.ndarray, others: np.ndarray, conversions: OutcomeRecord | None, count: int,
        order: RouteOrder = RouteOrder.MOST,
    ) -> pd.DataFrame:  # fmt: skip
        """List the routes of some users, with shares beside those of other users.

        A user takes a route with at least one session. Steps are what the model has read, so that shares of
        users are told apart by the interval of their difference alone (:mod:`core.profiles.means`).

        Args:
            users: Users whose page views count, bool of shape (n_users,).
            others: Users to compare with, bool of shape (n_users,); all False for none.
            conversions: The outcome; None for none.
            count: Routes at most.
            order: Which come first; with ``APART`` all that differ and no others, also what only others took.

        Returns:
            ``rank``, ``route``; ``sessions`` and ``session_share`` of ``sessions_n``; ``users`` and ``share``
            of ``n`` with its 95 % interval ``low`` to ``high``; ``rest_users`` and ``rest_share`` of
            ``rest_n``; the ``difference`` of the two with its interval, and whether it ``differs``; of the
            users who took the route, those with the outcome at any time: ``outcome_users``,
            ``outcome_rate`` with its interval. What cannot be said is NaN.
        """
        table = self._counted(users, others, conversions)
        if order is RouteOrder.APART:
            table = table[table[Diff.DIFFERS]]
            first = -table[[Diff.DIFFERENCE_LOW, Diff.DIFFERENCE_HIGH]].abs().min(axis=1)
        else:
            table = table[table[Col.USERS] > 0]
            first = -table[Col.USERS]
        table = table.iloc[np.lexsort((-table[SESSIONS], first))[:count]]
        table.insert(0, Col.RANK, np.arange(1, len(table) + 1))
        table.insert(1, ROUTE, [self.text(route) for route in table.index])
        return table.reset_index(drop=True)

    def _counted(
        self, users: np.ndarray, others: np.ndarray, conversions: OutcomeRecord | None
    ) -> pd.DataFrame:
        """Table of all routes of users or others, by route number, in the columns of :meth:`listed`."""
        taken = np.flatnonzero(self._users(users | others))
        sessions = np.bincount(self.route[users[self.user]], minlength=len(self.stops))[taken]
        here, there = self._users(users)[taken], self._users(others)[taken]
        n, rest_n = np.array(users.sum()), np.array(others.sum())
        low, high = difference_interval(here, n, there, rest_n)
        least, most = wilson(here, n)
        with np.errstate(invalid="ignore"):
            share, rest_share, session_share = here / n, there / rest_n, sessions / sessions.sum()
        columns = {
            SESSIONS: sessions, SESSIONS_N: sessions.sum(), SESSION_SHARE: session_share,
            Col.USERS: here, Col.N: n, Col.SHARE: share, Col.LOW: least, Col.HIGH: most,
            Col.REST_USERS: there, Col.REST_N: rest_n, Col.REST_SHARE: rest_share,
            Col.DIFFERENCE: share - rest_share, Diff.DIFFERENCE_LOW: low, Diff.DIFFERENCE_HIGH: high,
            Diff.DIFFERS: (low > 0) | (high < 0),
        }  # fmt: skip
        return pd.DataFrame(columns | self._outcome(users, taken, here, conversions), index=taken)

    def _users(self, group: np.ndarray) -> np.ndarray:
        """Number of users of a group who took each route: int64 of shape (n_routes,)."""
        taker, route = self._takers
        return np.bincount(route[group[taker]], minlength=len(self.stops))

    def _outcome(
        self, users: np.ndarray, taken: np.ndarray, here: np.ndarray, conversions: OutcomeRecord | None
    ) -> dict[str, np.ndarray]:
        columns = (Col.OUTCOME_USERS, Col.OUTCOME_RATE, Col.OUTCOME_LOW, Col.OUTCOME_HIGH)
        if conversions is None:
            return dict.fromkeys(columns, np.full(len(taken), np.nan))
        had = np.zeros(len(users), dtype=bool)
        had[conversions.user] = True
        converted = self._users(users & had)[taken]
        with np.errstate(invalid="ignore"):
            rate = converted / here
        return dict(zip(columns, (converted, rate, *wilson(converted, here)), strict=True))


def _alike(stops: np.ndarray, goes_on: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Route number of each session, in order of first occurrence, and the first session of each route."""
    route = goes_on.astype(np.int64)
    for stop in stops.T:
        route = pd.factorize(route * width + stop - _NO_STOP)[0]
    return route, np.flatnonzero(np.diff(np.maximum.accumulate(route), prepend=-1))
