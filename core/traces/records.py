"""Records of text tables that hold an id: those of the user go, others lose the id and stay.

Records end where the readers of exports end them: a stray quote is a broken line, and no more than that.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np

from core.base.errors import InputError
from core.base.schema import Raw, Users
from core.base.settings import IngestSettings
from core.ingest.read.blocks import Block, QuoteLimits, count_block, make_block, records, whole_records
from core.ingest.read.delimited import find_header, split_header
from core.ingest.read.headers import ALIASES, USER_KEYS, is_likely_key, normalise_header
from core.ingest.read.layout import JSON_LIMITS
from core.ingest.read.nested import RECORD_COLUMNS, find_folds, values_in
from core.ingest.sources.input_files import InputFile
from core.ingest.sources.sniffing import FileKind
from core.ingest.sources.text import Text
from core.traces.patterns import FORGOTTEN, IdPatterns

_OF_A_USER: Final = {*ALIASES[Raw.USER_KEY], Raw.USER_KEY, Users.USER_ID}
"""Columns that say whose a record is; beside the key of one tool there may be one of the analyst's own."""
_COOKIE: Final = re.compile(r"GA\d\.\d\.")
"""Before the id in the cookie that it comes from."""


@dataclass(frozen=True)
class TextTable:
    """What the first line of a text table says.

    Args:
        kind: CSV or newline-delimited JSON.
        delimiter: One character.
        header: Columns of a CSV; none where that cannot be told.
    """

    kind: FileKind
    delimiter: str = ","
    header: tuple[str, ...] = ()

    @classmethod
    def of(cls, kind: FileKind, first: bytes) -> TextTable:
        """Read the header."""
        if kind is FileKind.DELIMITED:
            with suppress(InputError):
                _, start, end = find_header(first, "")
                line = first[start:end].decode("utf-8", "replace").strip("\r\n")
                return cls(kind, *split_header(line, IngestSettings()))
        return cls(kind)

    @property
    def limits(self) -> QuoteLimits:
        """How far a quoted cell may run on, as the reader has it."""
        nested = {name.lower() for name in self.header} & set(RECORD_COLUMNS)
        return JSON_LIMITS if nested else QuoteLimits()

    def ends(self, block: Block) -> np.ndarray:
        """Positions behind every whole record of a block, int64."""
        ends = block.ends + 1
        if self.kind is FileKind.DELIMITED and len(block.quotes):
            if count_block(block, self.delimiter, self.limits).well_formed:
                ends = ends[np.searchsorted(block.quotes, ends) % 2 == 0]
            else:
                ends = np.delete(ends, self._inside(block))
        return np.append(ends, len(block.data)) if block.last else ends

    def _inside(self, block: Block) -> np.ndarray:
        """Lines, by number, that do not end a record."""
        lines = block.data.decode("utf-8", "surrogateescape").split("\n")[: block.lines]
        inside = np.zeros(len(block.ends), bool)
        for record in records(lines, self.delimiter, self.limits, block.last):
            inside[record.line : record.line + record.lines - 1 if record.lines else None] = True
        return np.flatnonzero(inside)

    def cells(self, record: bytes) -> dict[str, Any] | None:
        """Column → what is in it; None where the record is broken."""
        if self.kind is FileKind.JSON:
            with suppress(ValueError):
                found = json.loads(record)
                return found if isinstance(found, dict) else None
            return None
        lines = record.decode("utf-8", "surrogateescape").strip("\r\n").split("\n")
        first = next(records(lines, self.delimiter, self.limits, last=True), None)
        if first is None or first.fields is None or len(first.fields) != len(set(self.header)):
            return None  # also where a name stands twice: which cell is whose would be lost
        return dict(zip(self.header, first.fields, strict=True))

    def without(self, record: bytes, patterns: IdPatterns) -> bytes:
        """A record that holds an id, without it; nothing where it is of that user, or nobody can tell."""
        cells = self.cells(record)
        if cells is None or is_of(cells, patterns):
            return b""
        rest = blacked(cells, patterns)
        if self.kind is FileKind.JSON:
            text = json.dumps(rest)  # in any encoding
        else:
            out = io.StringIO()
            csv.writer(out, delimiter=self.delimiter, lineterminator="").writerow(rest.values())
            text = out.getvalue()
        data = text.encode("utf-8", "surrogateescape") + record[len(record.rstrip(b"\r\n")) :]
        return b"" if patterns.holds(data) else data


