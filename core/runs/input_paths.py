"""Which files a data set was read from, kept beside it: a receipt knows them by their short names only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.data.dataset import Dataset
from core.ingest.sources.input_files import find_files
from core.storage.disk import write_text_atomic

READ_FROM: Final = "read_from.json"
"""File of the sources; not in the manifest, as the same bytes may lie elsewhere the next time."""


def save_paths(dataset: Dataset, paths: Sequence[Path]) -> None:
    """Keep the files that folders, patterns and names stood for, with their sizes.

    Raises:
        InputError: If one is gone by now.
        ResourceError: If the disk refuses.
    """
    sizes = {str(file.absolute()): file.stat().st_size for file, _ in find_files(paths)}
    write_text_atomic(dataset.path / READ_FROM, json.dumps(sizes))


def load_paths(dataset: Path) -> dict[str, int]:
    """Whole path → size in bytes of the files that a data set was read from; empty where nothing was kept."""
    try:
        return {str(name): int(size) for name, size in json.loads((dataset / READ_FROM).read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
