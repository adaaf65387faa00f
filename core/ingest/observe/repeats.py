"""Events that two files of an export both hold."""

from __future__ import annotations

from itertools import combinations
from typing import Final

from ibis import _

from core.base.schema import Raw
from core.ingest.clean import records
from core.ingest.clean.locations import PAGE
from core.ingest.engine import Engine
from core.ingest.observe.narrow import NAME, USER, Events

_EVENT: Final = (USER, records.TS, records.IS_VIEW, NAME, PAGE)


def count_repeated(engine: Engine, events: Events) -> int:
    """Count the events that another file holds too: same user, time, event, page and place in its batch.

    Equal events within one file are not counted: GA4 sends such. Only the time in which files overlap is
    looked at, so days that follow each other cost nothing.
    """
    table, moment = events.table, events.table[records.TS]
    spans = engine.rows(table.group_by(Raw.FILE_NO).agg(first=moment.min(), last=moment.max()))
    shared = [
        (max(one["first"], two["first"]), min(one["last"], two["last"]))
        for one, two in combinations(spans, 2)
    ]
    shared = [(start, end) for start, end in shared if start <= end]
    if not shared:
        return 0
    inside = table.filter(moment.between(min(s[0] for s in shared), max(s[1] for s in shared)))
    same = (*_EVENT, *(column for column in events.order if column in records.BATCH))
    of_file = inside.group_by(*same, Raw.FILE_NO).agg(events=_.count())
    found = of_file.group_by(*same).agg(files=_.count(), more=_.events.sum() - _.events.max())
    [row] = engine.rows(found.filter(found.files > 1).agg(n=_.more.sum().cast("int64")))
    return row["n"] or 0
