"""Records counted and cut on the bytes themselves, without a CSV parser.

A newline ends a record when an even number of quotes lies before it. That is all a count needs, and it
is what the number of rows of the parser is held against. Where a quote is neither an opening, a closing
nor a doubled one, parity means nothing: such bytes are not *well formed* and are read line by line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from core.base.errors import InputError

MAX_LINE_BYTES: Final = 1 << 26
_NEWLINE, _RETURN, _QUOTE = 10, 13, 34

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class QuoteLimits:
    """How far a quoted field may run over lines before its quote counts as never closed.

    Args:
        lines: Beyond them, only if none of its lines looks like a record.
        bytes: Never beyond.
    """

    lines: int = 64
    bytes: int = 1 << 16


@dataclass(frozen=True)
class Count:
    """What was counted in some bytes.

    Args:
        records: Records, blank lines left out.
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
    """Whole records of a file.

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
        """Physical lines, a last one without a newline included."""
        return len(self.ends) + bool(self.data and not self.data.endswith(b"\n"))


def make_block(data: bytes, line: int, last: bool, quoting: bool = True) -> Block:
    """Find the newlines and quotes of some bytes."""
    array = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(array == _NEWLINE)
    quotes = np.flatnonzero(array == _QUOTE) if quoting and b'"' in data else np.empty(0, np.int64)
    return Block(data, line, last, ends, quotes)


def count_block(block: Block, delimiter: str = ",", limits: QuoteLimits = QuoteLimits()) -> Count:
    """Count the records of a block by newlines and quotes alone.

    Args:
        block: Bytes that start at the beginning of a record.
        delimiter: One ASCII character.
        limits: Beyond them a quoted field is not well formed.
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
    """Cut a stream where records end.

    Where the quotes are broken a cut can only be a guess, the end of a line: the reader then finds an
    open record at the end of the block and carries it over to the next one.

    Args:
        chunks: The stream, cut anywhere.
        name: The file, for messages.
        limits: Beyond them quotes are taken to be broken.
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
    """Line ends that end a record, and whether the last quote is closed."""
    if not len(quotes):
        return ends, True
    closing = ends[np.searchsorted(quotes, ends) % 2 == 0]
    even = len(quotes) % 2 == 0
    if not even and len(ends):  # the open record at the end is one all the same
        closing = np.append(closing, ends[-1])
    return closing, even


def _blank(data: bytes, begins: Positions, ends: Positions) -> npt.NDArray[np.bool_]:
    """Whether a record is an empty line, or one with only a carriage return."""
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
    """How many bytes of an unfinished block are whole records."""
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
