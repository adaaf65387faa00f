"""Values that stand for nothing, counted: what is read as absent is said so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final

import ibis
import ibis.expr.types as ir
from ibis import _

from core.base.schema import Raw
from core.data.receipt import ranked
from core.ingest.clean import records
from core.ingest.engine import Engine

EMPTY: Final = "(empty)"
"""Name of the empty text in the receipt."""

_ELSEWHERE: Final = (*records.PLACEHOLDERS, records.DIRECT)
_READ_AS_ABSENT: Final[dict[str, tuple[str, ...]]] = {
    Raw.PAGE_LOCATION: _ELSEWHERE,
    Raw.PAGE_TITLE: (*_ELSEWHERE, records.UNAVAILABLE),
    Raw.DEVICE_BROWSER: _ELSEWHERE,
    Raw.DEVICE_CATEGORY: _ELSEWHERE,
    Raw.GEO_COUNTRY: _ELSEWHERE,
    Raw.TRAFFIC_SOURCE: records.PLACEHOLDERS,
    Raw.TRAFFIC_MEDIUM: records.PLACEHOLDERS,
    Raw.GA_SESSION_ID: records.PLACEHOLDERS,
    Raw.TRANSACTION_ID: records.PLACEHOLDERS,
}


def count_placeholders(engine: Engine, raw: ir.Table, present: Collection[str]) -> dict[str, int]:
    """Count placeholder → values of all columns that were read as absent, most frequent first."""
    parts = [_counted(raw, column, values) for column, values in _READ_AS_ABSENT.items() if column in present]
    if Raw.USER_KEY in present:
        # kept, or the engine would look at every record's key instead of every key
        keys = engine.keep("keys", raw.group_by(key=raw[Raw.USER_KEY]).agg(count=_.count()))
        nobody = keys.filter(records.user_id(keys.key).isnull(), keys.key.notnull())
        parts.append(nobody.group_by(value=nobody.key.strip()).agg(count=_["count"].sum().cast("int64")))
    counts: Counter[str] = Counter()
    for row in engine.rows(ibis.union(*parts, distinct=False)) if len(parts) > 1 else []:
        counts[row["value"] or EMPTY] += row["count"]
    return ranked(counts)


def _counted(raw: ir.Table, column: str, values: Collection[str]) -> ir.Table:
    found = raw.filter(raw[column].isin(list(values)))
    return found.group_by(value=found[column]).agg(count=_.count())
