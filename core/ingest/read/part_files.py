"""Store what readers read: rows in part files on disk, the first rejects in memory, and counts of a file."""

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

from core.base.raw_fields import RAW_TEXT_COLUMNS
from core.base.schema import Raw
from core.ingest.read.event_rows import STAGED, EventRows
from core.storage.disk import disk_errors

RAW: Final = pa.schema(
    [
        pa.field(Raw.LINE, pa.int64(), nullable=False),
        *(pa.field(name, pa.string()) for name in RAW_TEXT_COLUMNS),
    ]
)
"""Schema of every raw part file."""

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
"""Options of part files: numbers gain nothing from a dictionary (measured), and statistics are not used."""

_VALUE_LENGTH: Final = 200
"""Most characters kept of a broken record."""
KEPT: Final = 10_000
"""Most rejects of a run that are kept, the first ones; all are counted."""


class Reject(NamedTuple):
    """A record that could not be used, with the reason."""

    line: int
    reason: str
    value: str = ""
    column: str = ""


@dataclass
class Rejected:
    """Rejects of a set of records: all are counted, the first ones kept.

    Args:
        room: Most rejects that are kept.
        kept: The first rejects, in order, with shortened values.
        reasons: Reason → number of rejects.
    """

    room: int = KEPT
    kept: list[Reject] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Number of all rejects."""
        return self.reasons.total()

    def add(self, reject: Reject) -> None:
        """Count the next reject, and keep it if there is room."""
        self.reasons[reject.reason] += 1
        if len(self.kept) < self.room:
            self.kept.append(reject._replace(value=_storable(reject.value)))

    def join(self, other: Rejected) -> None:
        """Add the rejects of the same or of later records."""
        self.reasons.update(other.reasons)
        self.kept = sorted((*self.kept, *other.kept))[: self.room]


@dataclass(frozen=True)
class PartFile:
    """A file of raw rows on disk.

    Args:
        path: Parquet file with the columns of :data:`RAW`.
        rows: Number of rows.
        filled: Fields that have a value in at least one row.
    """

    path: Path
    rows: int
    filled: frozenset[str]


@dataclass(frozen=True)
class FileCount:
    """Counts and properties of an input file that was read.

    Args:
        shape: Name of the shape in the receipt.
        encoding: Encoding, as in the receipt.
        records: Number of records, counted without the parser.
        columns: Field → column of the file.
        notes: Assumptions for the receipt.
        delimiter: Delimiter, as in the receipt.
        collapsed: Number of rows merged into another row of their event.
        page_views: Names in :data:`core.ingest.read.tools.PAGE_VIEWS` that events of the file have.
        ends: Hashes of the events of the first and of the last row, where events are in several rows.
        tool: Analytics tool that has such columns; empty for GA4 and custom tables.
        days: Distinct values of ``event_date``, as written.
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
    """Receives the rows and rejects of a file and stores them.

    Args:
        folder: Folder of the parts.
        prefix: Prefix of their names, unique to the file.
        rejected: Rejects of the file.
        rows: How rows make events, if an event may have several rows: then parts have the columns of
            :data:`core.ingest.read.event_rows.STAGED` until all rows are read.
    """

    folder: Path
    prefix: str
    parts: list[PartFile] = field(default_factory=list)
    rejected: Rejected = field(default_factory=Rejected)
    rows: EventRows | None = None

    def write(
        self, name: str, fields: Mapping[str, pa.Array], lines: npt.NDArray[np.int64]
    ) -> PartFile | None:
        """Write rows to a part file; safe to call from several threads, as :meth:`keep` orders parts.

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
        """Add the next part of the file and its rejects."""
        if part is not None:
            self.parts.append(part)
        if rejected.total:
            self.rejected.join(rejected)

    def clear(self) -> None:
        """Remove all parts and rejects, to read the file again."""
        for part in self.parts:
            part.path.unlink()
        self.parts, self.rejected = [], Rejected(self.rejected.room)

    @property
    def read(self) -> int:
        """Number of rows stored so far."""
        return sum(part.rows for part in self.parts)

    def columns(self, by_name: Mapping[str, str], seen: Collection[str]) -> dict[str, str]:
        """Return field → column, for fields that were seen or have a value anywhere in the file."""
        filled = frozenset().union(*(part.filled for part in self.parts))
        return {field: name for field, name in by_name.items() if name in seen or field in filled}


def _storable(value: str) -> str:
    """Shorten a value for a reject, and replace NUL and bytes that are not valid UTF-8."""
    shown = value if len(value) <= _VALUE_LENGTH else value[: _VALUE_LENGTH - 1] + "…"
    return shown.encode("utf-8", "surrogateescape").replace(b"\0", b"\xff").decode("utf-8", "replace")
