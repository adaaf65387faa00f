"""The start of a delimited file: encoding, lines before the header, delimiter, columns, a few rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from core.base.errors import InputError
from core.base.settings import IngestSettings
from core.ingest.read.careful import records, split_lines
from core.ingest.read.delimited_layout import JSON_LIMITS, DelimitedLayout, make_layout
from core.ingest.read.headers import map_headers
from core.ingest.sources.input_files import ByteReader, InputFile
from core.ingest.sources.text import Text, open_text

CHUNK_BYTES: Final = 1 << 23
"""Bytes of a block: small enough for the processor's cache, large enough for Arrow (measured)."""
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
        line: Line of the file where that starts.
    """

    layout: DelimitedLayout
    sample: tuple[tuple[str, ...], ...]
    text: Text
    chunks: Iterator[bytes]
    line: int


def open_delimited(
    file: ByteReader, source: InputFile, settings: IngestSettings, chunk_bytes: int = CHUNK_BYTES
) -> OpenedDelimited:
    """Read up to the header: encoding, lines before it, delimiter, shape, mapping.

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
    with naming(source.name):
        layout = make_layout(header, sample, delimiter, settings)
    return OpenedDelimited(layout, sample, text, chain([first[end:]], text.chunks), skipped + 2)


@contextmanager
def naming(file: str) -> Iterator[None]:
    """Put the name of the file before an error about its columns.

    Raises:
        InputError: The same one, with the name.
    """
    try:
        yield
    except InputError as error:
        raise InputError(f"{file}: {error.problem}", allowed=error.allowed, remedy=error.remedy) from error


def _up_to_header(chunks: Iterator[bytes], name: str) -> tuple[bytes, tuple[int, int, int]]:
    """The first chunks up to one in which the header ends, and where it is in them.

    Raises:
        InputError: If there is none, or none that ends.
    """
    data = next(chunks, b"")
    found = find_header(data, name)
    while not data[found[1] : found[2]].endswith(b"\n") and (more := next(chunks, b"")):
        if len(data) >= CHUNK_BYTES:
            raise InputError(
                f"{name}, line {found[0] + 1} should hold the names of the columns, and does not end",
                allowed=f"up to {CHUNK_BYTES:,} bytes",
                remedy="Is it a table? Export it again, one record a line",
            )
        data += more
        found = find_header(data, name)
    return data, found


def find_header(data: bytes, name: str) -> tuple[int, int, int]:
    """Lines before the header (blank or comments), and where it starts and ends.

    Raises:
        InputError: If there is none.
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
    """The delimiter under which most fields are found, and the columns."""
    best: tuple[tuple[int, int], str, tuple[str, ...]] = ((-1, 0), ",", (line,))
    for delimiter in _DELIMITERS:
        record = next(records([line], delimiter, JSON_LIMITS, last=True))
        if record.fields is None:
            continue
        names = tuple(name.strip() for name in record.fields)
        found = len(map_headers(tuple(dict.fromkeys(names)), settings).columns)
        score = (found, len(names))
        if score > best[0]:
            best = (score, delimiter, names)
    return best[1], best[2]


def _sample(data: bytes, delimiter: str, width: int) -> tuple[tuple[str, ...], ...]:
    lines = split_lines(data.decode("utf-8", "replace"))
    found = (record.fields for record in records(lines, delimiter, JSON_LIMITS, last=False))
    return tuple(tuple(fields) for fields in islice(found, SAMPLE_ROWS) if fields and len(fields) == width)
