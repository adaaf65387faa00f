"""Remove records that hold an id from tables: rows of Parquet, records of CSV and JSON lines.

A record goes where a column by which users are told holds the id, or none says whose it is; one of another
user stays without the id, and all others as they were. Records of text end where the readers of exports end
them: a stray quote is a broken line, and no more than that. What is rewritten is searched before it takes the
place of the old file.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.base.errors import InputError
from core.base.schema import Raw, Users
from core.base.settings import IngestSettings
from core.ingest.read.blocks import (
    CHUNK_BYTES,
    Block,
    QuoteLimits,
    count_block,
    make_block,
    records,
    whole_records,
)
from core.ingest.read.delimited import find_header, split_header
from core.ingest.read.headers import ALIASES, USER_KEYS, is_likely_key, normalise_header
from core.ingest.read.nested import RECORD_COLUMNS, find_nested_encoding, to_text, values_in
from core.ingest.read.parquet import damage
from core.ingest.read.table_layout import JSON_LIMITS
from core.ingest.sources.input_files import InputFile, Packing, open_seekable, open_source, tables_in
from core.ingest.sources.sniffing import FileKind
from core.ingest.sources.text import DecodedText, open_text
from core.runs.forgetting.patterns import FORGOTTEN, IdPatterns
from core.storage.disk import atomic_write

_OF_A_USER: Final = {*ALIASES[Raw.USER_KEY], Raw.USER_KEY, Users.USER_ID}
"""Columns that say whose a record is; beside the key of one tool there may be one of the analyst's own."""
_COOKIE: Final = re.compile(r"GA\d\.\d\.")
"""Prefix of the id in the cookie that it comes from."""


@dataclass(frozen=True)
class _TextTable:
    """Format of a text table, by its first line.

    Args:
        kind: CSV or newline-delimited JSON.
        delimiter: One character.
        header: Columns of a CSV; empty where they cannot be read, and for JSON.
    """

    kind: FileKind
    delimiter: str = ","
    header: tuple[str, ...] = ()

    @classmethod
    def of(cls, kind: FileKind, first: bytes) -> _TextTable:
        """Find delimiter and columns from the first bytes of a text table; JSON has neither."""
        if kind is FileKind.DELIMITED:
            with suppress(InputError):
                _, start, end = find_header(first, "")
                line = first[start:end].decode("utf-8", "replace").strip("\r\n")
                return cls(kind, *split_header(line, IngestSettings()))
        return cls(kind)

    @property
    def limits(self) -> QuoteLimits:
        """Limits of how far a quoted cell may run on, as the reader has them."""
        nested = {name.lower() for name in self.header} & set(RECORD_COLUMNS)
        return JSON_LIMITS if nested else QuoteLimits()

    def ends(self, block: Block) -> np.ndarray:
        """Positions right after each whole record of a block: int64, ascending."""
        ends = block.ends + 1
        if self.kind is FileKind.DELIMITED and len(block.quotes):
            if count_block(block, self.delimiter, self.limits).well_formed:
                ends = ends[np.searchsorted(block.quotes, ends) % 2 == 0]
            else:
                ends = np.delete(ends, self._inside(block))
        return np.append(ends, len(block.data)) if block.last else ends

    def _inside(self, block: Block) -> np.ndarray:
        """Numbers of lines that do not end a record."""
        lines = block.data.decode("utf-8", "surrogateescape").split("\n")[: block.lines]
        inside = np.zeros(len(block.ends), bool)
        for record in records(lines, self.delimiter, self.limits, block.last):
            inside[record.line : record.line + record.lines - 1 if record.lines else None] = True
        return np.flatnonzero(inside)

    def cells(self, record: bytes) -> dict[str, Any] | None:
        """Parse a record: column → its value; None where it is broken or no JSON object.

        Also None where the header of a CSV has a name twice: which cell is whose would be lost.
        """
        if self.kind is FileKind.JSON:
            with suppress(ValueError):
                value = json.loads(record)
                return value if isinstance(value, dict) else None
            return None
        lines = record.decode("utf-8", "surrogateescape").strip("\r\n").split("\n")
        first = next(records(lines, self.delimiter, self.limits, last=True), None)
        if first is None or first.fields is None:
            return None
        if not len(first.fields) == len(self.header) == len(set(self.header)):
            return None
        return dict(zip(self.header, first.fields, strict=True))

    def without(self, record: bytes, patterns: IdPatterns) -> bytes:
        """Return a record of another user with the ids in it masked.

        Empty where it belongs to one of the users, is broken or names no user, or an id would remain.
        """
        cells = self.cells(record)
        if cells is None or is_of(cells, patterns):
            return b""
        rest = _mask_values(cells, patterns)
        if self.kind is FileKind.JSON:
            text = json.dumps(rest)  # in any encoding
        else:
            out = io.StringIO()
            csv.writer(out, delimiter=self.delimiter, lineterminator="").writerow(rest.values())
            text = out.getvalue()
        data = text.encode("utf-8", "surrogateescape") + record[len(record.rstrip(b"\r\n")) :]
        return b"" if patterns.holds(data) else data