def is_of(cells: Mapping[str, Any], patterns: IdPatterns) -> bool:
    """Whether a row is of one of the users, or no column says whose it is.

    The keys of data sets made of the file say so, beside the ids of tools; without any, a key of any name.
    """
    if patterns.keys:
        if folds := find_folds([cells]):  # as a reader sees it
            cells = folds.unfold_sample([cells])[0]
        told = patterns.keys | USER_KEYS | _OF_A_USER
        owners = _plain(one for name, one in values_in(cells) if normalise_header(name) in told)
        return not owners or not patterns.ids.isdisjoint(owners)
    of_somebody = any(
        normalise_header(name) in _OF_A_USER for name, one in cells.items() if one not in (None, "")
    )
    likely = _plain(one for name, one in cells.items() if is_likely_key(name))
    return not of_somebody or not patterns.ids.isdisjoint(likely)


def owners_of(cells: Mapping[str, Any]) -> list[str]:
    """What the columns of ids hold."""
    return _plain(one for name, one in cells.items() if is_of_users(name))


def _plain(keys: Iterable[Any]) -> list[str]:
    filled = (one for one in keys if one not in (None, ""))
    whole = (int(one) if isinstance(one, float) and one.is_integer() else one for one in filled)
    text = (one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in whole)
    return [_COOKIE.sub("", one.strip()) for one in text]


def is_of_users(column: str) -> bool:
    """Whether a column is one of ids of users."""
    return normalise_header(column) in USER_KEYS | _OF_A_USER


def blacked(value: Any, patterns: IdPatterns) -> Any:  # noqa: ANN401 - JSON may be anything
    """Values, however nested, without ids: text keeps the rest, a number goes."""
    if isinstance(value, dict):
        return {key: blacked(one, patterns) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(blacked(one, patterns) for one in value)
    if isinstance(value, str | bytes):
        data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
        rest = patterns.without(data)
        rest = FORGOTTEN.encode() if patterns.holds(rest) else rest
        rest = b"" if rest == FORGOTTEN.encode() and data.isdigit() else rest
        return rest if isinstance(value, bytes) else rest.decode("utf-8", "surrogateescape")
    return None if patterns.find(str(value).encode()) else value


def whole_blocks(text: Text, source: InputFile) -> Iterator[tuple[TextTable, bytes, np.ndarray]]:
    """A text table in pieces of whole records: what it is, bytes as UTF-8, where its records end."""
    chunks = text.chunks
    first = next(chunks, b"")
    table, rest = TextTable.of(source.kind, first), b""
    quoting = source.kind is FileKind.DELIMITED
    blocks = whole_records(chain([first], chunks), source.name, table.limits, quoting=quoting)
    for block in chain(blocks, [make_block(b"", 1, last=True)]):
        whole = make_block(rest + block.data, 1, block.last, quoting)
        ends = table.ends(whole)
        size = int(ends[-1]) if len(ends) else 0
        rest = whole.data[size:]
        yield table, whole.data[:size], ends


def holding(data: bytes, ends: np.ndarray, patterns: IdPatterns) -> Iterator[tuple[int, int]]:
    """Begin and end of every record that holds an id."""
    starts = [trace.start for trace in patterns.find_spelt(data).places]
    at = np.unique(np.searchsorted(ends, starts, "right"))
    begins = np.append(0, ends[:-1])
    yield from zip(begins[at].tolist(), ends[at].tolist(), strict=True)
