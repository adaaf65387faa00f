"""From the text columns of a table to fields, whatever its shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from core.ingest.read.delimited_layout import KEY, VALUE, DelimitedLayout, Shape
from core.ingest.read.nested import (
    BrokenRecord,
    InexactId,
    Plan,
    Row,
    decode_exactly,
    decode_texts,
    make_plan,
    read_record,
)
from core.ingest.read.part_files import Reject, Rejected

Lines = npt.NDArray[np.int64]


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
    if layout.shape is Shape.CONSOLE:
        return _from_console(layout, by_name, lines, parsed)
    if layout.rows is not None:
        read = {field: by_name[name] for field, name in layout.rows.read.by_name.items()}
        return replace(parsed, fields=layout.rows.staged(read), lines=lines)
    fields = {field: _field(name, by_name) for field, name in layout.fields.by_name.items()}
    return replace(parsed, fields=fields, lines=lines)


def _field(name: str, columns: Mapping[str, pa.Array]) -> pa.Array:
    """A plain column, or the value beside the key of that name; the first of several slots wins."""
    if name in columns:
        return columns[name]
    wanted = name.partition(".")[2]
    rows = len(next(iter(columns.values())))
    found = pa.nulls(rows, pa.string())
    for column, keys in columns.items():
        if slot := KEY.match(column):
            value = pc.coalesce(*_values_of(slot[1], columns), pa.nulls(rows, pa.string()))
            here = pc.fill_null(pc.equal(keys, wanted), False)
            found = pc.coalesce(found, pc.if_else(here, value, pa.scalar(None, pa.string())))
    return found


def _values_of(slot: str, columns: Mapping[str, pa.Array]) -> list[pa.Array]:
    return [column for name, column in columns.items() if (value := VALUE.match(name)) and value[1] == slot]


def _from_console(
    layout: DelimitedLayout, columns: Mapping[str, pa.Array], lines: Lines, parsed: ParsedBlock
) -> ParsedBlock:
    read = layout.rows.read if layout.rows else layout.fields
    plan = make_plan(read, literal=set(layout.header) - set(layout.json_columns))
    rows: list[Row] = []
    kept: list[int] = []
    rejected = Rejected()
    for index, cells in enumerate(_records(columns)):
        try:
            rows.append(_console_row(cells, layout, plan))
            kept.append(index)
        except BrokenRecord as error:
            rejected.add(Reject(int(lines[index]), error.reason, str(error.value), error.column))
    arrays = [pa.array([row[slot] for row in rows], pa.string()) for slot in range(len(plan.fields))]
    parsed.rejected.join(rejected)
    fields = dict(zip(plan.fields, arrays, strict=True))
    return replace(parsed, fields=layout.rows.staged(fields) if layout.rows else fields, lines=lines[kept])


def _records(columns: Mapping[str, pa.Array]) -> Iterator[dict[str, Any]]:
    names = list(columns)
    for row in zip(*(column.to_pylist() for column in columns.values()), strict=True):
        yield dict(zip(names, row, strict=True))


def _console_row(cells: dict[str, Any], layout: DelimitedLayout, plan: Plan) -> Row:
    try:
        return read_record(cells | decode_texts(cells, layout.json_columns), plan)
    except InexactId:
        return read_record(cells | decode_texts(cells, layout.json_columns, decode_exactly), plan)
