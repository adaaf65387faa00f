"""Read CSV and similar files, in blocks of whole records that are parsed in threads and stored in order.

Each block is counted on its bytes and then parsed by Arrow. If the number of rows differs from the count, or
Arrow refuses, or a header hides in it, it is read again in small pieces, and a piece that fails again line by
line, so that a broken record costs only its own line. How a block is cut into pieces does not change the
result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from core.base.errors import InputError
from core.base.settings import IngestSettings
from core.ingest.read.blocks import (
    CHUNK_BYTES,
    Block,
    Record,
    count_block,
    in_order,
    make_block,
    records,
    split_lines,
    whole_records,
)
from core.ingest.read.headers import errors_naming_file, looks_like_header, map_headers
from core.ingest.read.part_files import FileCount, PartFile, Reject, Rejected, Sink
from core.ingest.read.table_layout import (
    JSON_LIMITS,
    DelimitedLayout,
    ParsedBlock,
    Shape,
    assemble,
    check_layout,
    make_layout,
)
from core.ingest.sources.input_files import ByteReader, InputFile, open_source
from core.ingest.sources.text import DecodedText, open_text

SAMPLE_ROWS: Final = 200

_SAMPLE_BYTES: Final = 1 << 19
_DELIMITERS: Final = ",;\t|"


@dataclass(frozen=True)
class OpenedDelimited:
    """A delimited file whose header has been read.

    Args:
        layout: Its columns.
        sample: Some rows, each as wide as the header.
        text: Encoding and notes.
        chunks: Everything after the header, to be read once.
        line: Line of the file where the chunks start.
    """

    layout: DelimitedLayout
    sample: tuple[tuple[str, ...], ...]
    text: DecodedText
    chunks: Iterator[bytes]
    line: int


def open_delimited(
    file: ByteReader, source: InputFile, settings: IngestSettings, chunk_bytes: int = CHUNK_BYTES
) -> OpenedDelimited:
    """Open a file and read up to its header: encoding, lines before it, delimiter, shape, mapping.

    Raises:
        InputError: If there is no header, or the shape is one that is not read.
    """
    text = open_text(file, chunk_bytes)
    first, (skipped, start, end) = _up_to_header(text.chunks, source.name)
    line = first[start:end].decode("utf-8", "replace").strip("\r\n")
    delimiter, header = split_header(line, settings)
    if skipped:
        text.notes.append(f"{skipped} lines before the header were skipped")
    sample = _sample(first[end : end + _SAMPLE_BYTES], delimiter, len(header))
    with errors_naming_file(source.name):
        layout = make_layout(header, sample, delimiter, settings)
    return OpenedDelimited(layout, sample, text, chain([first[end:]], text.chunks), skipped + 2)


def _up_to_header(chunks: Iterator[bytes], name: str) -> tuple[bytes, tuple[int, int, int]]:
    """Read chunks until the header ends; return them, and the position of the header.

    Raises:
        InputError: If there is no header, or it does not end.
    """
    data = next(chunks, b"")
    header = find_header(data, name)
    while not data[header[1] : header[2]].endswith(b"\n") and (more := next(chunks, b"")):
        if len(data) >= CHUNK_BYTES:
            raise InputError(
                f"{name}, line {header[0] + 1} should hold the names of the columns, and does not end",
                allowed=f"up to {CHUNK_BYTES:,} bytes",
                remedy="Is it a table? Export it again, one record a line",
            )
        data += more
        header = find_header(data, name)
    return data, header


def find_header(data: bytes, name: str) -> tuple[int, int, int]:
    """Find the header: number of lines before it (blank or comments), and its range ``data[start:end]``.

    Raises:
        InputError: If there is no header.
    """
    start = skipped = 0
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        line = data[start:end].strip()
        if line and not line.startswith(b"#") and not line.lower().startswith(b"sep="):
            return skipped, start, end
        start, skipped = end, skipped + 1
    raise InputError(f"{name} holds no header line", remedy="Export it again, with column names")


def split_header(line: str, settings: IngestSettings) -> tuple[str, tuple[str, ...]]:
    """Return the delimiter that gives most known fields, and the columns of the header split by it."""
    best: tuple[tuple[int, int], str, tuple[str, ...]] = ((-1, 0), ",", (line,))
    for delimiter in _DELIMITERS:
        record = next(records([line], delimiter, JSON_LIMITS, last=True))
        if record.fields is None:
            continue
        names = tuple(name.strip() for name in record.fields)
        n_fields = len(map_headers(tuple(dict.fromkeys(names)), settings).columns)
        score = (n_fields, len(names))
        if score > best[0]:
            best = (score, delimiter, names)
    return best[1], best[2]


def _sample(data: bytes, delimiter: str, width: int) -> tuple[tuple[str, ...], ...]:
    lines = split_lines(data.decode("utf-8", "replace"))
    found = (record.fields for record in records(lines, delimiter, JSON_LIMITS, last=False))
    return tuple(tuple(fields) for fields in islice(found, SAMPLE_ROWS) if fields and len(fields) == width)


NOT_UTF8: Final = "not valid UTF-8"
HAS_NUL: Final = "a NUL byte"
REPEATED_HEADER: Final = "repeated header"
NEW_HEADER: Final = "another header: the columns change here"


def read_carefully(block: Block, layout: DelimitedLayout) -> ParsedBlock:
    """Read a block line by line, rejecting each broken record with its line.

    Args:
        block: Starts where a record does.
        layout: Its columns, up to another header.
    """
    text = block.data.decode("utf-8", "surrogateescape")
    checks = _Checks(layout, broken_text=bool(_broken(text)))
    lines, done = split_lines(text), ParsedBlock()
    rows: list[tuple[str, ...]] = []
    places: list[int] = []
    for record in records(lines, layout.delimiter, layout.limits, block.last):
        line = block.line + record.line
        if not record.lines:
            done = replace(done, rest=_bytes_of(lines[record.line :]), rest_line=line)
            break
        problem = checks.problem(record, lines[record.line], line)
        if problem is None:
            rows.append(checks.pick(record.fields or []))
            places.append(line)
            continue
        done.rejected.add(problem)
        if problem.reason == NEW_HEADER:
            rest, line = _bytes_of(lines[record.line + record.lines :]), line + record.lines
            done = replace(done, header=record.fields, rest=rest, rest_line=line)
            break
    done = replace(done, records=len(rows) + done.rejected.total)
    columns = [pa.array([text or None for text in column], pa.string()) for column in zip(*rows, strict=True)]
    return assemble(layout, columns, np.array(places, np.int64), done)


class _Checks:
    """Checks whether a record is a valid row of a layout."""

    def __init__(self, layout: DelimitedLayout, broken_text: bool) -> None:
        self._header, self._parsed, self._broken_text = layout.header, layout.parsed, broken_text
        self._time_at = layout.time_at

    def pick(self, fields: Sequence[str]) -> tuple[str, ...]:
        return tuple([fields[index] for index in self._parsed])

    def problem(self, record: Record, shown: str, line: int) -> Reject | None:
        fields = record.fields
        if fields is None:
            return Reject(line, record.problem, shown)
        if header := self._header_problem(fields):
            return Reject(line, header, shown)
        if len(fields) != len(self._header):
            return Reject(line, f"{len(fields)} fields instead of {len(self._header)}", shown)
        if self._broken_text:
            for index in self._parsed:
                if reason := _broken(fields[index]):
                    return Reject(line, reason, fields[index], self._header[index])
        return None

    def _header_problem(self, fields: Sequence[str]) -> str:
        at = self._time_at
        data = at is not None and len(fields) == len(self._header) and fields[at][:1].isdigit()
        if data or not looks_like_header(fields):
            return ""
        return REPEATED_HEADER if _names(fields) == _names(self._header) else NEW_HEADER


def _names(fields: Sequence[str]) -> list[str]:
    return [field.strip("\ufeff").strip() for field in fields]


def _broken(text: str) -> str:
    """Return why a field is not valid text; empty if it is valid."""
    if "\0" in text:
        return HAS_NUL
    try:
        text.encode()
    except UnicodeEncodeError:
        return NOT_UTF8
    return ""


def _bytes_of(lines: Sequence[str]) -> bytes:
    return "".join(f"{text}\n" for text in lines).encode("utf-8", "surrogateescape")


PIECE_BYTES: Final = 1 << 17

_DIGIT: Final = re.compile(r"\d")


def _read_block(block: Block, layout: DelimitedLayout) -> ParsedBlock:
    """Read a block with Arrow, in small pieces if that fails, or line by line.

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
    """Read a block piece by piece; the last piece holds the bytes left over, if any."""
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
    """Parse a block with Arrow; None unless it finds exactly the expected records, all of them data."""
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
    """Whether a value of the time column has no digit, as the name of a column in a repeated header."""
    if layout.time_at is None:
        return False
    times = columns[layout.parsed.index(layout.time_at)]
    extremes = pc.min_max(times).as_py()
    if extremes["min"] is None or (extremes["min"] >= "0" and extremes["max"] < ":"):
        return False  # each value starts with a digit
    return any(value and not _DIGIT.search(value) for value in times.unique().to_pylist())


