"""Detect the shape of a table (delimited or Parquet), map its columns, and make fields of parsed columns.

The header and a few rows decide the shape:

* *flat*     one row an event, one column a parameter
* *dotted*   ``event_params.0.key, event_params.0.value.int_value, …``
* *console*  cells that hold JSON, as BigQuery's console saves them
* *long form*, and *a row an item*: several rows an event (:mod:`core.ingest.read.event_rows`)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from core.base.raw_fields import PARAM_FIELDS, RECORD_FIELDS
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read.blocks import QuoteLimits
from core.ingest.read.event_rows import EventRows, differ_in_items, find_event_rows, rows_beside_lists
from core.ingest.read.headers import HeaderMap, map_headers, require
from core.ingest.read.nested import (
    PARAM_LISTS,
    RECORD_COLUMNS,
    SLOT_KEY,
    SLOT_VALUE,
    BrokenRecord,
    InexactId,
    NestedEncoding,
    ReadPlan,
    Record,
    Row,
    decode_exactly,
    decode_texts,
    holding_json,
    make_plan,
    map_names,
    names_in,
    read_record,
    read_within,
    rows_of,
)
from core.ingest.read.nested_columns import columns_of, nest_slots
from core.ingest.read.part_files import Reject, Rejected

JSON_LIMITS: Final = QuoteLimits(lines=4096, bytes=1 << 20)
"""Limits of a quoted cell that holds JSON, printed over many lines."""


class Shape(StrEnum):
    """Shape of a table: how its rows hold parameters and items."""

    FLAT = "flat csv"
    DOTTED = "dotted csv"
    CONSOLE = "csv with json cells"
    LONG = "long form csv"
    ITEMS = "csv with a row an item"

    @property
    def holds_parameters(self) -> bool:
        """Whether parameters are inside cells instead of in separate columns."""
        return self in (Shape.DOTTED, Shape.CONSOLE)

    def of(self, kind: str) -> str:
        """Name of the shape in the receipt, by the kind of file."""
        return self.value.replace("csv", kind)


@dataclass(frozen=True)
class DelimitedLayout:
    """The columns of a table and their meaning; in a delimited file, up to the next header line.

    Args:
        shape: How rows hold parameters.
        delimiter: One character.
        header: The columns as the file spells them.
        fields: Field → name; for parameters inside cells the name is dotted.
        seen: Names that the header or the sample shows (other names may occur later).
        json_columns: Columns whose cells hold JSON.
        parsed: Indices of the columns of the header that are needed.
        rows: How rows make events, if an event may have several rows.
    """

    shape: Shape
    delimiter: str
    header: tuple[str, ...]
    fields: HeaderMap
    seen: frozenset[str]
    json_columns: tuple[str, ...]
    parsed: tuple[int, ...]
    rows: EventRows | None = None

    @property
    def shown(self) -> tuple[str, ...]:
        """Names for the preview: columns, with parameters in place of the columns that hold them."""
        if not self.shape.holds_parameters:
            return self.header
        return tuple(name for name in self.fields.names if name in self.seen)

    @property
    def limits(self) -> QuoteLimits:
        """Limits of a quoted cell."""
        return JSON_LIMITS if self.shape is Shape.CONSOLE else QuoteLimits()

    @property
    def time_at(self) -> int | None:
        """Index in the header of the time column; None if the time lies inside a cell."""
        name = self.fields.by_name[Raw.EVENT_TIMESTAMP]
        return self.header.index(name) if name in self.header else None


def may_hold_parameters(names: Sequence[str]) -> bool:
    """Whether the columns alone allow parameters inside cells."""
    return any(SLOT_KEY.match(name) or name.lower() in RECORD_COLUMNS for name in names)


def make_layout(
    header: Sequence[str], sample: Sequence[Sequence[str]], delimiter: str, settings: IngestSettings
) -> DelimitedLayout:
    """Detect the shape of a table and map its columns.

    Args:
        header: Fields of the header line.
        sample: Some rows, each as wide as the header.
        delimiter: One character; empty for Parquet.
        settings: The analyst's mapping.

    Raises:
        InputError: If the shape is known but not supported, or a needed column comes twice.
    """
    json_columns = _json_columns(header, sample)
    inside = bool(json_columns) or any(SLOT_KEY.match(name) for name in header)
    rows = None if inside else find_event_rows(header, sample, settings)
    if rows is not None:
        shape = Shape(rows.shape("csv")) if rows.sure else Shape.FLAT
        needed = tuple(sorted({*rows.read.columns.values()}))
        known = frozenset(rows.seen)
        return DelimitedLayout(shape, delimiter, tuple(header), rows.fields, known, (), needed, rows)
    if any(SLOT_KEY.match(name) for name in header):
        if differ_in_items(header, sample):
            raise rows_beside_lists()
        shape, seen = Shape.DOTTED, _dotted_names(header, sample)
    elif json_columns:
        shape, records = Shape.CONSOLE, list(_console_records(header, sample, json_columns))
        seen = list(dict.fromkeys(name for record in records for name in names_in(record)))
        some = rows_of(records[1:], seen, set(header) - set(json_columns))
        rows = find_event_rows(seen, some, settings, _usual(json_columns))
    else:
        shape, seen = Shape.FLAT, list(header)
    usual = PARAM_FIELDS if shape is Shape.DOTTED else _usual(json_columns)
    fields = map_headers(header, settings) if shape is Shape.FLAT else map_names(seen, usual, settings)
    parsed = _needed(shape, header, rows.read if rows else fields, json_columns)
    known = frozenset(seen)
    return DelimitedLayout(shape, delimiter, tuple(header), fields, known, json_columns, parsed, rows)


def check_layout(layout: DelimitedLayout, file: str, settings: IngestSettings) -> None:
    """Check that every required field has a column.

    Raises:
        InputError: If a required field has no column.
    """
    shown = HeaderMap(layout.header, layout.fields.columns, layout.fields.candidates)
    require(shown, file, settings)


def _json_columns(header: Sequence[str], sample: Sequence[Sequence[str]]) -> tuple[str, ...]:
    cells = {
        name: [row[index] for row in sample]
        for index, name in enumerate(header)
        if name.lower() in RECORD_COLUMNS
    }
    empty = (name for name, found in cells.items() if not any(map(str.strip, found)))
    return holding_json(cells) or tuple(name for name in empty if name.lower() in PARAM_LISTS)


def _usual(roots: Collection[str]) -> dict[str, str]:
    """Field → usual name, for the fields inside the given columns."""
    return {field: name for field, name in RECORD_FIELDS.items() if name.partition(".")[0] in roots}


def _dotted_names(header: Sequence[str], sample: Sequence[Sequence[str]]) -> list[str]:
    keys = [index for index, name in enumerate(header) if SLOT_KEY.match(name)]
    plain = [name for name in header if not (SLOT_KEY.match(name) or SLOT_VALUE.match(name))]
    found = dict.fromkeys(f"event_params.{row[index]}" for row in sample for index in keys if row[index])
    return [*plain, *found]


def _console_records(
    header: Sequence[str], sample: Sequence[Sequence[str]], json_columns: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Yield a record of the plain columns, then the rows whose JSON cells can all be decoded."""
    plain = [name for name in header if name not in json_columns]
    yield dict.fromkeys(plain)
    for row in sample:
        cells = dict(zip(header, row, strict=True))
        with suppress(ValueError):  # rejected, with its line, when it is read
            record: dict[str, Any] = {name: cells[name] for name in plain}
            yield record | decode_texts(cells, json_columns)


