"""Cut delimited text into blocks of whole records, count the records, and split broken blocks line by line.

A newline ends a record if an even number of quotes lies before it. So records are counted on the bytes,
independently of the CSV parser, whose number of rows is checked against the count. Where a quote neither
opens nor closes a field nor is doubled, parity means nothing: such bytes are not *well formed*, and
:func:`records` reads them line by line. :func:`in_order` processes blocks in a few threads, in their order.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from core.base.contention import available_cores
from core.base.errors import InputError

CHUNK_BYTES: Final = 1 << 23
"""Bytes of a block: small enough for the processor's cache, large enough for Arrow (measured)."""
MAX_LINE_BYTES: Final = 1 << 26
_NEWLINE, _RETURN, _QUOTE = 10, 13, 34

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class QuoteLimits:
    """Limits of a quoted field, beyond which its quote counts as never closed.

    Args:
        lines: Most lines, unless none of them looks like a record.
        bytes: Most bytes in any case.
    """

    lines: int = 64
    bytes: int = 1 << 16


@dataclass(frozen=True)
class Count:
    """The number of records in a block, and where they start.

    Args:
        records: Number of records, without blank lines.
        starts: 0-based line on which each record starts, int64 of shape (records,); None if record i
            starts on line i.
        well_formed: Whether every quote and carriage return is where one can be, no field runs on for
            too long, and there is no NUL.
    """

    records: int
    starts: Positions | None
    well_formed: bool


@dataclass(frozen=True)
class Block:
    """A piece of a file, cut where records end.

    Args:
        data: UTF-8 bytes.
        line: 1-based line of the file on which the block starts.
        last: Whether the file ends here.
        ends: Position of every newline, int64.
        quotes: Position of every quote, int64; empty when quotes have no meaning.
    """

    data: bytes
    line: int
    last: bool
    ends: Positions
    quotes: Positions

    @property
    def lines(self) -> int:
        """Number of physical lines, including a last one without a newline."""
        return len(self.ends) + bool(self.data and not self.data.endswith(b"\n"))


def make_block(data: bytes, line: int, last: bool, quoting: bool = True) -> Block:
    """Make a block of bytes, and find its newlines and quotes."""
    array = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(array == _NEWLINE)
    quotes = np.flatnonzero(array == _QUOTE) if quoting and b'"' in data else np.empty(0, np.int64)
    return Block(data, line, last, ends, quotes)


def count_block(block: Block, delimiter: str = ",", limits: QuoteLimits = QuoteLimits()) -> Count:
    """Count the records of a block by newlines and quotes alone.

    Args:
        block: Bytes that start at the beginning of a record.
        delimiter: One ASCII character.
        limits: Limits beyond which a quoted field is not well formed.
    """
    ends = block.ends
    if block.lines > len(ends):
        ends = np.append(ends, len(block.data))
    closing, even = _outside_quotes(ends, block.quotes)
    begins = np.concatenate(([0], closing[:-1] + 1)) if len(closing) else closing
    filled = ~_blank(block.data, begins, closing)
    records, simple = int(filled.sum()), len(closing) == len(ends) and bool(filled.all())
    starts = None if simple else np.searchsorted(ends, begins[filled])
    text = even and b"\0" not in block.data
    well_formed = text and _quotes_fit(block, delimiter) and not _has_stray_return(block)
    if well_formed and len(closing) < len(ends):
        lines = np.searchsorted(ends, closing[filled]) - np.searchsorted(ends, begins[filled]) + 1
        sizes = closing[filled] - begins[filled]
        well_formed = not bool(((lines > 1) & ((lines > limits.lines) | (sizes > limits.bytes))).any())
    return Count(records, starts, well_formed)


