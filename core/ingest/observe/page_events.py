"""GA4 events that tell what a page is for, counted by the page they fired on."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from ibis import _

from core.base.schema import PAGE_EVENTS as TELLING
from core.base.schema import PageEvents
from core.ingest.clean.locations import PAGE
from core.ingest.engine import Engine
from core.ingest.observe.narrow import NAME, Events
from core.ingest.output_tables import PAGE_EVENTS


def count_page_events(engine: Engine, events: Events) -> pa.Table:
    """Count every page's telling events, as often as they fired.

    An event at a location that no page view has is left out: such a page is not in the data set.

    Args:
        engine: Where the tables are.
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


def page_events_table(counted: pa.Table, rows: np.ndarray) -> pa.Table:
    """The events of the pages that are left, by page and name.

    Args:
        counted: As :func:`count_page_events` gives them.
        rows: Row in the page table of each page; -1 where it is not viewed.
    """
    row = rows[counted[PageEvents.PAGE].to_numpy()]
    table = counted.set_column(0, PAGE_EVENTS.field(0), pa.array(row, pa.int32())).filter(pa.array(row >= 0))
    return table.sort_by([(PageEvents.PAGE, "ascending"), (PageEvents.EVENT_NAME, "ascending")])
