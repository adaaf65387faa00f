"""Read Parquet, nested as BigQuery exports it, or flat: every value becomes the text it has in a CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.base.errors import InputError
from core.base.raw_fields import RECORD_FIELDS
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read.blocks import MAX_LINE_BYTES
from core.ingest.read.delimited import SAMPLE_ROWS
from core.ingest.read.event_rows import EventRows, find_event_rows, may_have_event_rows
from core.ingest.read.headers import HeaderMap, errors_naming_file, require
from core.ingest.read.nested import RECORD_COLUMNS, broken_rows, holding_json, map_names
from core.ingest.read.nested_columns import columns_of, names_of, param_lists, roots_of
from core.ingest.read.part_files import FileCount, Reject, Rejected, Sink
from core.ingest.read.table_layout import (
    DelimitedLayout,
    Lines,
    ParsedBlock,
    assemble,
    make_layout,
    may_hold_parameters,
)
from core.ingest.sources.input_files import InputFile, open_seekable

BATCH_ROWS: Final = 1 << 16
"""Most rows that are read at once."""
BATCH_BYTES: Final = 1 << 27
"""Most bytes that are read at once; fewer rows where they are long."""
_MEAN_BYTES: Final = 1 << 16
"""Most bytes of a row on average, in a row group above :data:`GROUP_BYTES`."""
GROUP_BYTES: Final = 1 << 29
"""Bytes of a row group above which a single value may be most of it, so that long rows are refused."""


@dataclass(frozen=True)
class OpenedParquet:
    """A Parquet file whose schema has been read and mapped.

    Args:
        shape: Name of the shape in the receipt.
        fields: Field → name.
        seen: Names in the schema, and parameters of the first rows.
        file: The open file.
        notes: Assumptions for the receipt.
        rows: How rows make events, if an event may have several rows.
        layout: Meaning of the columns of a table without lists, as in a CSV.
    """

    shape: str
    fields: HeaderMap
    seen: tuple[str, ...]
    file: pq.ParquetFile
    notes: tuple[str, ...]
    rows: EventRows | None
    layout: DelimitedLayout | None

    @property
    def read(self) -> tuple[str, ...]:
        """Names that are read of each row."""
        if self.layout:
            return tuple(self.layout.header[at] for at in self.layout.parsed)
        return tuple((self.rows.read if self.rows else self.fields).by_name.values())


def open_parquet(file: BinaryIO, source: InputFile, settings: IngestSettings) -> OpenedParquet:
    """Read the schema and the first rows of a Parquet file, and map its names to fields.

    Raises:
        InputError: If the file is damaged.
    """
    with damage(source.name):
        table = pq.ParquetFile(file)
        lists = param_lists(table.schema_arrow)
        filled = [n for n in range(table.num_row_groups) if lists and table.metadata.row_group(n).num_rows]
    first = next(_batches(file, table, lists, source.name, filled[:1], 1 << 12), None)
    seen = tuple(names_of(table.schema_arrow, first))
    with errors_naming_file(source.name):
        looked = may_have_event_rows(seen) or may_hold_parameters(seen)
        columns = first_rows(table, seen, source.name) if looked else []
        sample = [[cell or "" for cell in row] for row in zip(*(c.to_pylist() for c in columns), strict=True)]
        layout = None if lists else make_layout(seen, sample, "", settings)
        unread = () if layout else _unread_texts(seen, sample)
        rows = layout.rows if layout else find_event_rows(seen, sample, settings, RECORD_FIELDS)
        found = layout or rows
        fields = found.fields if found else map_names(seen, RECORD_FIELDS, settings)
    if layout:
        shape, seen = layout.shape.of("parquet"), layout.shown
    else:
        shape = rows.shape("parquet") if rows and rows.sure else "nested parquet"
    seen = rows.seen if rows else seen
    notes = (*_notes(table.schema_arrow, fields), *unread)
    return OpenedParquet(shape, fields, seen, table, notes, rows, layout)


def read(source: InputFile, settings: IngestSettings, sink: Sink, report: Callable[[int], None]) -> FileCount:
    """Read a Parquet file into raw parts; arguments as in :func:`core.ingest.read.delimited.read`."""
    with open_seekable(source) as file:
        opened = open_parquet(file, source, settings)
        require(opened.fields, source.name, settings)
        sink.rows = opened.rows
        records, start = opened.file.metadata.num_rows, 1
        roots = roots_of(opened.read, opened.file.schema_arrow)
        groups = range(opened.file.num_row_groups)
        batches = _batches(file, opened.file, roots, source.name, groups, BATCH_ROWS)
        for number, batch in enumerate(batches):
            with errors_naming_file(source.name):
                _store(batch, opened, start, sink, f"{number:06d}")
            start += len(batch)
            report(source.bytes * start // max(1, records))
    columns = sink.columns(opened.fields.by_name, opened.seen)
    return FileCount(opened.shape, "parquet", records, columns, opened.notes, tool=opened.fields.tool)


def first_rows(table: pq.ParquetFile, names: Sequence[str], file: str) -> list[pa.Array]:
    """Read the first rows as text, without rows of broken text: a column per name, [] without any row.

    Raises:
        InputError: If the file is damaged.
    """
    with damage(file):
        batch = next(table.iter_batches(SAMPLE_ROWS, columns=roots_of(names, table.schema_arrow)), None)
    return [] if batch is None else _without_broken(columns_of(batch, names))[0]


def _store(batch: pa.RecordBatch, opened: OpenedParquet, start: int, sink: Sink, name: str) -> None:
    columns, broken = _without_broken(columns_of(batch, opened.read))
    rejected = Rejected()
    for row, column in sorted(broken.items()):
        rejected.add(Reject(start + row, "not valid UTF-8", "", opened.read[column]))
    lines = np.delete(np.arange(start, start + len(batch)), list(broken))
    parsed = _assembled(opened, columns, lines, rejected)
    sink.keep(sink.write(name, parsed.fields, parsed.lines), parsed.rejected)


def _without_broken(columns: list[pa.Array]) -> tuple[list[pa.Array], dict[int, int]]:
    """Return the rows that are valid UTF-8, and broken row → index of a column that is not."""
    broken = {row: index for index, column in enumerate(columns) for row in broken_rows(column)}
    if not broken:
        return columns, broken
    kept = pa.array(np.setdiff1d(np.arange(len(columns[0])), list(broken)))
    return [column.take(kept) for column in columns], broken


def _assembled(
    opened: OpenedParquet, columns: Sequence[pa.Array], lines: Lines, rejected: Rejected
) -> ParsedBlock:
    if opened.layout:
        return assemble(opened.layout, columns, lines, ParsedBlock(rejected=rejected))
    by_name = (opened.rows.read if opened.rows else opened.fields).by_name
    fields = dict(zip(by_name, columns, strict=True))
    return ParsedBlock(opened.rows.staged(fields) if opened.rows else fields, lines, rejected)


def _batches(
    file: BinaryIO, table: pq.ParquetFile, roots: Sequence[str], name: str, groups: Sequence[int], most: int
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of row groups in batches of limited size, reading only some columns.

    Raises:
        InputError: If the file is damaged, or a row is too long.
    """
    row = 1
    with damage(name):
        schema = table.schema
        paths = {at: schema.column(at).path for at in range(len(schema))}
        read = [at for at, path in paths.items() if path in roots or path.partition(".")[0] in roots]
        texts = [paths[at] for at in read if schema.column(at).physical_type == "BYTE_ARRAY"]
        coded = pq.ParquetFile(file, read_dictionary=texts)
        alike = groupby(groups, lambda number: _rows_at_once(coded, number, read, roots, name))
        for (rows, whole), numbers in alike:
            source, cut = (table, _whole) if whole else (coded, _cut)
            for batch in source.iter_batches(min(rows, most), row_groups=list(numbers), columns=list(roots)):
                yield from cut(batch, row, name)
                row += len(batch)


