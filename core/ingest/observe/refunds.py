"""Refunds, each beside the purchase that money was given back for.

A refund belongs to the purchase of its transaction, whoever sent it: often a server does, without a user id
or with another one. Where it names no transaction of the data, it belongs to its own user, if that one bought
anything in its currency. Any other stands in the totals alone. Partial refunds are several: none is left out.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from core.base.schema import Raw
from core.base.wording import counted
from core.data.receipt import NO_CURRENCY
from core.ingest.clean import records
from core.ingest.engine import Engine

PURCHASE: Final = "purchase"
"""The event that GA4 records again when its confirmation page is reloaded."""
REFUND: Final = "refund"
TRANSACTION: Final = "transaction"
REFUNDS: Final = "refunds"
"""What was given back, above 0."""
DECIMAL: Final = "decimal(38, 6)"
"""Summed exactly, so that the order of rows cannot change the last digit."""

_SENT, _OF = "sent", "of"


@dataclass(frozen=True, eq=False)
class Refunds:
    """All refunds of the data.

    Args:
        table: Columns ``transaction`` or else ``user_key``, ``currency`` and ``refunds``: what belongs to a
            purchase, or to a user's purchases.
        totals: Currency → sum of all refunds, also of those that belong to no purchase.
        notes: What is odd about some of them.
    """

    table: pa.Table
    totals: dict[str, float]
    notes: tuple[str, ...]


def find_refunds(engine: Engine, staying: ir.Table, names: Collection[str]) -> Refunds | None:
    """Find the purchase of each refund.

    Args:
        engine: Where the tables are.
        staying: All events that stay, also those without a user id.
        names: Names of all events.

    Returns:
        None where there is no refund.
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
                TRANSACTION: records.absent(named[Raw.TRANSACTION_ID]),
                Raw.CURRENCY: records.currency(named[Raw.CURRENCY]),
                _SENT: ibis.coalesce(named[records.REFUND].nullif(0), named[records.REVENUE].nullif(0)),
            }
        ),
    )
    refunds = engine.keep("refunds", _placed(money.filter(money.is_refund), money.filter(~money.is_refund)))
    whose = refunds.filter(refunds[_OF] != "").group_by(TRANSACTION, Raw.USER_KEY, Raw.CURRENCY)
    totals = refunds.filter(refunds[_SENT].notnull()).group_by(Raw.CURRENCY).agg(refunds=_sum(refunds))
    return Refunds(
        engine.arrow(whose.agg(refunds=_sum(refunds)).order_by(TRANSACTION, Raw.USER_KEY, Raw.CURRENCY)),
        {row[Raw.CURRENCY] or NO_CURRENCY: row[REFUNDS] for row in engine.rows(totals)},
        _notes(engine, refunds),
    )


def _sum(refunds: ir.Table) -> ir.FloatingScalar:
    return refunds[_SENT].abs().try_cast(DECIMAL).sum().cast("float64")


def _placed(refunds: ir.Table, purchases: ir.Table) -> ir.Table:
    """Refunds with what they belong to; what they do not belong to is null."""
    paid = purchases[Raw.CURRENCY]
    bought = purchases.filter(purchases[TRANSACTION].notnull()).group_by(TRANSACTION)
    buyers = purchases.filter(purchases[Raw.USER_KEY].notnull()).group_by(Raw.USER_KEY)
    by_transaction = bought.agg(transaction_paid=paid.min(), known=ibis.literal(True))
    by_user = buyers.agg(user_paid=paid.min(), buys=ibis.literal(True))
    found = refunds.left_join(by_transaction, TRANSACTION).left_join(by_user, Raw.USER_KEY)
    known, buys = found.known.fill_null(False), found.buys.fill_null(False)
    first = ibis.ifelse(known, found.transaction_paid, found.user_paid)
    code = ibis.coalesce(refunds[Raw.CURRENCY], first)
    alike = code.fill_null("") == first.fill_null("")
    kinds = ((refunds[_SENT].isnull() | ~alike, ""), (known, TRANSACTION), (buys, Raw.USER_KEY))
    of = ibis.cases(*kinds, else_="")
    return found.select(
        **{
            _OF: of,
            TRANSACTION: ibis.ifelse(of == TRANSACTION, refunds[TRANSACTION], ibis.null("string")),
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
    said = {
        "empty": "without a value: nothing is taken off for them",
        "negative": "with a negative value, read as money given back",
        "elsewhere": "in another currency than the purchase: in the totals of their currency, in no user's",
        "unknown": "of no purchase in these data: in the totals, in no user's",
    }
    return tuple(f"{counted(row[name], REFUND)} {text}" for name, text in said.items() if row[name])
