"""Read all input files into a raw table on disk, and account for every record of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from core.base.errors import InputError, control
from core.base.progress import Progress
from core.base.schema import DIMENSION_FIELDS, PAGE_VIEW, REMOVED_FIELDS, SOURCES, Raw, Rejects
from core.base.settings import IngestSettings
from core.ingest.output_tables import REJECTS
from core.ingest.read.blocks import QUOTING
from core.ingest.read.headers import normalise_header
from core.ingest.read.part_files import KEPT, FileCount
from core.ingest.read.read_cache import ReadCache
from core.ingest.read.read_file import FileRead, page_view_of, read_file, unread_views
from core.ingest.read.tools import different_tools
from core.ingest.read.whole_events import cut_events
from core.ingest.sources.input_files import InputFile, Packing, resolve_inputs
from core.ingest.sources.overlap import describe_copies, replaced_days
from core.storage.disk import disk_errors
from core.storage.receipt import FileReceipt, LoginCounts

STAGE: Final = "preprocess"
READ_SHARE: Final = 0.5
"""Share of the stage's progress that reading takes."""

_REMEDY: Final = (
    "Export it again with quotes around each field that holds a quote, and that one doubled (RFC 4180)"
)
_UNPACKS_TO: Final = 8  # times its size, only to estimate how far a packed file is


@dataclass(frozen=True)
class RawRead:
    """The raw records of all files, and their counts.

    Args:
        files: Receipt of each file; its index is ``file_no``.
        rejects: One row a record that could not be used (:class:`core.base.schema.Rejects`), the first
            :data:`core.ingest.read.part_files.KEPT` of them, values not masked.
        reasons: Reason → number of all records that could not be used.
        parts: ``file_no`` and a Parquet file with the columns of :data:`core.ingest.read.part_files.RAW`, in
            the order of ``file_no``; records are ordered by ``line``.
        present: Fields that any file has.
        warnings: Differences between the files, and files left out as copies.
        page_view: Name of the events that are page views, in files with event names.
        replaced: Result of :func:`core.ingest.sources.overlap.replaced_days`.
        logins: How cookies of signed-in users were joined; None where that was not asked for.
    """

    files: tuple[FileReceipt, ...]
    rejects: pa.Table
    reasons: Mapping[str, int]
    parts: tuple[tuple[int, Path], ...]
    present: frozenset[str]
    warnings: tuple[str, ...]
    page_view: str = PAGE_VIEW
    replaced: tuple[tuple[int, tuple[str, ...]], ...] = ()
    logins: LoginCounts | None = None

    @property
    def files_of_views(self) -> list[int]:
        """Numbers of the files without event names, whose records are all page views."""
        return [number for number, file in enumerate(self.files) if Raw.EVENT_NAME not in file.columns]

    @property
    def rows(self) -> int:
        """Number of records that were read."""
        return sum(file.read for file in self.files)


def read_all(
    paths: Sequence[Path],
    settings: IngestSettings,
    raw_dir: Path,
    progress: Progress,
    kept: ReadCache | None = None,
) -> RawRead:
    """Read every record of every file as text, or say why not.

    Args:
        paths: Files, folders, or patterns.
        settings: The analyst's mapping and user key.
        raw_dir: Folder of the parts; made if missing.
        progress: Where to report the share of bytes read, up to :data:`READ_SHARE`.
        kept: Cache of earlier reads, to which new ones are added; a single file is not added.

    Raises:
        InputError: If a file cannot be used as a whole or changed meanwhile, or no record can be used.
        ResourceError: If the disk is full.
        Cancelled: If ``progress`` says so.
    """
    sources = resolve_inputs(paths)
    if kept is not None:
        kept.refuse_others(sources)
    with disk_errors():
        raw_dir.mkdir(parents=True, exist_ok=True)
    reads: list[FileRead] = []
    for number, source in enumerate(sources):
        report = _reporter(progress, sources, number)
        if kept is not None and len(sources) > 1:
            reads.append(kept.read(source, report))
        else:
            room = KEPT - sum(len(before.rejected.kept) for before in reads)
            reads.append(read_file(source, settings, raw_dir, report, f"{number:05d}-", room))
            if kept is not None:
                kept.refuse_another(source)
    return combine_reads(reads, settings)


def combine_reads(reads: Sequence[FileRead], settings: IngestSettings) -> RawRead:
    """Combine the reads of several files, numbered in this order.

    Raises:
        InputError: If there is no record, a column of the mapping is in no file, or several names of events
            may be the page views.
    """
    rejects = _rejects_table(reads)
    _refuse_nothing(reads, rejects)
    counts = [read.count for read in reads]
    _refuse_unknown_columns(settings, counts)
    page_view = page_view_of(counts, settings)
    present = frozenset(field for read in reads for field in read.count.columns)
    return RawRead(
        files=tuple(_receipt(read, reads, page_view) for read in reads),
        rejects=rejects,
        reasons=sum((read.rejected.reasons for read in reads), Counter[str]()),
        parts=tuple((number, part.path) for number, read in enumerate(reads) for part in read.parts),
        present=present,
        warnings=(
            *describe_copies([read.source for read in reads]),
            *different_tools([(read.source.name, read.count.tool) for read in reads]),
            *unread_views([(read.source.name, read.count) for read in reads], page_view),
            *cut_events(counts),
            *_drift(counts, present),
        ),
        page_view=page_view,
        replaced=replaced_days([(read.source.name, read.count.days) for read in reads]),
    )


