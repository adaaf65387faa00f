"""The store of artifacts by content key: written whole or not at all, checked when opened.

``root/<stage>/<key>/`` holds the files of one stage and a ``manifest.json`` with its settings, the keys
it was made from and a checksum a file. The folder appears by one rename after everything in it reached
the disk, so a crash at any moment leaves the last good state.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout
from pydantic import BaseModel

from core.base.errors import ArtifactError, ResourceError
from core.storage.disk import disk_errors, flush_all, put_in_place
from core.storage.locks import LOCK, folder_lock, unless_removed

FORMAT = 3
"""Version of the layout, part of every key and manifest: increased when older artifacts cannot be read."""

MANIFEST = "manifest.json"
_OLD = ".old"
"""Suffix of an artifact that is being replaced."""

_LEFTOVER: Final = re.compile(r"(\..+\.\d+(?:\.[^.]+)??)(?:\.old|\.lock)?").fullmatch
"""Match a temporary folder ``.<key>.<pid>.<random>``, its ``.old`` or ``.lock``; the pid is for people."""


class Manifest(BaseModel):
    """``manifest.json``: what a finished stage was made from, and a checksum of each file."""

    format: int
    stage: str
    key: str
    settings: dict[str, Any]
    inputs: dict[str, str]
    files: dict[str, str]


@dataclass(frozen=True)
class Artifact:
    """A finished stage on disk, with the settings and input keys it was made from."""

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
    """Return the SHA-256 of a file as hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Store:
    """A folder of artifacts, shared by any number of threads and processes.

    Args:
        root: The folder; made on the first write.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, stage: str, key: str) -> Artifact | None:
        """Return a stage's artifact if it is there and undamaged.

        A damaged one (missing file, wrong checksum, broken manifest) counts as absent, so that it is made
        again and never shown. Nothing is removed here: a writer may be replacing the artifact meanwhile.
        """
        path = self.root / stage / key
        with suppress(ArtifactError):
            return open_artifact(path)
        if not path.parent.is_dir():
            return None
        with suppress(ArtifactError), self.undisturbed():  # nobody is half way now
            return open_artifact(path)
        return None

    @contextmanager
    def write(
        self, stage: str, key: str, settings: Mapping[str, Any], inputs: Mapping[str, str]
    ) -> Iterator[Path]:
        """Yield a temporary folder to fill; a clean exit makes it the artifact, an error removes it.

        Raises:
            ResourceError: If the disk refuses, or the folder was removed meanwhile.
        """
        final = self.root / stage / key
        with disk_errors(), self._building(final) as building:
            try:
                yield building
            finally:  # that it is gone is the cause of whatever failed in it
                _still_there(building)
            with unless_removed(final.parent):
                _seal(building, stage, key, settings, inputs)
                with self.in_turn():
                    _put_in_place(building, final)
            shutil.rmtree(_beside(building, _OLD), ignore_errors=True)

    @contextmanager
    def working(self, stage: str) -> Iterator[Path]:
        """Yield a temporary work folder, removed afterwards, or by the next sweep if the process is killed.

        Raises:
            ResourceError: If the disk refuses.
        """
        with disk_errors(), self._building(self.root / stage / "work") as folder:
            yield folder

    def in_turn(self) -> AbstractContextManager[None]:
        """Hold the store's lock inside the block: nobody else puts artifacts in place meanwhile.

        Raises:
            ResourceError: If others hold it for :data:`core.storage.locks.PATIENCE_S`, or the disk refuses.
        """
        return folder_lock(self.root)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Read while nobody writes, as in :meth:`in_turn`; where its lock cannot be had, read without it."""
        with ExitStack() as locks:
            with suppress(ResourceError):
                locks.enter_context(self.in_turn())
            yield

    def sweep(self) -> None:
        """Remove unfinished artifacts of killed processes, and restore those they were replacing.

        Raises:
            ResourceError: If the disk refuses.
        """
        found = {path: _LEFTOVER(path.name) for path in self.root.glob("*/.*")}
        with disk_errors():
            for building in sorted({path.with_name(match[1]) for path, match in found.items() if match}):
                self._clear(building)

    @contextmanager
    def _building(self, final: Path) -> Iterator[Path]:
        """Yield a new folder beside ``final``, locked for as long as this process lives."""
        building = final.with_name(f".{final.name}.{os.getpid()}.{secrets.token_hex(4)}")
        lock = FileLock(_beside(building, LOCK), timeout=0, fallback_to_soft=False)
        try:
            with unless_removed(final.parent), self.in_turn():
                building.parent.mkdir(exist_ok=True)
                lock.acquire()
                building.mkdir()
            yield building
        finally:
            _forget(building, lock)

    def _clear(self, building: Path) -> None:
        """Remove the temporary folder of an ended process; one that runs still holds its lock."""
        lock = FileLock(_beside(building, LOCK), timeout=0, fallback_to_soft=False)
        with self.in_turn():
            try:
                lock.acquire()
            except (Timeout, FileNotFoundError):
                return
            _put_back(building)
        shutil.rmtree(_beside(building, _OLD), ignore_errors=True)
        _forget(building, lock)


