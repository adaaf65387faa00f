"""CSV and its relatives: fast where a block is plain, line by line where anything in it is not.

A file is read in blocks of whole records. Each is counted on its bytes, then parsed by Arrow; if the
number of rows differs from the count, or Arrow refuses, or a header hides in it, the block is read again
by :mod:`core.ingest.careful`. Blocks are worked on by a few threads and taken in order.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from core.ingest.assembly import Lines, assemble
from core.ingest.blocks import Block, count_block, make_block, whole_records
from core.ingest.careful import NEW_HEADER, REPEATED_HEADER, read_carefully
from core.ingest.files import Source, open_source
from core.ingest.layout import Layout, check_layout, make_layout
from core.ingest.opening import naming, open_delimited
from core.ingest.parts import FileCount, Part, Reject, Sink
from core.settings import IngestSettings

_DIGIT: Final = re.compile(r"\d")


@dataclass(frozen=True)
class Outcome:
    """What came of a block; the last three as in :class:`core.ingest.careful.Careful`."""

    part: Part | None
    rejects: Sequence[Reject]
    records: int
    rest: bytes = b""
    rest_line: int = 0
    header: Sequence[str] | None = None


def read(source: Source, settings: IngestSettings, sink: Sink, report: Callable[[int], None]) -> FileCount:
    """Read a delimited file.

    Args:
        source: The file.
        settings: The analyst's mapping.
        sink: Takes rows and rejects.
        report: Called with the bytes that are done, unpacked.

    Raises:
        InputError: If the file cannot be used as a whole.
    """
    with open_source(source) as file:
        opened = open_delimited(file, source, settings)
        check_layout(opened.layout, source.name, settings)
        run = _Run(opened.layout, settings, sink, source.name)
        limits = opened.layout.limits
        blocks = whole_records(opened.chunks, source.name, limits, opened.line)
        done = 0
        for block in _in_parallel(run, blocks):
            done += len(block.data)
            report(done)
        run.finish()
    notes = (*opened.text.notes, *run.notes)
    return FileCount(opened.layout.shape.value, opened.text.encoding, run.records, run.columns, notes)


def convert(block: Block, layout: Layout, sink: Sink, name: str) -> Outcome:
    """Turn a block into a raw part; safe to call from several threads.

    Args:
        block: Starts where a record does.
        layout: Its columns.
        sink: Where the part goes.
        name: Name of the part.
    """
    count = count_block(block, layout.delimiter, layout.limits)
    columns = _parse(block, layout, count.records) if count.well_formed else None
    if columns is not None:
        lines = block.line + (np.arange(count.records) if count.starts is None else count.starts)
        return _store(sink, name, layout, columns, lines, Outcome(None, (), count.records))
    careful = read_carefully(block, layout)
    columns = [
        pa.array([text or None for text in column], pa.string()) for column in zip(*careful.rows, strict=True)
    ]
    rest = Outcome(None, careful.rejects, careful.records, careful.rest, careful.rest_line, careful.header)
    return _store(sink, name, layout, columns, np.array(careful.lines, np.int64), rest)


@dataclass
class _Run:
    """Takes outcomes in order, and does a block over when the one before it changed what it starts from."""

    layout: Layout
    settings: IngestSettings
    sink: Sink
    file: str
    records: int = 0
    notes: list[str] = field(default_factory=list)
    _rest: bytes = b""
    _rest_line: int = 0
    _repeated: int = 0
    _columns: dict[str, str] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._learn()

    @property
    def columns(self) -> dict[str, str]:
        """Field → column, for the fields that were seen."""
        filled = self.sink.filled
        return {f: name for f, name in self._columns.items() if name in self._seen or f in filled}

    def take(self, number: int, block: Block, assumed: Layout, outcome: Outcome) -> None:
        """Add the outcome of a block that was read with an assumed layout."""
        piece = 0
        if self._rest or assumed is not self.layout:
            block = self._joined(block)
            outcome = convert(block, self.layout, self.sink, _part_name(number, piece))
        while self._keep(outcome):
            piece += 1
            block = make_block(outcome.rest, outcome.rest_line, block.last)
            outcome = convert(block, self.layout, self.sink, _part_name(number, piece))
        self._rest, self._rest_line = outcome.rest, outcome.rest_line

    def finish(self) -> None:
        """Read what was still open where the last block ended."""
        if self._rest:
            empty = make_block(b"", self._rest_line, last=True)
            self.take(999_999, empty, self.layout, Outcome(None, (), 0))
        if self._repeated:
            self.notes.append(f"The header is repeated {self._repeated} times")

    def _joined(self, block: Block) -> Block:
        line = self._rest_line if self._rest else block.line
        return make_block(self._rest + block.data, line, block.last)

    def _keep(self, outcome: Outcome) -> bool:
        """Add an outcome; true if another header was found, and the rest is to be read by it."""
        self.records += outcome.records
        self.sink.keep(outcome.part, outcome.rejects)
        self._repeated += sum(reject.reason == REPEATED_HEADER for reject in outcome.rejects)
        if outcome.header is None:
            return False
        self._change_layout(outcome.header, outcome.rest_line - 1)
        return bool(outcome.rest)

    def _change_layout(self, header: Sequence[str], line: int) -> None:
        before, place = set(self.layout.header), f"{self.file}, line {line}"
        with naming(place):
            self.layout = make_layout(header, [], self.layout.delimiter, self.settings)
        check_layout(self.layout, place, self.settings)
        self._learn()
        new, gone = sorted(set(header) - before), sorted(before - set(header))
        self.notes.append(
            f"Line {line}, {NEW_HEADER}; new: {', '.join(new) or 'none'}; gone: {', '.join(gone) or 'none'}"
        )

    def _learn(self) -> None:
        self._columns = self.layout.fields.by_name | self._columns
        self._seen |= self.layout.seen


def _in_parallel(run: _Run, blocks: Iterator[Block]) -> Iterator[Block]:
    """Convert blocks ahead of time, take them in order."""
    workers = min(4, _cores())
    waiting: deque[tuple[int, Block, Layout, Future[Outcome]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for number, block in enumerate(blocks):
            future = pool.submit(convert, block, run.layout, run.sink, _part_name(number, 0))
            waiting.append((number, block, run.layout, future))
            if len(waiting) > workers:
                yield _take_first(run, waiting)
        while waiting:
            yield _take_first(run, waiting)


def _take_first(run: _Run, waiting: deque[tuple[int, Block, Layout, Future[Outcome]]]) -> Block:
    number, block, assumed, future = waiting.popleft()
    run.take(number, block, assumed, future.result())
    return block


def _part_name(block: int, piece: int) -> str:
    return f"{block:06d}-{piece:04d}"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _store(
    sink: Sink, name: str, layout: Layout, columns: Sequence[pa.Array], lines: Lines, outcome: Outcome
) -> Outcome:
    if not len(lines):
        return outcome
    assembled = assemble(layout, columns, lines)
    part = sink.write(name, assembled.fields, assembled.lines)
    rejects = sorted([*outcome.rejects, *assembled.rejects])
    return Outcome(part, rejects, outcome.records, outcome.rest, outcome.rest_line, outcome.header)


def _parse(block: Block, layout: Layout, expected: int) -> list[pa.Array] | None:
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


def _hides_header(columns: Sequence[pa.Array], layout: Layout) -> bool:
    """Whether a value of the time column has no digit: then it may be the name of a column."""
    if layout.time_at is None:
        return False
    times = columns[layout.parsed.index(layout.time_at)]
    extremes = pc.min_max(times).as_py()
    if extremes["min"] is None or (extremes["min"] >= "0" and extremes["max"] < ":"):
        return False  # each value starts with a digit
    return any(value and not _DIGIT.search(value) for value in times.unique().to_pylist())
