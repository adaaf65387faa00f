"""Read an input file into raw parts on disk, and find the name of its page views.

Pages must be plain values, not JSON records. Tools name page views differently: for all files together it is
the name that the analyst chose, or else ``page_view``, or else the only other name of
:data:`core.ingest.read.tools.PAGE_VIEWS` that occurs. No event is renamed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.base.errors import InputError, control
from core.base.schema import PAGE_VIEW, Raw
from core.base.settings import IngestSettings
from core.ingest.read import delimited, ndjson, parquet
from core.ingest.read.headers import errors_naming_file
from core.ingest.read.part_files import KEPT, FileCount, PartFile, Rejected, Sink
from core.ingest.read.tools import PAGE_VIEWS
from core.ingest.sources.input_files import InputFile
from core.ingest.sources.sniffing import FileKind

_LOOKED_AT: Final = 200
_NAMES: Final = 4
_NAME_LENGTH: Final = 60
_PARAMETER: Final = {"key", "value"}


def inner_names(cells: Iterable[str | None]) -> tuple[str, ...]:
    """Return the names inside cells that hold JSON records; none where most cells are plain.

    Args:
        cells: Some cells of a column.
    """
    filled = [cell for cell in cells if cell]
    named = [names for cell in filled if (names := _names(cell))]
    if len(named) * 2 <= len(filled):
        return ()
    return tuple(dict.fromkeys(name for names in named for name in names))


def no_plain_page(column: str, names: Sequence[str]) -> InputError:
    """Make the error for a page column whose cells are JSON records with these names."""
    shown = ", ".join(repr(name[:_NAME_LENGTH]) for name in names[:_NAMES])
    more = ", …" if len(names) > _NAMES else ""
    return InputError(
        f"{column!r} holds no addresses of pages: its cells are records in JSON, with {shown}{more} in them",
        remedy="Take the address out into a column of its own and choose that one; "
        "docs/how-to/other_tools.md shows how",
    )


def may_be_view(event: str | None, page_view: str = "") -> bool:
    """Whether a row may be a page view, by its event name; other events may hold anything as a page.

    Args:
        event: The event name; None or empty where there is none.
        page_view: The name that the analyst chose.
    """
    return (event or "").strip() in ("", page_view, *PAGE_VIEWS)


def _refuse_records(count: FileCount, parts: Sequence[Path], page_view: str = "") -> None:
    """Check that pages are plain values, not JSON records.

    Args:
        count: Properties of the file.
        parts: Part files of its rows.
        page_view: Name of the page views that the analyst chose.

    Raises:
        InputError: If pages are JSON records.
    """
    column = count.columns.get(Raw.PAGE_LOCATION)
    if column is None or not parts:
        return
    fields = [Raw.EVENT_NAME, Raw.PAGE_LOCATION]
    first = next(pq.ParquetFile(parts[0]).iter_batches(_LOOKED_AT, columns=fields), None)
    rows = first.to_pylist() if first is not None else []
    pages = (row[Raw.PAGE_LOCATION] for row in rows if may_be_view(row[Raw.EVENT_NAME], page_view))
    if names := inner_names(pages):
        raise no_plain_page(column, names)


def _names(cell: str) -> list[str]:
    """Return the names in a JSON record, or in a list of records or parameters."""
    if not cell.lstrip().startswith(("{", "[")):
        return []
    try:
        value: Any = orjson.loads(cell)
    except orjson.JSONDecodeError:
        return []
    records = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
    if isinstance(value, list) and all(record.keys() == _PARAMETER for record in records):
        return [str(record["key"]) for record in records]
    return [name for record in records for name in record]


def with_page_views(count: FileCount, parts: Sequence[Path]) -> FileCount:
    """Add the names of page views in a file to its properties; an empty column of event names is dropped.

    Args:
        count: Properties of the file.
        parts: Part files of its rows.
    """
    if Raw.EVENT_NAME not in count.columns or not parts:
        return count
    is_named, known = False, set[str]()
    for path in parts:
        for batch in pq.ParquetFile(path).iter_batches(columns=[Raw.EVENT_NAME]):
            names = pc.utf8_trim(pc.unique(batch.column(0)), " ")
            is_named = is_named or bool(pc.any(pc.not_equal(names, "")).as_py())
            known |= set(names.filter(pc.is_in(names, pa.array(PAGE_VIEWS))).to_pylist())
    if is_named:
        return replace(count, page_views=tuple(name for name in PAGE_VIEWS if name in known))
    named = {field: column for field, column in count.columns.items() if field != Raw.EVENT_NAME}
    return replace(count, columns=named)


def page_view_of(counts: Sequence[FileCount], settings: IngestSettings) -> str:
    """Choose the name of the events that are page views, for all files.

    Args:
        counts: Properties of each file.
        settings: The analyst's choice, if any.

    Raises:
        InputError: If no event is called ``page_view``, and events have several other names of page views.
    """
    known = likely_page_views({name for count in counts for name in count.page_views})
    if settings.page_view or not known:
        return settings.page_view or PAGE_VIEW
    if len(known) > 1:
        raise InputError(
            f"Events are called {' and '.join(map(repr, known))}: which of them are the page views?",
            allowed=" or ".join(known),
            remedy=f"Say which event is a page view: {control('page_view')}",
        )
    return known[0]


def likely_page_views(names: Collection[str]) -> tuple[str, ...]:
    """Return the event names that may be page views; only GA4's ``page_view``, if it is among them."""
    return (PAGE_VIEW,) if PAGE_VIEW in names else tuple(name for name in PAGE_VIEWS if name in names)


