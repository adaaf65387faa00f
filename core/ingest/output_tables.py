"""Arrow schemas of the tables that ingest writes, and their writing as reproducible Parquet files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from core.base.schema import (
    EventTimes,
    Outcomes,
    PageEvents,
    Pages,
    Rejects,
    SessionColumns,
    Users,
    dimensions_in,
)
from core.storage.disk import disk_errors

USERS: Final = pa.schema(
    [
        pa.field(Users.USER_ID, pa.string(), nullable=False),
        pa.field(Users.GROUP, pa.string(), nullable=False),
        pa.field(Users.PAGE_VIEWS, pa.int32(), nullable=False),
        pa.field(Users.SESSIONS, pa.int32(), nullable=False),
        pa.field(Users.FIRST_TS, pa.int64(), nullable=False),
        pa.field(Users.LAST_TS, pa.int64(), nullable=False),
        pa.field(Users.ENGAGEMENT_MSEC, pa.int64()),
        pa.field(Users.BROWSER, pa.string()),
        pa.field(Users.DEVICE, pa.string()),
        pa.field(Users.COUNTRY, pa.string()),
        pa.field(Users.STREAM_ID, pa.string()),
        pa.field(Users.SOURCE, pa.string()),
        pa.field(Users.SOURCE_BASIS, pa.string()),
    ]
)


def users_schema(columns: Iterable[str]) -> pa.Schema:
    """Schema of ``users`` with those of these columns that not every data set has."""
    names = list(columns)
    optional = [name for name in (Users.ID_KIND,) if name in names]
    return pa.schema([*USERS, *(pa.field(name, pa.string()) for name in (*optional, *dimensions_in(names)))])


PAGES: Final = pa.schema(
    [
        pa.field(Pages.PAGE, pa.int32(), nullable=False),
        pa.field(Pages.PAGE_LOCATION, pa.string(), nullable=False),
        pa.field(Pages.PAGE_TITLE, pa.string()),
        pa.field(Pages.VIEWS, pa.int64(), nullable=False),
        pa.field(Pages.USERS, pa.int64(), nullable=False),
    ]
)
PAGE_EVENTS: Final = pa.schema(
    [
        pa.field(PageEvents.PAGE, pa.int32(), nullable=False),
        pa.field(PageEvents.EVENT_NAME, pa.string(), nullable=False),
        pa.field(PageEvents.EVENTS, pa.int64(), nullable=False),
    ]
)
OUTCOMES: Final = pa.schema(
    [
        pa.field(Outcomes.USER, pa.int32(), nullable=False),
        pa.field(Outcomes.EVENT_NAME, pa.string(), nullable=False),
        pa.field(Outcomes.EVENTS, pa.int64(), nullable=False),
        pa.field(Outcomes.SESSIONS, pa.int32(), nullable=False),
        pa.field(Outcomes.FIRST_TS, pa.int64(), nullable=False),
        pa.field(Outcomes.REVENUE, pa.float64()),
        pa.field(Outcomes.CURRENCY, pa.string()),
        pa.field(Outcomes.REFUNDS, pa.float64()),
        pa.field(Outcomes.ITEMS, pa.int64()),
    ]
)
EVENTS: Final = pa.schema(
    [
        pa.field(EventTimes.USER, pa.int32(), nullable=False),
        pa.field(EventTimes.EVENT_NAME, pa.string(), nullable=False),
        pa.field(EventTimes.TIMESTAMP, pa.int64(), nullable=False),
        pa.field(EventTimes.SESSION, pa.int32(), nullable=False),
        pa.field(EventTimes.AFTER, pa.int32(), nullable=False),
        pa.field(EventTimes.REVENUE, pa.float64()),
        pa.field(EventTimes.CURRENCY, pa.string()),
        pa.field(EventTimes.ITEMS, pa.int64()),
    ]
)
SESSION_CHANNELS: Final = pa.schema(
    [
        pa.field(SessionColumns.USER, pa.int32(), nullable=False),
        pa.field(SessionColumns.SESSION, pa.int32(), nullable=False),
        pa.field(SessionColumns.CHANNEL, pa.string(), nullable=False),
    ]
)
REJECTS: Final = pa.schema(
    [
        pa.field(Rejects.FILE, pa.string(), nullable=False),
        pa.field(Rejects.LINE, pa.int64(), nullable=False),
        pa.field(Rejects.COLUMN, pa.string()),
        pa.field(Rejects.VALUE, pa.string()),
        pa.field(Rejects.REASON, pa.string(), nullable=False),
    ]
)

_REPEATED: Final = [
    *(Users.GROUP, Users.BROWSER, Users.DEVICE, Users.COUNTRY, Users.SOURCE, Users.SOURCE_BASIS),
    *(Outcomes.EVENT_NAME, Outcomes.CURRENCY),  # the first is one of PageEvents and EventTimes too
    SessionColumns.CHANNEL,
    *(Rejects.FILE, Rejects.COLUMN, Rejects.REASON, Users.STREAM_ID),
]
"""Columns whose values repeat, which are written with a dictionary."""

_ROW_GROUP: Final = 100_000
"""Rows a row group; fixed, so that the same table always gives the same bytes."""


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet: the same rows give the same bytes.

    Raises:
        ResourceError: If the disk is full.
    """
    with disk_errors():
        pq.write_table(
            table.combine_chunks(),
            path,
            row_group_size=_ROW_GROUP,
            compression="zstd",
            use_dictionary=_REPEATED,
        )
