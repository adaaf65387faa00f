"""From what the analyst pointed at to files that can be read: in order, each with a name of its own."""

from __future__ import annotations

import glob
import gzip
import re
import stat
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from core.base.errors import InputError
from core.ingest.sources.sniffing import ALLOWED

SUFFIXES: Final = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".gz", ".zip")
"""Files of a folder that are read; anything else in it is left alone."""

_BAD_NAME: Final = UnicodeDecodeError  # of a member of a zip
_DAMAGE: Final = (
    EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, NotImplementedError, _BAD_NAME
)  # fmt: skip
_NO_FILES: Final = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def find_files(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """Expand folders and patterns: files in the order of their names, and what to call each of them.

    Raises:
        InputError: If there is nothing to read.
    """
    files = sorted((file for path in paths for file in _expand(Path(path))), key=natural)
    if not files:
        raise InputError("No input file was given", allowed=ALLOWED)
    names = _short_names(files)
    return [(file, names[file]) for file in files]


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Say in one line which file cannot be read, and why.

    Raises:
        InputError: If it cannot.
    """
    try:
        yield
    except _DAMAGE as error:
        raise InputError(
            f"{name} is cut off or damaged: {error}", remedy="Download or export it again"
        ) from error
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}", remedy="Check the path") from error


def size_on_disk(path: Path, name: str) -> int:
    """Size in bytes; what is no file may never end, and is not opened.

    Raises:
        InputError: If it is no file, or an empty one.
    """
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        what = _NO_FILES.get(stat.S_IFMT(about.st_mode), "no file")
        raise InputError(f"{name} is {what}", allowed=ALLOWED, remedy="Save what it gives to a file first")
    if not about.st_size:
        raise InputError(f"{name} is empty", allowed=ALLOWED)
    return about.st_size


def _expand(path: Path) -> list[Path]:
    with readable(str(path)):
        if path.is_dir():
            return _from_folder(path)
        if path.exists():
            return [path]
    if glob.has_magic(str(path)):
        if files := _matching(path):
            return files
        raise InputError(f"No file matches {path}")
    raise InputError(f"{path} does not exist", remedy="Check the path")


def _matching(pattern: Path) -> list[Path]:
    """Files that match; unlike ``glob.glob``, ``**`` follows no links, which may lead in circles."""
    inside = pattern.relative_to(pattern.anchor) / ("*" if pattern.name == "**" else "")
    hidden = pattern.name.startswith(".")
    with suppress(ValueError):  # as pathlib calls a pattern such as a**b
        found = Path(pattern.anchor).glob(str(inside))
        return [file for file in found if file.is_file() and (hidden or not file.name.startswith("."))]
    return []


def _from_folder(folder: Path) -> list[Path]:
    entries = sorted(
        entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith(".")
    )
    files = [entry for entry in entries if entry.suffix.lower() in SUFFIXES]
    if not files:
        found = ", ".join(entry.name for entry in entries[:10]) or "nothing"
        raise InputError(f"{folder} holds no export; found {found}", allowed=", ".join(SUFFIXES))
    return files


def natural(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key in which ``part9`` comes before ``part10``."""
    pieces = re.findall(r"\d+|\D+", path.name)
    return [(0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces], str(path)


def _short_names(files: Sequence[Path]) -> dict[Path, str]:
    """File names; as much of the path as it takes where two files share one."""
    names = {file: file.name for file in files}
    for length in range(2, 1 + max(len(file.parts) for file in files)):
        uses: defaultdict[str, list[Path]] = defaultdict(list)
        for file, name in names.items():
            uses[name].append(file)
        for file in (file for sharing in uses.values() if len(sharing) > 1 for file in sharing):
            names[file] = "/".join(file.parts[-length:])
    return names