def unread_views(files: Sequence[tuple[str, FileCount]], page_view: str) -> list[str]:
    """Warn about files in which, unlike in others, all records are page views, or none is.

    For a name outside :data:`core.ingest.read.tools.PAGE_VIEWS` it is not known which files have it.
    """
    warnings = []
    named = any(Raw.EVENT_NAME in count.columns for _, count in files)
    for name, count in files:
        if named and count.records and Raw.EVENT_NAME not in count.columns:
            events = f"{count.records - count.collapsed:,}"
            warnings.append(
                f"{name} has no names of events, as other files have: all {events} records of it count as "
                "page views"
            )
        if Raw.EVENT_NAME in count.columns and page_view in PAGE_VIEWS and page_view not in count.page_views:
            others = " and ".join(count.page_views)
            told = f"its {others} are other events" if others else "it adds events only"
            warnings.append(f"{name} has no {page_view}, which is the page view of these files: {told}")
    return warnings


_Reader = Callable[[InputFile, IngestSettings, Sink, Callable[[int], None]], FileCount]
_READERS: Final[dict[FileKind, _Reader]] = {
    FileKind.DELIMITED: delimited.read,
    FileKind.JSON: ndjson.read,
    FileKind.PARQUET: parquet.read,
}

_MAX_DAYS: Final = 4_000
_ALL_READ: Final = 1 << 62  # bytes; more than any file has


@dataclass(frozen=True)
class FileRead:
    """A file that was read: its properties, rows and rejects.

    Args:
        source: The file.
        count: Its shape, number of records, and columns.
        parts: Part files of its rows, in order.
        rejected: Its records that could not be used.
    """

    source: InputFile
    count: FileCount
    parts: tuple[PartFile, ...]
    rejected: Rejected

    @property
    def rows(self) -> int:
        """Number of events that were read."""
        return sum(part.rows for part in self.parts)


def read_file(
    source: InputFile,
    settings: IngestSettings,
    folder: Path,
    report: Callable[[int], None],
    prefix: str = "",
    room: int = KEPT,
) -> FileRead:
    """Read every record of a file as text, or say why not.

    Args:
        source: The file.
        settings: The analyst's mapping and user key.
        folder: Folder of the parts.
        report: Called with the number of bytes read so far.
        prefix: Prefix of the names of parts, where several files share the folder.
        room: Most rejects that are kept; all are counted.

    Raises:
        InputError: If the file cannot be used as a whole.
        ResourceError: If the disk is full.
        Cancelled: If ``report`` says so.
    """
    from core.ingest.read.whole_events import merge_event_rows  # loads DuckDB: a look inside needs none

    sink = Sink(folder, prefix, rejected=Rejected(room))
    count = _READERS[source.kind](source, settings, sink, report)
    count = merge_event_rows(sink, count, source.kind, lambda: report(_ALL_READ))
    paths = [part.path for part in sink.parts]
    with errors_naming_file(source.name):
        _refuse_records(count, paths, settings.page_view)
    count = replace(with_page_views(count, paths), days=_days(count, paths))
    return FileRead(source, count, tuple(sink.parts), sink.rejected)


def _days(count: FileCount, parts: Sequence[Path]) -> tuple[str, ...]:
    """Return the distinct values of ``event_date``; none if there are too many to be days."""
    days = set[str]()
    for path in parts if Raw.EVENT_DATE in count.columns else ():
        for batch in pq.ParquetFile(path).iter_batches(columns=[Raw.EVENT_DATE]):
            days |= set(pc.unique(batch.column(0)).drop_null().to_pylist())
            if len(days) > _MAX_DAYS:
                return ()
    return tuple(sorted(days))
