"""Events other than page views, a row a user and event; and the pages that give an outcome away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from ibis import _

from core.ingest import records
from core.ingest.engine import Engine
from core.ingest.events import GAP_START, USER, PageViews, with_sessions
from core.ingest.privacy import mask_url
from core.ingest.tables import OUTCOMES
from core.schema import Outcomes, Raw

PURCHASE: Final = "purchase"
"""The event that GA4 records again when its confirmation page is reloaded."""

LEAK_SHARE: Final = 0.95
"""Share of a page's visitors with the outcome from which on the page as good as is the outcome …"""
LEAK_REACH: Final = 0.8
"""… if this share of everybody with the outcome has been there, …"""
LEAK_USERS: Final = 20
"""… seen on at least so many visitors."""

_COLUMNS: Final = (records.USER_ID, records.TS, records.SESSION_ID, "name", records.REVENUE)
_DECIMAL: Final = "decimal(38, 6)"  # summed exactly, so that the order of rows cannot change the last digit


@dataclass(frozen=True, eq=False)
class Events:
    """What users did besides viewing pages.

    Args:
        table: Columns of :data:`core.ingest.tables.OUTCOMES`, ``user`` being the number of
            :func:`core.ingest.events.number_users`.
        duplicates: Purchases left out because the user has one with the same transaction id already.
    """

    table: pa.Table
    duplicates: int


def outcome_events(engine: Engine, staying: ir.Table, users: ir.Table, starts: ir.Table | None) -> Events:
    """Count every user's events by name, each transaction once.

    Args:
        engine: Where the tables are.
        staying: All events that stay.
        users: ``user_id`` → ``user``.
        starts: Of sessions without an id, see :func:`core.ingest.events.gap_starts`.
    """
    others = staying.filter(~staying[records.IS_VIEW])
    others = others.mutate(name=others[Raw.EVENT_NAME].strip())
    sold = others.name == PURCHASE
    purchases = engine.keep("purchases", _numbered(others.filter(sold).semi_join(users, records.USER_ID)))
    counted = ibis.union(
        _counted(others.filter(~sold), starts),
        _counted(purchases.filter(purchases.again == 0), starts),
        distinct=False,
    )
    named = counted.filter(records.absent(counted.name).notnull()).join(users, records.USER_ID)
    ordered = named.drop(records.USER_ID).order_by(USER, "name")
    [row] = engine.rows(purchases.agg(again=(purchases.again > 0).ifelse(1, 0).sum()))
    return Events(_table(engine.arrow(ordered)), row["again"] or 0)


def _numbered(purchases: ir.Table) -> ir.Table:
    """Number the purchases of each transaction of a user; 0 where there is no transaction id."""
    named = purchases.mutate(transaction=records.absent(purchases[Raw.TRANSACTION_ID]))
    order = ibis.window(group_by=[records.USER_ID, "transaction"], order_by=list(records.ORDER))
    again = ibis.ifelse(named.transaction.isnull(), 0, ibis.row_number().over(order))
    return named.mutate(again=again).select(*_COLUMNS, "again")


def _counted(events: ir.Table, starts: ir.Table | None) -> ir.Table:
    """Count by user, name and session first, then the sessions: cheaper than counting distinct texts."""
    sessions = with_sessions(events.select(*_COLUMNS), starts)
    sessions = sessions.group_by(records.USER_ID, "name", records.SESSION_ID, GAP_START).agg(
        events=_.count(),
        first=_[records.TS].min(),
        revenue=_[records.REVENUE].try_cast(_DECIMAL).sum(),
    )
    return sessions.group_by(records.USER_ID, "name").agg(
        events=_.events.sum(),
        sessions=_.count(),
        first=_.first.min(),
        revenue=_.revenue.sum().cast("float64"),
    )


def _table(counted: pa.Table) -> pa.Table:
    names = counted["name"].combine_chunks().dictionary_encode()
    masked = pa.array([mask_url(name).text for name in names.dictionary.to_pylist()], pa.string())
    columns = {
        Outcomes.USER: counted[USER],
        Outcomes.EVENT_NAME: masked.take(names.indices),
        Outcomes.EVENTS: counted["events"],
        Outcomes.SESSIONS: counted["sessions"],
        Outcomes.FIRST_TS: counted["first"],
        Outcomes.REVENUE: counted["revenue"],
    }
    return pa.table(columns).cast(OUTCOMES)


def leaking_pages(views: PageViews, n_pages: int, events: pa.Table) -> np.ndarray:
    """Find pages that give the purchase away: nearly all visitors bought, and nearly all buyers visited.

    Args:
        views: Page views.
        n_pages: Number of pages.
        events: Outcomes with the same user numbers.

    Returns:
        Indices of such pages, ascending.
    """
    bought = events[Outcomes.USER].to_numpy()[np.asarray(events[Outcomes.EVENT_NAME]) == PURCHASE]
    if not len(bought):
        return np.zeros(0, np.int64)
    user, page = views.visits(n_pages)
    buyer = np.isin(user, bought)
    visitors = np.bincount(page, minlength=n_pages)
    buyers = np.bincount(page[buyer], minlength=n_pages)
    everybody = np.isin(views.user[views.begins_user], bought).sum()
    leaks = (visitors >= LEAK_USERS) & (buyers >= LEAK_SHARE * visitors) & (buyers >= LEAK_REACH * everybody)
    return np.flatnonzero(leaks)
