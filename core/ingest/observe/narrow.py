"""Build the narrow table of all events of users, with numbers in place of texts.

All queries of single events use this table: numbers are grouped, sorted and joined in a fraction of the time
that texts take, and the raw parts are not read again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa

from core.base.schema import Raw
from core.ingest.clean import records
from core.ingest.clean.locations import PAGE, Locations
from core.ingest.clean.records import EVENTS, VIEWS
from core.ingest.engine import Engine
from core.ingest.observe.channel_codes import CODE, ChannelCodes

USER: Final = "user"
NAME: Final = "name"
SESSION: Final = "session"
PAID: Final = "paid"
PURCHASE: Final = "purchase"
"""The event that GA4 records again when its confirmation page is reloaded."""
REFUND: Final = "refund"


@dataclass(frozen=True, eq=False)
class Events:
    """All events of the numbered users.

    Args:
        table: Columns ``user``, ``page`` (null at a location that no page view has), ``name`` (index into
            ``names``; null for page views and where it is absent), ``session`` (null where there is no id),
            ``paid`` (whether it has revenue or bought items, and is no refund), and some columns of the typed
            records; in no particular order.
        names: Names of events other than page views, ascending (bytes of UTF-8).
        order: The columns that order events, the time first.
    """

    table: ir.Table
    names: tuple[str, ...]
    order: tuple[str, ...]

    def of_first(self, n_users: int) -> Events:
        """Return the events of users numbered below ``n_users``."""
        return replace(self, table=self.table.filter(self.table[USER] < n_users))


def number_users(engine: Engine, written: ir.Table) -> tuple[ir.Table, ir.Table, pa.StringArray]:
    """Number users with a page view in the order of their ids (bytes of UTF-8), then all others.

    Returns:
        Table ``user_key`` → ``user`` of users with a page view, the same table of all users, and the ids of
        users with a page view by number.
    """
    users = numbered_users(engine, written)
    ids = engine.arrow(users.order_by(USER))[Raw.USER_KEY].combine_chunks()
    others = _ids(written.filter(written[EVENTS] > 0)).anti_join(users, Raw.USER_KEY)
    number = (ibis.row_number().over(order_by=others[Raw.USER_KEY]) + len(ids)).cast("int32")
    return users, ibis.union(users, engine.keep("other_numbers", others.mutate(**{USER: number}))), ids


def numbered_users(engine: Engine, written: ir.Table) -> ir.Table:
    """Number users with a page view in the order of their ids: table ``user_key`` → ``user``."""
    ids = _ids(written.filter(written[VIEWS] > 0))
    number = ibis.row_number().over(order_by=ids[Raw.USER_KEY]).cast("int32")
    return engine.keep("user_numbers", ids.mutate(**{USER: number}))


def _ids(written: ir.Table) -> ir.Table:
    keys = written.select(Raw.USER_KEY).distinct()
    return keys.filter(records.user_id(keys[Raw.USER_KEY]).notnull())


def number_names(engine: Engine, typed: ir.Table) -> ir.Table:
    """Number the names of events other than page views, in the order of the names (bytes of UTF-8).

    Returns:
        A table ``written`` → ``name``, the number, and ``stripped``, the name; without absent names.
    """
    others = typed.filter(~typed[records.IS_VIEW])
    written = engine.keep("written_names", others.select(written=others[Raw.EVENT_NAME]).distinct())
    named = written.mutate(stripped=written.written.strip())
    named = named.filter(records.absent(named.stripped).notnull())
    number = ibis.dense_rank().over(order_by=named.stripped).cast("int32")
    return engine.keep("event_names", named.mutate(**{NAME: number}))


def narrow(
    engine: Engine,
    staying: ir.Table,
    users: ir.Table,
    locations: Locations,
    names: ir.Table,
    present: Collection[str],
    channels: ChannelCodes | None,
) -> Events:
    """Compute the table of all events of numbered users, with numbers for users, pages and names.

    Args:
        engine: Database of the tables.
        staying: All records that stay.
        users: ``user_key`` → ``user``.
        locations: The pages.
        names: Table of :func:`number_names`.
        present: Fields that any file has.
        channels: Codes of channels; None where no file has sources.
    """
    order = order_of(present)
    staying = channels.add_to(staying) if channels else staying.mutate(**{CODE: ibis.null("int16")})
    placed = (
        staying.join(users, Raw.USER_KEY)
        .left_join(locations.table, staying[Raw.PAGE_LOCATION] == locations.table.location)
        .left_join(names, staying[Raw.EVENT_NAME] == names.written)
    )
    session = placed[records.SESSION_ID]
    is_sold = placed.stripped == PURCHASE  # what is put in a cart has items, too
    paid = (placed[records.REVENUE].notnull() & (placed.stripped != REFUND)) | (
        placed[records.ITEMS].notnull() & is_sold
    )
    known = {
        SESSION: ibis.ifelse(session.isnull(), ibis.null("uint64"), hashed(session)),
        PAID: (paid & ~placed[records.IS_VIEW]).fill_null(False),
    }
    kept = (
        *(
            USER,
            PAGE,
            NAME,
            records.IS_VIEW,
            records.REVENUE,
            records.ITEMS,
            Raw.CURRENCY,
            Raw.TRANSACTION_ID,
        ),
        CODE,
        *order,
    )
    table = engine.keep("events", placed.select(*kept, **known))
    by_number = engine.arrow(names.select(NAME, "stripped").distinct().order_by(NAME))
    return Events(table, tuple(by_number["stripped"].to_pylist()), order)


def order_of(present: Collection[str]) -> tuple[str, ...]:
    """Return the columns that order events of files with these fields, the time first."""
    return tuple(column for column in records.ORDER if column not in records.BATCH or column in present)


@ibis.udf.scalar.builtin(name="hash")  # type: ignore[untyped-decorator] # of ibis
def hashed(text: str) -> dt.uint64:
    """Hash a text to 64 bits, enough to tell the sessions of a user apart."""