def _reporter(progress: Progress, sources: Sequence[InputFile], number: int) -> Callable[[int], None]:
    plain = Packing.PLAIN
    sizes = [source.bytes * (1 if source.packing is plain else _UNPACKS_TO) for source in sources]
    before, here, total = sum(sizes[:number]), max(1, sizes[number]), max(1, sum(sizes))

    def report(done: int) -> None:
        share = (before + min(done, here)) / total
        progress(STAGE, READ_SHARE * share, f"Reading {sources[number].name}")

    return report


def _rejects_table(reads: Sequence[FileRead]) -> pa.Table:
    rows = [
        (read.source.name, reject.line, reject.column or None, reject.value, reject.reason)
        for read in reads
        for reject in read.rejected.kept
    ][:KEPT]
    columns = zip(*rows, strict=True) if rows else [()] * len(REJECTS)
    arrays = [pa.array(column, kind.type) for column, kind in zip(columns, REJECTS, strict=True)]
    return pa.Table.from_arrays(arrays, schema=REJECTS)


def _refuse_nothing(reads: Sequence[FileRead], rejects: pa.Table) -> None:
    if any(read.rows for read in reads):
        return
    names = ", ".join(read.source.name for read in reads)
    if not rejects.num_rows:
        raise InputError(
            f"{names} holds a header and no records", remedy="Export it again, or choose another file"
        )
    records = sum(read.count.records for read in reads)
    [first] = rejects.slice(0, 1).to_pylist()
    raise InputError(
        f"None of the {records:,} records of {names} could be read; the first problem is in "
        f"{first[Rejects.FILE]}, line {first[Rejects.LINE]}: {first[Rejects.REASON]}",
        remedy=_REMEDY if first[Rejects.REASON] in QUOTING else "Export it again",
    )


def _refuse_unknown_columns(settings: IngestSettings, counts: Sequence[FileCount]) -> None:
    """Check that every column of the analyst's mapping was read in at least one file."""
    for field, column in settings.columns.items():
        wanted = normalise_header(column)
        used = {normalise_header(count.columns[field]) for count in counts if field in count.columns}
        if column and wanted not in used and field not in REMOVED_FIELDS:
            if field in DIMENSION_FIELDS:
                raise InputError(
                    f"No file has values in the column {column!r}, which was chosen as a dimension",
                    remedy=f"Look at the columns of the file, and name another: {control('dimensions')}",
                )
            raise InputError(
                f"The mapping reads {field} from {column!r}, but no file has values in such a column",
                remedy=f"Look at the columns of the file, and name another: {control('mapping')}",
            )


def _receipt(read: FileRead, reads: Sequence[FileRead], page_view: str) -> FileReceipt:
    source, count = read.source, read.count
    elsewhere = dict.fromkeys(field for other in reads for field in other.count.columns)
    return FileReceipt(
        name=source.name,
        shape=count.shape if source.packing is Packing.PLAIN else f"{count.shape} ({source.packing})",
        bytes=source.bytes,
        encoding=count.encoding,
        delimiter=count.delimiter,
        tool=count.tool,
        records=count.records,
        read=read.rows,
        rejected=read.rejected.total,
        collapsed=count.collapsed,
        columns=dict(count.columns),
        missing=tuple(field for field in elsewhere if field not in count.columns),
        notes=(*count.notes, *_assumptions(count, page_view)),
    )


def _assumptions(count: FileCount, page_view: str) -> list[str]:
    notes = [f"The columns are those of {count.tool}"] if count.tool else []
    if Raw.EVENT_NAME not in count.columns:
        notes.append("No event names: every record is read as a page view")
    elif page_view != PAGE_VIEW:
        notes.append(f"Events called {page_view} are read as the page views")
    return notes


def _drift(counts: Sequence[FileCount], present: frozenset[str]) -> tuple[str, ...]:
    """Warn about fields whose column has another name, or is missing, in some of the files."""
    warnings, sources = [], {field for _, *fields in SOURCES for field in fields}  # one may stand for another
    for field in sorted(present):
        names = dict.fromkeys(count.columns[field] for count in counts if field in count.columns)
        lacking = sum(field not in count.columns for count in counts)
        called = next(iter(names)) if field in DIMENSION_FIELDS else field
        if len(names) > 1:
            warnings.append(f"{called} is called {' or '.join(names)}, depending on the file")
        if lacking and field not in sources:
            warnings.append(f"{called} is missing in {lacking} of {len(counts)} files")
    return tuple(warnings)
