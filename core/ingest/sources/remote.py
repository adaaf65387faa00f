"""Download files from the web or a bucket into a folder; interrupted downloads resume.

Web files are fetched by :class:`WebFiles`, buckets opened by ``fsspec`` with the extra ``[remote]``. A
download grows as ``.<digest>.fetching`` and gets its name when it is whole. A hidden file beside it records
its address and version as hashes, as an address may hold a password or a signature.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import requests
from humanize import naturalsize as size
from urllib3.exceptions import HTTPError

from core.base.errors import Beha2VecError, InputError, ResourceError
from core.base.progress import Progress, SubProgress
from core.base.web import is_link_local, is_public, resolve, web_session
from core.ingest.sources.input_files import SUFFIXES, natural
from core.ingest.sources.sniffing import HEAD_BYTES
from core.storage.disk import disk_errors, drop_stale, flush, put, require_room, write_text_atomic

_HEADERS: Final = {"User-Agent": "Beha2Vec", "Accept": "*/*", "Accept-Encoding": "identity"}
_WEB: Final = ("http", "https")
_TIMES: Final = (10.0, 60.0)
"""Time limits in seconds: to connect, and to wait for data."""
_REDIRECTS: Final = 10
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+)")

Source: TypeAlias = tuple[int, int | None, Callable[[int], bytes]]
"""An opened download: its first byte, the size of the whole file if known, and the function that reads."""


class WebFiles:
    """The file at a web address, with protection against redirects into the private network.

    An address typed by the user may lead into the private network. Its redirects then may, too, but not to
    link-local addresses, where clouds keep their credentials; redirects of any other address may not. A host
    with both private and public addresses is refused, as chance decides which of them answers.

    Args:
        address: The address as typed.
    """

    def __init__(self, address: str) -> None:
        self._address, self._shown = address, _without_secrets(address)
        self._host, self._inside = "", False
        self._session = web_session(self._connect, _HEADERS)

    def info(self) -> dict[str, Any]:
        """Return the size and version of the file, as far as the server gives them."""
        try:
            with self._asked("HEAD") as reply:
                return _about(reply)
        except requests.HTTPError as error:
            if error.response.status_code == HTTPStatus.NOT_FOUND:
                raise
        with self._asked("GET") as reply:  # an address may be signed for this alone
            return _about(reply)

    @contextmanager
    def opened(self, begin: int, version: str) -> Iterator[Source]:
        """Request the missing part of the file.

        Args:
            begin: Number of bytes that exist already.
            version: Version of these bytes; if it changed, the whole file is sent.
        """
        wanted = {"Range": f"bytes={begin}-", "If-Range": version} if begin and version else {}
        with self._asked("GET", wanted) as reply:
            part = _RANGE.fullmatch(reply.headers.get("content-range", ""))
            if reply.status_code == HTTPStatus.PARTIAL_CONTENT and part and int(part[1]) == begin:
                yield begin, int(part[2]), partial(_read, reply)
            else:
                yield 0, _length(reply), partial(_read, reply)

    @contextmanager
    def _asked(self, method: str, headers: dict[str, str] | None = None) -> Iterator[requests.Response]:
        place = self._address
        for _ in range(_REDIRECTS + 1):
            with self._session.request(
                method, place, headers=headers, stream=True, allow_redirects=False, timeout=_TIMES
            ) as reply:
                if not reply.is_redirect:
                    reply.raise_for_status()
                    yield reply
                    return
                place = urljoin(place, reply.headers["location"])
            if _address_parts(place).scheme not in _WEB:
                raise InputError(
                    f"{self._shown} redirects to {_without_secrets(place)}, which is not of the web",
                    allowed=", ".join(f"{name}://" for name in _WEB),
                    remedy="Ask for the address of the file itself",
                )
        raise InputError(f"{self._shown} redirects more than {_REDIRECTS} times")

    def _connect(self, host: str, port: int) -> socket.socket:
        addresses = resolve(host, port)
        inside = [address for address in addresses if not is_public(address)]
        if not self._host:
            self._host, self._inside = host, 0 < len(inside) == len(addresses)
        closed = next((one for one in inside if not self._may_be_asked(host, one)), None)
        if closed and host == self._host:
            raise InputError(
                f"{host} leads to {closed}, inside this network, as well as outside",
                remedy="Fetch from one of them by its number, if you trust it",
            )
        if closed:
            raise InputError(
                f"{self._shown} redirects to {host}, which leads to {closed}: not a public address",
                remedy="Fetch from there itself, if you trust it",
            )
        problem = OSError(f"{host} leads nowhere")
        for address in addresses:
            try:
                return socket.create_connection((address, port), _TIMES[0])
            except OSError as error:
                problem = error
        raise problem

    def _may_be_asked(self, host: str, address: str) -> bool:
        return self._inside and (host == self._host or not is_link_local(address))


def _without_secrets(address: str) -> str:
    """Return an address without user, password and query, where secrets stand."""
    parts = _address_parts(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.scheme else address


def _address_parts(address: str) -> SplitResult:
    """Return the parts of an address; empty ones where it has none."""
    try:
        return urlsplit(address)
    except ValueError:  # half of an IPv6 address
        return SplitResult("", "", "", "", "")


def _read(reply: requests.Response, size: int) -> bytes:
    """Read the next bytes of a response, without unpacking them; empty at the end.

    Raises:
        OSError: If the response ends too early.
    """
    try:
        return bytes(reply.raw.read(size, decode_content=False))
    except HTTPError as error:
        raise ConnectionError("it broke off") from error


def _about(reply: requests.Response) -> dict[str, Any]:
    found = {name: reply.headers[name] for name in ("ETag", "Last-Modified") if name in reply.headers}
    return {"type": "file", "size": _length(reply), **found}


def _length(reply: requests.Response) -> int | None:
    length = reply.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


_STAGE: Final = "fetch"
_PROTOCOLS: Final = (*_WEB, "s3", "gs", "gcs", "az", "abfs", "abfss")
"""Allowed schemes of an address."""
PIECE: Final = 8 << 20
"""Bytes that are requested at a time."""
_VERSION: Final = (
    "ETag",
    "etag",
    "md5Hash",
    "generation",
    "Last-Modified",
    "LastModified",
    "last_modified",
    "mtime",
)
"""Attributes by which stores identify the version of a file, best first."""
_LONGEST_NAME: Final = 200
"""Most bytes of a file name: disks allow 255, and names of hidden files are longer."""
_UNSAFE: Final = re.compile(r"[^\w.\- ()]+")
T = TypeVar("T")
FileSystem: TypeAlias = Any
"""A file system of fsspec, which has no types, or :class:`WebFiles`."""


@dataclass(frozen=True)
class RemoteFile:
    """A file at an address, with its size and version.

    Args:
        shown: Its address without user, password and query.
        path: Its path in the file system.
        bytes: Its size; None if not known.
        version: Changes whenever the file does; empty if not known.
    """

    shown: str
    path: str
    bytes: int | None
    version: str

    @property
    def digest(self) -> str:
        """Hash of the address, size and version of the file."""
        return _digest(self.path, str(self.bytes), self.version)


def fetch(addresses: Sequence[str], folder: Path, progress: Progress) -> list[Path]:
    """Download files into a folder; files that exist in the current version are not fetched again.

    Args:
        addresses: ``https://…`` of a file, or ``s3://``, ``gs://`` and ``az://`` of a file, a folder (with a
            ``/`` at its end) or a pattern.
        folder: An existing folder.
        progress: Where to report.

    Returns:
        Paths of the files, in the order of their names.

    Raises:
        InputError: If an address cannot be used, nothing is there, or a name is taken by another file.
        ResourceError: If the server does not answer, or the disk has too little room. The downloaded part
            stays, and the next call resumes from it.
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
    """List the files at an address, each with the file system that opens it."""
    parts = _address_parts(address)
    if parts.scheme not in _PROTOCOLS or not parts.netloc:
        raise InputError(
            f"{_without_secrets(address)!r} is no address that files can be fetched from",
            allowed=", ".join(f"{name}://" for name in _PROTOCOLS),
            remedy="Files on this machine are given by their path, without fetching",
        )
    return _asking(address, partial(_found, address, parts.scheme in _WEB))


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
        raise InputError(f"There is no export at {_without_secrets(address)}", allowed=", ".join(SUFFIXES))
    return [(system, file) for file in files]


