"""Real exports, which lie beside a checkout and never in it."""

from pathlib import Path
from typing import Final

import pytest

FOLDER: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
ABSENT: Final = "there are no real exports beside this checkout"


def real(name: str) -> Path:
    """A real export; the test that asks is skipped only where the whole folder is absent."""
    if not FOLDER.is_dir():
        pytest.skip(f"{ABSENT}: {name} is not tested")
    assert (FOLDER / name).exists(), f"{name} is not among the real exports"
    return FOLDER / name
