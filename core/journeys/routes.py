"""Whole sessions as routes: the places of a session in order, from its first page view on.

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

from core.data.sequences import UserSequences
from core.differences.table import Diff
from core.journeys.moves import SESSIONS, SESSIONS_N, Visited
from core.journeys.places import Places
from core.profiles.outcomes import Happened
from core.profiles.profile_columns import Col
from core.profiles.two_shares import difference_interval
from core.profiles.wilson import wilson

ARROW, AGAIN, GOES_ON = " → ", " ×2+", "…"
NO_STOP: Final = -1
ROUTE, SESSION_SHARE = "route", "session_share"


class RouteOrder(StrEnum):
    """Which routes are listed first."""

    MOST = "most"
    """Those that most users took, of equally many the one of more sessions."""
    APART = "apart"
    """Those whose share of users differs most from the other row's, by the low end of the difference."""


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
        place, visited = places.of_views(sequences), Visited.of(sequences)
        moved = np.diff(place, prepend=-1) != 0
        moved[visited.first] = True
        first = np.flatnonzero(moved)
        code = 2 * place[first].astype(np.int64) + (np.diff(first, append=len(place)) > 1)
        opening = np.searchsorted(first, visited.first)
        n_stops = np.diff(opening, append=len(first))
        stops = np.full((len(opening), most), NO_STOP, dtype=np.int32)
        for step in range(most):
            has = n_stops > step
            stops[has, step] = code[opening[has] + step]
        goes_on = n_stops > most
        route, example = _alike(stops, goes_on, 2 * len(places.names) + 1)
        return cls(places, visited.user, route, stops[example], goes_on[example])

    @cached_property
    def _takers(self) -> tuple[np.ndarray, np.ndarray]:
        """User and route of every pair that occurs."""
        user, route = np.divmod(
            pd.unique(self.user * np.int64(len(self.stops)) + self.route), len(self.stops)
        )
        return user, route

    def text(self, route: int) -> str:
        """A route in words: ``Home → Product ×2+ → Cart``, with ``→ …`` where its sessions go on."""
        stops = [divmod(stop, 2) for stop in self.stops[route].tolist() if stop != NO_STOP]
        said = [self.places.names[place] + AGAIN * again for place, again in stops]
        return ARROW.join([*said, GOES_ON] if self.goes_on[route] else said)

    def listed(
        self, users: np.ndarray, others: np.ndarray, happened: Happened | None, count: int,
        order: RouteOrder = RouteOrder.MOST,
    ) -> pd.DataFrame:  # fmt: skip
        """The routes of some users, beside others.

        A user takes a route with at least one session. Steps are what the model has read, so that shares of
        users are told apart by the interval of their difference alone (:mod:`core.differences.single`).

        Args:
            users: Whose, bool of shape (n_users,).
            others: Beside whom, bool of shape (n_users,); nobody for none.
            happened: The outcome; None for none.
            count: Routes at most.
            order: Which come first; with ``APART`` all that differ and no others, also what only others took.

        Returns:
            ``rank``, ``route``; ``sessions`` and ``session_share`` of ``sessions_n``; ``users`` and ``share``
            of ``n`` with its 95 % interval ``low`` to ``high``; ``rest_users`` and ``rest_share`` of
            ``rest_n``; the ``difference`` of the two with its interval, and whether it ``differs``; of the
            users who took the route, those with the outcome at any time: ``outcome_users``,
            ``outcome_rate`` with its interval. What cannot be said is NaN.
        """
        table = self._counted(users, others, happened)
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

    def _counted(self, users: np.ndarray, others: np.ndarray, happened: Happened | None) -> pd.DataFrame:
        """Every route that any of them took in the columns of :meth:`listed`, by its number."""
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
        return pd.DataFrame(columns | self._outcome(users, taken, here, happened), index=taken)

    def _users(self, group: np.ndarray) -> np.ndarray:
        """How many of a group took each route: int64 of shape (n_routes,)."""
        taker, route = self._takers
        return np.bincount(route[group[taker]], minlength=len(self.stops))

    def _outcome(
        self, users: np.ndarray, taken: np.ndarray, here: np.ndarray, happened: Happened | None
    ) -> dict[str, np.ndarray]:
        columns = (Col.OUTCOME_USERS, Col.OUTCOME_RATE, Col.OUTCOME_LOW, Col.OUTCOME_HIGH)
        if happened is None:
            return dict.fromkeys(columns, np.full(len(taken), np.nan))
        had = np.zeros(len(users), dtype=bool)
        had[happened.user] = True
        converted = self._users(users & had)[taken]
        with np.errstate(invalid="ignore"):
            rate = converted / here
        return dict(zip(columns, (converted, rate, *wilson(converted, here)), strict=True))


def _alike(stops: np.ndarray, goes_on: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The route of each session, numbered as they first occur, and one session of each route."""
    route = goes_on.astype(np.int64)
    for stop in stops.T:
        route = pd.factorize(route * width + stop - NO_STOP)[0]
    return route, np.flatnonzero(np.diff(np.maximum.accumulate(route), prepend=-1))
