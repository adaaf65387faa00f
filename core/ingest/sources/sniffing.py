"""Detect the kind of a file by its first bytes: a table that can be read, or something else."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from core.base.errors import InputError

HEAD_BYTES: Final = 8192
ALLOWED: Final = "CSV, newline-delimited JSON or Parquet, plain, .gz or .zip"

NOT_TABLES: Final = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"ARROW1", "an Arrow file"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
)
_ACCESS_LOG: Final = re.compile(rb'\S+ \S+ .+? \[\d{2}/[A-Z][a-z]{2}/\d{4}:[\d:]{8} [+-]\d{4}\] "')
"""Start of a line in a web server's access log (NCSA common and combined format)."""


class FileKind(StrEnum):
    """Kind of table, by the first bytes of a file."""

    DELIMITED = "csv"
    JSON = "ndjson"
    PARQUET = "parquet"


def kind_of(head: bytes, name: str) -> FileKind:
    """Detect the kind of a file from its first unpacked bytes.

    Raises:
        InputError: If the file is empty or of another kind, which the message names.
    """
    if head.startswith(b"PAR1"):
        return FileKind.PARQUET
    text = _without_bom(head).lstrip()
    lines = text.splitlines()
    objects = sum(line.startswith(b"{") and line.endswith(b"}") for line in lines)
    if 2 * objects > len(lines):  # whatever the others are
        return FileKind.JSON
    if problem := _not_a_table(head, text):
        raise InputError(f"{name} is {problem}", allowed=ALLOWED)
    return FileKind.JSON if text.startswith(b"{") else FileKind.DELIMITED


def utf16_codec(head: bytes) -> str:
    """Detect UTF-16 without a byte order mark by its zero bytes; empty if it is another encoding."""
    odd, even, half = head[1::2].count(0), head[0::2].count(0), len(head) // 4
    if half and max(odd, even) > half > 2 * min(odd, even):
        return "utf-16-le" if odd > even else "utf-16-be"
    return ""


def _not_a_table(head: bytes, text: bytes) -> str:
    for magic, what in NOT_TABLES:
        if head.startswith(magic):
            return what
    if not text:
        return "empty"
    if text.startswith(b"["):
        return "a JSON array, not one record a line (export newline-delimited JSON)"
    if text[:1] == b"<":
        return "a web page or XML"
    if _ACCESS_LOG.match(text):
        return "an access log, which does not name its columns (docs/how-to/other_tools.md makes a table)"
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b")):
        return "packed twice (unpack the outer one)"
    lines = text.splitlines()
    broken = [b"\0" in line for line in lines]
    return "not text" if broken[0] or 2 * sum(broken) > len(lines) else ""


def _without_bom(head: bytes) -> bytes:
    """Return the head without a byte order mark, with UTF-16 (marked or not) converted."""
    if head.startswith(b"\xef\xbb\xbf"):
        return head[3:]
    for codec, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
        if head.startswith(mark):
            return head[2:].decode(codec, "ignore").encode()
    codec = utf16_codec(head)
    return head[codec == "utf-16-be" :: 2] if codec else head
