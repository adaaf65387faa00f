"""JSON on disk: single files of the app, and a cache of values by key.

A file (:class:`JsonFile`) is written whole or not at all, and set aside where it is damaged. The cache
(:class:`JsonCache`) lies in a folder that only its owner can open. ``diskcache`` unpickles what its tables
say is pickled (CVE-2025-69872): here a pickled value is refused, and counts as absent.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, Generic, Self, TypeVar

import diskcache
from diskcache.core import MODE_PICKLE
from pydantic import TypeAdapter, ValidationError

from core.base.errors import ResourceError
from core.storage.disk import READABLE, disk_errors, put_in_place, write_text_atomic
from core.storage.locks import folder_lock

T = TypeVar("T")


class JsonFile(Generic[T]):
    """A JSON file that holds one typed value. To read, change and write it, hold ``Store.in_turn``.

    Args:
        path: The file; its folder is made on the first write.
        kind: Type of the value: a pydantic model, a dataclass, or a type such as ``dict[int, str]``.
        mode: Permission bits, see :func:`core.storage.disk.atomic_write`.
        sparse: Whether only what differs from the defaults is written.
    """

    def __init__(self, path: Path, kind: type[T], mode: int = READABLE, *, sparse: bool = False) -> None:
        self.path, self._mode, self._sparse = path, mode, sparse
        self._adapter: TypeAdapter[T] = _adapter(kind)  # type: ignore[arg-type]  # a type can be hashed

    def read(self) -> T | None:
        """Return the value; None if there is no file, or a damaged one, which is set aside.

        Raises:
            ResourceError: If the disk refuses.
        """
        with suppress(ValidationError):
            return self._read()
        with folder_lock(self.path.parent):
            try:
                return self._read()
            except ValidationError:  # not one that another session has mended meanwhile
                made = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
                with disk_errors():
                    put_in_place(self.path, self.path.with_name(f"{self.path.stem}.broken-{made}.json"))
        return None

    def write(self, value: T) -> None:
        """Write a value, replacing the previous one.

        Raises:
            ResourceError: If the disk is full; the old value is still there.
        """
        plain = self._adapter.dump_python(value, mode="json", exclude_defaults=self._sparse)
        write_text_atomic(self.path, json.dumps(plain, ensure_ascii=False, indent=1), self._mode)

    def delete(self) -> None:
        """Remove the file, if it exists."""
        self.path.unlink(missing_ok=True)

    def _read(self) -> T | None:
        with disk_errors():
            try:
                return self._adapter.validate_json(self.path.read_bytes())
            except FileNotFoundError:
                return None


def set_aside(folder: Path) -> list[Path]:
    """List the damaged JSON files that were set aside in a folder, by name."""
    return sorted(folder.glob("*.broken-*.json"))


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(kind)  # type: ignore[arg-type]  # any type that pydantic knows


_PRIVATE: Final = 0o700
_FILES: Final = ("cache.db-wal", "cache.db-shm", "cache.db")
"""Files of the cache in the order of removal. While ``cache.db`` exists, no other process makes new ones."""
_SETTLED_S: Final = 0.2
"""Seconds to wait until other processes have closed the removed files."""
_DAMAGED: Final = (ValueError, TypeError, zlib.error)
"""Errors of reading a value that is cut off, or was written by another program."""


class _JsonDisk(diskcache.JSONDisk):  # type: ignore[misc]  # it has no types
    """A disk for ``diskcache`` that reads JSON and refuses pickled data."""

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:  # noqa: ANN401 - as in diskcache
        """Read a value; raise ValueError if it is pickled."""
        if mode == MODE_PICKLE:
            raise ValueError("a pickled value")
        return super().fetch(mode, filename, value, read)

    def get(self, key: Any, raw: bool) -> Any:  # noqa: ANN401 - as in diskcache
        """Read a key; raise ValueError if it is pickled."""
        if not raw:
            raise ValueError("a pickled key")
        return super().get(key, raw)


class JsonCache:
    """A cache of JSON values by key; a damaged cache is emptied.

    Args:
        folder: Made if missing, and closed to other users of the machine.
        size_bytes: Size beyond which the oldest values are dropped.

    Raises:
        ResourceError: If the folder cannot be used.
    """

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self._folder = folder
        with disk_errors():
            folder.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
            folder.chmod(_PRIVATE)
        with self._usable():
            self._disk = _opened(folder, size_bytes)

    def get(self, key: str) -> Any:  # noqa: ANN401 - any JSON
        """Return the value of a key, or None if it is absent or damaged.

        Raises:
            ResourceError: If the folder cannot be used.
        """
        try:
            with self._usable():
                return self._disk.get(key)
        except _DAMAGED:
            return None

    def put(self, values: Mapping[str, Any], expire_s: float | None = None) -> None:
        """Store values by key, all or none.

        Raises:
            ResourceError: If the folder cannot be used, or the disk is full.
        """
        with self._usable(), self._disk.transact():
            for key, value in values.items():
                self._disk.set(key, value, expire=expire_s)

    def keys(self) -> list[str]:
        """List all keys, expired ones included; empty if a key is damaged.

        Raises:
            ResourceError: If the folder cannot be used.
        """
        try:
            with self._usable():
                return [key for key in self._disk.iterkeys() if isinstance(key, str)]
        except _DAMAGED:
            return []

    def close(self) -> None:
        """Close the files of the cache."""
        self._disk.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            with disk_errors():
                yield
        except (sqlite3.Error, diskcache.Timeout, OSError) as error:
            raise ResourceError(
                f"The cache in {self._folder} cannot be used: {error or 'busy for a minute'}",
                remedy="Free some space, or delete that folder: it is then filled anew",
            ) from error


def _opened(folder: Path, size_bytes: int) -> diskcache.Cache:
    """Open the cache; if it is damaged, one process makes it anew while the others wait."""
    with suppress(sqlite3.Error, *_DAMAGED):
        return _cache(folder, size_bytes)
    with folder_lock(folder):
        with suppress(sqlite3.OperationalError, *_DAMAGED):
            return _begun(folder, size_bytes)
        time.sleep(_SETTLED_S)  # another one still lets go of the files that were taken away
        return _begun(folder, size_bytes)


def _begun(folder: Path, size_bytes: int) -> diskcache.Cache:
    try:
        return _cache(folder, size_bytes)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        for name in _FILES:
            (folder / name).unlink(missing_ok=True)
        return _cache(folder, size_bytes)


def _cache(folder: Path, size_bytes: int) -> diskcache.Cache:
    return diskcache.Cache(str(folder), disk=_JsonDisk, size_limit=size_bytes)
