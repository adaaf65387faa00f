"""Where readers put what they read: rows on disk, the first rejects in memory, and the count of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.schema import RAW_TEXT_COLUMNS, Raw
from core.ingest.read.event_rows import STAGED, EventRows
from core.storage.disk import disk_errors

RAW: Final = pa.schema(
    [
        pa.field(Raw.LINE, pa.int64(), nullable=False),
        *(pa.field(name, pa.string()) for name in RAW_TEXT_COLUMNS),
    ]
)
"""Schema of every raw part."""

_STAGED: Final = pa.schema([*RAW, *(pa.field(name, pa.string()) for name in STAGED)])

PARQUET: Final[Mapping[str, Any]] = {
    "compression": "lz4",
    "write_statistics": False,
    "use_dictionary": [
        name
        for name in _STAGED.names
        if name not in (Raw.LINE, Raw.EVENT_TIMESTAMP, Raw.ENGAGEMENT_TIME_MSEC)
    ],
    "column_encoding": {Raw.LINE: "DELTA_BINARY_PACKED"},
}
"""How: numbers gain nothing from a dictionary (measured), and nobody filters parts by their statistics."""

_VALUE_LENGTH: Final = 200
"""Characters of a broken record that are kept to show it."""
KEPT: Final = 10_000
"""Rejects of a run that are kept to be looked at: the first ones. All are counted."""


class Reject(NamedTuple):
    """A record that could not be used."""

    line: int
    reason: str
    value: str = ""
    column: str = ""


@dataclass
class Rejected:
    """The rejects of some records: every one counted, the first ones kept.

    Args:
        room: How many are kept.
        kept: The first ones, in order; values cut to what is shown.
        reasons: Reason → rejects.
    """

    room: int = KEPT
    kept: list[Reject] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All of them."""
        return self.reasons.total()

    def add(self, reject: Reject) -> None:
        """Add the next one."""
        self.reasons[reject.reason] += 1
        if len(self.kept) < self.room:
            self.kept.append(reject._replace(value=_storable(reject.value)))

    def join(self, other: Rejected) -> None:
        """Add those of the same records, or of the ones that follow."""
        self.reasons.update(other.reasons)
        self.kept = sorted((*self.kept, *other.kept))[: self.room]


@dataclass(frozen=True)
class PartFile:
    """Rows on disk.

    Args:
        path: Parquet file with the columns of :data:`RAW`.
        rows: How many.
        filled: Fields that have a value in at least one of them.
    """

    path: Path
    rows: int
    filled: frozenset[str]


@dataclass(frozen=True)
class FileCount:
    """What one file gave.

    Args:
        shape: As in the receipt.
        encoding: As in the receipt.
        records: Counted without the parser.
        columns: Field → column of the file.
        notes: What was assumed.
        delimiter: As in the receipt.
        collapsed: Rows that were put together with another one of their event.
        page_views: Those of :data:`core.ingest.read.tools.PAGE_VIEWS` that events are called.
        ends: What tells the events of the first and of the last row, where events are in several rows.
        tool: Whose columns they are; ``""`` of GA4's and of a table of one's own.
        days: Different ``event_date``, as written.
    """

    shape: str
    encoding: str
    records: int
    columns: Mapping[str, str]
    notes: tuple[str, ...] = ()
    delimiter: str = ""
    collapsed: int = 0
    page_views: tuple[str, ...] = ()
    tool: str = ""
    ends: tuple[str, str] = ("", "")
    days: tuple[str, ...] = ()


@dataclass
class Sink:
    """Takes the rows and rejects of one file.

    Args:
        folder: Where the parts go.
        prefix: What their names begin with, no other file's.
        rejected: Takes its rejects.
        rows: How they make events, if one may be in several rows: then they are kept with
            :data:`core.ingest.read.event_rows.STAGED` until all are there.
    """

    folder: Path
    prefix: str
    parts: list[PartFile] = field(default_factory=list)
    rejected: Rejected = field(default_factory=Rejected)
    rows: EventRows | None = None

    def write(
        self, name: str, fields: Mapping[str, pa.Array], lines: npt.NDArray[np.int64]
    ) -> PartFile | None:
        """Write rows under a name; safe to call from several threads, :meth:`keep` puts them in order.

        Args:
            name: Name of the part within the file; a later part must sort after it.
            fields: Field → text of every row; fields left out are null.
            lines: Line of every row, int64 of shape (rows,).
        """
        rows = len(lines)
        if not rows:
            return None
        columns = {Raw.LINE: pa.array(lines), **fields}
        schema = RAW if fields.keys().isdisjoint(STAGED) else _STAGED
        table = pa.Table.from_arrays(
            [columns.get(name, pa.nulls(rows, pa.string())) for name in schema.names], schema=schema
        )
        path = self.folder / f"{self.prefix}{name}.parquet"
        with disk_errors():
            pq.write_table(table, path, **PARQUET)
        return PartFile(
            path, rows, frozenset(name for name, column in fields.items() if column.null_count < rows)
        )

    def keep(self, part: PartFile | None, rejected: Rejected) -> None:
        """Add what comes next in the file."""
        if part is not None:
            self.parts.append(part)
        if rejected.total:
            self.rejected.join(rejected)

    def clear(self) -> None:
        """Forget and remove all, to read the file anew."""
        for part in self.parts:
            part.path.unlink()
        self.parts, self.rejected = [], Rejected(self.rejected.room)

    @property
    def read(self) -> int:
        """Rows kept so far."""
        return sum(part.rows for part in self.parts)

    def columns(self, by_name: Mapping[str, str], seen: Collection[str]) -> dict[str, str]:
        """Field → column, for the fields that were seen or had a value anywhere in the file."""
        filled = frozenset().union(*(part.filled for part in self.parts))
        return {field: name for field, name in by_name.items() if name in seen or field in filled}


def _storable(value: str) -> str:
    """Text with the bytes replaced that are not valid UTF-8, or NUL; cut to what is shown."""
    shown = value if len(value) <= _VALUE_LENGTH else value[: _VALUE_LENGTH - 1] + "…"
    return shown.encode("utf-8", "surrogateescape").replace(b"\0", b"\xff").decode("utf-8", "replace")
