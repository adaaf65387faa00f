"""Artifacts on disk by content key: written whole or not at all, checked when opened.

``root/<stage>/<key>/`` holds the files of one stage and a ``manifest.json`` with its settings, the keys
it was made from and a checksum a file. The folder appears by one rename after everything in it reached
the disk, so a crash at any moment leaves the last good state.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from core.errors import ArtifactError, ResourceError

FORMAT = 2
"""Raised when artifacts of an older layout can no longer be read; part of every key and manifest."""

MANIFEST = "manifest.json"
READABLE, PRIVATE = 0o666, 0o600
OLD = "old"
"""Ending of an artifact that is being replaced."""


@dataclass(frozen=True)
class Artifact:
    """One finished stage on disk."""

    stage: str
    key: str
    path: Path
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]


def content_key(stage: str, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """Name a result by what it is made of: 24 hex digits over stage, settings and the inputs' keys."""
    made_of = {"format": FORMAT, "stage": stage, "settings": settings, "inputs": inputs}
    text = json.dumps(made_of, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def file_checksum(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn what a disk refuses into an error a person can act on.

    Raises:
        ResourceError: If the disk is full or the quota is used up, or a path cannot be written.
    """
    try:
        yield
    except (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise ResourceError(
            f"{error.filename2 or error.filename} cannot be used: {error.strerror}",
            remedy="Choose another place, or change its permissions",
        ) from error
    except OSError as error:
        if error.errno == errno.EROFS:
            raise ResourceError(
                f"{error.filename} cannot be written: {error.strerror}", remedy="Choose another place"
            ) from error
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError(
                f"The disk is full: {error.filename or 'a file could not be written'}",
                remedy="Free some space and start again; the previous results are untouched",
            ) from error
        raise


def write_text_atomic(path: Path, text: str, mode: int = READABLE) -> None:
    """Replace a file as a whole: temporary name, flush to disk, rename.

    Args:
        path: Its folder is made if missing.
        text: What it will hold.
        mode: Who may read it, before the process's own mask; :data:`PRIVATE` for its owner alone.

    Raises:
        ResourceError: If the disk is full; the old file is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with disk_errors():
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, mode & ~_umask())  # noqa: PTH101 - beside os.replace
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _umask() -> int:
    """What this process takes away from new files; mkstemp gives them to the owner alone."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


class Store:
    """The artifacts below one folder.

    Args:
        root: The folder; made on the first write.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, stage: str, key: str) -> Artifact | None:
        """Return a stage's artifact if it is there and undamaged.

        A damaged one (missing file, wrong checksum, broken manifest) is removed, so that it is rebuilt
        and never shown.
        """
        path = self.root / stage / key
        if not path.is_dir():
            return None
        try:
            return open_artifact(path)
        except ArtifactError:
            shutil.rmtree(path, ignore_errors=True)
            return None

    @contextmanager
    def write(
        self, stage: str, key: str, settings: Mapping[str, Any], inputs: Mapping[str, str]
    ) -> Iterator[Path]:
        """Give a temporary folder to fill; on a clean exit it becomes the artifact, else it is removed.

        Raises:
            ResourceError: If the disk is full.
        """
        parent = self.root / stage
        with disk_errors():
            parent.mkdir(parents=True, exist_ok=True)
            building = Path(tempfile.mkdtemp(dir=parent, prefix=f".{key}.{os.getpid()}."))
            try:
                yield building
                _seal(building, stage, key, settings, inputs)
                _put_in_place(building, parent / key)
            finally:
                shutil.rmtree(building, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what a killed process left half-written, and put back what it was about to replace."""
        for leftover in self.root.glob("*/.*.*.*"):
            _, key, pid, what = leftover.name.split(".", 3)
            if not pid.isdigit() or psutil.pid_exists(int(pid)):
                continue
            if what == OLD and not (leftover.parent / key).exists():
                os.replace(leftover, leftover.parent / key)
            else:
                shutil.rmtree(leftover, ignore_errors=True)


def _put_in_place(building: Path, final: Path) -> None:
    """Rename a finished folder to its final name; at every moment the old or the new one is on disk."""
    old = final.with_name(f".{final.name}.{os.getpid()}.{OLD}")
    if final.exists():
        os.replace(final, old)
    os.replace(building, final)
    shutil.rmtree(old, ignore_errors=True)


def open_artifact(path: Path) -> Artifact:
    """Open a finished artifact after checking every file of it.

    Raises:
        ArtifactError: If the manifest or a file is missing, a checksum differs, or another version made
            it. A disk that cannot be read right now is an ``OSError``: that proves no damage.
    """
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        wrong = [name for name, digest in manifest["files"].items() if file_checksum(path / name) != digest]
        artifact = Artifact(
            manifest["stage"], manifest["key"], path, manifest["settings"], manifest["inputs"]
        )
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"{path} is not a finished result: {error!r}", remedy="Run the stage again"
        ) from error
    if manifest.get("format") != FORMAT:
        raise ArtifactError(f"{path} was made by another version", remedy="Run the stage again")
    if wrong:
        raise ArtifactError(f"{path} is damaged: {', '.join(wrong)}", remedy="Run the stage again")
    return artifact


def _seal(folder: Path, stage: str, key: str, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> None:
    files = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        _flush(file)
        files[file.relative_to(folder).as_posix()] = file_checksum(file)
    made = {"format": FORMAT, "stage": stage, "key": key, "settings": settings, "inputs": inputs}
    manifest = {**made, "files": files}
    write_text_atomic(folder / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True))


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
