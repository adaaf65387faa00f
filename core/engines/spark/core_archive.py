"""Archive of ``core/`` for executors, unpacked beside their work: they run the very code of the driver.

Python and the packages that it needs (requirements.txt) have to be there already.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

import core

CORE: Final = Path(core.__file__).resolve().parent
UNPACKED: Final = "beha2vec-code"
"""Folder in an executor's work folder with the unpacked code; on its PYTHONPATH."""


def zip_folder(folder: Path, to: Path, inside: str = "") -> Path:
    """Pack the files of a folder, without what Python compiled.

    Args:
        folder: What to pack.
        to: The zip to write.
        inside: Folder within the zip.
    """
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, Path(inside) / path.relative_to(folder))
    return to


def zip_core(folder: Path) -> Path:
    """Pack ``core/`` into a folder."""
    return zip_folder(CORE, folder / f"{UNPACKED}.zip", inside=CORE.name)
