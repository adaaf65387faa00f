"""Small files that a person gives beside an export: funnels, labels, ids, tokens."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from core.base.errors import InputError

MOST_BYTES: Final = 4_000_000


def read_small(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the bytes of a small file, without waiting at a pipe or reading a device for ever.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        InputError: If it cannot be read, is no regular file, or is larger.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path} is not a file", allowed="a regular file: no folder, device or pipe")
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:  # a name with a zero byte is no name
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read: {why}", remedy="Check the path") from error
    if len(data) > most:
        raise InputError(f"{path} has more than {most:,} bytes", remedy="Check that it is the file you meant")
    return data
