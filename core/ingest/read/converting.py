"""One block of a delimited file: fast where it is plain, in small pieces where something in it is not.

A piece that is not plain itself is read line by line (:mod:`core.ingest.read.careful`). How a block is cut
into pieces changes nothing in what comes out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from core.ingest.read.assembly import ParsedBlock, assemble
from core.ingest.read.blocks import Block, count_block, make_block, whole_records
from core.ingest.read.careful import read_carefully
from core.ingest.read.delimited_layout import DelimitedLayout
from core.ingest.read.part_files import Rejected

PIECE_BYTES: Final = 1 << 17

_DIGIT: Final = re.compile(r"\d")


def read_block(block: Block, layout: DelimitedLayout) -> ParsedBlock:
    """Read the records of a block.

    Args:
        block: Starts where a record does.
        layout: Its columns, up to another header.
    """
    parsed = _read_fast(block, layout)
    if parsed is not None:
        return parsed
    if len(block.data) <= PIECE_BYTES:
        return read_carefully(block, layout)
    return _joined(_read_in_pieces(block, layout))


def _read_fast(block: Block, layout: DelimitedLayout) -> ParsedBlock | None:
    count = count_block(block, layout.delimiter, layout.limits)
    columns = _parse(block, layout, count.records) if count.well_formed else None
    if columns is None:
        return None
    lines = block.line + (np.arange(count.records) if count.starts is None else count.starts)
    return assemble(layout, columns, lines, ParsedBlock(records=count.records))


def _read_in_pieces(block: Block, layout: DelimitedLayout) -> Iterator[ParsedBlock]:
    """Read piece after piece; the last one given holds what is left over, if anything is."""
    data, done = block.data, 0
    slices = (data[start : start + PIECE_BYTES] for start in range(0, len(data), PIECE_BYTES))
    parsed = ParsedBlock()
    for plain in whole_records(slices, "", layout.limits, block.line):
        done += len(plain.data)
        last = block.last and done == len(data)
        line = parsed.rest_line if parsed.rest else plain.line
        piece = make_block(parsed.rest + plain.data, line, last)
        parsed = _read_fast(piece, layout) or read_carefully(piece, layout)
        if parsed.header is not None:
            yield replace(parsed, rest=parsed.rest + data[done:])
            return
        yield parsed


def _joined(read: Iterator[ParsedBlock]) -> ParsedBlock:
    pieces, rejected = list[ParsedBlock](), Rejected()
    for piece in read:
        rejected.join(piece.rejected)
        pieces.append(replace(piece, rejected=rejected))  # one for all: each may have kept as many
    filled = [piece for piece in pieces if len(piece.lines)]
    names = list(filled[0].fields) if filled else []
    return replace(
        pieces[-1],
        fields={name: pa.concat_arrays([piece.fields[name] for piece in filled]) for name in names},
        lines=np.concatenate([piece.lines for piece in pieces]),
        records=sum(piece.records for piece in pieces),
    )


def _parse(block: Block, layout: DelimitedLayout, expected: int) -> list[pa.Array] | None:
    """Parse with Arrow; None unless it sees exactly the expected records, all of them data."""
    if not expected:
        return []
    names = [str(index) for index in range(len(layout.header))]
    wanted = [names[index] for index in layout.parsed]
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(block.data),
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=len(block.data) + 1, column_names=names
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=layout.delimiter
            ),  # one block: newlines cannot cut it
            convert_options=pa_csv.ConvertOptions(
                include_columns=wanted,
                column_types=dict.fromkeys(wanted, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != expected:
        return None
    columns = [column.chunk(0) for column in table.columns]  # one block in, one chunk out
    return None if _hides_header(columns, layout) else columns


def _hides_header(columns: Sequence[pa.Array], layout: DelimitedLayout) -> bool:
    """Whether a value of the time column has no digit: then it may be the name of a column."""
    if layout.time_at is None:
        return False
    times = columns[layout.parsed.index(layout.time_at)]
    extremes = pc.min_max(times).as_py()
    if extremes["min"] is None or (extremes["min"] >= "0" and extremes["max"] < ":"):
        return False  # each value starts with a digit
    return any(value and not _DIGIT.search(value) for value in times.unique().to_pylist())