def is_of(cells: Mapping[str, Any], patterns: IdPatterns) -> bool:
    """Whether a row belongs to one of the users, or no column says whose it is.

    The columns compared are ``patterns.keys`` with the user columns of known tools; without keys, also all
    whose name suggests a user.
    """
    if patterns.keys:
        if folds := find_nested_encoding([cells]):  # as a reader sees it
            cells = folds.unfold_sample([cells])[0]
        keys = patterns.keys | USER_KEYS | _OF_A_USER
        owners = _plain(one for name, one in values_in(cells) if normalise_header(name) in keys)
        return not owners or not patterns.ids.isdisjoint(owners)
    of_somebody = any(
        normalise_header(name) in _OF_A_USER for name, one in cells.items() if one not in (None, "")
    )
    likely = _plain(one for name, one in cells.items() if is_likely_key(name))
    return not of_somebody or not patterns.ids.isdisjoint(likely)


def _owners_of(cells: Mapping[str, Any]) -> list[str]:
    """Ids in the columns of ids of a row."""
    return _plain(one for name, one in cells.items() if is_of_users(name))


def _plain(keys: Iterable[Any]) -> list[str]:
    filled = (value for value in keys if value not in (None, ""))
    whole = (int(value) if isinstance(value, float) and value.is_integer() else value for value in filled)
    text = (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in whole)
    return [_COOKIE.sub("", value.strip()) for value in text]


def is_of_users(column: str) -> bool:
    """Whether a column identifies users, judging by its name."""
    return normalise_header(column) in USER_KEYS | _OF_A_USER


def _mask_values(value: Any, patterns: IdPatterns) -> Any:  # noqa: ANN401 - JSON may be anything
    """Mask ids in a value, also inside lists and mappings: text keeps the rest, a number becomes None."""
    if isinstance(value, dict):
        return {key: _mask_values(item, patterns) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_mask_values(item, patterns) for item in value)
    if isinstance(value, str | bytes):
        data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        rest = patterns.without(data)
        rest = FORGOTTEN.encode() if patterns.holds(rest) else rest
        rest = b"" if rest == FORGOTTEN.encode() and data.isdigit() else rest
        return rest if isinstance(value, bytes) else rest.decode("utf-8", "surrogateescape")
    return None if patterns.find(str(value).encode()) else value


def _whole_blocks(text: DecodedText, source: InputFile) -> Iterator[tuple[_TextTable, bytes, np.ndarray]]:
    """A text table in pieces of whole records: what it is, bytes as UTF-8, where its records end."""
    chunks = text.chunks
    first = next(chunks, b"")
    table, rest = _TextTable.of(source.kind, first), b""
    quoting = source.kind is FileKind.DELIMITED
    blocks = whole_records(chain([first], chunks), source.name, table.limits, quoting=quoting)
    for block in chain(blocks, [make_block(b"", 1, last=True)]):
        whole = make_block(rest + block.data, 1, block.last, quoting)
        ends = table.ends(whole)
        size = int(ends[-1]) if len(ends) else 0
        rest = whole.data[size:]
        yield table, whole.data[:size], ends


def _record_spans(data: bytes, ends: np.ndarray, patterns: IdPatterns) -> Iterator[tuple[int, int]]:
    """Yield begin and end of each record that holds a long id; ``ends`` are the positions after records."""
    starts = [trace.start for trace in patterns.find_spelt(data).places]
    at = np.unique(np.searchsorted(ends, starts, "right"))
    begins = np.append(0, ends[:-1])
    yield from zip(begins[at].tolist(), ends[at].tolist(), strict=True)


