"""Users and their labels as the records have them: nearly always one row a user.

Who has a page view, where users are and what their labels become is asked of these rows, not of all records.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import ibis.expr.types as ir
from ibis import _

from core.base.schema import Raw
from core.ingest.clean import records
from core.ingest.engine import Engine

LABELS: Final = (
    Raw.DEVICE_BROWSER, Raw.DEVICE_CATEGORY, Raw.GEO_COUNTRY, Raw.TRAFFIC_SOURCE, Raw.TRAFFIC_MEDIUM,
    Raw.STREAM_ID, records.BASIS,
)  # fmt: skip
COUNT, EVENTS, VIEWS, ENGAGEMENT, FIRST = "count", "events", "views", "engagement", "first"
"""All records; those that stay, page views among them, and their milliseconds and first moment."""


def as_written(engine: Engine, typed: ir.Table, occurring: Collection[records.Fate]) -> ir.Table:
    """One row a ``user_key`` and combination of labels.

    Args:
        engine: Where the tables are.
        typed: Typed records.
        occurring: Fates that any of them has.
    """
    stays = records.stays(typed, occurring)
    rows = typed.group_by(Raw.USER_KEY, *LABELS).agg(
        **{
            COUNT: _.count(),
            EVENTS: _.count(where=stays),
            VIEWS: _.count(where=stays & typed[records.IS_VIEW]),
            ENGAGEMENT: typed[records.ENGAGEMENT].sum(where=stays),
            FIRST: typed[records.TS].min(where=stays),
        }
    )
    return engine.keep("as_written", rows)
