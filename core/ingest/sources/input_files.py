"""Find the input files behind paths, folders, patterns and archives, and open their unpacked bytes.

The first bytes decide the kind of a file, not its name. Archives are never trusted: names that leave the
folder, locked members and zip bombs are refused, and nothing is unpacked to disk under a name of theirs.
"""

from __future__ import annotations

import glob
import gzip
import hashlib
import re
import stat
import tempfile
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Protocol

from core.base.errors import InputError
from core.ingest.sources.sniffing import ALLOWED, HEAD_BYTES, FileKind, kind_of

SUFFIXES: Final = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".gz", ".zip")
"""Suffixes of the files in a folder that are read; all others are ignored."""

_BAD_NAME: Final = UnicodeDecodeError  # of a member of a zip
_DAMAGE: Final = (
    EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, NotImplementedError, _BAD_NAME
)  # fmt: skip
_NO_FILES: Final = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def find_files(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """Expand folders and patterns to files in the order of their names, each with a short name.

    Raises:
        InputError: If there is nothing to read.
    """
    files = sorted((file for path in paths for file in _expand(Path(path))), key=natural)
    if not files:
        raise InputError("No input file was given", allowed=ALLOWED)
    names = _short_names(files)
    return [(file, names[file]) for file in files]


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Turn read errors inside the block into a clear error that names the file and the reason.

    Raises:
        InputError: If the file cannot be read.
    """
    try:
        yield
    except _DAMAGE as error:
        raise InputError(
            f"{name} is cut off or damaged: {error}", remedy="Download or export it again"
        ) from error
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}", remedy="Check the path") from error


def _size_on_disk(path: Path, name: str) -> int:
    """Return the size of a file in bytes; pipes and devices, which may never end, are not opened.

    Raises:
        InputError: If it is no regular file, or is empty.
    """
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        what = _NO_FILES.get(stat.S_IFMT(about.st_mode), "no file")
        raise InputError(f"{name} is {what}", allowed=ALLOWED, remedy="Save what it gives to a file first")
    if not about.st_size:
        raise InputError(f"{name} is empty", allowed=ALLOWED)
    return about.st_size


def _expand(path: Path) -> list[Path]:
    with readable(str(path)):
        if path.is_dir():
            return _from_folder(path)
        if path.exists():
            return [path]
    if glob.has_magic(str(path)):
        if files := _matching(path):
            return files
        raise InputError(f"No file matches {path}")
    raise InputError(f"{path} does not exist", remedy="Check the path")


def _matching(pattern: Path) -> list[Path]:
    """Return the files that match; unlike in ``glob.glob``, ``**`` follows no links, which may form loops."""
    inside = pattern.relative_to(pattern.anchor) / ("*" if pattern.name == "**" else "")
    hidden = pattern.name.startswith(".")
    with suppress(ValueError):  # as pathlib calls a pattern such as a**b
        paths = Path(pattern.anchor).glob(str(inside))
        return [file for file in paths if file.is_file() and (hidden or not file.name.startswith("."))]
    return []


def _from_folder(folder: Path) -> list[Path]:
    entries = sorted(
        entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith(".")
    )
    files = [entry for entry in entries if entry.suffix.lower() in SUFFIXES]
    if not files:
        names = ", ".join(entry.name for entry in entries[:10]) or "nothing"
        raise InputError(f"{folder} holds no export; found {names}", allowed=", ".join(SUFFIXES))
    return files


def natural(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key for natural order, in which ``part9`` comes before ``part10``."""
    pieces = re.findall(r"\d+|\D+", path.name)
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces], str(path)


def _short_names(files: Sequence[Path]) -> dict[Path, str]:
    """Give each file a unique short name: its file name, with parent folders where files share it."""
    names = {file: file.name for file in files}
    for length in range(2, 1 + max(len(file.parts) for file in files)):
        uses: defaultdict[str, list[Path]] = defaultdict(list)
        for file, name in names.items():
            uses[name].append(file)
        for file in (file for sharing in uses.values() if len(sharing) > 1 for file in sharing):
            names[file] = "/".join(file.parts[-length:])
    return names


