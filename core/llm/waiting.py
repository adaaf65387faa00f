"""Waiting for a server without being stuck with it: whoever waits can stop at any moment.

A blocking request cannot be interrupted, so it runs in a thread of its own and what it brings comes through a
queue. Who stops leaves the thread behind; it ends with its connection, at the latest at its time limit.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from core.base.errors import Cancelled
from core.llm.chat_types import Stop

POLL_S: Final = 0.05
T = TypeVar("T")
Emit = Callable[[Any], None]


class Abandoned(Exception):
    """Raised within the thread when nobody waits for it any more."""


class TooLate(Exception):
    """The time is over."""


def wait_for(
    work: Callable[[Emit], T],
    on_part: Callable[[Any], None] = lambda _: None,
    should_stop: Stop = lambda: False,
    seconds: float | None = None,
) -> T:
    """Do blocking work, and give up when told to; it is not begun if that is so already.

    Args:
        work: Runs in a thread; calls what it is given for each part, and returns the result.
        on_part: Gets the parts, in the thread that waits.
        should_stop: Asked every :data:`POLL_S` seconds.
        seconds: To wait at most; without limit when None.

    Raises:
        Cancelled: If ``should_stop`` says so.
        TooLate: If the time is over.
        Exception: Whatever the work raises.
    """
    parts: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    over, until = threading.Event(), float("inf") if seconds is None else time.monotonic() + seconds
    _go_on(should_stop, until)  # else what nobody waits for would be sent all the same
    threading.Thread(target=_run, args=(work, parts, over), daemon=True, name="language model").start()
    try:
        result: T = _collect(parts, on_part, should_stop, until)
        return result
    finally:
        over.set()


def _go_on(should_stop: Stop, until: float) -> None:
    if should_stop():
        raise Cancelled("The answer")
    if time.monotonic() > until:
        raise TooLate


def _run(
    work: Callable[[Emit], Any], parts: queue.SimpleQueue[tuple[str, Any]], over: threading.Event
) -> None:
    def emit(part: object) -> None:
        if over.is_set():
            raise Abandoned
        parts.put(("part", part))

    try:
        parts.put(("result", work(emit)))
    except Exception as error:  # handed to whoever waits
        parts.put(("error", error))


def _collect(
    parts: queue.SimpleQueue[tuple[str, Any]], on_part: Callable[[Any], None], should_stop: Stop, until: float
) -> Any:  # noqa: ANN401 - what the work returns
    while True:
        _go_on(should_stop, until)
        try:
            kind, value = parts.get(timeout=POLL_S)
        except queue.Empty:
            continue
        if kind == "result":
            return value
        if kind == "error":
            raise value
        on_part(value)
