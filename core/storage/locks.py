"""Locks that leave each folder or file one writer at a time.

A claim (:func:`claim_folder`) lasts for a whole write: a second writer gets an error that names the first. A
turn (:func:`folder_lock`) takes milliseconds: a second process waits. Both are locks of the operating system
on a hidden file and end with their process, so a lock file that was left behind blocks nobody.
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
"""Longest wait for a turn, in seconds."""

Confirm: TypeAlias = Callable[[], None]
"""Function that raises ResourceError if the folder or file was removed or replaced since it was claimed."""

_held: dict[tuple[int, Path], Confirm] = {}
"""Thread and lock file → check of its claim; a thread may claim again what it holds."""


@contextmanager
def claim_folder(folder: Path) -> Iterator[Confirm]:
    """Claim an existing folder: nobody else may write into it inside the block.

    Raises:
        ResourceError: If another process or thread holds it, it cannot be locked, or was removed meanwhile.
    """
    with _claim(folder, folder / LOCK) as confirm:
        yield confirm


@contextmanager
def claim_file(path: Path) -> Iterator[Confirm]:
    """Claim a file: nobody else may write it inside the block. Its folder must exist, the file need not.

    Raises:
        ResourceError: If another process or thread holds it, it cannot be locked, or was removed meanwhile.
    """
    with _claim(path, path.with_name(f".{path.name}{LOCK}")) as confirm:
        yield confirm


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Wait for a short exclusive lock on a folder, made if missing; a thread may take it again.

    Raises:
        ResourceError: If others hold it for :data:`PATIENCE_S`, or the disk refuses.
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
    """Report a missing file, or a lost private lock, inside the block as the removal of ``place``.

    Raises:
        ResourceError: If a file is missing, or the lock cannot be taken.
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
    """Make the check that the locked file is still in place; as it is open, no other file has its number."""
    locked = os.stat(lock_file)  # noqa: PTH116 - beside samestat

    def confirm() -> None:
        with suppress(OSError):
            if os.path.samestat(locked, os.stat(lock_file)):  # noqa: PTH116 - beside samestat
                return
        raise ResourceError(f"{what} was removed while it was being written", remedy="Start again")

    return confirm


@contextmanager
def _explained(confirm: Confirm) -> Iterator[None]:
    """On any error inside the block, report first whether the claimed folder or file was removed."""
    try:
        yield
    except Exception:
        confirm()
        raise
