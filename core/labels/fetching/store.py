"""Documents of fetched pages on disk, each with its date. Failures are not kept.

``diskcache`` unpickles what its tables say is pickled (CVE-2025-69872). Here values are JSON, what claims to
be pickled is refused, and the folder is its owner's alone.
"""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import diskcache
from diskcache.core import MODE_PICKLE

from core.errors import ResourceError
from core.labels.contract import Document
from core.labels.fetching.extract import document_from
from core.labels.fetching.limits import FetchLimits
from core.store import disk_errors

FORMAT: Final = 1
"""Raised when pages are read in another way, so that they are fetched again."""
SIZE_BYTES: Final = 200_000_000
"""Beyond this the oldest are dropped."""
_DAY_S: Final = 86_400.0


class Stored(NamedTuple):
    """A document and when its page was fetched."""

    document: Document
    fetched: str
    """UTC, ISO 8601, to the second."""


class PlainDisk(diskcache.JSONDisk):  # type: ignore[misc]  # it has no types
    """JSON and nothing else."""

    def fetch(self, mode: int, filename: str, value: Any, read: bool) -> Any:  # noqa: ANN401
        """Refuse what would be run."""
        if mode == MODE_PICKLE:
            raise ValueError("a pickled value in the page cache")
        return super().fetch(mode, filename, value, read)

    def get(self, key: Any, raw: bool) -> Any:  # noqa: ANN401
        """Refuse what would be run."""
        if not raw:
            raise ValueError("a pickled key in the page cache")
        return super().get(key, raw)


class PageStore:
    """The cache of one store's pages.

    Args:
        folder: Made if missing, and closed to others.
        days: How long a document is good.

    Raises:
        ResourceError: If the folder cannot be used.
    """

    def __init__(self, folder: Path, days: float) -> None:
        self._days = days
        with disk_errors():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
        self._cache = _opened(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cache.close()

    def get(self, url: str) -> Stored | None:
        """The document of a page, if it was fetched lately; what cannot be read is not there."""
        try:
            held = self._cache.get(_key(url))
            return held and Stored(document_from(held["document"]), str(held["fetched"]))
        except (ValueError, KeyError, TypeError, OSError, zlib.error, sqlite3.Error, diskcache.Timeout):
            return None

    def addresses(self) -> list[str]:
        """Keys of all that is kept; none where the cache cannot be read."""
        try:
            return [key for key in self._cache.iterkeys() if isinstance(key, str)]
        except (ValueError, OSError, sqlite3.Error, diskcache.Timeout):
            return []

    def put(self, url: str, document: Document) -> Stored:
        """Keep a document under today's date.

        Raises:
            ResourceError: If the disk refuses.
        """
        stored = Stored(document, datetime.now(UTC).isoformat(timespec="seconds"))
        held = {"document": asdict(document), "fetched": stored.fetched}
        try:
            with disk_errors():
                self._cache.set(_key(url), held, expire=self._days * _DAY_S)
        except (sqlite3.Error, diskcache.Timeout) as error:
            raise ResourceError(
                f"The page cache cannot be written: {error}", remedy="Free some space, or use another folder"
            ) from error
        return stored


def known(folder: Path, days: float = FetchLimits().cache_days) -> dict[str, Stored]:
    """Every document that is kept and still good, by URL; nothing is made where there is no folder."""
    if not folder.is_dir():
        return {}
    mark = _key("")
    with PageStore(folder, days) as store:
        urls = [key.removeprefix(mark) for key in store.addresses() if key.startswith(mark)]
        found = ((url, store.get(url)) for url in urls)
        return {url: stored for url, stored in found if stored is not None}


def _key(url: str) -> str:
    return f"{FORMAT} {url}"


def _opened(folder: Path) -> diskcache.Cache:
    """Open the cache; a damaged one is begun anew."""
    try:
        return _cache(folder)
    except sqlite3.OperationalError as error:
        raise ResourceError(
            f"The page cache in {folder} cannot be opened: {error}", remedy="Free some space, or try again"
        ) from error
    except sqlite3.DatabaseError:
        for name in ("cache.db", "cache.db-wal", "cache.db-shm"):
            (folder / name).unlink(missing_ok=True)
        return _cache(folder)


def _cache(folder: Path) -> diskcache.Cache:
    with disk_errors():
        return diskcache.Cache(str(folder), disk=PlainDisk, size_limit=SIZE_BYTES, disk_compress_level=6)
