"""Folders that processes of one test run share: what is dear to make is made by the first that asks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that ``make`` has filled, in this process or another one; no test may change it."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, filled = root / name, root / f"{name}.filled"
    with FileLock(root / f"{name}.lock"):
        if not filled.exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            filled.touch()
    return folder
