"""What the columns of a table mean, delimited or Parquet: its shape, where each field is, and the fields.

Shapes are told from the header and a few rows, never asked for:

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

from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read.blocks import QuoteLimits
from core.ingest.read.event_rows import EventRows, differ_in_items, find_event_rows, rows_beside_lists
from core.ingest.read.headers import HeaderMap, map_headers, require
from core.ingest.read.nested import (
    PARAM_FIELDS,
    PARAM_LISTS,
    RECORD_COLUMNS,
    RECORD_FIELDS,
    SLOT_KEY,
    SLOT_VALUE,
    BrokenRecord,
    Folds,
    InexactId,
    Plan,
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
"""How far a cell may run that holds JSON, printed over many lines."""


class Shape(StrEnum):
    """How a row of a delimited file holds its parameters."""

    FLAT = "flat csv"
    DOTTED = "dotted csv"
    CONSOLE = "csv with json cells"
    LONG = "long form csv"
    ITEMS = "csv with a row an item"

    @property
    def holds_parameters(self) -> bool:
        """Whether parameters are inside cells, and no columns themselves."""
        return self in (Shape.DOTTED, Shape.CONSOLE)

    def of(self, kind: str) -> str:
        """What the receipt calls it, by the kind of file."""
        return self.value.replace("csv", kind)


@dataclass(frozen=True)
class DelimitedLayout:
    """The columns of a table; of a delimited file, from one header line to the next.

    Args:
        shape: How parameters are held.
        delimiter: One character.
        header: The columns as they stand in the file.
        fields: Field → name; for parameters inside cells the name is dotted.
        seen: Names that the header or the sample shows (others are only looked for).
        json_columns: Columns whose cells hold JSON.
        parsed: Indices of the columns of the header that are needed.
        rows: How rows make events, if one may be in several.
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
        """Names to be looked at: columns, or in place of those that hold parameters what is in them."""
        if not self.shape.holds_parameters:
            return self.header
        return tuple(name for name in self.fields.names if name in self.seen)

    @property
    def limits(self) -> QuoteLimits:
        """How far a quoted cell may run."""
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
    """Tell the shape of a table and map its columns.

    Args:
        header: Fields of the header line.
        sample: Some rows, each as wide as the header.
        delimiter: One character; none of Parquet.
        settings: The analyst's mapping.

    Raises:
        InputError: If the shape is one that we recognise but do not read, or a needed column comes twice.
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
    """Check that the required fields are there.

    Raises:
        InputError: If one is not.
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
    """Where fields are looked for inside some columns."""
    return {field: name for field, name in RECORD_FIELDS.items() if name.partition(".")[0] in roots}


def _dotted_names(header: Sequence[str], sample: Sequence[Sequence[str]]) -> list[str]:
    keys = [index for index, name in enumerate(header) if SLOT_KEY.match(name)]
    plain = [name for name in header if not (SLOT_KEY.match(name) or SLOT_VALUE.match(name))]
    found = dict.fromkeys(f"event_params.{row[index]}" for row in sample for index in keys if row[index])
    return [*plain, *found]


def _console_records(
    header: Sequence[str], sample: Sequence[Sequence[str]], json_columns: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """The plain columns, then rows of which every cell can be read."""
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
    """What came of some bytes.

    Args:
        fields: Field → text of every row.
        lines: Line of the file of each row.
        rejected: Records that are none.
        records: All of them, counted without a parser.
        rest: Bytes not dealt with: an open record at the end, or all that follows another header.
        rest_line: Line of the file where they start.
        header: The other header.
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
    """Make fields of parsed columns.

    Args:
        layout: What the columns mean.
        columns: Text columns in the order of ``layout.parsed``, empty cells null; none if there is no row.
        lines: Line of each row.
        parsed: Gets them, and the rows whose cells cannot be taken apart as rejects.
    """
    if not columns:
        return parsed
    by_name = {layout.header[index]: column for index, column in zip(layout.parsed, columns, strict=True)}
    read = layout.rows.read if layout.rows else layout.fields
    if layout.shape is Shape.CONSOLE:
        plan = make_plan(read, literal=set(layout.header) - set(layout.json_columns))
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        cells = (dict(zip(by_name, row, strict=True)) for row in rows)
        unfold = Folds(layout.json_columns, dotted=False).unfold
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
    plan: Plan,
    shown: Callable[[object], str] = str,
) -> tuple[dict[str, pa.Array], Lines, Rejected]:
    """Read records one by one: the fields, the line of each row, and the records that are broken.

    Args:
        found: The line of each, and as what it was found there.
        record_of: Makes the nested record of what was found, by a decoder of JSON.
        plan: What to read.
        shown: A value of a broken record as text.
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
