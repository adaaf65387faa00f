"""One writer a place: whoever comes second is told who is there, and waits where it is a matter of moments.

A claim, or a turn, is a lock of the operating system on a hidden file. It ends with its process, however that
ends, so that no file that was left behind ever bars the way.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias

from filelock import FileLock, Timeout

from core.base.errors import ResourceError
from core.storage.disk import disk_errors

LOCK: Final = ".lock"
PATIENCE_S: Final = 10.0
"""Longest wait for a turn; each takes milliseconds."""

Confirm: TypeAlias = Callable[[], None]
"""Raises a ResourceError if the place was removed or replaced since it was claimed."""

_held: dict[tuple[int, Path], Confirm] = {}
"""Thread and lock file → its claim; a thread may claim again what it has."""


@contextmanager
def claimed(folder: Path) -> Iterator[Confirm]:
    """Be the only one who writes into a folder that exists.

    Raises:
        ResourceError: If another process or thread has it, it cannot be locked, or it vanished meanwhile.
    """
    with _claim(folder, folder / LOCK) as confirm:
        yield confirm


@contextmanager
def claimed_file(path: Path) -> Iterator[Confirm]:
    """Be the only one who writes a file; its folder exists, the file need not.

    Raises:
        ResourceError: See :func:`claimed`.
    """
    with _claim(path, path.with_name(f".{path.name}{LOCK}")) as confirm:
        yield confirm


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Be the only one who changes a folder, made if missing, for a moment; a thread may enter it again.

    Raises:
        ResourceError: If others do not let go for :data:`PATIENCE_S`, or the disk refuses.
    """
    with disk_errors():
        folder.mkdir(parents=True, exist_ok=True)
        path = folder.resolve() / LOCK  # one object for all of a thread, so that it can be taken again
        lock = FileLock(path, poll_interval=0.005, is_singleton=True, fallback_to_soft=False)
        try:
            lock.acquire(timeout=PATIENCE_S)
        except Timeout as error:
            raise ResourceError(
                f"{folder} has been busy for {PATIENCE_S:.0f} s: another process there may be stopped",
                remedy="Let it go on or end it, and try again",
            ) from error
        except FileNotFoundError as error:
            raise ResourceError(f"{folder} was removed a moment ago", remedy="Try again") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def unless_removed(place: Path) -> Iterator[None]:
    """What is missing was there a moment ago; and so was a lock of ours alone that cannot be had.

    Raises:
        ResourceError: If something is.
    """
    try:
        yield
    except (FileNotFoundError, Timeout) as error:
        raise ResourceError(
            f"{place} was removed while it was being written", remedy="Start again"
        ) from error


@contextmanager
def _claim(what: Path, lock_file: Path) -> Iterator[Confirm]:
    mine = threading.get_ident(), lock_file.resolve()
    if mine in _held:
        yield _held[mine]
        return
    with disk_errors(), _locked(what, lock_file):
        with unless_removed(what):
            confirm = _confirming(what, lock_file)
            lock_file.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        _held[mine] = confirm
        try:
            with _explained(confirm):
                yield confirm
        finally:
            del _held[mine]
            with suppress(ResourceError, OSError):
                confirm()
                lock_file.unlink()  # still locked: who opened it meanwhile sees that it is gone


@contextmanager
def _locked(what: Path, lock_file: Path) -> Iterator[None]:
    lock = FileLock(lock_file, timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except FileNotFoundError as error:
        raise ResourceError(f"{what} was removed a moment ago", remedy="Start again") from error
    except Timeout as error:
        raise ResourceError(
            f"{what} is being written by {_owner(lock_file)}",
            remedy="Wait until it has ended, or choose another --out",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _owner(lock_file: Path) -> str:
    with suppress(OSError, ValueError):
        return lock_file.read_text(encoding="utf-8") or "another process"
    return "another process"


def _confirming(what: Path, lock_file: Path) -> Confirm:
    """Remember which file was locked: as long as it is open, no other file can be mistaken for it."""
    locked = os.stat(lock_file)  # noqa: PTH116 - beside samestat

    def confirm() -> None:
        with suppress(OSError):
            if os.path.samestat(locked, os.stat(lock_file)):  # noqa: PTH116 - beside samestat
                return
        raise ResourceError(f"{what} was removed while it was being written", remedy="Start again")

    return confirm


@contextmanager
def _explained(confirm: Confirm) -> Iterator[None]:
    """A place that vanished is the cause of whatever failed in it."""
    try:
        yield
    except Exception:
        confirm()
        raise
