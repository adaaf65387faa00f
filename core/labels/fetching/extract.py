"""Read HTML pages into documents, each in a separate child process (``child.py``)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from core.base.errors import ResourceError
from core.base.places import PROJECT
from core.labels.fetching.child import OUT_OF_MEMORY
from core.labels.fetching.fetch_outcomes import FetchOutcome, PageFailed
from core.labels.fetching.limits import FetchLimits
from core.labels.label_types import Document

_CHILD: Final = (sys.executable, "-m", "core.labels.fetching.child")
_SLACK_S: Final = 5.0
"""Seconds beyond the limit, at which the child ends itself, after which the parent kills it."""
_ENVIRONMENT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT")
"""Environment variables that are passed to the child, which reads untrusted pages; no others are."""
_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}


class Extractor:
    """Reads pages one after the other; only :meth:`abort` is thread-safe.

    Args:
        limits: Memory and seconds for a page.
        command: Command of the child process; another one for tests.
    """

    def __init__(self, limits: FetchLimits, command: Sequence[str] = _CHILD) -> None:
        self._limits = limits
        self._command = [*command, str(limits.extract_bytes), str(limits.extract_s)]
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._aborted = False

    def extract(self, html: bytes, charset: str = "") -> Document:
        """Read the document of a page in a child process.

        Args:
            html: The fetched bytes.
            charset: Charset of the header; empty to detect it.

        Raises:
            PageFailed: If it cannot be read within the limits, or crashes the parser.
            ResourceError: If no process can be started.
        """
        head = charset.encode("ascii", "ignore").replace(b"\n", b"")[:40]
        with self._start() as child:
            try:
                answer, _ = child.communicate(head + b"\n" + html, timeout=self._limits.extract_s + _SLACK_S)
            except subprocess.TimeoutExpired:
                child.kill()
                answer = b""
        if child.returncode:
            raise PageFailed(FetchOutcome.UNREADABLE, self._why(child.returncode))
        try:
            return document_from(json.loads(answer))
        except (ValueError, KeyError, TypeError) as error:
            raise PageFailed(FetchOutcome.UNREADABLE, "the page reader gave no document") from error

    def abort(self) -> None:
        """Kill the child and start no other one; may be called from any thread."""
        with self._lock:
            self._aborted = True
            if self._child is not None:
                with suppress(ProcessLookupError):
                    self._child.kill()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._aborted:
                raise PageFailed(FetchOutcome.LEFT_OUT, "the run was stopped")
            try:
                self._child = subprocess.Popen(
                    self._command,
                    cwd=PROJECT,
                    env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ} | _ONE_THREAD,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as error:
                raise ResourceError(
                    f"No process could be started to read pages: {error}",
                    remedy="Free some memory, or label without fetching pages",
                ) from error
            return self._child

    def _why(self, status: int) -> str:
        limits = self._limits
        if status == OUT_OF_MEMORY:
            return f"reading it needed more than {limits.extract_bytes // 1_000_000:,} MB"
        if status in (-signal.SIGALRM, -signal.SIGKILL):
            return f"reading it took longer than {limits.extract_s:g} s"
        if status < 0:
            return f"it crashed the page reader (signal {-status})"
        return "it cannot be read as HTML"


def document_from(parts: Any) -> Document:  # noqa: ANN401 - whatever the JSON held
    """Build a document from its JSON object.

    Raises:
        KeyError: If a part is missing.
        TypeError: If a part has another type.
    """
    return Document(
        text=_text(parts["text"]),
        json_ld_types=tuple(map(_text, parts["json_ld_types"])),
        og_type=_text(parts["og_type"]),
        breadcrumbs=tuple(map(_text, parts["breadcrumbs"])),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value