# A deflate stream can grow a thousandfold; real exports grow 5 to 60 times.
MAX_RATIO: Final = 200
FREE_BYTES: Final = 1 << 30  # below this the ratio is not looked at
_MAX_BYTES: Final = 1 << 38

_WRAP: Final = 1 << 32  # gzip keeps sizes modulo this


class Packing(StrEnum):
    """How the content of a file is packed."""

    PLAIN = "plain"
    GZIP = "gzip"
    ZIP = "zip"


@dataclass(frozen=True)
class InputFile:
    """One table to read: a file, or a member of a zip.

    Args:
        name: Name in messages and the receipt; unique within a run.
        path: The file on disk.
        kind: Kind of its content.
        packing: How it is packed.
        member: Name within the zip, else empty.
        bytes: Packed size in bytes.
        unpacked: Unpacked size modulo 2**32, as far as it is known without unpacking.
        on_disk: Size of the file on disk; for a member of a zip, the size of the zip.
        copies: Other inputs with the same content, which are not read again.
    """

    name: str
    path: Path
    kind: FileKind
    packing: Packing
    bytes: int
    unpacked: int
    on_disk: int
    member: str = ""
    copies: tuple[str, ...] = ()


def resolve_inputs(paths: Sequence[Path]) -> tuple[InputFile, ...]:
    """Expand folders, patterns and zips, and find the kind of each file, in the order of their names.

    Of inputs with the same content, whatever their names and packing, only the first is returned: read twice,
    the same events would make every user look twice as busy.

    Raises:
        InputError: If there is nothing to read, or a file is none of the kinds we read.
    """
    return _without_copies([source for path, name in find_files(paths) for source in tables_in(path, name)])


@contextmanager
def open_source(source: InputFile) -> Iterator[ByteReader]:
    """Open the unpacked bytes of a source, to be read once from start to end.

    Raises:
        InputError: If the file is gone, cut off, damaged, no longer the size it was, or unpacks to something
            absurdly large.
    """
    with ExitStack() as stack:
        with readable(source.name):
            file = stack.enter_context(_unpacked(source))
        yield _Guarded(file, source)


@contextmanager
def open_seekable(source: InputFile) -> Iterator[BinaryIO]:
    """Open a source for random access, as Parquet needs; a packed one is unpacked to a temporary file.

    Raises:
        InputError: As for :func:`open_source`.
    """
    if source.packing is Packing.PLAIN:
        with readable(source.name):
            file = source.path.open("rb")
        with file:
            _refuse_change(source)
            yield file
        return
    with open_source(source) as packed, tempfile.TemporaryFile() as copy:
        for piece in iter(lambda: packed.read(1 << 20), b""):
            copy.write(piece)
        copy.seek(0)
        yield copy


class ByteReader(Protocol):
    """A stream of bytes that is read once, from start to end."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to ``size`` bytes; none at the end."""


class _Guarded:
    """A byte stream that refuses zip bombs and changed files, and names the file in errors."""

    def __init__(self, file: ByteReader, source: InputFile) -> None:
        self._file, self._source, self._count = file, source, 0

    def read(self, size: int = -1, /) -> bytes:
        with readable(self._source.name):
            data = self._file.read(size)
        self._count += len(data)
        if self._source.packing is not Packing.PLAIN:
            _refuse_bomb(self._source.name, self._count, self._source.bytes)
        if not data or (self._source.packing is Packing.PLAIN and self._count > self._source.bytes):
            _refuse_change(self._source)
        return data


def _refuse_change(source: InputFile) -> None:
    """Raise an error if the size of a file changed, as while it is still being written."""
    with readable(source.name):
        now = source.path.stat().st_size
    if now != source.on_disk:
        raise changed(source.name, f": it had {source.on_disk:,} bytes and has {now:,}")


def changed(name: str, how: str = "") -> InputError:
    """Make the error for a file that changed while it was read."""
    return InputError(
        f"{name} changed while it was read{how}", remedy="Wait until it is complete, and run again"
    )