def _needed(
    shape: Shape, header: Sequence[str], fields: HeaderMap, json_columns: Sequence[str]
) -> tuple[int, ...]:
    place = {name: index for index, name in reversed(list(enumerate(header)))}
    names = list(fields.by_name.values())
    needed = {place[name] for name in names if name in place}
    needed |= {place[name] for name in read_within(json_columns, names)}
    if shape is Shape.DOTTED:
        needed |= {
            index for index, name in enumerate(header) if SLOT_KEY.match(name) or SLOT_VALUE.match(name)
        }
    return tuple(sorted(needed))


Lines = npt.NDArray[np.int64]
T = TypeVar("T")


@dataclass(frozen=True)
class ParsedBlock:
    """The fields and rejects of a block, and the bytes left over.

    Args:
        fields: Field → text of every row.
        lines: Line of the file of each row.
        rejected: Broken records.
        records: Number of all records, counted without a parser.
        rest: Bytes left over: an open record at the end, or all that follows another header.
        rest_line: Line of the file where ``rest`` starts.
        header: Another header in the block, if there is one.
    """

    fields: Mapping[str, pa.Array] = field(default_factory=dict)
    lines: Lines = field(default_factory=lambda: np.empty(0, np.int64))
    rejected: Rejected = field(default_factory=Rejected)
    records: int = 0
    rest: bytes = b""
    rest_line: int = 0
    header: Sequence[str] | None = None


