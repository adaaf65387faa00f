"""Where ids may lie, and what each file there belongs to: an artifact, a job, a cache, a file of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.base.errors import SettingsError
from core.runs import app_watches
from core.runs.publish import BOUNDED, RUN
from core.runs.second_training import NAME as SECOND
from core.runs.taken_files import RECORD
from core.runs.watch import KEPT_FOLDER
from core.storage.store import MANIFEST, Manifest

_RUN_STORE: Final = "stages"
"""Name of the store within the folder of a run."""
JOBS, CHECKPOINTS, _CACHE_FILE = "jobs", "checkpoints", "cache.db"


@dataclass(frozen=True)
class SearchedPlaces:
    """Places in which users are to be forgotten.

    Args:
        store: The app's store; None for none.
        outs: Output folders of runs and watches.
        inputs: Export files, and folders of them, that are written again without these users.
    """

    store: Path | None = None
    outs: tuple[Path, ...] = ()
    inputs: tuple[Path, ...] = ()

    @property
    def searched(self) -> tuple[Path, ...]:
        """Store, folders and input files: every place to search."""
        return (*([self.store] if self.store else []), *self.outs, *self.inputs)

    @property
    def stores(self) -> tuple[Path, ...]:
        """Every folder that is a store, also those of runs and watches."""
        own = [self.store] if self.store else []
        found = [*own, *(out / name for out in self.outs for name in (_RUN_STORE, KEPT_FOLDER))]
        return tuple(place for place in found if place.is_dir())

    def check(self) -> None:
        """Refuse places that do not exist, and folders that hold neither a run nor a watch.

        Raises:
            SettingsError: If there is such a place.
        """
        for place in self.searched:
            if not place.exists():
                raise SettingsError(f"{place} is not there", remedy="Check the path")
        for out in self.outs:
            known = any((out / name).exists() for name in (RUN, _RUN_STORE, RECORD, KEPT_FOLDER))
            if not known and not any(out.glob(f"{BOUNDED}*")):  # all that a first run left that was killed
                raise SettingsError(
                    f"{out} holds neither a run nor a watch",
                    allowed="the --out of `run` or `watch`",
                    remedy="Give files of tables as --input",
                )


def artifacts(store: Path) -> dict[Path, Manifest]:
    """Every finished artifact of a store: its folder → its manifest."""
    found = {}
    for path in store.glob(f"*/[!.]*/{MANIFEST}"):
        with suppress(OSError, ValueError):
            found[path.parent] = Manifest.model_validate_json(path.read_bytes())
    return found


def unit_of(store: Path, file: Path, made: Mapping[Path, Manifest]) -> Path:
    """Path of what is removed with a file of a store: its artifact, job, watch or cache, or the file alone.

    Args:
        store: The store's folder.
        file: A file in it.
        made: Artifacts of the store (:func:`artifacts`).
    """
    above = list(_above(store, file))
    for folder in above:
        parts = folder.relative_to(store).parts
        whole = len(parts) == 2 and parts[0] in (JOBS, CHECKPOINTS, SECOND, app_watches.FOLDER)
        unfinished = len(parts) == 2 and parts[1].startswith(".")
        if whole or unfinished or folder in made or (folder / _CACHE_FILE).is_file():
            return folder
    return file


def _above(store: Path, file: Path) -> Iterator[Path]:
    """Folders of a file, from the outermost below the store."""
    parts = file.relative_to(store).parts[:-1]
    for n in range(1, len(parts) + 1):
        yield store.joinpath(*parts[:n])
