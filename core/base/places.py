"""Where the program and its data lie, and how to call it, in a checkout and installed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from platformdirs import user_data_path

VERSION: Final = "1.0.0"
PROJECT: Final = Path(__file__).resolve().parents[2]
"""Folder of ``app.py``, ``pages/`` and ``core/``; a child process that starts in it can import them."""
INSTALLED: Final = (PROJECT / "__init__.py").is_file()
"""Whether that folder is the package of a wheel; a checkout's has no such file (decision 0028)."""
PROGRAM: Final = "beha2vec" if INSTALLED else "python -m core"
"""The command line, as a shell is to be given it."""
DATA: Final = "BEHA2VEC_DATA"
"""Environment variable: the folder of the app's data."""


def data_folder() -> Path:
    """Folder of ``cache/``, ``input/``, ``config.env`` and ``.streamlit/secrets.toml``.

    The one that :data:`DATA` names; else the user's own for the installed program, and the checkout.
    """
    default = user_data_path("beha2vec", appauthor=False) if INSTALLED else PROJECT
    return Path(os.environ.get(DATA) or default)


def cache_folder() -> Path:
    """Folder of the app's store: ``cache/`` of :func:`data_folder`, or where ``BEHA2VEC_CACHE`` points."""
    return Path(os.environ.get("BEHA2VEC_CACHE") or data_folder() / "cache")


def install_command(extra: str, package: str) -> str:
    """Command that installs an optional package: by the extra of the wheel, or by itself for a checkout."""
    return f"pip install '{f'beha2vec[{extra}]' if INSTALLED else package}'"
