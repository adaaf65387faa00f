"""Read newline-delimited JSON: one record a line, nested as BigQuery exports it, or flat.

Regular blocks are parsed by Arrow (:mod:`core.ingest.read.nested_columns`); in any other block each line is
decoded separately, so that a broken line costs only its own record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
import pyarrow as pa

from core.base.errors import InputError
from core.base.raw_fields import RECORD_FIELDS
from core.base.settings import IngestSettings
from core.ingest.read.blocks import CHUNK_BYTES, Block, QuoteLimits, count_block, in_order, whole_records
from core.ingest.read.event_rows import (
    EventRows,
    find_event_rows,
    has_item,
    may_have_event_rows,
    with_all_values,
)
from core.ingest.read.headers import HeaderMap, errors_naming_file, require
from core.ingest.read.nested import (
    PARAM_LISTS,
    BrokenRecord,
    NestedEncoding,
    ReadPlan,
    find_nested_encoding,
    make_plan,
    map_names,
    names_in,
    record_fields,
    rows_of,
)
from core.ingest.read.nested_columns import read_columns, schema_for
from core.ingest.read.part_files import FileCount, PartFile, Rejected, Sink
from core.ingest.read.table_layout import Lines, read_rows
from core.ingest.sources.input_files import ByteReader, InputFile, open_source
from core.ingest.sources.text import DecodedText, open_text

_SAMPLE_RECORDS: Final = 500

_LOOKED_AT: Final = 100
_ITEM: Final = b'"item'
_NO_RECORD: Final = "not a JSON object"


@dataclass(frozen=True)
class OpenedJson:
    """A JSON file whose names have been mapped from a sample of records.

    Args:
        shape: Name of the shape in the receipt.
        fields: Field → name.
        seen: Names in the sample (other names may occur later).
        literal: Names that are a whole key, dots included.
        sample: Some records.
        text: Encoding and notes.
        chunks: The whole file, to be read once.
        rows: How records make events, if an event may have several records.
        folds: How the file encodes nested values, if it does; records of the sample are unfolded.
    """

    shape: str
    fields: HeaderMap
    seen: tuple[str, ...]
    literal: frozenset[str]
    sample: tuple[dict[str, Any], ...]
    text: DecodedText
    chunks: Iterator[bytes]
    rows: EventRows | None
    folds: NestedEncoding | None


class _LateItem(Exception):
    """Raised at a record with an item in a file whose sample has none: names are mapped again with it."""

    def __init__(self, record: dict[str, Any]) -> None:
        super().__init__()
        self.record = record


def open_json(
    file: ByteReader,
    source: InputFile,
    settings: IngestSettings,
    chunk_bytes: int = CHUNK_BYTES,
    also: tuple[dict[str, Any], ...] = (),
) -> OpenedJson:
    """Read a sample of records and map their names to fields.

    Args:
        file: The content.
        source: The file.
        settings: The analyst's mapping.
        chunk_bytes: Bytes of a block; the sample is from the first block.
        also: Later records to add to the sample.

    Raises:
        InputError: If no record stands on a single line.
    """
    text = open_text(file, chunk_bytes)
    first, sample = _first_records(text.chunks)
    sample += also
    if not sample:
        raise InputError(
            f"{source.name} holds no record that stands on one line, as JSON printed over several does",
            allowed="one record a line",
            remedy="Export it as newline-delimited JSON",
        )
    if folds := find_nested_encoding(sample):
        sample = folds.unfold_sample(sample)
    seen = tuple(dict.fromkeys(name for record in sample for name in names_in(record)))
    nested = any(record.get(root) is not None for record in sample for root in PARAM_LISTS)
    literal = frozenset(_literal_names(sample, folds))
    with errors_naming_file(source.name):
        seen, rows = _event_rows(seen, sample, literal, settings, nested)
        fields = (
            map_names(seen, record_fields(settings) if nested else {}, settings)
            if rows is None
            else rows.fields
        )
    plain = folds.shape if folds else "nested ndjson" if nested else "flat ndjson"
    shape = rows.shape("ndjson") if rows and rows.sure else plain
    seen = rows.seen if rows else seen
    return OpenedJson(shape, fields, seen, literal, sample, text, chain([first], text.chunks), rows, folds)


def read(
    source: InputFile,
    settings: IngestSettings,
    sink: Sink,
    report: Callable[[int], None],
    chunk_bytes: int = CHUNK_BYTES,
) -> FileCount:
    """Read a JSON file into raw parts; arguments and errors as in :func:`core.ingest.read.delimited.read`."""
    try:
        return _read(source, settings, sink, report, chunk_bytes)
    except _LateItem as late:
        sink.clear()
        return _read(source, settings, sink, report, chunk_bytes, (late.record,))


def _read(
    source: InputFile,
    settings: IngestSettings,
    sink: Sink,
    report: Callable[[int], None],
    chunk_bytes: int,
    also: tuple[dict[str, Any], ...] = (),
) -> FileCount:
    records = done = 0
    with open_source(source) as file:
        opened = open_json(file, source, settings, chunk_bytes, also)
        require(opened.fields, source.name, settings)
        sink.rows = opened.rows
        converter = _Converter(opened, sink, watching=opened.rows is None and not also)
        blocks = enumerate(whole_records(opened.chunks, source.name, QuoteLimits(), quoting=False))
        for outcome in in_order(blocks, converter.submit):
            sink.keep(outcome.part, outcome.rejected)
            records += outcome.records
            done += outcome.bytes
            report(done)
    columns, tool = sink.columns(opened.fields.by_name, opened.seen), opened.fields.tool
    return FileCount(
        opened.shape, opened.text.encoding, records, columns, tuple(opened.text.notes), tool=tool
    )


def _event_rows(
    names: tuple[str, ...],
    sample: tuple[dict[str, Any], ...],
    literal: frozenset[str],
    settings: IngestSettings,
    nested: bool,
) -> tuple[tuple[str, ...], EventRows | None]:
    """Return all names, with those of value kinds that the sample lacks, and how records make events."""
    if not may_have_event_rows(names):
        return names, None
    names = with_all_values(names)
    rows = rows_of(sample, names, literal)
    return names, find_event_rows(names, rows, settings, RECORD_FIELDS if nested else None)


def _literal_names(sample: Sequence[dict[str, Any]], folds: NestedEncoding | None) -> set[str]:
    """Names that are a whole key; where lists are flattened, also usual names that the sample lacks."""
    keys = {key for record in sample for key in record}
    flattened = RECORD_FIELDS.values() if folds and folds.dotted else ()
    return keys | {name for name in flattened if name.partition(".")[0] not in keys}


def _first_records(chunks: Iterator[bytes]) -> tuple[bytes, tuple[dict[str, Any], ...]]:
    """Read the start of a file up to its first whole record; return its bytes and the records in it."""
    first = next(chunks, b"")
    while not (sample := tuple(_sample(first))) and len(first) < CHUNK_BYTES:
        if not (more := next(chunks, b"")):
            break
        first += more
    return first, sample


def _sample(data: bytes) -> Iterator[dict[str, Any]]:
    """Yield the first records, and later ones that have a new name, as null values may be left out."""
    names = set[str]()
    for number, record in enumerate(_objects(data)):
        if number < _SAMPLE_RECORDS or not record.keys() <= names:
            names |= record.keys()
            yield record


def _objects(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.split(b"\n"):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue  # rejected, with its line, when it is read
        if isinstance(record, dict):
            yield record


def _with_item(data: bytes) -> dict[str, Any] | None:
    """Find a record with an item, looking only at the first lines that may hold one, for speed."""
    end = 0
    for _ in range(_LOOKED_AT):
        found = data.find(_ITEM, end)
        if found < 0:
            return None
        start, end = data.rfind(b"\n", 0, found) + 1, data.find(b"\n", found)
        end = end if end >= 0 else len(data)
        for record in _objects(data[start:end]):
            if has_item(list(names_in(record))):
                return record
    return None


class _Outcome(NamedTuple):
    """The result of reading a block."""

    part: PartFile | None
    rejected: Rejected
    records: int
    bytes: int


class _Converter:
    """Turns blocks into raw parts; safe to call from several threads.

    Args:
        opened: The opened file.
        sink: Receives the parts.
        watching: Whether to raise :class:`_LateItem` at a record with an item.
    """

    def __init__(self, opened: OpenedJson, sink: Sink, watching: bool) -> None:
        self._watching = watching
        self._fields, self._sink = opened.rows.read if opened.rows else opened.fields, sink
        self._plan = make_plan(self._fields, opened.literal)
        self._folds = opened.folds.read_for(self._fields.by_name.values()) if opened.folds else None
        self._schema = None if self._folds else schema_for(self._plan, opened.sample)

    def submit(self, pool: Executor, item: tuple[int, Block]) -> Future[_Outcome]:
        return pool.submit(self.convert, *item)

    def convert(self, number: int, block: Block) -> _Outcome:
        if self._watching and (record := _with_item(block.data)):
            raise _LateItem(record)
        count, rejected, fields = count_block(block), Rejected(), None
        if self._schema is not None:
            fields = read_columns(block, self._schema, self._fields, count.records)
            lines = block.line + (np.arange(count.records) if count.starts is None else count.starts)
        if fields is None:
            fields, lines, rejected = _one_by_one(block, self._plan, self._folds)
        fields = self._sink.rows.staged(fields) if self._sink.rows else fields
        part = self._sink.write(f"{number:06d}", fields, lines)
        return _Outcome(part, rejected, count.records, len(block.data))


def _one_by_one(
    block: Block, plan: ReadPlan, folds: NestedEncoding | None
) -> tuple[dict[str, pa.Array], Lines, Rejected]:
    def record_of(line: bytes, decode: Callable[[bytes | str], Any]) -> dict[str, Any]:
        try:
            value = decode(line)
        except orjson.JSONDecodeError as error:
            raise BrokenRecord("", f"not JSON: {error.msg}", line) from error
        if not isinstance(value, dict):
            raise BrokenRecord("", _NO_RECORD, line)
        return folds.unfold(value, decode) if folds else value

    data = block.data.replace(b"\0\n\0", b"\0\n")  # as in split_lines of delimited text
    lines = enumerate(data.split(b"\n"), start=block.line)
    return read_rows((found for found in lines if found[1] not in (b"", b"\r")), record_of, plan, _shown)


def _shown(value: object) -> str:
    return (value if isinstance(value, bytes) else orjson.dumps(value)).decode("utf-8", "replace")
