"""Read a pasted or uploaded list of ids tolerantly, and match it with the users of a data set."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.base.errors import InputError
from core.base.small_file import read_small_file
from core.base.wording import pluralise
from core.ingest.sources.sniffing import FileKind, kind_of
from core.ingest.sources.text import detect_encoding

SEPARATORS: Final = "\t;,"
_ALLOWED: Final = "text with an id a line, or a CSV with a column of ids"
_MAX_BYTES: Final = 1 << 26
"""Largest file that is read, in bytes: far more than a million ids."""
_MAX_ID_LENGTH: Final = 10_000
"""Longest id in characters, far beyond any real one."""
_AROUND: Final = " \t\r\ufeff\u00a0'\"`"
HEADER: Final = re.compile(
    r"(?:\D*[\W_])?(?:(?:g?u|user|client|(?:full)?visitor|customer)?ids?|(?:user|client|visitor|customer|key)s?)",
    re.IGNORECASE,
)
"""Headers of a column of ids: whole words, as ``sigrid`` may be an id."""


@dataclass(frozen=True, eq=False)
class IdList:
    """The users that a list of ids names, and what became of the other ids.

    Args:
        users: int64 of shape (n,), indices of the users that are known, ascending, each once.
        read: Number of ids in the list.
        unknown: Distinct ids that nobody has, in their order.
        twice: Number of distinct ids that are listed more than once.
        header: Whether the first line was taken as a header, and not as an id.
    """

    users: np.ndarray
    read: int
    unknown: tuple[str, ...]
    twice: int
    header: bool

    @property
    def counts(self) -> str:
        """Say in a line how many ids were read, known, unknown and repeated, without naming any."""
        return (
            f"{pluralise(self.read, 'id')} read{' (first line taken as a header)' if self.header else ''}: "
            f"{pluralise(len(self.users), 'known user')}, "
            f"{len(self.unknown):,} unknown, {self.twice:,} more than once"
        )


def read_file(path: Path) -> str:
    """Read the text of a file with ids.

    Raises:
        InputError: If the file is missing, empty, too large or not text.
    """
    return decoded(read_small_file(path, _MAX_BYTES), path.name)


def decoded(data: bytes, name: str) -> str:
    """Decode the text of an uploaded file, in whatever encoding.

    Raises:
        InputError: If the file is empty, too large or not text.
    """
    if len(data) > _MAX_BYTES:
        raise InputError(f"{name} has {len(data):,} bytes", allowed=f"at most {_MAX_BYTES:,}")
    if kind_of(data, name) is not FileKind.DELIMITED:
        raise InputError(f"{name} is not a list of ids", allowed=_ALLOWED)
    encoding, mark = detect_encoding(data, whole=True)
    return data[mark:].decode(encoding, "replace")


def match_ids(text: str, user_id: pa.StringArray) -> IdList:
    """Match a list of ids with users: an id a line, several a line, or a table with columns of known ids.

    Spaces and quotes around an id, a line of headers and ``="…"`` (a spreadsheet's text) are no part of it.
    Where columns are headed as ids, only these are read.

    Args:
        text: The list as it was pasted.
        user_id: Ids of all users.

    Raises:
        InputError: If there is no id in it.
    """
    columns = _columns(text)
    known = _places(columns, user_id)
    headed = [column[1:] for column in columns if HEADER.fullmatch(column[0]) and column[0] not in known]
    cells = _ids(headed or columns, known)
    if not cells:
        raise InputError("There is no id in the list", allowed=_ALLOWED)
    place = np.array([known.get(cell, -1) for cell in cells])
    times = np.unique(np.array(cells, dtype=object), return_counts=True)[1]
    unknown = dict.fromkeys(cells[at] for at in np.flatnonzero(place < 0))
    return IdList(
        np.unique(place[place >= 0]), len(cells), tuple(unknown), int((times > 1).sum()), bool(headed)
    )


def _columns(text: str) -> list[list[str]]:
    """Split a table into columns; all cells are a single column where lines differ in their number."""
    lines = [line for line in text.splitlines() if line.strip(_AROUND + SEPARATORS)]
    by = next((one for one in SEPARATORS if lines and one in lines[0]), ",")
    rows = [_cells(line, by) for line in lines]
    if len(rows) > 1 and len({len(row) for row in rows}) == 1:
        return [list(column) for column in zip_longest(*rows)]
    return [[cell for row in rows for cell in row]] if rows else []


def _cells(line: str, separator: str) -> list[str]:
    """Split a line into cells; line by line, so that a quote that does not end spoils no other line."""
    refused = InputError(f"A line of {len(line):,} characters is not a list of ids", allowed=_ALLOWED)
    try:
        row = next(csv.reader([line.replace("\0", "")], delimiter=separator, skipinitialspace=True), [])
    except csv.Error as error:
        raise refused from error
    if any(len(word) > _MAX_ID_LENGTH for cell in row for word in cell.split()):
        raise refused
    return [cell.strip(_AROUND).removeprefix('="').strip(_AROUND) for cell in row]


def _places(columns: Sequence[list[str]], user_id: pa.StringArray) -> dict[str, int]:
    """Map each cell, and each word of a cell, that is a user's id to the index of that user."""
    cells = dict.fromkeys(chain.from_iterable(columns))
    words = [*cells, *(word.strip(_AROUND) for cell in cells for word in cell.split())]
    found = pc.index_in(pa.array(words, pa.string()), value_set=user_id).to_pylist()
    return {word: place for word, place in zip(words, found, strict=True) if place is not None}


def _ids(columns: Sequence[list[str]], known: Mapping[str, int]) -> list[str]:
    """Ids in the columns that are meant as ids, without empty cells.

    These columns have more than half as many known users as the best column: one of segment names, or of
    numbers, has few, if any.
    """
    found = [list(_split(column, known)) for column in columns]
    users = [len({known[one] for one in ids if one in known}) for ids in found]
    most = max(users, default=0)
    if not most:
        return next((ids for ids in found if ids), [])
    return [one for ids, n in zip(found, users, strict=True) if 2 * n > most for one in ids]


def _split(cells: Sequence[str], known: Mapping[str, int]) -> Iterator[str]:
    """Split cells at spaces into ids, unless the whole cell is a known id."""
    for cell in cells:
        parts = [cell] if cell in known else cell.split()
        yield from filter(None, (part.strip(_AROUND) for part in parts))