def _rows_at_once(
    coded: pq.ParquetFile, number: int, read: Sequence[int], roots: Sequence[str], name: str
) -> tuple[int, bool]:
    """Number of rows to read at once, by their mean size, and whether no row can be far longer than that.

    Each row may have a copy of a text that is stored once, in a dictionary. A single long value is not looked
    for, as its page is unpacked as a whole anyway.

    Raises:
        InputError: If rows are far longer than those of an export.
    """
    group = coded.metadata.row_group(number)
    size = sum(group.column(at).total_uncompressed_size for at in read)
    mean = size / max(1, group.num_rows)
    if size > GROUP_BYTES and mean > _MEAN_BYTES:
        raise InputError(
            f"{name} has rows of {int(mean):,} bytes on average",
            allowed=f"up to {_MEAN_BYTES:,} bytes",
            remedy="Look for a value that is far too long, and leave it out",
        )
    rows = max(1, min(BATCH_ROWS, int(BATCH_BYTES / max(1.0, mean))))
    rows = 1 << (rows.bit_length() - 1)  # row groups that are nearly alike are read together
    if not any(group.column(at).has_dictionary_page for at in read):
        return rows, True
    first = next(coded.iter_batches(1, row_groups=[number], columns=list(roots)), None)
    return rows, first is None or rows * sum(map(_longest, first.columns)) <= BATCH_BYTES