def _refuse_bomb(name: str, unpacked: int, packed: int) -> None:
    if unpacked > _MAX_BYTES or (unpacked > FREE_BYTES and unpacked > MAX_RATIO * packed):
        raise InputError(
            f"{name} unpacks to at least {unpacked:,} bytes from {packed:,}",
            allowed=f"up to {MAX_RATIO} times its size",
            remedy="If it is a real export, unpack it yourself and give the plain file",
        )


@contextmanager
def _unpacked(source: InputFile) -> Iterator[ByteReader]:
    if source.packing is Packing.GZIP:
        with gzip.open(source.path, "rb") as packed:
            yield packed
    elif source.packing is Packing.ZIP:
        with zipfile.ZipFile(source.path) as archive, archive.open(source.member) as member:
            yield member
    else:
        with source.path.open("rb", buffering=0) as file:
            yield file


def _without_copies(sources: Sequence[InputFile]) -> tuple[InputFile, ...]:
    sizes = Counter(source.unpacked for source in sources)
    same: defaultdict[str, list[InputFile]] = defaultdict(list)
    for source in sources:
        alone = sizes[source.unpacked] == 1
        same[source.name if alone else content_checksum(source)].append(source)
    return tuple(
        replace(first, copies=tuple(copy.name for copy in copies)) for first, *copies in same.values()
    )


def content_checksum(source: InputFile) -> str:
    """Compute the SHA-256 of a source's unpacked content."""
    digest = hashlib.sha256()
    with open_source(source) as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def tables_in(path: Path, name: str) -> Iterable[InputFile]:
    """Return the tables in a file: one, or the members of a zip.

    Raises:
        InputError: If the file cannot be opened, or holds something else.
    """
    with readable(name):
        size = _size_on_disk(path, name)
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            return list(_members(path, name, size))
        if head.startswith(b"\x1f\x8b"):
            with gzip.open(path, "rb") as packed:
                kind = kind_of(packed.read(HEAD_BYTES), name)
            return [InputFile(name, path, kind, Packing.GZIP, size, _gzip_size(path), size)]
        return [InputFile(name, path, kind_of(head, name), Packing.PLAIN, size, size % _WRAP, size)]


def _gzip_size(path: Path) -> int:
    """Unpacked size by the last four bytes of a gzip file (of its last member, if there are several)."""
    with path.open("rb") as file:
        file.seek(-4, 2)
        return int.from_bytes(file.read(), "little")


def _members(path: Path, name: str, size: int) -> Iterator[InputFile]:
    with zipfile.ZipFile(path) as archive:
        if "[Content_Types].xml" in archive.namelist():
            raise InputError(
                f"{name} is an Excel or Office document", allowed=ALLOWED, remedy="Save it as CSV"
            )
        members = [info for info in archive.infolist() if not info.is_dir() and not _is_litter(info.filename)]
        if not members:
            raise InputError(f"{name} is an empty zip", allowed=ALLOWED)
        _refuse_bomb(name, sum(info.file_size for info in members), size)  # each may be small enough
        for info in sorted(members, key=lambda info: natural(Path(info.filename))):
            inside = f"{name}/{info.filename}"
            _check_member(info, inside)
            with archive.open(info) as member:
                kind = kind_of(member.read(HEAD_BYTES), inside)
            unpacked = info.file_size % _WRAP
            yield InputFile(
                inside, path, kind, Packing.ZIP, info.compress_size, unpacked, size, info.filename
            )


def _is_litter(name: str) -> bool:
    return name.startswith("__MACOSX/") or PurePosixPath(name).name in (".DS_Store", "Thumbs.db")


def _check_member(info: zipfile.ZipInfo, name: str) -> None:
    pure = PurePosixPath(info.filename.replace("\\", "/"))
    if pure.is_absolute() or ".." in pure.parts or ":" in pure.parts[0]:
        raise InputError(f"{name} points outside its zip", remedy="Pack the files again, without such names")
    if info.flag_bits & 1:
        raise InputError(f"{name} is locked with a password", remedy="Unpack it first")
    _refuse_bomb(name, info.file_size, max(1, info.compress_size))
