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
    """Count every user's events by name, each transaction once."""
    others = staying.filter(~staying[records.IS_VIEW])
    name = others[Raw.EVENT_NAME].strip()
    others = others.mutate(name=name, transaction=records.absent(others[Raw.TRANSACTION_ID]))
    sold = (others.name == PURCHASE) & others.transaction.notnull()
    purchases = others.filter(sold.fill_null(False))
    order = ibis.window(group_by=[records.USER_ID, "transaction"], order_by=list(records.ORDER))
    numbered = purchases.mutate(again=ibis.row_number().over(order))
    columns = (records.USER_ID, records.TS, records.SESSION_ID, "name", records.REVENUE)
    once = numbered.filter(numbered.again == 0).select(*columns)
    rest = others.filter(~sold.fill_null(False)).select(*columns)
    counted = _counted(rest.union(once), users, starts)
    again = numbered.join(users, records.USER_ID).filter(_.again > 0).count()
    return Events(_table(engine.arrow(counted)), engine.arrow(again).as_py())


def _counted(events: ir.Table, users: ir.Table, starts: ir.Table | None) -> ir.Table:
    named = events.filter(records.absent(events.name).notnull()).join(users, records.USER_ID)
    named = with_sessions(named.select(USER, records.TS, records.SESSION_ID, "name", records.REVENUE), starts)
    ids = named.group_by(USER, "name")
    return ids.agg(
        events=_.count(),
        sessions=_[records.SESSION_ID].nunique() + _[GAP_START].nunique(),
        first=_[records.TS].min(),
        revenue=_[records.REVENUE].try_cast(_DECIMAL).sum().cast("float64"),
    ).order_by(USER, "name")


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
