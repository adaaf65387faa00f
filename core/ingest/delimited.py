"""CSV and its relatives, in blocks of whole records that a few threads work on and that are taken in order.

Each block is counted on its bytes and then parsed by Arrow; if the number of rows differs from the count,
or Arrow refuses, or a header hides in it, it is read again line by line (:mod:`core.ingest.converting`).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

from core.ingest.blocks import Block, make_block, whole_records
from core.ingest.careful import NEW_HEADER, REPEATED_HEADER
from core.ingest.converting import Parsed, read_block
from core.ingest.files import Source, open_source
from core.ingest.layout import Layout, check_layout, make_layout
from core.ingest.opening import CHUNK_BYTES, naming, open_delimited
from core.ingest.parts import FileCount, Part, Sink
from core.settings import IngestSettings


class Outcome(NamedTuple):
    """What came of a block: how it was read, and where its rows are."""

    parsed: Parsed
    part: Part | None


def read(
    source: Source,
    settings: IngestSettings,
    sink: Sink,
    report: Callable[[int], None],
    chunk_bytes: int = CHUNK_BYTES,
) -> FileCount:
    """Read a delimited file.

    Args:
        source: The file.
        settings: The analyst's mapping.
        sink: Takes rows and rejects.
        report: Called with the bytes that are done, unpacked.
        chunk_bytes: Bytes of a block; the first one must hold the header.

    Raises:
        InputError: If the file cannot be used as a whole.
    """
    with open_source(source) as file:
        opened = open_delimited(file, source, settings, chunk_bytes)
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
    parsed = read_block(block, layout)
    return Outcome(parsed, sink.write(name, parsed.fields, parsed.lines))


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
            block = make_block(outcome.parsed.rest, outcome.parsed.rest_line, block.last)
            outcome = convert(block, self.layout, self.sink, _part_name(number, piece))
        self._rest, self._rest_line = outcome.parsed.rest, outcome.parsed.rest_line

    def finish(self) -> None:
        """Read what was still open where the last block ended."""
        if self._rest:
            empty = make_block(b"", self._rest_line, last=True)
            self.take(999_999, empty, self.layout, Outcome(Parsed(), None))
        if self._repeated:
            self.notes.append(f"The header is repeated {self._repeated} times")

    def _joined(self, block: Block) -> Block:
        line = self._rest_line if self._rest else block.line
        return make_block(self._rest + block.data, line, block.last)

    def _keep(self, outcome: Outcome) -> bool:
        """Add an outcome; true if another header was found, and the rest is to be read by it."""
        parsed = outcome.parsed
        self.records += parsed.records
        self.sink.keep(outcome.part, parsed.rejects)
        self._repeated += sum(reject.reason == REPEATED_HEADER for reject in parsed.rejects)
        if parsed.header is None:
            return False
        self._change_layout(parsed.header, parsed.rest_line - 1)
        return bool(parsed.rest)

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
