"""Artifacts on disk by content key: written whole or not at all, checked when opened.

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
from core.storage.disk import disk_errors, flush_all, put
from core.storage.locks import LOCK, turn, unless_removed

FORMAT = 3
"""Raised when artifacts of an older layout can no longer be read; part of every key and manifest."""

MANIFEST = "manifest.json"
OLD = ".old"
"""Ending of an artifact that is being replaced."""

_LEFTOVER: Final = re.compile(r"(\..+\.\d+(?:\.[^.]+)??)(?:\.old|\.lock)?").fullmatch
"""``.<key>.<pid>.<random>`` and what lies beside it; the number of the process is for people."""


class Manifest(BaseModel):
    """What a finished stage was made of, with a checksum a file: ``manifest.json``."""

    format: int
    stage: str
    key: str
    settings: dict[str, Any]
    inputs: dict[str, str]
    files: dict[str, str]


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


class Store:
    """The artifacts below one folder, for any number of threads and processes.

    Args:
        root: The folder; made on the first write.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, stage: str, key: str) -> Artifact | None:
        """Return a stage's artifact if it is there and undamaged.

        A damaged one (missing file, wrong checksum, broken manifest) counts as absent, so that it is made
        again and never shown. Nothing is removed here: a reader may have met a writer half way.
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
        """Give a temporary folder to fill; on a clean exit it becomes the artifact, else it is removed.

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
            shutil.rmtree(_beside(building, OLD), ignore_errors=True)

    @contextmanager
    def working(self, stage: str) -> Iterator[Path]:
        """Give a folder for some work, removed at its end, or by the next sweep if that is killed.

        Raises:
            ResourceError: If the disk refuses.
        """
        with disk_errors(), self._building(self.root / stage / "work") as folder:
            yield folder

    def in_turn(self) -> AbstractContextManager[None]:
        """Let no other thread or process put anything in place meanwhile, see ``claims.turn``."""
        return turn(self.root)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """For readers: the same, but where no lock can be had (a read-only disk) nobody writes either."""
        with ExitStack() as held:
            with suppress(ResourceError):
                held.enter_context(self.in_turn())
            yield

    def sweep(self) -> None:
        """Remove what a killed process left half-written, and put back what it was about to replace.

        Raises:
            ResourceError: If the disk refuses.
        """
        found = {path: _LEFTOVER(path.name) for path in self.root.glob("*/.*")}
        with disk_errors():
            for building in sorted({path.with_name(match[1]) for path, match in found.items() if match}):
                self._clear(building)

    @contextmanager
    def _building(self, final: Path) -> Iterator[Path]:
        """A new folder beside ``final``, with a lock that says for as long as we live that it is ours."""
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
        """Clear away after a process that has ended; whoever still holds the lock has not."""
        lock = FileLock(_beside(building, LOCK), timeout=0, fallback_to_soft=False)
        with self.in_turn():
            try:
                lock.acquire()
            except (Timeout, FileNotFoundError):
                return
            _put_back(building)
        shutil.rmtree(_beside(building, OLD), ignore_errors=True)
        _forget(building, lock)


def _beside(building: Path, ending: str) -> Path:
    return building.with_name(building.name + ending)


def _forget(building: Path, lock: FileLock) -> None:
    """Remove a folder that was built, if it is still there, and at last the lock that says whose it is."""
    try:
        shutil.rmtree(building, ignore_errors=True)
        with suppress(OSError):
            _beside(building, LOCK).unlink()
    finally:
        lock.release()


def _still_there(building: Path) -> None:
    """Its lock was made once: whatever was made again since, a folder without it is not the one."""
    with unless_removed(building.parent):
        _beside(building, LOCK).stat()
        building.stat()


def _put_in_place(building: Path, final: Path) -> None:
    """Rename a finished folder to its final name; at every moment the old or the new one is on disk."""
    if final.exists():
        os.replace(final, _beside(building, OLD))
    try:
        put(building, final)
    except OSError:
        with suppress(OSError):  # else the next sweep does
            _put_back(building)
        raise


def _put_back(building: Path) -> None:
    """Give what was to be replaced its name again, if nothing took its place."""
    old, final = _beside(building, OLD), _final(building)
    if old.exists() and not final.exists():
        with suppress(FileNotFoundError):  # removed meanwhile, with all that is in the folder
            put(old, final)


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
