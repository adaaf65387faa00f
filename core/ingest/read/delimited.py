"""CSV and its relatives, in blocks of whole records that a few threads work on and that are taken in order.

Each block is counted on its bytes and then parsed by Arrow; if the number of rows differs from the count,
or Arrow refuses, or a header hides in it, it is read again line by line (:mod:`core.ingest.read.converting`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from core.base.errors import InputError
from core.base.settings import IngestSettings
from core.ingest.read.assembly import ParsedBlock
from core.ingest.read.blocks import Block, make_block, whole_records
from core.ingest.read.careful import NEW_HEADER, REPEATED_HEADER
from core.ingest.read.converting import read_block
from core.ingest.read.delimited_layout import DelimitedLayout, Shape, check_layout, make_layout
from core.ingest.read.opening import CHUNK_BYTES, naming, open_delimited
from core.ingest.read.parallel import in_order
from core.ingest.read.part_files import FileCount, PartFile, Sink
from core.ingest.sources.input_files import InputFile, open_source

NOTED_HEADERS: Final = 50
_LAST_BLOCK: Final = 999_999  # sorts after every real one


class BlockResult(NamedTuple):
    """What came of a block: how it was read, and where its rows are.

    Args:
        number: Of the block in the file.
        block: The bytes.
        layout: The columns it was taken to have.
        parsed: What was found in it.
        part: Its rows on disk, if there are any.
    """

    number: int
    block: Block
    layout: DelimitedLayout
    parsed: ParsedBlock
    part: PartFile | None


def read(
    source: InputFile,
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
        chunk_bytes: Bytes of a block.

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
        for outcome in in_order(enumerate(blocks), run.submit):
            run.take(outcome)
            done += len(outcome.block.data)
            report(done)
        run.finish()
    notes = (*opened.text.notes, *run.notes)
    columns = sink.columns(run.columns, run.seen)
    layout, encoding = opened.layout, opened.text.encoding
    return FileCount(
        layout.shape.value, encoding, run.records, columns, notes, layout.delimiter, tool=layout.fields.tool
    )


@dataclass
class _Run:
    """Takes outcomes in order, and does a block over when the one before it changed what it starts from."""

    layout: DelimitedLayout
    settings: IngestSettings
    sink: Sink
    file: str
    records: int = 0
    notes: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    _rest: bytes = b""
    _rest_line: int = 0

    def __post_init__(self) -> None:
        self._learn()

    def submit(self, pool: Executor, item: tuple[int, Block]) -> Future[BlockResult]:
        """Start on a block, taking it to begin where a record does and to have the columns of now."""
        return pool.submit(self._convert, *item, self.layout)

    def take(self, outcome: BlockResult) -> None:
        """Add the next outcome, or what comes of its block if it was read under wrong assumptions."""
        number, block = outcome.number, outcome.block
        if self._rest or outcome.layout is not self.layout:
            line = self._rest_line if self._rest else block.line
            block = make_block(self._rest + block.data, line, block.last)
            outcome = self._convert(number, block, self.layout)
        pieces = 0
        while self._keep(outcome):
            pieces += 1
            block = make_block(outcome.parsed.rest, outcome.parsed.rest_line, block.last)
            outcome = self._convert(number, block, self.layout, pieces)
        self._rest, self._rest_line = outcome.parsed.rest, outcome.parsed.rest_line

    def finish(self) -> None:
        """Read what was still open where the last block ended."""
        if self._rest:
            nothing = make_block(b"", self._rest_line, last=True)
            self.take(BlockResult(_LAST_BLOCK, nothing, self.layout, ParsedBlock(), None))
        if (headers := self.sink.rejected.reasons[NEW_HEADER]) > NOTED_HEADERS:
            self.notes.append(f"The first {NOTED_HEADERS} of {headers:,} other headers are noted here")
        if repeated := self.sink.rejected.reasons[REPEATED_HEADER]:
            self.notes.append(f"The header is repeated {repeated} times")

    def _convert(self, number: int, block: Block, layout: DelimitedLayout, pieces: int = 0) -> BlockResult:
        """Turn a block into a raw part; safe to call from several threads."""
        parsed = read_block(block, layout)
        part = self.sink.write(f"{number:06d}-{pieces:04d}", parsed.fields, parsed.lines)
        return BlockResult(number, block, layout, parsed, part)

    def _keep(self, outcome: BlockResult) -> bool:
        """Add an outcome; true if another header was found, and the rest is to be read by it."""
        parsed = outcome.parsed
        self.records += parsed.records
        self.sink.keep(outcome.part, parsed.rejected)
        if parsed.header is None:
            return False
        self._change_layout(parsed.header, parsed.rest_line - 1)
        return bool(parsed.rest)

    def _change_layout(self, header: Sequence[str], line: int) -> None:
        before, place = set(self.layout.header), f"{self.file}, line {line}"
        with naming(place):
            self.layout = _follow(self.layout, make_layout(header, [], self.layout.delimiter, self.settings))
        check_layout(self.layout, place, self.settings)
        self._learn()
        new, gone = sorted(set(header) - before), sorted(before - set(header))
        if self.sink.rejected.reasons[NEW_HEADER] <= NOTED_HEADERS:
            changes = f"new: {', '.join(new) or 'none'}; gone: {', '.join(gone) or 'none'}"
            self.notes.append(f"Line {line}, {NEW_HEADER}; {changes}")

    def _learn(self) -> None:
        self.columns = self.layout.fields.by_name | self.columns
        self.seen |= self.layout.seen
        self.sink.rows = self.sink.rows or self.layout.rows


def _follow(before: DelimitedLayout, layout: DelimitedLayout) -> DelimitedLayout:
    """The layout of another header.

    Raises:
        InputError: If rows make events in another way from there on.
    """
    if (Shape.LONG in (before.shape, layout.shape)) and before.shape is not layout.shape:
        raise InputError(
            f"The rows change here: {before.shape} above, {layout.shape} below",
            remedy="Give the two parts as two files",
        )
    return layout