def _remote(address: str, path: str, about: dict[str, Any], web: bool) -> RemoteFile:
    shown = _without_secrets(address) if web else f"{urlsplit(address).scheme}://{path}"
    version = next((str(about[name]) for name in _VERSION if about.get(name)), "")
    return RemoteFile(shown, path, about.get("size"), version)


def _names(files: Sequence[RemoteFile]) -> list[str]:
    """Choose the local name of each file: its remote name, with its folders where files share it."""
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
    """Shorten a name to what any disk allows, keeping it unique by a hash, and its suffixes."""
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    end = f"-{_digest(name)[:12]}{''.join(PurePosixPath(name).suffixes[-2:])[-20:]}"
    return name.encode()[: _LONGEST_NAME - len(end.encode())].decode(errors="ignore") + end


def _is_there(file: RemoteFile, target: Path) -> bool:
    """Whether the target is the current version of a file.

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
    """Append the missing bytes to the unfinished file; return the size of the whole, if known."""
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
                report(_STAGE, begin / (whole or begin), f"{_name(file)}: {said}")
    return whole


def _add(copy: FileIO, piece: bytes) -> None:
    with disk_errors():
        rest = memoryview(piece)
        while rest:  # a disk that is almost full takes a part
            rest = rest[copy.write(rest) :]


def _asking(address: str, ask: Callable[[], T]) -> T:
    """Call a function that uses the network, turning its errors into clear ones.

    Raises:
        InputError: If there is nothing at the address, or it may not be read.
        ResourceError: If the server does not answer.
    """
    try:
        return ask()
    except Beha2VecError:
        raise
    except ImportError as error:
        raise InputError(
            f"{_without_secrets(address)} needs a package that is not installed: {error.name or error}",
            remedy="pip install 'beha2vec[remote]', or, in a checkout, that package by its own name",
        ) from error
    except Exception as error:  # each store raises errors of its own, of no common kind
        status = getattr(getattr(error, "response", None), "status_code", None)  # of the web
        raise _in_words(_without_secrets(address), error, status) from error


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
