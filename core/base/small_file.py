"""Read small files that a person gives beside an export (funnels, labels, ids, tokens), as bytes or YAML.

A YAML file may come from anybody: only plain data is read, and aliases, deep nesting and too many values are
refused before anything is built.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, Final

import yaml

from core.base.errors import InputError

_MAX_BYTES: Final = 4_000_000


def read_small_file(path: Path, most: int = _MAX_BYTES) -> bytes:
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


_MAX_ENTRIES: Final = 10_000
"""Most mappings in a file, such as themes, corrections or steps."""
_MAX_VALUES: Final = 200_000
"""Most texts and numbers in a file, keys among them."""
_MAX_DEPTH: Final = 20
"""Most lists and mappings within each other; four are needed."""


def parse_mapping(text: str | bytes, name: str, holds: str, remedy: str, fewer: str = "") -> dict[str, Any]:
    """Parse the mapping that a YAML file holds.

    Args:
        text: The YAML.
        name: Of the file, for messages.
        holds: What is expected in it.
        remedy: What to do where it is not of that form.
        fewer: What to do where it holds too much.

    Raises:
        InputError: If it is not YAML, holds no mapping, or is too large.
    """
    if len(text) > _MAX_BYTES:
        raise InputError(f"{name} has {len(text):,} characters", allowed=f"at most {_MAX_BYTES:,}")
    try:
        _refuse_bombs(text, name, remedy, fewer)
        data = yaml.load(text, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0][:200]
        raise InputError(f"{name} is not YAML: {reason}", remedy=remedy) from error
    if not isinstance(data, dict):
        raise InputError(f"{name} holds no {holds}", remedy=remedy)
    return data


def _refuse_bombs(text: str | bytes, name: str, remedy: str, fewer: str) -> None:
    depth = entries = values = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise InputError(f"{name} holds an alias, *{str(event.anchor)[:40]}", remedy="Write it out")
        if depth > _MAX_DEPTH:
            raise InputError(f"{name} holds more than {_MAX_DEPTH} lists in each other", remedy=remedy)
        entries += isinstance(event, yaml.MappingStartEvent)
        values += isinstance(event, yaml.ScalarEvent)
        if entries > _MAX_ENTRIES or values > _MAX_VALUES:
            allowed = f"{_MAX_ENTRIES:,} entries and {_MAX_VALUES:,} values"
            raise InputError(f"{name} holds too much", allowed=allowed, remedy=fewer)
