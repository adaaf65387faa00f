"""Count outcomes (events other than page views) by user, with revenue and refunds, and page events by page.

A refund belongs to the purchase of its transaction, whoever sent it: often a server does, without a user id
or with another one. If it names no transaction of the data, it belongs to its user, provided the user bought
something in its currency. Any other refund counts in the totals only. Several partial refunds all count.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from ibis import _

from core.base.schema import ITEM_CATEGORY, EventTimes, Outcomes, PageEvents, Raw
from core.base.schema import PAGE_EVENTS as TELLING
from core.base.wording import pluralise
from core.ingest.clean import records
from core.ingest.clean.locations import PAGE, Locations
from core.ingest.clean.masking import Masking, mask_labels
from core.ingest.clean.personal_data import mask_url
from core.ingest.engine import Engine
from core.ingest.observe.narrow import NAME, PAID, PURCHASE, REFUND, USER, Events
from core.ingest.observe.page_views import OtherEvents, changes
from core.ingest.output_tables import OUTCOMES, PAGE_EVENTS
from core.storage.receipt import NO_CURRENCY

_TRANSACTION: Final = "transaction"
_REFUNDS: Final = "refunds"
"""Column of refunded amounts, above 0."""
_DECIMAL: Final = "decimal(38, 6)"
"""Type of sums of money: exact, so that the order of rows cannot change the last digit."""

_SENT, _OF = "sent", "of"


@dataclass(frozen=True, eq=False)
class Refunds:
    """All refunds of the data.

    Args:
        table: Columns ``transaction`` or else ``user_key``, ``currency`` and ``refunds``: refunds of a
            purchase, or of a user's purchases.
        totals: Currency → sum of all refunds, also of those that belong to no purchase.
        notes: Warnings about unusual refunds.
    """

    table: pa.Table
    totals: dict[str, float]
    notes: tuple[str, ...]


def find_refunds(engine: Engine, staying: ir.Table, names: Collection[str]) -> Refunds | None:
    """Find all refunds, and the purchase or the user that each belongs to.

    Args:
        engine: Database of the tables.
        staying: All records that stay, also those without a user id.
        names: Names of all events.

    Returns:
        All refunds; None if there are none.
    """
    if REFUND not in names:
        return None
    name = staying[Raw.EVENT_NAME].strip()
    named = staying.filter(~staying[records.IS_VIEW], name.isin([PURCHASE, REFUND]))
    money = engine.keep(
        "money",
        named.select(
            **{
                "is_refund": named[Raw.EVENT_NAME].strip() == REFUND,
                Raw.USER_KEY: ibis.ifelse(
                    named[records.USER_ID].isnull(), ibis.null("string"), named[Raw.USER_KEY]
                ),
                _TRANSACTION: records.absent(named[Raw.TRANSACTION_ID]),
                Raw.CURRENCY: records.currency(named[Raw.CURRENCY]),
                _SENT: ibis.coalesce(named[records.REFUND].nullif(0), named[records.REVENUE].nullif(0)),
            }
        ),
    )
    refunds = engine.keep("refunds", _placed(money.filter(money.is_refund), money.filter(~money.is_refund)))
    whose = refunds.filter(refunds[_OF] != "").group_by(_TRANSACTION, Raw.USER_KEY, Raw.CURRENCY)
    totals = refunds.filter(refunds[_SENT].notnull()).group_by(Raw.CURRENCY).agg(refunds=_sum(refunds))
    return Refunds(
        engine.arrow(whose.agg(refunds=_sum(refunds)).order_by(_TRANSACTION, Raw.USER_KEY, Raw.CURRENCY)),
        {row[Raw.CURRENCY] or NO_CURRENCY: row[_REFUNDS] for row in engine.rows(totals)},
        _notes(engine, refunds),
    )


def _sum(refunds: ir.Table) -> ir.FloatingScalar:
    return refunds[_SENT].abs().try_cast(_DECIMAL).sum().cast("float64")


def _placed(refunds: ir.Table, purchases: ir.Table) -> ir.Table:
    """Assign each refund to its transaction or else to its user; both are null for any other refund."""
    paid = purchases[Raw.CURRENCY]
    bought = purchases.filter(purchases[_TRANSACTION].notnull()).group_by(_TRANSACTION)
    buyers = purchases.filter(purchases[Raw.USER_KEY].notnull()).group_by(Raw.USER_KEY)
    by_transaction = bought.agg(transaction_paid=paid.min(), known=ibis.literal(True))
    by_user = buyers.agg(user_paid=paid.min(), buys=ibis.literal(True))
    joined = refunds.left_join(by_transaction, _TRANSACTION).left_join(by_user, Raw.USER_KEY)
    known, buys = joined.known.fill_null(False), joined.buys.fill_null(False)
    first = ibis.ifelse(known, joined.transaction_paid, joined.user_paid)
    code = ibis.coalesce(refunds[Raw.CURRENCY], first)
    alike = code.fill_null("") == first.fill_null("")
    kinds = ((refunds[_SENT].isnull() | ~alike, ""), (known, _TRANSACTION), (buys, Raw.USER_KEY))
    of = ibis.cases(*kinds, else_="")
    return joined.select(
        **{
            _OF: of,
            _TRANSACTION: ibis.ifelse(of == _TRANSACTION, refunds[_TRANSACTION], ibis.null("string")),
            Raw.USER_KEY: ibis.ifelse(of == Raw.USER_KEY, refunds[Raw.USER_KEY], ibis.null("string")),
            Raw.CURRENCY: code,
            _SENT: refunds[_SENT],
            "elsewhere": (known | buys) & ~alike,
        }
    )


def _notes(engine: Engine, refunds: ir.Table) -> tuple[str, ...]:
    sent = refunds[_SENT]
    [row] = engine.rows(
        refunds.agg(
            empty=sent.isnull().sum(),
            negative=(sent < 0).sum(),
            elsewhere=(sent.notnull() & refunds.elsewhere).sum(),
            unknown=(sent.notnull() & (refunds[_OF] == "") & ~refunds.elsewhere).sum(),
        )
    )
    notes = {
        "empty": "without a value: nothing is taken off for them",
        "negative": "with a negative value, read as money given back",
        "elsewhere": "in another currency than the purchase: in the totals of their currency, in no user's",
        "unknown": "of no purchase in these data: in the totals, in no user's",
    }
    return tuple(f"{pluralise(row[name], REFUND)} {text}" for name, text in notes.items() if row[name])


@dataclass(frozen=True, eq=False)
class OutcomesWithoutUserId:
    """Outcomes of visitors without a user id.

    Args:
        table: Event name, currency, events, revenue and refunds, columns of
            :data:`core.ingest.output_tables.OUTCOMES`; a row per event, and one with money only for each of
            its currencies.
        duplicates: Purchases left out because a user's or an earlier purchase has the same transaction.
    """

    table: pa.Table
    duplicates: int


@dataclass(frozen=True, eq=False)
class UserOutcomes:
    """Outcomes of all users, and refunds.

    Args:
        table: Columns of :data:`core.ingest.output_tables.OUTCOMES`, ``user`` being the number of
            :func:`core.ingest.observe.narrow.number_users`.
        names: Masked name of each event, by its number.
        duplicates: Purchases left out because an earlier one has the same transaction id.
        refunds: All refunds; None if there are none.
        without_user_id: Outcomes of visitors without a user id; None if all have one, or they were counted
            before.
    """

    table: pa.Table
    names: pa.StringArray
    duplicates: int
    refunds: Refunds | None = None
    without_user_id: OutcomesWithoutUserId | None = None

    def with_records_without_user_id(self, without_id: OutcomesWithoutUserId) -> UserOutcomes:
        """Return these outcomes with those of visitors without a user id added."""
        return replace(self, without_user_id=without_id, duplicates=self.duplicates + without_id.duplicates)


def repeated(engine: Engine, events: Events, n_users: int) -> ir.Table:
    """Return file and line of users' purchases whose transaction was purchased before.

    Args:
        engine: Database of the tables.
        events: All events of users, with or without a page view.
        n_users: Number of users with a page view, who are numbered first.
    """
    sold = [number for number, name in enumerate(events.names) if name == PURCHASE]
    return engine.keep(
        "repeated",
        repeated_transactions(events.table.filter(events.table[NAME].isin(sold)), n_users, events.order),
    )


def count_outcomes(
    engine: Engine,
    events: Events,
    deeds: OtherEvents,
    twice: ir.Table,
    refunds: Refunds | None,
    users: ir.Table,
    masking: Masking,
) -> UserOutcomes:
    """Count every user's events by name, each transaction once.

    Args:
        engine: Database of the tables.
        events: All events of the users.
        deeds: Events to count.
        twice: File and line of purchases that repeat an earlier one.
        refunds: All refunds; None if there are none.
        users: ``user_key`` → ``user``.
        masking: Decides which event names are personal.
    """
    sold = events.table.filter(~events.table[records.IS_VIEW], events.table[NAME].notnull())
    once = sold.anti_join(twice, [Raw.FILE_NO, Raw.LINE])
    paid = _paid(engine, once, events.names, refunds, users).order_by(USER, NAME, Raw.CURRENCY)
    counted = _counted(deeds, len(events.names), engine.arrow(paid))
    doers = np.bincount(counted[NAME].to_numpy(), minlength=len(events.names))
    masked = pa.array(mask_labels(Outcomes.EVENT_NAME, events.names, doers, masking), pa.string())
    return UserOutcomes(_table(counted, masked), masked, engine.count(twice), refunds)


def count_without_user_id(
    engine: Engine,
    staying: ir.Table,
    names: ir.Table,
    called: Sequence[str],
    order: Sequence[str],
    refunds: Refunds | None,
) -> OutcomesWithoutUserId:
    """Count the events of records without a user id, each transaction once.

    Args:
        engine: Database of the tables.
        staying: All records that stay, also those without a user id.
        names: Table of :func:`core.ingest.observe.narrow.number_names`.
        called: Masked name of each event, by its number.
        order: The columns that order events.
        refunds: All refunds; None if there are none.
    """
    sold = staying[Raw.EVENT_NAME].strip() == PURCHASE
    wanted = staying.filter(~staying[records.IS_VIEW], staying[records.USER_ID].isnull() | sold)
    named = wanted.join(names, wanted[Raw.EVENT_NAME] == names.written)
    kept = (NAME, "stripped", records.REVENUE, records.ITEMS, Raw.CURRENCY, Raw.TRANSACTION_ID, *order)
    nobody = {USER: named[records.USER_ID].isnull().cast("int32")}
    events = engine.keep("of_nobody_or_sold", named.select(*kept, **nobody))
    twice = repeated_transactions(events.filter(events.stripped == PURCHASE), 1, order)
    mine = events.filter(events[USER] == 1)
    once = mine.anti_join(twice, [Raw.FILE_NO, Raw.LINE])
    counted = engine.arrow(once.group_by(NAME).agg(events=_.count()).order_by(NAME))
    paid = engine.arrow(_paid(engine, once, called, refunds, None).order_by(NAME, Raw.CURRENCY))
    number = np.concatenate([counted[NAME].to_numpy(), paid[NAME].to_numpy()])
    rows, more = len(counted), len(paid)
    columns = {
        Outcomes.USER: np.zeros(rows + more, np.int32),
        Outcomes.EVENT_NAME: pa.array(called, pa.string()).take(pa.array(number)),
        Outcomes.EVENTS: np.concatenate([counted["events"].to_numpy(), np.zeros(more, np.int64)]),
        Outcomes.REVENUE: pa.chunked_array([pa.nulls(rows, pa.float64()), *paid["revenue"].chunks]),
        Outcomes.REFUNDS: pa.chunked_array([pa.nulls(rows, pa.float64()), *paid["refunds"].chunks]),
        Outcomes.CURRENCY: pa.chunked_array([pa.nulls(rows, pa.string()), *paid[Raw.CURRENCY].chunks]),
        Outcomes.ITEMS: pa.chunked_array([pa.nulls(rows, pa.int64()), *paid["items"].chunks]),
    }
    return OutcomesWithoutUserId(pa.table(columns), engine.count(mine) - sum(counted["events"].to_pylist()))


def repeated_transactions(purchases: ir.Table, n_users: int, order: Sequence[str]) -> ir.Table:
    """Return file and line of purchases whose transaction id occurs in an earlier purchase.

    A shop gives a transaction id once, so a second user id with it is the same buyer (another device, a
    cleared cookie) or the shop's server: the user id with a page view is taken for the buyer's.
    """
    named = purchases.mutate(transaction=records.absent(purchases[Raw.TRANSACTION_ID]))
    named = named.filter(named.transaction.notnull())
    in_order = [named[USER] >= n_users, *order]
    place = ibis.row_number().over(ibis.window(group_by="transaction", order_by=in_order))
    return named.mutate(place=place).filter(_.place > 0).select(Raw.FILE_NO, Raw.LINE)


def _paid(
    engine: Engine, once: ir.Table, names: Sequence[str], refunds: Refunds | None, users: ir.Table | None
) -> ir.Table:
    """Sum revenue, and items and refunds of purchases, by user, name and currency; refund events have none.

    Args:
        engine: Database of the tables.
        once: Events, each transaction once.
        names: Event names, by number.
        refunds: All refunds; None if there are none.
        users: ``user_key`` → ``user``; None if none of these events has a user id.
    """
    number = {name: place for place, name in enumerate(names)}
    money, code = once[records.REVENUE].try_cast(_DECIMAL), records.currency(once[Raw.CURRENCY])
    keys = {USER: once[USER], NAME: once[NAME], Raw.CURRENCY: code}
    is_sold = once[NAME] == number.get(PURCHASE, -1)  # what is put in a cart has items, too
    sums = {
        "revenue": money,
        "refunds": ibis.null(_DECIMAL),
        "items": ibis.ifelse(is_sold, once[records.ITEMS], None),
    }
    rows = once.select(**keys, **sums).filter(_.revenue.notnull() | _["items"].notnull())
    if refunds is not None and PURCHASE in number:
        bought = once.filter(once[NAME] == number[PURCHASE])
        stored = engine.keep("nobodys_refunds" if users is None else "users_refunds", refunds.table)
        back = _given_back(stored, bought, users)
        rows = ibis.union(rows.filter(rows[NAME] != number[REFUND]), back.select(*rows.columns))
    groups = rows.group_by(USER, NAME, Raw.CURRENCY)
    return groups.agg(
        revenue=_.revenue.sum().cast("float64"), refunds=_.refunds.sum().cast("float64"),
        items=_["items"].sum().cast("int64"),
    )  # fmt: skip


def _given_back(refunds: ir.Table, bought: ir.Table, users: ir.Table | None) -> ir.Table:
    """Refunds of these purchases and buyers, with the columns of the revenue table."""
    bought = bought.select(
        USER, NAME, paid_in=records.currency(bought[Raw.CURRENCY]),
        transaction=records.absent(bought[Raw.TRANSACTION_ID]),
    )  # fmt: skip
    refunded = bought.join(refunds.drop(Raw.USER_KEY), _TRANSACTION)
    back = refunded.select(USER, NAME, refunded.refunds, **{Raw.CURRENCY: refunded.paid_in})
    if users is not None:
        own_refunds = refunds.join(users, Raw.USER_KEY).drop(_TRANSACTION, Raw.USER_KEY)
        buyers = bought.select(USER, NAME).distinct()
        back = ibis.union(back, own_refunds.join(buyers, USER).select(*back.columns))
    none = {"revenue": ibis.null(_DECIMAL), "items": ibis.null("int64")}
    return back.mutate(refunds=back.refunds.try_cast(_DECIMAL), **none)


def _counted(deeds: OtherEvents, names: int, paid: pa.Table) -> pa.Table:
    """Count events and sessions by user and name, in that order.

    A user's second currency is a separate row with money only, so that nothing is counted twice.
    """
    group = deeds.user.astype(np.int64) * names + deeds.name
    order = np.lexsort((deeds.session, group))
    group, new_session = group[order], changes(deeds.session[order])
    new_group = changes(group)
    first = np.flatnonzero(new_group)
    groups = group[first]
    place = np.searchsorted(groups, paid[USER].to_numpy() * np.int64(names) + paid[NAME].to_numpy())
    row = np.repeat(np.arange(len(groups)), np.maximum(1, np.bincount(place, minlength=len(groups))))
    leads, has_paid = changes(row), np.isin(row, place)
    money = pa.array(np.cumsum(has_paid) - 1, mask=~has_paid)
    return pa.table(
        {
            USER: groups[row] // names,
            NAME: groups[row] % names,
            "events": np.diff(first, append=len(group))[row] * leads,
            "sessions": np.add.reduceat(new_group | new_session, first, dtype=np.int32)[row] * leads,
            "first": np.minimum.reduceat(deeds.timestamp[order], first)[row],
            "revenue": paid["revenue"].take(money),
            "refunds": paid["refunds"].take(money),
            "items": paid["items"].take(money),
            Raw.CURRENCY: paid[Raw.CURRENCY].take(money),
        }
    )


def _table(counted: pa.Table, names: pa.StringArray) -> pa.Table:
    columns = {
        Outcomes.USER: counted[USER],
        Outcomes.EVENT_NAME: names.take(counted[NAME].combine_chunks()),
        Outcomes.EVENTS: counted["events"],
        Outcomes.SESSIONS: counted["sessions"],
        Outcomes.FIRST_TS: counted["first"],
        Outcomes.REVENUE: counted["revenue"],
        Outcomes.CURRENCY: counted[Raw.CURRENCY],
        Outcomes.REFUNDS: counted["refunds"],
        Outcomes.ITEMS: counted["items"],
    }
    return pa.table(columns).cast(OUTCOMES)


def payments(engine: Engine, events: Events, twice: ir.Table) -> pa.Table:
    """Fetch the payments of users, in the order in which they have their events.

    Args:
        engine: Database of the tables.
        events: All events of the users.
        twice: File and line of purchases that repeat an earlier one, which are left out.

    Returns:
        Columns ``revenue``, ``currency`` and ``items`` (of purchases), a row an event that is ``paid``.
    """
    paid = events.table.filter(events.table[PAID]).anti_join(twice, [Raw.FILE_NO, Raw.LINE])
    is_sold = paid[NAME].isin([number for number, name in enumerate(events.names) if name == PURCHASE])
    columns = {
        EventTimes.REVENUE: paid[records.REVENUE].try_cast(_DECIMAL).cast("float64"),
        EventTimes.CURRENCY: records.currency(paid[Raw.CURRENCY]),
        EventTimes.ITEMS: ibis.ifelse(is_sold, paid[records.ITEMS], None).cast("int64"),
    }
    return engine.arrow(paid.order_by(USER, *events.order).select(**columns))


def count_page_events(engine: Engine, events: Events) -> pa.Table:
    """Count the events that show what a page is for, by page and name.

    An event at a location that no page view has is left out: such a page is not in the data set.

    Args:
        engine: Database of the tables.
        events: All events of the users.

    Returns:
        Columns of :data:`core.ingest.output_tables.PAGE_EVENTS`, ``page`` being an index into the canonical
        pages, in no particular order.
    """
    numbers = [number for number, name in enumerate(events.names) if name in TELLING]
    fired = events.table.filter(events.table[NAME].isin(numbers), events.table[PAGE].notnull())
    counted = engine.arrow(fired.group_by(PAGE, NAME).agg(events=_.count()))
    columns = {
        PageEvents.PAGE: counted[PAGE],
        PageEvents.EVENT_NAME: pa.array(events.names, pa.string()).take(counted[NAME].combine_chunks()),
        PageEvents.EVENTS: counted["events"],
    }
    return pa.table(columns).cast(PAGE_EVENTS)


def count_page_categories(engine: Engine, staying: ir.Table, locations: Locations, field: str) -> pa.Table:
    """Count the events with items of a category, by page and category, as :func:`count_page_events` does.

    Args:
        engine: Database of the tables.
        staying: The records that are used.
        locations: The pages.
        field: The field that holds the category of most of an event's items.
    """
    placed = staying.join(locations.table, staying[Raw.PAGE_LOCATION] == locations.table.location)
    sold = placed.filter(placed[field].notnull(), placed[PAGE].notnull())
    counted = engine.arrow(sold.group_by(PAGE, field).agg(events=_.count()))
    names = [ITEM_CATEGORY + mask_url(name).text for name in counted[field].to_pylist()]
    return pa.table(
        {
            PageEvents.PAGE: counted[PAGE],
            PageEvents.EVENT_NAME: pa.array(names, pa.string()),
            PageEvents.EVENTS: counted["events"],
        }
    ).cast(PAGE_EVENTS)


def page_events_table(counted: pa.Table, rows: np.ndarray) -> pa.Table:
    """Build ``page_events``: counts of the used pages, sorted by page and name.

    Args:
        counted: Counts of :func:`count_page_events`.
        rows: Row in the page table of each page; -1 for a page that is not viewed.
    """
    row = rows[counted[PageEvents.PAGE].to_numpy()]
    table = counted.set_column(0, PAGE_EVENTS.field(0), pa.array(row, pa.int32())).filter(pa.array(row >= 0))
    return table.sort_by([(PageEvents.PAGE, "ascending"), (PageEvents.EVENT_NAME, "ascending")])