ID_COLUMNS: Final = (Users.USER_ID, Raw.USER_KEY, "user_pseudo_id")
"""Columns in which a short id is looked for, as a whole value."""
_LISTS: Final = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)


def _rows_holding(column: pa.Array, patterns: IdPatterns) -> np.ndarray:
    """Rows of a column that hold an id, however deep: int64, ascending.

    Args:
        column: Text, bytes, numbers, or lists and records of them.
        patterns: The ids.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _rows_holding(column.dictionary_decode(), patterns)
    if pa.types.is_struct(kind):
        fields = [_rows_holding(one, patterns) for one in column.flatten()]
        return np.unique(np.concatenate([*fields, np.zeros(0, np.int64)]))
    if pa.types.is_map(kind):
        parts = pa.StructArray.from_arrays([column.keys, column.items], ["key", "value"])
        return _of_parents(column.offsets, parts, patterns)
    if any(is_one(kind) for is_one in _LISTS):
        inner = _rows_holding(column.flatten(), patterns)
        return np.unique(np.asarray(pc.list_parent_indices(column), np.int64)[inner])
    return _of_values(column, patterns)


def _of_parents(offsets: pa.Array, parts: pa.Array, patterns: IdPatterns) -> np.ndarray:
    start = offsets[0].as_py() if len(offsets) else 0
    inner = _rows_holding(parts, patterns)
    return np.unique(np.searchsorted(np.asarray(offsets) - start, inner, "right") - 1)


def _of_values(column: pa.Array, patterns: IdPatterns) -> np.ndarray:
    """Rows of a plain column that hold an id: all values are searched at once, as lines of one text."""
    if pa.types.is_floating(column.type):  # whole numbers become these where a column has gaps
        numbers = column.to_numpy(zero_copy_only=False)
        return np.flatnonzero(np.isin(numbers, patterns.numbers))
    if pa.types.is_boolean(column.type) or pa.types.is_null(column.type):
        return np.zeros(0, np.int64)
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        column = column.cast(pa.string())
    values = column.cast(pa.binary()).fill_null(b"")
    ends = np.cumsum(np.asarray(pc.binary_length(values)) + 1)
    whole = pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)
    joined = pc.binary_join(whole, b"\n")[0].as_py() or b""
    starts = [trace.start for trace in patterns.find_spelt(joined).places]
    return np.unique(np.searchsorted(ends, starts, "right")).astype(np.int64)


def rows_of(batch: pa.RecordBatch, patterns: IdPatterns) -> np.ndarray:
    """Rows that hold a long id anywhere, or a short one in :data:`ID_COLUMNS`: int64, ascending."""
    matches = [_rows_holding(column, patterns) for column in batch.columns]
    short = pa.array(sorted(patterns.short), pa.string())
    for name in set(ID_COLUMNS) & set(batch.schema.names) if patterns.short else ():
        values = to_text(batch.column(name))
        matches.append(np.flatnonzero(pc.is_in(values, value_set=short)))
    return np.unique(np.concatenate([*matches, np.zeros(0, np.int64)]))


def rewrite(path: Path, patterns: IdPatterns, check: Callable[[Path], bool]) -> int:
    """Rewrite a file of tables without the users' records; in records of others their ids are masked.

    Args:
        path: CSV, newline-delimited JSON or Parquet, plain, ``.gz`` or ``.zip``.
        patterns: The ids.
        check: Given the new file, whether no id is left in it.

    Returns:
        How many records were left out.

    Raises:
        InputError: If it is no such file, or something would be left; it is as it was.
        ResourceError: If the disk refuses; it is as it was.
    """
    sources = list(tables_in(path, path.name))
    with atomic_write(path) as building:
        if sources[0].packing is Packing.ZIP:
            dropped = _zip(path, sources, building, patterns)
        else:
            opened = gzip.open if sources[0].packing is Packing.GZIP else open
            with opened(building, "wb") as out:
                dropped = _table(sources[0], out, patterns)  # type: ignore[arg-type]  # a file of bytes
        if not check(building):
            raise InputError(
                f"{path.name} cannot be written without these users: they stand where no record is",
                remedy="Export it again without them, or delete it",
            )
        shutil.copymode(path, building)
    return dropped


def records_of(path: Path, patterns: IdPatterns) -> int:
    """Count the records of a file that :func:`rewrite` would leave out.

    Raises:
        InputError: If it is no such file.
    """
    with Path(os.devnull).open("wb") as nowhere:
        return sum(_table(source, nowhere, patterns) for source in tables_in(path, path.name))


def _zip(path: Path, sources: list[InputFile], building: Path, patterns: IdPatterns) -> int:
    tables, dropped = {source.member: source for source in sources}, 0
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(building, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename in tables:
                with new.open(info.filename, "w", force_zip64=True) as out:
                    dropped += _table(tables[info.filename], out, patterns)
    return dropped


def _table(source: InputFile, out: IO[bytes], patterns: IdPatterns) -> int:
    if source.kind is FileKind.PARQUET:
        return _parquet(source, out, patterns)
    dropped = 0
    with open_source(source) as file:
        text = open_text(file, CHUNK_BYTES)
        out.write(text.mark)
        for table, data, ends in _whole_blocks(text, source):
            at = 0
            for begin, end in _record_spans(data, ends, patterns):
                rest = table.without(data[begin:end], patterns)
                out.write(text.encoded(data[at:begin] + rest))
                dropped, at = dropped + (not rest), end
            out.write(text.encoded(data[at:]))
    return dropped


def _parquet(source: InputFile, out: IO[bytes], patterns: IdPatterns) -> int:
    dropped = 0
    with open_seekable(source) as opened:
        with damage(source.name):
            file = pq.ParquetFile(opened)
        about = file.metadata
        packed = about.row_group(0).column(0).compression if about.num_row_groups else "SNAPPY"
        codec = "NONE" if packed == "UNCOMPRESSED" else packed
        with pq.ParquetWriter(out, file.schema_arrow, compression=codec) as writer:
            for batch in _batches(file, source.name):
                rest = _without(batch, patterns)
                dropped += len(batch) - len(rest)
                writer.write_table(rest)
    return dropped


def _batches(file: pq.ParquetFile, name: str) -> Iterator[pa.RecordBatch]:
    """Read a file in batches; a page of it may be damaged where its end is whole."""
    with damage(name):
        yield from file.iter_batches()


def _without(batch: pa.RecordBatch, patterns: IdPatterns) -> pa.Table:
    """Drop the rows of these users, and all that hold an id where no column says whose they are."""
    rows = rows_of(batch, patterns)
    records = batch.take(pa.array(rows)).to_pylist() if len(rows) else []
    of = np.array([is_of(row, patterns) for row in records], bool)
    plain = [_mask_values(row, patterns) for row, goes in zip(records, of, strict=True) if not goes]
    values = [_of_dictionary(field) for field in batch.schema]
    schema = pa.schema(values, batch.schema.metadata)
    take = np.arange(len(batch))
    take[rows[~of]] = len(batch) + np.arange(len(plain))
    old = pa.Table.from_batches([batch]).cast(schema)
    both = pa.concat_tables([old, pa.Table.from_pylist(plain, schema=schema)])
    return both.take(pa.array(np.delete(take, rows[of]))).cast(batch.schema)


def _of_dictionary(field: pa.Field) -> pa.Field:
    """Field with plain values: a dictionary would keep those of rows that are gone."""
    return field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field


def longer_ids(path: Path, patterns: IdPatterns) -> set[str]:
    """Find ids of other users in which one of the ids stands, in columns that identify users.

    Args:
        path: A file of tables, else nothing is found.
        patterns: The ids.
    """
    with suppress(InputError), damage(path.name):
        owners = {owner for source in tables_in(path, path.name) for owner in _owners(source, patterns)}
        return {owner for owner in owners - patterns.ids if patterns.find(owner.encode())}
    return set()


def _owners(source: InputFile, patterns: IdPatterns) -> Iterator[str]:
    """Owners of the records that hold an id, by columns of ids."""
    if source.kind is FileKind.PARQUET:
        with open_seekable(source) as opened:
            file = pq.ParquetFile(opened)
            names = [name for name in file.schema_arrow.names if is_of_users(name)]
            for batch in file.iter_batches(columns=names) if names else ():
                for row in batch.take(pa.array(rows_of(batch, patterns))).to_pylist():
                    yield from _owners_of(row)
        return
    with open_source(source) as file:
        for table, data, ends in _whole_blocks(open_text(file, CHUNK_BYTES), source):
            for begin, end in _record_spans(data, ends, patterns):
                yield from _owners_of(table.cells(data[begin:end]) or {})
