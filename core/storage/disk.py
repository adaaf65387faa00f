"""Atomic writes, and disk errors as one clear line.

A file or folder gets its name by a rename, after all its bytes were flushed; then the parent folder is
flushed. So whatever has its name after a crash or a power failure is whole.
"""

from __future__ import annotations

import errno
import glob
import io
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import numpy as np
from humanize import naturalsize

from core.base.errors import ResourceError

READABLE, PRIVATE = 0o666, 0o600
RESERVE: Final = 512 * 2**20
"""Bytes of disk space that large files leave free."""
_STALE_S: Final = 24 * 3600.0
"""Seconds without a write after which an unfinished file is removed."""

_ELSEWHERE: Final = "Choose another place"
_LATER: Final = "start again; the previous results are untouched"
_FULL: Final = ("The disk is full: {name}", f"Free some space and {_LATER}")
_FAILING: Final = ("The disk reports an error at {name}: {reason}", f"Check the disk and {_LATER}")
_MANY_FILES: Final = ("Too many files are open for {name}", f"Raise the limit (ulimit -n) and {_LATER}")
_REFUSALS: Final = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: (
        "{name} would become larger than is allowed here",
        f"Raise the limit (ulimit -f) or choose another disk, and {_LATER}",
    ),
    errno.EROFS: ("{name} cannot be written: {reason}", _ELSEWHERE),
    errno.EIO: _FAILING,
    errno.ENXIO: _FAILING,
    errno.ENODEV: _FAILING,
    errno.ESTALE: _FAILING,
    errno.EMFILE: _MANY_FILES,
    errno.ENFILE: _MANY_FILES,
    errno.ENAMETOOLONG: ("{name} is too long a name for this disk", "Choose a shorter one"),
    errno.ELOOP: ("{name} cannot be used: {reason}", _ELSEWHERE),
    errno.EMLINK: ("{name} cannot be used: {reason}", _ELSEWHERE),
    errno.ENOLCK: ("{name} cannot be locked: {reason}", _ELSEWHERE),
    errno.ENOSYS: ("{name} cannot be locked: {reason}", _ELSEWHERE),
}
"""Error number of the system → problem and remedy of the message; any other number is a bug."""


def require_room(folder: Path, coming: int, what: str) -> None:
    """Check, before writing, that a large file fits on the disk.

    Args:
        folder: Where the file would lie.
        coming: Bytes that are still to be written.
        what: Subject of the message, such as the file's name.

    Raises:
        ResourceError: If less than :data:`RESERVE` would be left free.
    """
    free = shutil.disk_usage(folder).free
    if coming + RESERVE > free:
        raise ResourceError(
            f"{what} still needs {naturalsize(coming)} in {folder}, and {naturalsize(free)} are free",
            remedy="Free some space, or choose a folder on another disk",
        )


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn operating-system errors of a disk into an error that a person can act on.

    Raises:
        ResourceError: If the disk is full, failing or read-only, a limit is reached, or a path is unusable.
    """
    try:
        yield
    except (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise ResourceError(
            f"{error.filename2 or error.filename} cannot be used: {error.strerror}",
            remedy="Choose another place, or change its permissions",
        ) from error
    except OSError as error:
        number = errno.ENOSPC if _cut_short(error) else error.errno
        if number not in _REFUSALS:
            raise
        problem, remedy = _REFUSALS[number]
        name = error.filename2 or error.filename or "a file that was to be written"
        raise ResourceError(problem.format(name=name, reason=error.strerror), remedy=remedy) from error


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, unless it exists.

    Raises:
        ResourceError: If the disk refuses, or has no place for folders there (``/proc``).
    """
    with disk_errors():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileNotFoundError as error:
            raise ResourceError(f"{folder} cannot be made: {error.strerror}", remedy=_ELSEWHERE) from error


@contextmanager
def work_folder(folder: Path, prefix: str) -> Iterator[Path]:
    """Yield an empty folder for intermediate files, which is removed afterwards.

    Args:
        folder: Where it lies; claimed by this process, as what a killed one left there is removed first.
        prefix: How its name begins.

    Raises:
        ResourceError: If the disk refuses.
    """
    remove_left(folder, prefix)
    with (
        disk_errors(),
        tempfile.TemporaryDirectory(dir=folder, prefix=prefix, ignore_cleanup_errors=True) as work,
    ):
        yield Path(work)


def remove_left(folder: Path, prefix: str) -> None:
    """Remove the work folders that killed processes left: all in ``folder`` that begin with ``prefix``."""
    for left in folder.glob(f"{glob.escape(prefix)}*"):
        shutil.rmtree(left, ignore_errors=True)


def _cut_short(error: OSError) -> bool:
    """Whether NumPy reports a write that the disk cut short, which has no error number."""
    return error.errno is None and " requested and " in str(error)


def flush(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:  # some network file systems have nothing to flush for a folder
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def flush_all(folder: Path) -> None:
    """Flush every file and folder below a folder, and the folder."""
    for path in folder.rglob("*"):
        flush(path)
    flush(folder)


def put_in_place(source: Path, target: Path) -> None:
    """Rename a flushed file or folder, and flush the new name."""
    os.replace(source, target)
    flush(target.parent)


def drop_stale(parts: Iterable[Path]) -> None:
    """Remove those of some unfinished files that were last written more than a day ago."""
    oldest = time.time() - _STALE_S
    for part in parts:
        with suppress(OSError):  # else the next call does; one that is gone meanwhile got its name
            if part.stat().st_mtime < oldest:
                part.unlink()


@contextmanager
def atomic_write(path: Path, mode: int = READABLE) -> Iterator[Path]:
    """Yield a temporary file beside ``path`` to fill; a clean exit puts it in place, an error removes it.

    Args:
        path: The file; its folder must be there.
        mode: Permission bits, before the process's umask; :data:`PRIVATE` for its owner alone.

    Raises:
        ResourceError: If the disk refuses; an older file is still there.
    """
    building = path.with_name(f".{path.name[:40]}.{secrets.token_hex(6)}")
    with disk_errors():
        try:
            os.close(os.open(building, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
            yield building
            flush(building)
            put_in_place(building, path)
        except BaseException:
            with suppress(OSError):
                building.unlink()
            raise


def write_text_atomic(path: Path, text: str, mode: int = READABLE) -> None:
    """Replace a text file as a whole, see :func:`atomic_write`.

    Args:
        path: The file; its folder is made if missing.
        text: The new content, written as UTF-8.
        mode: Permission bits of the file.

    Raises:
        ResourceError: If the disk refuses; the old file is still there.
    """
    make_folder(path.parent)
    with atomic_write(path, mode) as building:
        building.write_text(text, encoding="utf-8")


def load_array(path: Traversable) -> np.ndarray:
    """Read a ``.npy`` file into memory."""
    array: np.ndarray = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    return array


def load_arrays(path: Traversable) -> dict[str, np.ndarray]:
    """Read the arrays of an ``.npz`` file into memory, by name."""
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
        return dict(arrays)
