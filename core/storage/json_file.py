"""A JSON file that the app keeps for itself: written whole or not at all, set aside where it is damaged."""

from __future__ import annotations

import json
from collections.abc import Hashable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from core.storage.claims import turn
from core.storage.disk import READABLE, disk_errors, put, write_text_atomic

T = TypeVar("T")


class JsonFile(Generic[T]):
    """A value on disk. Whoever changes what it read takes turns with the others (``Store.in_turn``).

    Args:
        path: Where; its folder is made on the first write.
        kind: What it holds: a pydantic model, a dataclass, or a type such as ``dict[int, str]``.
        mode: Who may read it, see :func:`core.storage.disk.written_whole`.
        sparse: Whether only what differs from the defaults is written.
    """

    def __init__(self, path: Path, kind: type[T], mode: int = READABLE, *, sparse: bool = False) -> None:
        self.path, self._mode, self._sparse = path, mode, sparse
        self._adapter: TypeAdapter[T] = _adapter(kind)  # type: ignore[arg-type]  # a type can be hashed

    def read(self) -> T | None:
        """What it holds; None where there is none, or a damaged one, which is set aside.

        Raises:
            ResourceError: If the disk refuses.
        """
        with suppress(ValidationError):
            return self._read()
        with turn(self.path.parent):
            try:
                return self._read()
            except ValidationError:  # not one that another session has mended meanwhile
                made = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
                with disk_errors():
                    put(self.path, self.path.with_name(f"{self.path.stem}.broken-{made}.json"))
        return None

    def write(self, value: T) -> None:
        """Keep a value, in place of the one before.

        Raises:
            ResourceError: If the disk is full; the old one is still there.
        """
        plain = self._adapter.dump_python(value, mode="json", exclude_defaults=self._sparse)
        write_text_atomic(self.path, json.dumps(plain, ensure_ascii=False, indent=1), self._mode)

    def delete(self) -> None:
        """Remove it, if it is there."""
        self.path.unlink(missing_ok=True)

    def _read(self) -> T | None:
        with disk_errors():
            try:
                return self._adapter.validate_json(self.path.read_bytes())
            except FileNotFoundError:
                return None


def set_aside(folder: Path) -> list[Path]:
    """Files of a folder that could not be read, by name."""
    return sorted(folder.glob("*.broken-*.json"))


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    return TypeAdapter(kind)  # type: ignore[arg-type]  # any type that pydantic knows
