"""Search every byte of some folders for ids, in every form in which the app, or an export, keeps text.

A file is searched as it lies there and in what it unpacks to: gzip, zip (so ``.npz``), zlib, the columns of
Parquet, the rows of SQLite (and in them the packed values of ``diskcache``), arrays of whole numbers. What is
packed in a way that cannot be undone here is reported, as nothing is proven of it.
"""

from __future__ import annotations

import gzip
import os
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.base.progress import Progress
from core.ingest.sources.input_files import FREE_BYTES, MAX_RATIO, ByteReader
from core.ingest.sources.sniffing import NOT_TABLES
from core.runs.forgetting.patterns import LAYERS, IdPatterns, is_binary
from core.runs.forgetting.tables import rows_of

_STAGE: Final = "search"
CHUNK_BYTES: Final = 1 << 18
_MAX_DEPTH: Final = 4
"""Most packings in one another that are unpacked."""
_SPELT_BYTES: Final = 64
"""Most bytes for each byte of an id where it is escaped."""
_SQLITE: Final = b"SQLite format 3\0"
_NUMPY: Final = b"\x93NUMPY"
_SEALED: Final = {
    **{magic: what for magic, what in NOT_TABLES if magic not in _SQLITE},
    b"PARE": "an encrypted Parquet file", b"Rar!": "a RAR archive",
}  # fmt: skip
_BARE: Final = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83", b"\x18\xe2\x2d\x00", b"\xd9\xd5\x05\xf9")
"""First bytes of files that SQLite keeps beside a database, which are read with it."""
_DAMAGED: Final = (
    OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, sqlite3.Error, pa.ArrowException,
    NotImplementedError, RuntimeError,
)  # fmt: skip


@dataclass
class SearchedFile:
    """Result of the search of one file.

    Args:
        size: Bytes on disk.
        searched: Bytes that were searched, with those of what it unpacks to.
        hits: Places at which an id stands; the name of the file is one.
        ids: Ids that were seen.
        unread: Why nothing is proven of it; empty where all of it was read.
    """

    size: int = 0
    searched: int = 0
    hits: int = 0
    ids: set[str] = field(default_factory=set)
    unread: str = ""


def files_below(places: Sequence[Path]) -> list[Path]:
    """List the files in or below some paths, hidden ones too, and folders that cannot be read, sorted.

    Links are followed to files; of folders the link itself is given.
    """
    refused: list[OSError] = []
    found = [place for place in places if place.is_file()]
    for place in places:
        for folder, inner, names in os.walk(place, onerror=refused.append):
            found += [Path(folder, name) for name in names if Path(folder, name).is_file()]
            found += [Path(folder, name) for name in inner if Path(folder, name).is_symlink()]
    return sorted({*found, *(Path(error.filename) for error in refused)})


def search(places: Sequence[Path], patterns: IdPatterns, progress: Progress) -> dict[Path, SearchedFile]:
    """Search files and folders for ids.

    Args:
        places: Files and folders to search.
        patterns: The ids.
        progress: Where to report; stops by raising ``Cancelled``.

    Returns:
        Every file → what was found in it. One that vanished meanwhile is left out.
    """
    files, found = files_below(places), dict[Path, SearchedFile]()
    for number, path in enumerate(files):
        progress(_STAGE, number / len(files), f"Searching file {number + 1:,} of {len(files):,}")
        with suppress(FileNotFoundError):
            found[path] = search_file(path, patterns)
            place = next(one for one in places if path.is_relative_to(one))
            for name in (place.name, *path.relative_to(place).parts[:-1]) if path != place else ():
                _count(patterns, os.fsencode(name), found[path])
    return found


def search_file(path: Path, patterns: IdPatterns) -> SearchedFile:
    """Search one file, and its name, for ids; FileNotFoundError if it is gone."""
    found = SearchedFile(path.stat().st_size)
    _count(patterns, os.fsencode(path.name), found)
    if path.is_dir():
        found.unread = "a link to a folder" if path.is_symlink() else "a folder that cannot be opened"
        return found
    try:
        with path.open("rb") as file:
            _look(file, patterns, found, 0, path)
    except FileNotFoundError:
        raise
    except _DAMAGED as error:
        found.unread = found.unread or f"cannot be read ({type(error).__name__})"
    return found


def _look(
    file: IO[bytes], patterns: IdPatterns, found: SearchedFile, depth: int, path: Path | None = None
) -> None:
    """Search a file that can be read again: one on disk, or a copy of what was unpacked."""
    head = _scan(file, patterns, found)
    if depth > _MAX_DEPTH:
        found.unread = "packed too often"
        return
    found.unread = next((what for magic, what in _SEALED.items() if head.startswith(magic)), found.unread)
    is_text = not is_binary(head)
    file.seek(0)
    if head.startswith(_SQLITE):
        _rows(path, patterns, found)
    elif head.startswith(b"\x1f\x8b"):
        with gzip.open(file) as unpacked:
            _unpacked(unpacked, patterns, found, depth)
    elif head.startswith(b"PK\x03\x04"):
        _members(file, patterns, found, depth)
    elif head.startswith(b"PAR1"):
        _columns(file, patterns, found)
    elif head.startswith(_NUMPY):
        _array(file, patterns, found)
    elif _is_zlib(head):
        with suppress(zlib.error):  # it only looked so
            _value(zlib.decompress(file.read()), patterns, found)
    elif not is_text and not head.startswith(_BARE) and head[8:9] != b"{":  # safetensors keep text as it is
        found.unread = found.unread or "not text, and of a kind that is not unpacked here"


