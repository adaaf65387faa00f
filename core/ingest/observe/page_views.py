"""Put page views and other events of all users in order, and number their sessions.

The order of a user's events is decided here, once; all later steps keep it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from core.base.schema import Raw
from core.ingest.clean import records
from core.ingest.clean.locations import PAGE
from core.ingest.engine import Engine
from core.ingest.observe.channel_codes import CODE
from core.ingest.observe.narrow import NAME, PAID, SESSION, USER, Events

_TWICE, _WHAT = "twice", "what"
MICROSECONDS_A_MINUTE: Final = 60_000_000


@dataclass(frozen=True, eq=False)
class PageViews:
    """Page views of all users, sorted by user and time.

    Args:
        user: int32 of shape (n_views,), the user's number, ascending.
        page: int32 of shape (n_views,), index into the canonical pages.
        timestamp: int64 of shape (n_views,), microseconds UTC, ascending within a user.
        session: int64 of shape (n_views,), a key that is unique to a session of a user.
        by_gap: bool of shape (n_views,), whether that session was cut by inactivity.
        place: int64 of shape (n_views,), ascending: index of the page view before any were left out.
    """

    user: np.ndarray
    page: np.ndarray
    timestamp: np.ndarray
    session: np.ndarray
    by_gap: np.ndarray
    place: np.ndarray

    def only(self, which: np.ndarray) -> PageViews:
        """Return the page views where ``which`` (bool of shape (n_views,)) is true."""
        return PageViews(*(column[which] for column in vars(self).values()))

    def __len__(self) -> int:
        return len(self.user)

    @property
    def begins_user(self) -> np.ndarray:
        """Whether each page view is the first of its user, bool of shape (n_views,)."""
        return changes(self.user)

    def visits(self, n_pages: int) -> tuple[np.ndarray, np.ndarray]:
        """Return every pair of a user and a page viewed by them once: an array of users and one of pages."""
        pairs = np.sort(self.user.astype(np.int64) * n_pages + self.page)
        pairs = pairs[changes(pairs)]
        return pairs // n_pages, pairs % n_pages


@dataclass(frozen=True, eq=False)
class OtherEvents:
    """Named events other than page views, sorted by user and time.

    Args:
        user: int32 of shape (n_deeds,), the user's number, ascending.
        name: int32 of shape (n_deeds,), index into the names of events.
        timestamp: int64 of shape (n_deeds,), microseconds UTC.
        session: int64 of shape (n_deeds,), session key as in :class:`PageViews`.
        payment: int32 of shape (n_deeds,), number of its payment among all in this order; −1 without one.
        before: int64 of shape (n_deeds,), number of page views that come before it by user and time, of all
            users, left-out ones included.
    """

    user: np.ndarray
    name: np.ndarray
    timestamp: np.ndarray
    session: np.ndarray
    payment: np.ndarray
    before: np.ndarray


def in_order(
    engine: Engine, events: Events, again: ir.Table, minutes: int
) -> tuple[PageViews, OtherEvents, tuple[np.ndarray, np.ndarray]]:
    """Fetch all page views and all other named events, sorted by user and time.

    Args:
        engine: Database of the tables.
        events: All events of the users.
        again: File and line of repeated purchases; they only keep a session going.
        minutes: Inactivity that ends a session, among events without ``ga_session_id``.

    Returns:
        The page views, the other events, and of each of both the session and the code of the channel (−1
        without one), in order.
    """
    known = events.table.left_join(again.mutate(**{_TWICE: True}), [Raw.FILE_NO, Raw.LINE])
    what = ibis.cases(
        (known[_TWICE], ibis.null("int32")), (known[records.IS_VIEW], known[PAGE]), else_=known[NAME]
    )
    columns = (USER, records.TS, records.IS_VIEW, SESSION, CODE, PAID)
    return _apart(
        engine.arrow(known.order_by(USER, *events.order).select(*columns, **{_WHAT: what})), minutes
    )


def _apart(table: pa.Table, minutes: int) -> tuple[PageViews, OtherEvents, tuple[np.ndarray, np.ndarray]]:
    by_gap, kept = np.asarray(table[SESSION].is_null()), np.asarray(table[_WHAT].is_valid())
    ids = np.asarray(table[SESSION].fill_null(0)).copy()
    ids[by_gap] = _gap_starts(table.select([USER, records.TS]).filter(pa.array(by_gap)), minutes)
    table = table.drop_columns([SESSION]).filter(pa.array(kept))
    ids, by_gap = ids[kept], by_gap[kept]
    user, time, is_view, what = (
        np.asarray(table[name]) for name in (USER, records.TS, records.IS_VIEW, _WHAT)
    )
    code, paid = np.asarray(table[CODE].fill_null(-1)), np.asarray(table[PAID])
    del table  # there are millions of rows: what was copied need not be there twice
    session, before = _sessions(user, ids, by_gap), np.cumsum(is_view) - is_view
    views = (user, what, time, session, by_gap, before)
    payment = np.where(paid, np.cumsum(paid, dtype=np.int32) - 1, -1).astype(np.int32)
    deeds = (user, what, time, session, payment, before)
    apart = PageViews(*(one[is_view] for one in views)), OtherEvents(*(one[~is_view] for one in deeds))
    return *apart, (session, code)


def _gap_starts(table: pa.Table, minutes: int) -> np.ndarray:
    """Start of the session of each event without ``ga_session_id``, judged by such events only."""
    user, time = (np.asarray(column) for column in table.columns)
    pauses = np.diff(time, prepend=0) > minutes * MICROSECONDS_A_MINUTE
    begins = np.flatnonzero(pauses | changes(user))
    return np.repeat(time[begins], np.diff(begins, append=len(time)))


def _sessions(user: np.ndarray, ids: np.ndarray, by_gap: np.ndarray) -> np.ndarray:
    """Session keys, each unique to a session of a user."""
    begins = np.flatnonzero(changes(ids))  # most events are of the session of the one before
    codes, found = pd.factorize(ids[begins])
    code = np.repeat(codes, np.diff(begins, append=len(ids)))
    session: np.ndarray = (user.astype(np.int64) * len(found) + code) * 2 + by_gap
    return session


def changes(values: np.ndarray) -> np.ndarray:
    """Whether each value differs from the previous one, bool of the same shape; True for the first."""
    return np.concatenate(([True], values[1:] != values[:-1]))[: len(values)]


@dataclass(frozen=True, eq=False)
class Sessions:
    """Session number of each page view, and counts of sessions.

    Args:
        number: int32 of shape (n_views,), 0-based within a user, ascending within a user.
        total: Number of sessions with at least one page view.
        by_gap: Number of these that were cut by inactivity.
    """

    number: np.ndarray
    total: int
    by_gap: int


def number_sessions(views: PageViews) -> Sessions:
    """Number the sessions of every user in the order in which they begin.

    Sessions of one user can overlap (two devices behind one user id, timestamps rounded by a spreadsheet).
    A page view of an earlier session after the start of a later one counts for the later one, so that numbers
    ascend; each session keeps at least its first page view, so the number of sessions is exact.
    """
    if not len(views):
        return Sessions(np.zeros(0, np.int32), 0, 0)
    appearance, _ = pd.factorize(views.session)  # 0, 1, 2, … in order of appearance, over all users
    latest = np.maximum.accumulate(appearance)
    begins = changes(latest)
    first = np.flatnonzero(views.begins_user)
    before = latest[first]  # a user's first page view always begins a session
    number = latest - np.repeat(before, np.diff(np.append(first, len(views))))
    return Sessions(number.astype(np.int32), int(begins.sum()), int((begins & views.by_gap).sum()))
