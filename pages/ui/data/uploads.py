"""Uploads that arrive in pieces: where unfinished files lie, when they are refused, and how they are named.

A file grows as ``.<id>.part`` in the input folder and gets its name when it is complete. The id comes
from the file's name, size and date, so dropping the same file again goes on where it stopped.
"""

from __future__ import annotations

import filecmp
import re
from pathlib import Path
from typing import Final

from core.base.errors import InputError
from core.storage.disk import drop_stale, flush, put_in_place, require_room

SUFFIXES: Final = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".gz", ".zip")
"""Endings of files that the ingest stage may be able to read by their content."""
_LOG: Final = ".log"
"""Ending of a server's access log, which names no columns and cannot be read."""
MAX_UPLOAD_BYTES: Final = 64 * 2**30
MAX_NAME_LENGTH: Final = 120

_UNSEEN: Final[set[Path]] = set()
"""Files that arrived in this process and have not been inspected yet."""
_ID = re.compile(r"[0-9a-f]{8,32}")
_UNSAFE = re.compile(r"[^\w.\- ()]+")


def clean_name(name: str) -> str:
    """The name of a file without folders, leading dots or characters that a disk may refuse.

    Raises:
        InputError: If it does not end like a file that can be read.
    """
    base = _UNSAFE.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(". _")
    suffix = Path(base).suffix.lower()
    if suffix not in SUFFIXES:
        table = "Make a table of an access log first: docs/how-to/other_tools.md has the command"
        raise InputError(
            f"{base or name!r} cannot be used",
            allowed=", ".join(SUFFIXES),
            remedy=table if suffix == _LOG else "",
        )
    short = base.encode()[-MAX_NAME_LENGTH:].decode(errors="ignore")  # a file system counts bytes
    return short.strip(". _")


def part_path(folder: Path, upload_id: str) -> Path:
    """Path of an unfinished file.

    Raises:
        InputError: If the id is not one of ours (it becomes part of a path).
    """
    if not _ID.fullmatch(upload_id):
        raise InputError(f"The upload id {upload_id!r} is not valid", allowed="8 to 32 hex digits")
    return folder / f".{upload_id}.part"


def check_room(folder: Path, coming: int) -> None:
    """Refuse a file that would fill the disk.

    Args:
        folder: Folder of the file.
        coming: Bytes that are still to come.

    Raises:
        InputError: If it is larger than any file may be.
        ResourceError: If the disk has too little room.
    """
    if coming > MAX_UPLOAD_BYTES:
        raise InputError(f"{coming:,} bytes is too large", allowed=f"up to {MAX_UPLOAD_BYTES:,} bytes")
    require_room(folder, coming, "The file")


def finish(part: Path, name: str) -> Path:
    """Give a complete upload its name, with a number where a different file has that already.

    An equal file that is there already is kept instead, and the upload removed.

    Returns:
        Where the file lies now.
    """
    wanted = part.parent / name
    stem, suffixes = _split(name)
    number = 1
    while True:
        target = wanted if number == 1 else part.parent / f"{stem}-{number}{suffixes}"
        if target.exists() and filecmp.cmp(part, target, shallow=False):
            part.unlink()
            return target
        if _claim(target):
            flush(part)
            put_in_place(part, target)
            _UNSEEN.add(target.resolve())
            return target
        number += 1


def keep(path: Path) -> None:
    """Note that an arrived file was inspected and can be read: :func:`refuse` no longer removes it."""
    _UNSEEN.discard(path.resolve())


def refuse(path: Path) -> bool:
    """Remove an arrived file that the caller could not read, unless :func:`keep` was called for it.

    Files that did not arrive in this process stay, too.

    Returns:
        Whether it was removed.
    """
    refused = path.resolve() in _UNSEEN
    if refused:
        keep(path)
        path.unlink(missing_ok=True)
    return refused


def sweep(folder: Path) -> None:
    """Remove unfinished files that were abandoned."""
    drop_stale(folder.glob(".*.part"))


def _split(name: str) -> tuple[str, str]:
    """Split a name into stem and endings: ``sales.csv.gz`` → ``sales`` and ``.csv.gz``."""
    suffixes = [suffix for suffix in Path(name).suffixes[-2:] if suffix.lower() in SUFFIXES]
    ending = "".join(suffixes)
    return name.removesuffix(ending), ending


def _claim(target: Path) -> bool:
    """Reserve a name by creating an empty file under it, which only one of two uploads can do."""
    try:
        target.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