def _unpacked(packed: ByteReader, patterns: IdPatterns, found: SearchedFile, depth: int) -> None:
    """Search what a packed file holds, through a nameless file, as it may be packed again."""
    with tempfile.TemporaryFile() as copy:
        for piece in iter(lambda: packed.read(1 << 20), b""):
            copy.write(piece)
            if copy.tell() > max(FREE_BYTES, MAX_RATIO * found.size):
                raise ValueError("a bomb")
        copy.seek(0)
        _look(copy, patterns, found, depth + 1)


def _scan(file: IO[bytes], patterns: IdPatterns, found: SearchedFile) -> bytes:
    """Search all bytes as they lie there; what is cut at the end of a piece is whole in the next.

    Returns:
        The first piece.
    """
    head = data = file.read(CHUNK_BYTES)
    keep, again = min(CHUNK_BYTES, _SPELT_BYTES * patterns.longest + 64), 0
    found.searched += len(data)
    while data:
        more = file.read(CHUNK_BYTES)
        found.searched += len(more)
        _count(patterns, data, found, again, last=not more)
        again = min(keep, len(data))
        data = data[-keep:] + more if more else b""
    return head


def _count(
    patterns: IdPatterns, data: bytes, found: SearchedFile, again: int = 0, *, last: bool = True
) -> None:
    """Search bytes, of which the first were searched before: what ends in these was counted."""
    traces = patterns.find_spelt(data, first=not again, last=last)
    new = [trace for trace in traces.places if trace.end >= again]
    found.hits += len(new)
    found.ids.update(trace.id for trace in new)
    if traces.too_deep:
        found.unread = f"escaped more than {LAYERS} times"


def _members(file: IO[bytes], patterns: IdPatterns, found: SearchedFile, depth: int) -> None:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            with archive.open(info) as member:
                _unpacked(member, patterns, found, depth)


def _columns(file: IO[bytes], patterns: IdPatterns, found: SearchedFile) -> None:
    for batch in pq.ParquetFile(file).iter_batches():
        found.searched += batch.nbytes
        rows = rows_of(batch, patterns)
        found.hits += len(rows)
        for row in batch.take(pa.array(rows)).to_pylist() if len(rows) else ():
            found.ids |= _named(row, patterns)


def _named(row: Mapping[str, Any], patterns: IdPatterns) -> set[str]:
    whole = {str(value) for value in row.values()} & patterns.ids
    return whole or {trace.id for trace in patterns.find_spelt(repr(row).encode()).places}


def _array(file: IO[bytes], patterns: IdPatterns, found: SearchedFile) -> None:
    values = np.load(file, allow_pickle=False)
    if values.dtype.kind in "US":
        _count(patterns, "\n".join(values.astype(str).ravel()).encode(), found)
    elif values.dtype.kind in "iu" and len(patterns.numbers):
        there = np.intersect1d(values.astype(np.int64), patterns.numbers)
        found.hits += len(there)
        found.ids.update(map(str, there.tolist()))


def _is_zlib(head: bytes) -> bool:
    """Whether bytes begin as what zlib packs."""
    return len(head) > 2 and head[0] == 0x78 and int.from_bytes(head[:2], "big") % 31 == 0


def _rows(path: Path | None, patterns: IdPatterns, found: SearchedFile) -> None:
    """Search all values of a database: one may lie over several pages of the file, or be packed."""
    if path is None:
        found.unread = "a database within a packed file"
        return
    log = path.with_name(f"{path.name}-wal")
    alone = "" if log.exists() and log.stat().st_size else "&immutable=1"  # else a file appears beside it
    uri = f"file:{quote(str(path.resolve()))}?mode=ro{alone}"
    with closing(sqlite3.connect(uri, uri=True)) as database:
        database.text_factory = bytes
        for value in _values(database):
            _value(value, patterns, found)


def _values(database: sqlite3.Connection) -> Iterator[bytes]:
    tables = [
        name.decode() for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'")
    ]
    for table in tables:
        for row in database.execute('SELECT * FROM "' + table.replace('"', '""') + '"'):
            yield from (value for value in row if isinstance(value, bytes))
            yield b"\n".join(str(value).encode() for value in row if isinstance(value, int))


def _value(data: bytes, patterns: IdPatterns, found: SearchedFile) -> None:
    found.searched += len(data)
    _count(patterns, data, found)
    if _is_zlib(data):
        with suppress(zlib.error):
            _count(patterns, zlib.decompress(data), found)


def compact(path: Path) -> None:
    """Remove deleted rows of a SQLite database from its file, where free pages hold them until then.

    Raises:
        sqlite3.Error: If it is in use, or damaged.
    """
    with closing(sqlite3.connect(path, timeout=5)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def databases(places: Sequence[Path]) -> list[Path]:
    """List the SQLite databases in or below some paths, told by their first bytes."""
    return [path for path in files_below(places) if _begins(path, _SQLITE)]


def _begins(path: Path, magic: bytes) -> bool:
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(magic)) == magic
    return False
