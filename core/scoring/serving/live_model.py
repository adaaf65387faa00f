"""The model that answers requests; another one can take its place while requests go on.

The folder is looked at every few seconds. What changed is read once it has been still for one look, beside
the model in use, and tried; then a name is bound anew, and whoever is being answered keeps the old one. A
folder that is damaged, half written or gone is refused in words, and the old model goes on.
"""

from __future__ import annotations

import gc
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from core.base.errors import ArtifactError, Beha2VecError
from core.scoring.serving.scorer import Scorer

LOOK_S: Final = 1.0
"""Seconds between two looks at the folder."""

Fingerprint: TypeAlias = tuple[tuple[str, int, int, int], ...]
"""Name, size, time of change and inode of each file."""


def fingerprint(folder: Path) -> Fingerprint:
    """Names, sizes, times and inodes of a folder's files; empty where it is not there."""
    found = []
    with suppress(OSError):  # the folder itself may be renamed while it is walked
        for path in sorted(folder.rglob("*")):
            with suppress(OSError):  # or a file
                facts = path.stat()
                if path.is_file():
                    found.append((str(path), facts.st_size, facts.st_mtime_ns, facts.st_ino))
    return tuple(found)


@dataclass(frozen=True)
class ModelState:
    """Status of the model that answers.

    Args:
        key: Checksum of its content.
        since: Seconds since 1970 at which it began to answer.
        reloads: How often another model took its place.
        refused: How often another model was refused.
        problem: Why the folder, as it is now, is not the model that answers; empty where it is.
    """

    key: str
    since: float
    reloads: int
    refused: int
    problem: str


class LiveModel:
    """A model folder that may be replaced at any time.

    Args:
        folder: ``OUT/model``.

    Raises:
        ArtifactError: If it holds no model at the start.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = self._last = fingerprint(folder)
        self._refused_as: Fingerprint | None = None
        self.scorer = Scorer.load(folder)
        self.state = ModelState(self.scorer.key, time.time(), 0, 0, "")
        _settle()

    def look(self) -> bool:
        """Check the folder, and load its model if files have changed since, but not since the last call.

        Returns:
            Whether another model is in use now; where one cannot be loaded, :attr:`state` says why.
        """
        now = fingerprint(self._folder)
        still, self._last = now == self._last, now
        if now == self._seen:
            self.say("")
            return False
        if not still or now == self._refused_as:
            return False
        try:
            scorer = self._read(now)
        except Beha2VecError as error:
            lasting = not _may_pass(error) and fingerprint(self._folder) == now
            self._refused_as = now if lasting else None
            self.say(str(error), refused=int(lasting))
            return False
        self._seen, self.scorer = now, scorer
        self.state = ModelState(scorer.key, time.time(), self.state.reloads + 1, self.state.refused, "")
        _settle()
        return True

    def _read(self, now: Fingerprint) -> Scorer:
        try:
            scorer = Scorer.load(self._folder)
        except Beha2VecError:
            raise
        except Exception as error:  # whatever a damaged file does to the library that reads it
            raise ArtifactError(
                f"The model in {self._folder} cannot be used ({error.__class__.__name__})"
            ) from error
        if fingerprint(self._folder) != now:
            raise ArtifactError(f"{self._folder} was changed while it was read")
        return scorer

    def say(self, problem: str, refused: int = 0) -> None:
        """Set ``state.problem``, empty where the folder is in use, and add ``refused`` to its count."""
        before = self.state
        self.state = ModelState(before.key, before.since, before.reloads, before.refused + refused, problem)


def _settle() -> None:
    """Keep the garbage collector from walking through model and libraries while users wait (0.1 s a time)."""
    gc.unfreeze()  # an earlier model may go
    gc.collect()
    gc.freeze()


def _may_pass(error: Exception) -> bool:
    """Whether the same files may be read at the next try: the disk refused, or too many files were open."""
    return isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, FileNotFoundError)