def _longest(column: pa.Array) -> int:
    """Length in bytes of the longest text in the dictionaries of a column."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return pc.max(pc.binary_length(column.dictionary)).as_py() or 0
    if pa.types.is_struct(kind):
        return sum(_longest(column.field(at)) for at in range(kind.num_fields))
    return _longest(column.values) if _is_list(kind) else 0


def _bytes_of_rows(column: pa.Array) -> np.ndarray:
    """Bytes that the dictionary texts of each row would take, float64 of shape (n_rows,)."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        lengths = pc.binary_length(column.dictionary).take(column.indices)
        return np.asarray(pc.fill_null(lengths, 0)).astype(float)
    if pa.types.is_struct(kind):
        inner = [_bytes_of_rows(pc.struct_field(column, [at])) for at in range(kind.num_fields)]
        return sum(inner, np.zeros(len(column)))
    if _is_list(kind):
        rows = np.asarray(pc.list_parent_indices(column))
        return np.bincount(rows, _bytes_of_rows(pc.list_flatten(column)), len(column))
    return np.zeros(len(column))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _cut(batch: pa.RecordBatch, first: int, name: str) -> Iterator[pa.RecordBatch]:
    """Cut rows with dictionary texts into pieces of limited size, counting a copy of the texts per row."""
    sizes = np.sum([_bytes_of_rows(column) for column in batch.columns], axis=0)
    if sizes.max() > MAX_LINE_BYTES:
        raise _too_long(first + int(np.argmax(sizes > MAX_LINE_BYTES)), name)
    ends, start = np.cumsum(sizes), 0
    while start < len(batch):
        most = ends[start] - sizes[start] + BATCH_BYTES
        stop = max(start + 1, int(np.searchsorted(ends, most, "right")))
        yield batch.slice(start, stop - start)
        start = stop


def _whole(batch: pa.RecordBatch, first: int, name: str) -> Iterator[pa.RecordBatch]:
    plain = [field.name for field in batch.schema if not pa.types.is_dictionary(field.type)]
    _refuse_long(batch.select(plain), first, name)
    yield batch


def _refuse_long(batch: pa.RecordBatch, first: int, name: str) -> None:
    """Raise an error for a row that is longer than a line of text may be, before it is copied."""
    if batch.nbytes <= MAX_LINE_BYTES:
        return
    if len(batch) == 1:
        raise _too_long(first, name)
    half = len(batch) // 2
    _refuse_long(batch.slice(0, half), first, name)
    _refuse_long(batch.slice(half), first + half, name)


def _too_long(row: int, name: str) -> InputError:
    return InputError(
        f"{name}, row {row} is longer than {MAX_LINE_BYTES:,} bytes",
        remedy="Look for a value that is far too long, and leave it out",
    )


@contextmanager
def damage(name: str) -> Iterator[None]:
    """Turn read errors inside the block into a clear error that names the damaged file.

    Raises:
        InputError: If the file is damaged.
    """
    try:
        yield
    except MemoryError:
        raise  # of Arrow too
    except (pa.ArrowException, OSError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise InputError(
            f"{name} is damaged, or not Parquet: {first}", remedy="Download or export it again"
        ) from error


def _unread_texts(names: Sequence[str], sample: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Note columns of JSON text beside columns of lists: no export has both, so the text is not read."""
    records = [(at, name) for at, name in enumerate(names) if name.lower() in RECORD_COLUMNS]
    texts = holding_json({name: [row[at] for row in sample] for at, name in records})
    said = "what is inside of this JSON text is not read, as other columns are lists"
    return tuple(f"{name}: {said}" for name in texts)


def _notes(schema: pa.Schema, fields: HeaderMap) -> tuple[str, ...]:
    key = fields.by_name.get(Raw.USER_KEY, "")
    if key in schema.names and pa.types.is_floating(schema.field(key).type):
        return (
            f"{key} is stored as a number: digits of the ids may have been lost before this file was made",
        )
    return ()
