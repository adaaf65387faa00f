"""Total and free memory for this process: that of the machine, or the limit of its container or service."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import psutil

OWN: Final = Path("/proc/self/cgroup")
GROUPS: Final = Path("/sys/fs/cgroup")
"""Where Linux lists control groups (its Documentation/admin-guide, cgroup-v1 and cgroup-v2)."""


class _Files(NamedTuple):
    """File names of a control group: limit, memory in use, and the keys of ``memory.stat`` for file pages."""

    most: str
    taken: str
    pages: tuple[str, str]


_V2: Final = _Files("memory.max", "memory.current", ("active_file", "inactive_file"))
_V1: Final = _Files(
    "memory.limit_in_bytes", "memory.usage_in_bytes", ("total_active_file", "total_inactive_file")
)


def total_memory() -> int:
    """Total bytes of memory that this process may use."""
    return min([psutil.virtual_memory().total, *(most for most, _ in _limits())])


def free_memory() -> int:
    """Bytes of memory that can be allocated now without swapping."""
    left = [max(0, most - taken) for most, taken in _limits()]
    return min([psutil.virtual_memory().available, *left])


def _limits() -> Iterator[tuple[int, int]]:
    """Limit and bytes in use, file pages aside, of this process's control group and of each parent group."""
    for folder, files in _own_groups():
        try:
            most = int((folder / files.most).read_text())
            stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            yield most, int((folder / files.taken).read_text()) - sum(int(stat[name]) for name in files.pages)
        except (OSError, ValueError, KeyError):  # a group that is out of sight, or the word "max"
            continue


def _own_groups() -> Iterator[tuple[Path, _Files]]:
    try:
        lines = os.fsdecode(OWN.read_bytes()).splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        v1 = "memory" in controllers.split(",")
        if v1 or not controllers:
            root, files = (GROUPS / "memory", _V1) if v1 else (GROUPS, _V2)
            own = root / path.lstrip("/")
            yield from ((folder, files) for folder in (own, *own.parents) if folder.is_relative_to(root))
