"""Files of the web or of a bucket, brought into a folder: resumed where they were cut off, fetched once.

``fsspec`` opens an address; what it needs beyond ``https://`` comes with the extra ``[remote]``. A file grows
as ``.<digest>.fetching`` and gets its name when it is whole. Beside it a hidden file says which version of
which address it is, without the address, which may hold a password or a signature.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

from humanize import naturalsize as size

from core.base.errors import Beha2VecError, InputError, ResourceError
from core.base.progress import Progress, SubProgress
from core.ingest.sources.input_search import SUFFIXES, natural
from core.ingest.sources.sniffing import HEAD_BYTES
from core.ingest.sources.web_files import WEB, Source, WebFiles, address_parts, without_secrets
from core.storage.disk import disk_errors, drop_stale, flush, put, require_room, write_text_atomic

STAGE: Final = "fetch"
PROTOCOLS: Final = (*WEB, "s3", "gs", "gcs", "az", "abfs", "abfss")
"""What an address may begin with."""
PIECE: Final = 8 << 20
"""Bytes that are asked for at a time."""
VERSION: Final = (
    "ETag",
    "etag",
    "md5Hash",
    "generation",
    "Last-Modified",
    "LastModified",
    "last_modified",
    "mtime",
)
"""What stores tell of which version of a file they hold."""
LONGEST_NAME: Final = 200
"""Bytes; a disk takes 255, with what stands before and behind it in the names of hidden files."""
_UNSAFE: Final = re.compile(r"[^\w.\- ()]+")
T = TypeVar("T")
FileSystem: TypeAlias = Any
"""Of fsspec, which has no types."""


@dataclass(frozen=True)
class RemoteFile:
    """A file at an address.

    Args:
        shown: Its address without user, password and query.
        path: As the file system calls it.
        bytes: Its size; None where nobody tells.
        version: Differs once it is another file.
    """

    shown: str
    path: str
    bytes: int | None
    version: str

    @property
    def digest(self) -> str:
        """Of this version of this address."""
        return _digest(self.path, str(self.bytes), self.version)


def fetch(addresses: Sequence[str], folder: Path, progress: Progress) -> list[Path]:
    """Bring files into a folder; what is there already in this version is not fetched again.

    Args:
        addresses: ``https://…`` of a file, or ``s3://``, ``gs://`` and ``az://`` of a file, a folder (with a
            ``/`` at its end) or a pattern.
        folder: An existing folder.
        progress: Where to report.

    Returns:
        Where they lie now, in the order of their names.

    Raises:
        InputError: If an address cannot be used, nothing is there, or a name is taken by another file.
        ResourceError: If the other side does not answer, or the disk has too little room. What has come so
            far stays, and the next call goes on from it.
        Cancelled: If ``progress`` says so.
    """
    found = [(system, file) for address in addresses for system, file in _look(address)]
    names = _names([file for _, file in found])
    todo = [
        (system, file, folder / name)
        for (system, file), name in zip(found, names, strict=True)
        if not _is_there(file, folder / name)
    ]
    parts = {_part(folder, file): file.bytes or 0 for _, file, _ in todo}
    drop_stale(set(folder.glob(".*.fetching")) - parts.keys())  # of versions that are gone
    if todo:
        coming = sum(whole - _have(part) for part, whole in parts.items())
        require_room(folder, coming, "What is to be fetched")
    for number, (system, file, target) in enumerate(todo):
        report = SubProgress(progress, number / len(todo), (number + 1) / len(todo))
        _bring(system, file, target, report)
    return sorted((folder / name for name in names), key=natural)


def _look(address: str) -> list[tuple[FileSystem, RemoteFile]]:
    """The files of an address, each with the file system that opens it."""
    parts = address_parts(address)
    if parts.scheme not in PROTOCOLS or not parts.netloc:
        raise InputError(
            f"{without_secrets(address)!r} is no address that files can be fetched from",
            allowed=", ".join(f"{name}://" for name in PROTOCOLS),
            remedy="Files on this machine are given by their path, without fetching",
        )
    return _asking(address, partial(_found, address, parts.scheme in WEB))


def _found(address: str, web: bool) -> list[tuple[FileSystem, RemoteFile]]:
    from fsspec.core import url_to_fs  # an extra brings what it needs

    if web:
        files_of_web = WebFiles(address)
        return [(files_of_web, _remote(address, address, files_of_web.info(), web))]
    system, path = url_to_fs(address, skip_instance_cache=True, use_listings_cache=False)  # as it is now
    if path.endswith("/") or address.endswith("/"):
        about = system.find(path, maxdepth=1, detail=True)
        about = {name: one for name, one in about.items() if name.lower().endswith(SUFFIXES)}
    else:
        about = system.glob(path, detail=True)
    files = [_remote(address, path, one, web) for path, one in about.items() if one["type"] == "file"]
    if not files:
        raise InputError(f"There is no export at {without_secrets(address)}", allowed=", ".join(SUFFIXES))
    return [(system, file) for file in files]


def _remote(address: str, path: str, about: dict[str, Any], web: bool) -> RemoteFile:
    shown = without_secrets(address) if web else f"{urlsplit(address).scheme}://{path}"
    version = next((str(about[name]) for name in VERSION if about.get(name)), "")
    return RemoteFile(shown, path, about.get("size"), version)


def _names(files: Sequence[RemoteFile]) -> list[str]:
    """What each is called here: its own name, with its folders where two share one."""
    paths = [PurePosixPath(unquote(urlsplit(file.shown).path)) for file in files]
    short = [_UNSAFE.sub("_", path.name).lstrip(".") for path in paths]
    names = [
        _shortened(
            name if short.count(name) == 1 else "-".join(_UNSAFE.sub("_", part) for part in path.parts[1:])
        )
        for name, path in zip(short, paths, strict=True)
    ]
    for name, file in zip(names, files, strict=True):
        if not name.lower().endswith(SUFFIXES):
            raise InputError(f"{file.shown} cannot be used", allowed=", ".join(SUFFIXES))
        if names.count(name) > 1:
            raise InputError(
                f"{file.shown} was given twice, or another file has its name", remedy="Fetch one"
            )
    return names


def _shortened(name: str) -> str:
    """A name that any disk takes, with what tells it from others and its suffixes."""
    if len(name.encode()) <= LONGEST_NAME:
        return name
    end = f"-{_digest(name)[:12]}{''.join(PurePosixPath(name).suffixes[-2:])[-20:]}"
    return name.encode()[: LONGEST_NAME - len(end.encode())].decode(errors="ignore") + end


def _is_there(file: RemoteFile, target: Path) -> bool:
    """Whether this version lies there.

    Raises:
        InputError: If another file has its name.
    """
    if not target.exists():
        return False
    try:
        record = json.loads(_record(target).read_text(encoding="utf-8"))
        known, version = record["address"], record["version"]
    except (OSError, ValueError, KeyError, TypeError):
        known = version = ""
    if known != _digest(file.path):
        raise InputError(
            f"{target} is there, and is not what was fetched from {file.shown}",
            remedy="Move it away, or fetch into another folder",
        )
    return bool(file.version) and version == file.digest


def _bring(system: FileSystem, file: RemoteFile, target: Path, report: Progress) -> None:
    part = _part(target.parent, file)
    whole = _asking(file.shown, partial(_copy, system, file, part, report))
    if whole is not None and _have(part) != whole:
        raise ResourceError(
            f"{file.shown} ended after {_have(part):,} of {whole:,} bytes", remedy="Fetch it again"
        )
    with disk_errors():
        if _begins_as_a_web_page(part):
            part.unlink()
            raise InputError(
                f"{file.shown} gives a web page, no export: perhaps one to sign in",
                allowed=", ".join(SUFFIXES),
            )
        flush(part)
        # the record goes first: a file without one is never replaced, a record without its file says nothing
        write_text_atomic(
            _record(target), json.dumps({"address": _digest(file.path), "version": file.digest})
        )
        put(part, target)


@contextmanager
def _opened(system: FileSystem, file: RemoteFile, begin: int) -> Iterator[Source]:
    if isinstance(system, WebFiles):
        with system.opened(begin, file.version) as source:
            yield source
        return
    with system.open(file.path, "rb", block_size=PIECE, cache_type="none") as source:
        if begin:
            begin = source.seek(begin) if source.seekable() else 0
        yield begin, file.bytes, source.read


def _copy(system: FileSystem, file: RemoteFile, part: Path, report: Progress) -> int | None:
    """Write what is still missing behind what is there, and say how long the whole is where that is told."""
    have = _have(part) if file.version else 0
    with _opened(system, file, have if have < (file.bytes or 0) else 0) as (begin, whole, read):
        with disk_errors():
            copy = part.open("r+b" if begin else "wb", buffering=0)
        with copy:
            copy.seek(begin)
            while piece := read(PIECE if whole is None else min(PIECE, whole - begin)):
                require_room(
                    part.parent, len(piece) if whole is None else whole - begin, "What is to be fetched"
                )
                _add(copy, piece)
                begin += len(piece)
                said = size(begin) if whole is None else f"{size(begin)} of {size(whole)}"
                report(STAGE, begin / (whole or begin), f"{_name(file)}: {said}")
    return whole


def _add(copy: FileIO, piece: bytes) -> None:
    with disk_errors():
        rest = memoryview(piece)
        while rest:  # a disk that is almost full takes a part
            rest = rest[copy.write(rest) :]


def _asking(address: str, ask: Callable[[], T]) -> T:
    """Ask another side, and say in words why it does not give.

    Raises:
        InputError: If there is nothing, or it is not allowed.
        ResourceError: If it does not answer.
    """
    try:
        return ask()
    except Beha2VecError:
        raise
    except ImportError as error:
        raise InputError(
            f"{without_secrets(address)} needs a package that is not installed: {error.name or error}",
            remedy="pip install 'beha2vec[remote]', or, in a checkout, that package by its own name",
        ) from error
    except Exception as error:  # each store raises errors of its own, of no common kind
        status = getattr(getattr(error, "response", None), "status_code", None)  # of the web
        raise _in_words(without_secrets(address), error, status) from error


def _in_words(shown: str, error: BaseException, status: int | None) -> Beha2VecError:
    if isinstance(error, FileNotFoundError) or status == HTTPStatus.NOT_FOUND:
        return InputError(f"There is nothing at {shown}", remedy="Check the address")
    if isinstance(error, PermissionError) or status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return InputError(
            f"{shown} may not be read with the rights at hand",
            remedy="Sign in as that store asks for (its command line does), or ask for the right to read",
        )
    return ResourceError(
        f"{shown} cannot be read ({status or error.__class__.__name__})",
        remedy="Check address, network and sign-in; what has come stays, and fetching again goes on",
    )


def _name(file: RemoteFile) -> str:
    return PurePosixPath(urlsplit(file.shown).path).name


def _begins_as_a_web_page(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _part(folder: Path, file: RemoteFile) -> Path:
    return folder / f".{file.digest[:16]}.fetching"  # uploads sweep what ends with .part


def _have(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _record(target: Path) -> Path:
    return target.with_name(f".{target.name}.fetched")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
