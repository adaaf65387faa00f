"""Cache of fetched pages' documents on disk, each with its date; failures are not kept."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, Self

from core.base.errors import ResourceError
from core.labels.fetching.extract import document_from
from core.labels.fetching.limits import FetchLimits
from core.labels.label_types import Document
from core.storage.json_cache import JsonCache

_FORMAT: Final = 1
"""Version of the documents; raised when pages are read in another way, so that they are fetched again."""
_SIZE_BYTES: Final = 200_000_000
"""Size of the cache beyond which the oldest documents are removed."""
_DAY_S: Final = 86_400.0


class Stored(NamedTuple):
    """A document and when its page was fetched."""

    document: Document
    fetched: str
    """UTC, ISO 8601, to the second."""


class PageStore:
    """The cache of documents in a folder.

    Args:
        folder: Created if missing, readable by its owner only.
        days: Days after which a document expires.

    Raises:
        ResourceError: If the folder cannot be used.
    """

    def __init__(self, folder: Path, days: float) -> None:
        self._days, self._cache = days, JsonCache(folder, _SIZE_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.close()

    def get(self, url: str) -> Stored | None:
        """The document of a page; None if it is not cached, expired or unreadable."""
        try:
            entry = self._cache.get(_key(url))
            return entry and Stored(document_from(entry["document"]), str(entry["fetched"]))
        except (ResourceError, ValueError, KeyError, TypeError):
            return None

    def cache_keys(self) -> list[str]:
        """Keys of all cached documents, one a page; empty if the cache cannot be read."""
        try:
            return self._cache.keys()
        except ResourceError:
            return []

    def put(self, url: str, document: Document) -> Stored:
        """Cache a document with the current time.

        Raises:
            ResourceError: If it cannot be written.
        """
        stored = Stored(document, datetime.now(UTC).isoformat(timespec="seconds"))
        entry = {"document": asdict(document), "fetched": stored.fetched}
        self._cache.put({_key(url): entry}, expire_s=self._days * _DAY_S)
        return stored


def known(folder: Path, days: float = FetchLimits().cache_days) -> dict[str, Stored]:
    """Every cached document that has not expired, by URL; a missing folder is not created."""
    if not folder.is_dir():
        return {}
    mark = _key("")
    with PageStore(folder, days) as store:
        urls = [key.removeprefix(mark) for key in store.cache_keys() if key.startswith(mark)]
        found = ((url, store.get(url)) for url in urls)
        return {url: stored for url, stored in found if stored is not None}


def _key(url: str) -> str:
    return f"{_FORMAT} {url}"
