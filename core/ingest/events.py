"""Page views in order, and who they belong to.

The order of a user's page views is decided here, once; everything after keeps it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from core.ingest import records
from core.ingest.engine import Engine
from core.ingest.locations import PAGE, Locations
from core.schema import Raw

USER, GAP_START = "user", "gap_start"
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
    """

    user: np.ndarray
    page: np.ndarray
    timestamp: np.ndarray
    session: np.ndarray
    by_gap: np.ndarray

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


def number_users(engine: Engine, views: ir.Table) -> tuple[ir.Table, pa.StringArray]:
    """Number everybody with a page view, in the order of their ids (bytes of UTF-8).

    Returns:
        A table ``user_id`` → ``user``, and the ids by number.
    """
    ids = views.select(records.USER_ID).distinct()
    number = ibis.row_number().over(order_by=ids[records.USER_ID]).cast("int32")
    table = engine.keep("user_numbers", ids.mutate(**{USER: number}))
    return table, engine.arrow(table.order_by(USER))[records.USER_ID].combine_chunks()


def gap_starts(engine: Engine, staying: ir.Table, users: ir.Table, minutes: int) -> ir.Table | None:
    """When the sessions began of events without ``ga_session_id``: after ``minutes`` without any such event.

    Returns:
        A table of ``user_id`` and ``gap_start`` (microseconds UTC); None if every event has a session id.
    """
    anonymous = staying.filter(staying[records.SESSION_ID].isnull()).semi_join(users, records.USER_ID)
    times = anonymous.select(records.USER_ID, records.TS)
    before = times[records.TS].lag().over(ibis.window(group_by=records.USER_ID, order_by=records.TS))
    times = times.mutate(before=before)
    starts = times.filter(
        times.before.isnull() | (times[records.TS] - times.before > minutes * MICROSECONDS_A_MINUTE)
    )
    starts = starts.select(records.USER_ID, **{GAP_START: starts[records.TS]}).distinct()
    kept = engine.keep("gap_starts", starts)
    return kept if engine.rows(kept.count().name("n").as_table())[0]["n"] else None


def with_sessions(events: ir.Table, starts: ir.Table | None) -> ir.Table:
    """Add ``gap_start`` to events with ``user_id``, ``ts``, ``session_id``: null where there is an id."""
    if starts is None:
        return events.mutate(**{GAP_START: ibis.null("int64")})
    joined = events.asof_join(starts, on=events[records.TS] >= starts[GAP_START], predicates=records.USER_ID)
    start = ibis.ifelse(joined[records.SESSION_ID].isnull(), joined[GAP_START], ibis.null("int64"))
    return joined.select(*events.columns, **{GAP_START: start})


def ordered_views(
    engine: Engine,
    views: ir.Table,
    users: ir.Table,
    locations: Locations,
    starts: ir.Table | None,
    present: Collection[str],
) -> PageViews:
    """Fetch all page views in their order."""
    pages = locations.table
    order = [column for column in records.ORDER if column not in records.BATCH or column in present]
    placed = views.join(users, records.USER_ID).join(pages, views[Raw.PAGE_LOCATION] == pages.location)
    columns = dict.fromkeys((records.USER_ID, USER, PAGE, records.TS, records.SESSION_ID, *order))
    placed = with_sessions(placed.select(*columns), starts).order_by(USER, *order)
    return _page_views(engine.arrow(placed.select(USER, PAGE, records.TS, records.SESSION_ID, GAP_START)))


def _page_views(table: pa.Table) -> PageViews:
    user = table[USER].to_numpy()
    start = table[GAP_START].combine_chunks()
    by_gap = np.asarray(start.is_valid())
    ids = table[records.SESSION_ID].combine_chunks().dictionary_encode()
    named = ids.indices.fill_null(-1).to_numpy().astype(np.int64)
    if by_gap.any():
        _, gaps = np.unique(start.fill_null(0).to_numpy(), return_inverse=True)
        named = np.where(by_gap, len(ids.dictionary) + gaps, named)
    sessions_at_most = int(named.max(initial=0)) + 1
    return PageViews(
        user=user,
        page=table[PAGE].to_numpy(),
        timestamp=table[records.TS].to_numpy(),
        session=user.astype(np.int64) * sessions_at_most + named,
        by_gap=by_gap,
    )