def whole_records(
    chunks: Iterator[bytes], name: str, limits: QuoteLimits, line: int = 1, quoting: bool = True
) -> Iterator[Block]:
    """Cut a stream of bytes into blocks of whole records.

    Where quotes are broken, it is cut at the end of a line, which is a guess: the reader then finds an open
    record at the end of the block and carries it over to the next one.

    Args:
        chunks: The stream, cut anywhere.
        name: Name of the file, for messages.
        limits: Limits beyond which quotes are taken to be broken.
        line: Line number of the first byte.
        quoting: Whether quotes can hide a newline.

    Raises:
        InputError: If a line is longer than 64 MiB.
    """
    rest = b""
    for chunk in chunks:
        block = make_block(rest + chunk if rest else chunk, line, last=False, quoting=quoting)
        size = _cut(block, limits)
        if not size and len(block.data) > MAX_LINE_BYTES:
            raise InputError(
                f"{name}, line {line} is longer than {MAX_LINE_BYTES:,} bytes",
                remedy="Look at the quotes of that line, or leave it out",
            )
        rest = block.data[size:]
        if size:
            yield (head := _first_bytes(block, size))
            line += head.lines
    if rest:
        yield make_block(rest, line, last=True, quoting=quoting)


def _outside_quotes(ends: Positions, quotes: Positions) -> tuple[Positions, bool]:
    """Positions of line ends that end a record, and whether the last quote is closed."""
    if not len(quotes):
        return ends, True
    closing = ends[np.searchsorted(quotes, ends) % 2 == 0]
    even = len(quotes) % 2 == 0
    if not even and len(ends):  # the open record at the end is one all the same
        closing = np.append(closing, ends[-1])
    return closing, even


def _blank(data: bytes, begins: Positions, ends: Positions) -> npt.NDArray[np.bool_]:
    """Whether each record is an empty line, or one with only a carriage return."""
    lengths = ends - begins
    blank = np.asarray(lengths == 0)
    short = np.flatnonzero(lengths == 1)
    blank[short] = np.frombuffer(data, np.uint8)[begins[short]] == _RETURN
    return blank


def _quotes_fit(block: Block, delimiter: str) -> bool:
    """Whether each quote follows a delimiter or a line end, or precedes one, or is doubled."""
    if not len(block.quotes):
        return True
    array = np.frombuffer(block.data, np.uint8)
    pairs = len(block.quotes) // 2
    opening, closing = block.quotes[0::2], block.quotes[1::2]
    before, after = array[opening - 1], array[np.minimum(closing + 1, len(array) - 1)]
    opens = (opening == 0) | np.isin(before, (ord(delimiter), _NEWLINE))
    closes = (closing == len(array) - 1) | np.isin(after, (ord(delimiter), _NEWLINE, _RETURN))
    doubled = opening[1:] == closing[: len(opening) - 1] + 1
    opens[1:] |= doubled
    closes[: len(doubled)] |= doubled
    return len(opening) == pairs and bool(opens.all() and closes.all())


def _has_stray_return(block: Block) -> bool:
    """Whether a carriage return outside quotes does not belong to a line end: parsers disagree on those."""
    if b"\r" not in block.data:
        return False
    array = np.frombuffer(block.data + b"\n", np.uint8)
    returns = np.flatnonzero(array == _RETURN)
    stray = returns[array[returns + 1] != _NEWLINE]
    return bool((np.searchsorted(block.quotes, stray) % 2 == 0).any())


def _cut(block: Block, limits: QuoteLimits) -> int:
    """Number of bytes of an unfinished block that are whole records."""
    inside = np.searchsorted(block.quotes, block.ends) % 2
    whole = np.flatnonzero(inside == 0)
    start = int(block.ends[whole[-1]]) + 1 if len(whole) else 0
    if len(block.ends) and block.ends[-1] >= start and len(block.data) - start > limits.bytes:
        return int(block.ends[-1]) + 1
    return start


def _first_bytes(block: Block, size: int) -> Block:
    ends = block.ends[: np.searchsorted(block.ends, size)]
    quotes = block.quotes[: np.searchsorted(block.quotes, size)]
    return Block(block.data[:size], block.line, False, ends, quotes)


NEVER_CLOSED: Final = "a quote that is never closed"
QUOTE_INSIDE: Final = "a quote inside an unquoted field: where the fields end is not certain"
# The csv module refuses fields of 128 Ki characters and more; Arrow does not, and both must read the same.
csv.field_size_limit(MAX_LINE_BYTES)

_TEXT_BEHIND: Final = "text after a closing quote"
QUOTING: Final = frozenset({NEVER_CLOSED, QUOTE_INSIDE, _TEXT_BEHIND})
"""Reasons for which every line of a healthy file may be rejected: its writer quotes in another way."""

