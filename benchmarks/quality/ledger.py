"""What a run has found so far, in a JSON file, so that a run that broke goes on where it stopped."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

_Found = TypeVar("_Found")


class Ledger:
    """Answers by key, each computed once and written down at once.

    Args:
        path: The file; made when the first answer is known. Delete it to compute everything again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def once(self, key: str, compute: Callable[[], _Found]) -> _Found:
        """The answer under a key: what is written down, else what ``compute`` finds.

        Args:
            key: Names the answer.
            compute: Finds it; what it returns must be plain data.
        """
        known = self._read()
        if key in known:
            found: _Found = known[key]
            return found
        made = compute()
        self._write(self._read() | {key: made})  # another run may have added to it meanwhile
        return made

    def _read(self) -> dict[str, Any]:
        return json.loads(self._path.read_text(encoding="utf-8")) if self._path.exists() else {}

    def _write(self, known: dict[str, Any]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps(known, indent=1), encoding="utf-8")
        beside.replace(self._path)  # whole or not at all
