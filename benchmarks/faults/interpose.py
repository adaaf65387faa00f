"""The preloaded library of ``interpose.c`` from Python: build it, start under it, arm it."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from enum import IntEnum
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_name("interpose.c")
MARK: Final = "BEHA2VEC_INTERPOSE"


class How(IntEnum):
    """What becomes of the n-th operation on the disk."""

    COUNT = 0
    """Nothing: only count."""
    ONCE = 1
    EVER = 2
    KILL = 3


def compiler() -> str | None:
    """A C compiler, if there is one."""
    return shutil.which("cc") or shutil.which("gcc")


def start_under(module: str) -> None:
    """Replace this process by ``python -m module`` with the library preloaded, unless it is already."""
    if MARK in os.environ:
        return
    cc = compiler()
    if cc is None or not sys.platform.startswith("linux"):
        sys.exit("Faults need Linux and a C compiler (cc); nothing was tried.")
    folder = tempfile.mkdtemp(prefix="interpose-")
    built = Path(folder) / "interpose.so"
    subprocess.run([cc, "-O1", "-shared", "-fPIC", "-o", built, SOURCE, "-ldl", "-lpthread"], check=True)
    os.environ |= {"LD_PRELOAD": str(built), MARK: folder}
    os.execv(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]])


def arm(folder: Path, how: How, at: int, log: Path | None, unflushed: Path) -> None:
    """Count the operations below a folder from now on, and let one fail or be the last.

    Args:
        folder: The folder.
        how: What becomes of it.
        at: Which operation, from 0; -1 for none.
        log: File that lists every operation; None for no list.
        unflushed: File for :func:`tell_unflushed`.
    """
    ctypes.CDLL(None).interpose_arm(
        os.fsencode(folder), ctypes.c_long(at), int(how), os.fsencode(log or ""), os.fsencode(unflushed)
    )


def tell_unflushed() -> None:
    """Write to the file given to :func:`arm` which files and folders changed without a flush since."""
    ctypes.CDLL(None).interpose_dirty()


def unflushed(told: Path, folder: Path) -> list[Path]:
    """Files and folders in a folder that a power failure would take, by what :func:`tell_unflushed` wrote."""
    inodes = set(told.read_text().split()) if told.exists() else set()
    return [path for path in (folder, *sorted(folder.rglob("*"))) if str(path.lstat().st_ino) in inodes]
