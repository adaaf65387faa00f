"""Page views in order, and what was done between them.

The order of a user's events is decided here, once; everything after keeps it.
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
from core.ingest.observe.narrow import NAME, SESSION, USER, Events

GAP_START: Final = "gap_start"
MICROSECONDS_A_MINUTE: Final = 60_000_000


@dataclass(frozen=True, eq=False)
class PageViews:
    """Page views of all users, by user and in order.

    Args:
        user: int32 of shape (n_views,), the user's number, ascending.
        page: int32 of shape (n_views,), index into the canonical pages.
        timestamp: int64 of shape (n_views,), microseconds UTC, ascending within a user.
        session: int64 of shape (n_views,), equal within one session of one user and nowhere else.
        by_gap: bool of shape (n_views,), whether that session was cut by inactivity.
        place: int64 of shape (n_views,), ascending: which one it was before any were left out.
    """

    user: np.ndarray
    page: np.ndarray
    timestamp: np.ndarray
    session: np.ndarray
    by_gap: np.ndarray
    place: np.ndarray

    def only(self, which: np.ndarray) -> PageViews:
        """The page views where ``which`` (bool of shape (n_views,)) is true."""
        return PageViews(*(column[which] for column in vars(self).values()))

    def __len__(self) -> int:
        return len(self.user)

    @property
    def begins_user(self) -> np.ndarray:
        """Whether a page view is the first of its user, bool of shape (n_views,)."""
        return np.concatenate(([True], self.user[1:] != self.user[:-1]))[: len(self)]

    def visits(self, n_pages: int) -> tuple[np.ndarray, np.ndarray]:
        """Every pair of a user and a page they viewed, once: two arrays of the same length."""
        pairs = np.sort(self.user.astype(np.int64) * n_pages + self.page)
        pairs = pairs[np.concatenate(([True], pairs[1:] != pairs[:-1]))[: len(pairs)]]
        return pairs // n_pages, pairs % n_pages


def gap_starts(engine: Engine, events: Events, minutes: int) -> ir.Table | None:
    """When the sessions began of events without ``ga_session_id``: after ``minutes`` without any such event.

    Returns:
        A table of ``user`` and ``gap_start`` (microseconds UTC); None if every event has a session id.
    """
    anonymous = events.table.filter(events.table[SESSION].isnull())
    times = anonymous.select(USER, records.TS)
    before = times[records.TS].lag().over(ibis.window(group_by=USER, order_by=records.TS))
    times = times.mutate(before=before)
    starts = times.filter(
        times.before.isnull() | (times[records.TS] - times.before > minutes * MICROSECONDS_A_MINUTE)
    )
    starts = starts.select(USER, **{GAP_START: starts[records.TS]}).distinct()
    kept = engine.keep("gap_starts", starts)
    return kept if engine.rows(kept.count().name("n").as_table())[0]["n"] else None


def with_sessions(events: ir.Table, starts: ir.Table | None) -> ir.Table:
    """Add ``gap_start`` to events with ``user``, ``ts``, ``session``: null where there is an id."""
    if starts is None:
        return events.mutate(**{GAP_START: ibis.null("int64")})
    joined = events.asof_join(starts, on=events[records.TS] >= starts[GAP_START], predicates=USER)
    start = ibis.ifelse(joined[SESSION].isnull(), joined[GAP_START], ibis.null("int64"))
    return joined.select(*events.columns, **{GAP_START: start})


@dataclass(frozen=True, eq=False)
class Deeds:
    """Events other than page views of the users with one, by user and in order.

    Args:
        user: int32 of shape (n_deeds,), the user's number, ascending.
        name: int32 of shape (n_deeds,), place in the names of events.
        timestamp: int64 of shape (n_deeds,), microseconds UTC.
        session: int64 of shape (n_deeds,), as of the page views.
        before: int64 of shape (n_deeds,), page views of all users before it, with those that are left out.
    """

    user: np.ndarray
    name: np.ndarray
    timestamp: np.ndarray
    session: np.ndarray
    before: np.ndarray


def in_order(
    engine: Engine, events: Events, again: ir.Table, starts: ir.Table | None
) -> tuple[PageViews, Deeds]:
    """Fetch all page views, and the named events between them, in their order.

    Args:
        engine: Where the tables are.
        events: All events of the users with a page view.
        again: Those that repeat an earlier one, by file and line.
        starts: Of sessions without an id.
    """
    known = events.table.filter(events.table[records.IS_VIEW] | events.table[NAME].notnull())
    once = known.anti_join(again, [Raw.FILE_NO, Raw.LINE])
    kept = with_sessions(once.select(USER, PAGE, NAME, records.IS_VIEW, SESSION, *events.order), starts)
    ordered = kept.order_by(USER, *events.order)
    columns = (USER, PAGE, NAME, records.IS_VIEW, records.TS, SESSION, GAP_START)
    return _apart(engine.arrow(ordered.select(*columns)))


def _apart(table: pa.Table) -> tuple[PageViews, Deeds]:
    user, start = table[USER].to_numpy(), table[GAP_START].combine_chunks()
    by_gap = np.asarray(start.is_valid())
    ids = table[SESSION].combine_chunks().fill_null(0).to_numpy()
    codes, found = pd.factorize(np.where(by_gap, start.fill_null(0).to_numpy().astype(np.uint64), ids))
    session = (user.astype(np.int64) * len(found) + codes) * 2 + by_gap
    is_view = np.asarray(table[records.IS_VIEW])
    page, name = (table[column].combine_chunks().fill_null(-1).to_numpy() for column in (PAGE, NAME))
    time, before = table[records.TS].to_numpy(), np.cumsum(is_view) - is_view
    views = (user, page, time, session, by_gap, before)
    deeds = (user, name, time, session, before)
    return PageViews(*(one[is_view] for one in views)), Deeds(*(one[~is_view] for one in deeds))


@dataclass(frozen=True, eq=False)
class Sessions:
    """Which session of its user each page view belongs to.

    Args:
        number: int32 of shape (n_views,), 0-based within a user, ascending within a user.
        total: Sessions with at least one page view.
        by_gap: Those of them that were cut by inactivity.
    """

    number: np.ndarray
    total: int
    by_gap: int


def number_sessions(views: PageViews) -> Sessions:
    """Number the sessions of every user in the order in which they begin.

    Sessions of one user can overlap (two devices behind one user id, timestamps rounded by a spreadsheet).
    A page view of an earlier session that comes after a later one has begun counts to the later one, so that
    numbers ascend; each session keeps a page view of its own, its first, so their count is exact.
    """
    if not len(views):
        return Sessions(np.zeros(0, np.int32), 0, 0)
    appearance, _ = pd.factorize(views.session)  # 0, 1, 2, … in order of appearance, over all users
    latest = np.maximum.accumulate(appearance)
    begins = np.concatenate(([True], latest[1:] != latest[:-1]))
    first = np.flatnonzero(views.begins_user)
    before = latest[first]  # a user's first page view always begins a session
    number = latest - np.repeat(before, np.diff(np.append(first, len(views))))
    return Sessions(number.astype(np.int32), int(begins.sum()), int((begins & views.by_gap).sum()))
