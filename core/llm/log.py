"""A log of every call: what was sent where, what came back. No key is ever part of it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from core.storage.disk import disk_errors

FILE: Final = "calls.jsonl"
LARGEST: Final = 5 * 2**20
"""Bytes of one file."""
KEPT: Final = 3
"""Older files."""


@dataclass(frozen=True)
class LoggedCall:
    """One request and what came of it.

    Args:
        host: Where it went.
        model: Which model.
        messages: All that was said.
        tools: Names of the tools that were offered.
        answer: Text that came, or the tool calls as JSON.
        error: Why nothing usable came; empty if something did.
        seconds: How long it took.
        usage: Tokens as the server counts them, or ``estimated``.
    """

    host: str
    model: str
    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[str] = ()
    answer: str = ""
    error: str = ""
    seconds: float = 0.0
    usage: Mapping[str, Any] | None = None


class CallLog:
    """Calls in a folder, one JSON object a line; a full file is put aside.

    Args:
        folder: Made when needed, for its owner only.
        largest: Bytes of a file before the next one is begun.

    Raises:
        ResourceError: If the folder cannot be used.
    """

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        self._path, self._largest, self._lock = folder / FILE, largest, threading.Lock()
        with disk_errors():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def path(self) -> Path:
        """The file that is written now."""
        return self._path

    def write(self, call: LoggedCall) -> None:
        """Add a call.

        Raises:
            ResourceError: If the disk is full or the folder is gone.
        """
        entry = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **asdict(call)}
        line = json.dumps(entry, ensure_ascii=False, default=str) + "\n"
        with self._lock, disk_errors():
            self._rotate(len(line.encode()))
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
                file.write(line.encode())

    def read(self, most: int = 200) -> list[dict[str, Any]]:
        """The last calls of the file that is written now, the latest first; a damaged line is left out."""
        with self._lock, disk_errors():
            lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        return [call for line in reversed(lines[-most:]) if (call := _call(line)) is not None]

    def clear(self) -> None:
        """Delete every file of the log.

        Raises:
            ResourceError: If the disk refuses.
        """
        with self._lock, disk_errors():
            for path in self._files():
                path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return [self._path, *(self._path.with_suffix(f".{number}.jsonl") for number in range(1, KEPT + 1))]

    def _rotate(self, more: int) -> None:
        if not self._path.exists() or self._path.stat().st_size + more <= self._largest:
            return
        for newer, older in reversed(list(pairwise(self._files()))):
            if newer.exists():
                newer.replace(older)


def _call(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:  # cut off when the disk was full
        return None
    return found if isinstance(found, dict) else None