NOTED_HEADERS: Final = 50
_LAST_BLOCK: Final = 999_999  # sorts after every real one


class _BlockResult(NamedTuple):
    """The result of reading a block.

    Args:
        number: Number of the block in the file.
        block: The bytes.
        layout: The columns that were assumed.
        parsed: The rows, rejects and bytes left over.
        part: File of its rows, if there are any.
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
    """Read a delimited file into raw parts.

    Args:
        source: The file.
        settings: The analyst's mapping.
        sink: Receives rows and rejects.
        report: Called with the number of unpacked bytes that are done.
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
    """Takes results in order, and reads a block again if the previous one changed its start or columns."""

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

    def submit(self, pool: Executor, item: tuple[int, Block]) -> Future[_BlockResult]:
        """Start reading a block, assuming that it begins with a record and has the current columns."""
        return pool.submit(self._convert, *item, self.layout)

    def take(self, outcome: _BlockResult) -> None:
        """Store the next result; read its block again first if it was read with wrong assumptions."""
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
        """Read the bytes left over from the last block, and note repeated headers."""
        if self._rest:
            nothing = make_block(b"", self._rest_line, last=True)
            self.take(_BlockResult(_LAST_BLOCK, nothing, self.layout, ParsedBlock(), None))
        if (headers := self.sink.rejected.reasons[NEW_HEADER]) > NOTED_HEADERS:
            self.notes.append(f"The first {NOTED_HEADERS} of {headers:,} other headers are noted here")
        if repeated := self.sink.rejected.reasons[REPEATED_HEADER]:
            self.notes.append(f"The header is repeated {repeated} times")

    def _convert(self, number: int, block: Block, layout: DelimitedLayout, pieces: int = 0) -> _BlockResult:
        """Turn a block into a raw part; safe to call from several threads."""
        parsed = _read_block(block, layout)
        part = self.sink.write(f"{number:06d}-{pieces:04d}", parsed.fields, parsed.lines)
        return _BlockResult(number, block, layout, parsed, part)

    def _keep(self, outcome: _BlockResult) -> bool:
        """Store a result; True if another header was found and the rest must be read with it."""
        parsed = outcome.parsed
        self.records += parsed.records
        self.sink.keep(outcome.part, parsed.rejected)
        if parsed.header is None:
            return False
        self._change_layout(parsed.header, parsed.rest_line - 1)
        return bool(parsed.rest)

    def _change_layout(self, header: Sequence[str], line: int) -> None:
        before, place = set(self.layout.header), f"{self.file}, line {line}"
        with errors_naming_file(place):
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
    """Check that the layout of a later header is compatible, and return it.

    Raises:
        InputError: If the number of rows per event changes there.
    """
    if (Shape.LONG in (before.shape, layout.shape)) and before.shape is not layout.shape:
        raise InputError(
            f"The rows change here: {before.shape} above, {layout.shape} below",
            remedy="Give the two parts as two files",
        )
    return layout
