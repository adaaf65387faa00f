"""What a language model wrote of segments, in a file that names the segments it is about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.storage.disk import write_text_atomic


def read(path: Path, digest: str) -> Mapping[str, Any]:
    """What is kept, by name; nothing where the segments have changed since, or the file is damaged.

    Args:
        path: The file.
        digest: Names the data set and its segments.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        return dict(held["told"]) if held["digest"] == digest else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def write(path: Path, digest: str, told: Mapping[str, Any]) -> None:
    """Keep it, in place of what was there.

    Raises:
        ResourceError: If the disk is full.
    """
    write_text_atomic(path, json.dumps({"digest": digest, "told": told}, ensure_ascii=False))