def assemble(
    layout: DelimitedLayout, columns: Sequence[pa.Array], lines: Lines, parsed: ParsedBlock
) -> ParsedBlock:
    """Make the fields of a block from its parsed columns.

    Args:
        layout: Meaning of the columns.
        columns: Text columns in the order of ``layout.parsed``, empty cells null; none if there is no row.
        lines: Line of each row.
        parsed: Result to complete; rows whose cells cannot be decoded are added to its rejects.
    """
    if not columns:
        return parsed
    by_name = {layout.header[index]: column for index, column in zip(layout.parsed, columns, strict=True)}
    read = layout.rows.read if layout.rows else layout.fields
    if layout.shape is Shape.CONSOLE:
        plan = make_plan(read, literal=set(layout.header) - set(layout.json_columns))
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        cells = (dict(zip(by_name, row, strict=True)) for row in rows)
        unfold = NestedEncoding(layout.json_columns, dotted=False).unfold
        fields, lines, rejected = read_rows(zip(lines.tolist(), cells, strict=True), unfold, plan)
        parsed.rejected.join(rejected)
    elif layout.shape is Shape.DOTTED:
        fields = dict(
            zip(read.by_name, columns_of(nest_slots(by_name), list(read.by_name.values())), strict=True)
        )
    else:
        fields = {field: by_name[name] for field, name in read.by_name.items()}
    return replace(parsed, fields=layout.rows.staged(fields) if layout.rows else fields, lines=lines)


def read_rows(
    found: Iterable[tuple[int, T]],
    record_of: Callable[[T, Callable[[bytes | str], Any]], Record],
    plan: ReadPlan,
    shown: Callable[[object], str] = str,
) -> tuple[dict[str, pa.Array], Lines, Rejected]:
    """Read records one by one; return the fields, the line of each row, and the broken records.

    Args:
        found: Line and raw form of each record.
        record_of: Makes the nested record from the raw form, with a given JSON decoder.
        plan: Which values to read.
        shown: Converts a value of a broken record to text.
    """
    rows: list[Row] = []
    lines: list[int] = []
    rejected = Rejected()
    for line, written in found:
        try:
            try:
                row = read_record(record_of(written, orjson.loads), plan)
            except InexactId:
                row = read_record(record_of(written, decode_exactly), plan)
        except BrokenRecord as error:
            rejected.add(Reject(line, error.reason, shown(error.value), error.column))
        except RecursionError:
            rejected.add(Reject(line, "nested too deeply", shown(written)))
        else:
            rows.append(row)
            lines.append(line)
    columns = [pa.array([row[slot] for row in rows], pa.string()) for slot in range(len(plan.fields))]
    return dict(zip(plan.fields, columns, strict=True)), np.array(lines, np.int64), rejected
