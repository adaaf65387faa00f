"""Delimited text read line by line, so that a broken record costs nothing but its own line.

The fast reader hands a block over as soon as anything in it is not plain. Here every physical line ends
up in exactly one place: a record that was read, a record that was rejected, or a blank line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from core.ingest.read.assembly import ParsedBlock, assemble
from core.ingest.read.blocks import MAX_LINE_BYTES, Block, QuoteLimits
from core.ingest.read.delimited_layout import DelimitedLayout
from core.ingest.read.headers import looks_like_header
from core.ingest.read.part_files import Reject

NEVER_CLOSED: Final = "a quote that is never closed"
QUOTE_INSIDE: Final = "a quote inside an unquoted field: where the fields end is not certain"
NOT_UTF8: Final = "not valid UTF-8"
HAS_NUL: Final = "a NUL byte"
REPEATED_HEADER: Final = "repeated header"
NEW_HEADER: Final = "another header: the columns change here"

# The csv module refuses fields of 128 Ki characters and more; Arrow does not, and both must read the same.
csv.field_size_limit(MAX_LINE_BYTES)

TEXT_BEHIND: Final = "text after a closing quote"
QUOTING: Final = frozenset({NEVER_CLOSED, QUOTE_INSIDE, TEXT_BEHIND})
"""Reasons for which every line of a healthy file may be rejected: its writer quotes in another way."""

_UNFINISHED: Final = "unexpected end of data"
_REASONS: Final = {
    "expected after": TEXT_BEHIND,
    "new-line character": "a stray carriage return",
}


class Record(NamedTuple):
    """One record as it stands.

    Args:
        line: Index of its first line.
        lines: Lines it takes; 0 if it is still open where the text ends.
        fields: Its fields; None if it is broken.
        problem: What is wrong with it, if it is.
    """

    line: int
    lines: int
    fields: list[str] | None
    problem: str = ""


def read_carefully(block: Block, layout: DelimitedLayout) -> ParsedBlock:
    """Read a block line by line.

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


def split_lines(text: str) -> list[str]:
    """Physical lines without their newline, a carriage return kept.

    The newline of a line in UTF-16 has a NUL after it, which is not the next line's.
    """
    lines = text.replace("\0\n\0", "\0\n").split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def records(lines: Sequence[str], delimiter: str, limits: QuoteLimits, last: bool) -> Iterator[Record]:
    """Put physical lines together to records, blank lines left out.

    A record that cannot be is its first line alone; the next line starts afresh.

    Args:
        lines: Physical lines without their newline.
        delimiter: One character.
        limits: How far a quoted field may run.
        last: Whether nothing follows these lines; otherwise a record may still be open at the end.
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
    taken = lines[at : at + feed.used]
    if '"' in _quoted_fields(delimiter).sub("", "\n".join(taken)):
        return Record(at, 1, None, QUOTE_INSIDE)
    if feed.used > limits.lines and any(line.count(delimiter) >= len(fields) - 1 for line in taken[1:-1]):
        return Record(at, 1, None, NEVER_CLOSED)  # what it runs over are records
    return Record(at, feed.used, fields)


@cache
def _quoted_fields(delimiter: str) -> re.Pattern[str]:
    return re.compile(rf'(?:^|(?<={re.escape(delimiter)}))"(?:[^"]++|"")*+"')


def _reason(error: csv.Error) -> str:
    return next((reason for part, reason in _REASONS.items() if part in str(error)), str(error))


class _Checks:
    """What a record must be to be a row of a layout."""

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
    """Why this is no text, if it is none."""
    if "\0" in text:
        return HAS_NUL
    try:
        text.encode()
    except UnicodeEncodeError:
        return NOT_UTF8
    return ""


def _bytes_of(lines: Sequence[str]) -> bytes:
    return "".join(f"{text}\n" for text in lines).encode("utf-8", "surrogateescape")