def _beside(building: Path, ending: str) -> Path:
    return building.with_name(building.name + ending)


def _forget(building: Path, lock: FileLock) -> None:
    """Remove a temporary folder, if it is still there, and then its lock."""
    try:
        shutil.rmtree(building, ignore_errors=True)
        with suppress(OSError):
            _beside(building, LOCK).unlink()
    finally:
        lock.release()


def _still_there(building: Path) -> None:
    """Check that a temporary folder and its lock still exist; a folder without the lock was made anew."""
    with unless_removed(building.parent):
        _beside(building, LOCK).stat()
        building.stat()


def _put_in_place(building: Path, final: Path) -> None:
    """Rename a finished folder to its final name; at every moment the old or the new artifact is on disk."""
    if final.exists():
        os.replace(final, _beside(building, _OLD))
    try:
        put_in_place(building, final)
    except OSError:
        with suppress(OSError):  # else the next sweep does
            _put_back(building)
        raise


def _put_back(building: Path) -> None:
    """Give the old artifact its name back, if no new one took it."""
    old, final = _beside(building, _OLD), _final(building)
    if old.exists() and not final.exists():
        with suppress(FileNotFoundError):  # removed meanwhile, with all that is in the folder
            put_in_place(old, final)


def _final(building: Path) -> Path:
    return building.with_name(building.name.split(".")[1])


def open_artifact(path: Path) -> Artifact:
    """Open a finished artifact after checking every file of it.

    Raises:
        ArtifactError: If the manifest or a file is missing, a checksum differs, or another version made
            it. A disk that cannot be read right now is an ``OSError``: that proves no damage.
    """
    try:
        made = Manifest.model_validate_json((path / MANIFEST).read_bytes())
        wrong = [name for name, digest in made.files.items() if file_checksum(path / name) != digest]
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise ArtifactError(
            f"{path} is not a finished result: {error!r}", remedy="Run the stage again"
        ) from error
    if made.format != FORMAT:
        raise ArtifactError(f"{path} was made by another version", remedy="Run the stage again")
    if wrong:
        raise ArtifactError(f"{path} is damaged: {', '.join(wrong)}", remedy="Run the stage again")
    return Artifact(made.stage, made.key, path, made.settings, made.inputs)


def _seal(folder: Path, stage: str, key: str, settings: Mapping[str, Any], inputs: Mapping[str, str]) -> None:
    files = {
        file.relative_to(folder).as_posix(): file_checksum(file)
        for file in sorted(path for path in folder.rglob("*") if path.is_file())
    }
    made = {"format": FORMAT, "stage": stage, "key": key, "settings": settings, "inputs": inputs}
    text = json.dumps({**made, "files": files}, indent=1, sort_keys=True)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    flush_all(folder)