_UNFINISHED: Final = "unexpected end of data"
_REASONS: Final = {
    "expected after": _TEXT_BEHIND,
    "new-line character": "a stray carriage return",
}


class Record(NamedTuple):
    """A record split into fields, or the reason why it is broken.

    Args:
        line: Index of its first line.
        lines: Number of lines; 0 if it is still open where the text ends.
        fields: Its fields; None if it is broken.
        problem: What is wrong with it, if anything.
    """

    line: int
    lines: int
    fields: list[str] | None
    problem: str = ""


def split_lines(text: str) -> list[str]:
    """Split text into physical lines without their newline; a carriage return is kept.

    In UTF-16 a NUL follows the newline, which is not part of the next line.
    """
    lines = text.replace("\0\n\0", "\0\n").split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def records(lines: Sequence[str], delimiter: str, limits: QuoteLimits, last: bool) -> Iterator[Record]:
    """Join physical lines to records, without blank lines.

    A broken record is its first line alone; the next line starts a new record.

    Args:
        lines: Physical lines without their newline.
        delimiter: One character.
        limits: Limits of a quoted field.
        last: Whether the file ends here; otherwise a record may still be open at the end.
    """
    at = 0
    while at < len(lines):
        line = lines[at].removesuffix("\r")
        if '"' not in line and "\r" not in line:
            if line:
                yield Record(at, 1, line.split(delimiter))
            at += 1
        elif not line.strip("\r"):
            at += 1
        else:
            record = _quoted(lines, at, delimiter, limits, last)
            yield record
            at += record.lines or len(lines)


class _Feed:
    """Gives a CSV reader the lines of one record, up to the limits."""

    def __init__(self, lines: Sequence[str], at: int, limits: QuoteLimits) -> None:
        self._lines, self._at, self._limits = lines, at, limits
        self.used, self.size = 0, 0

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if self.used and (self.spent or self.at_end):
            raise StopIteration
        line = self._lines[self._at + self.used] + "\n"
        self.used += 1
        self.size += len(line.encode("utf-8", "surrogateescape"))
        return line

    @property
    def spent(self) -> bool:
        return self.size > self._limits.bytes

    @property
    def at_end(self) -> bool:
        return self._at + self.used >= len(self._lines)


def _quoted(lines: Sequence[str], at: int, delimiter: str, limits: QuoteLimits, last: bool) -> Record:
    feed = _Feed(lines, at, limits)
    try:
        fields = next(csv.reader(feed, delimiter=delimiter, strict=True))
    except csv.Error as error:
        unfinished = _UNFINISHED in str(error)
        if unfinished and not last and feed.at_end and not feed.spent:
            return Record(at, 0, None)
        problem = NEVER_CLOSED if unfinished or feed.used > 1 else _reason(error)
        return Record(at, 1, None, problem)
    record_lines = lines[at : at + feed.used]
    if '"' in _quoted_fields(delimiter).sub("", "\n".join(record_lines)):
        return Record(at, 1, None, QUOTE_INSIDE)
    if feed.used > limits.lines and any(
        line.count(delimiter) >= len(fields) - 1 for line in record_lines[1:-1]
    ):
        return Record(at, 1, None, NEVER_CLOSED)  # what it runs over are records
    return Record(at, feed.used, fields)


@cache
def _quoted_fields(delimiter: str) -> re.Pattern[str]:
    return re.compile(rf'(?:^|(?<={re.escape(delimiter)}))"(?:[^"]++|"")*+"')


def _reason(error: csv.Error) -> str:
    return next((reason for part, reason in _REASONS.items() if part in str(error)), str(error))


_MAX_WORKERS = 4

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(items: Iterator[Item], submit: Callable[[Executor, Item], Future[Result]]) -> Iterator[Result]:
    """Yield the results of all items in order, computing a few ahead in threads.

    Args:
        items: Items to process; taken one by one, never more than a few ahead.
        submit: Starts the work on an item. Called in the caller's thread, so it may use what earlier results
            have changed.
    """
    workers = min(_MAX_WORKERS, available_cores())
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for item in items:
            waiting.append(submit(pool, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
