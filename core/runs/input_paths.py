"""Which files a data set was read from, kept beside it: a receipt knows them by their short names only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.ingest.sources.input_files import find_files
from core.storage.dataset import Dataset
from core.storage.disk import write_text_atomic

READ_FROM: Final = "read_from.json"
"""File of the sources; not in the manifest, as the same bytes may lie elsewhere the next time."""


def save_paths(dataset: Dataset, paths: Sequence[Path]) -> None:
    """Save, beside a data set, the paths and sizes of the files it was read from.

    Raises:
        InputError: If a path leads to no file.
        ResourceError: If the disk refuses.
    """
    sizes = {str(file.absolute()): file.stat().st_size for file, _ in find_files(paths)}
    write_text_atomic(dataset.path / READ_FROM, json.dumps(sizes))


def load_paths(dataset: Path) -> dict[str, int]:
    """Absolute path → size in bytes of the files that a data set was read from; empty if not known."""
    try:
        return {str(name): int(size) for name, size in json.loads((dataset / READ_FROM).read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
