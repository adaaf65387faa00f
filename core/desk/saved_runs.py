"""Segmentations that were saved by name: what they are, what they were made of, and the way back to them.

A saved run holds its segments, names, settings, receipt and a log of what was done, under a checksum each
(``manifest.json``), so that it can be read although its data set is gone. It can be opened as long as data
set, model and vectors are there.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from core.base.errors import ArtifactError, Beha2VecError, SettingsError
from core.base.settings import Settings
from core.data.dataset import RECEIPT, Dataset
from core.desk.controls import Controls
from core.desk.saved_work import KeptNames, Segmentation, read_segments, write_segments
from core.storage.disk import disk_errors
from core.storage.store import MANIFEST, Artifact, Store, open_artifact

STAGE: Final = "runs"
RUN: Final = "run.json"
LONGEST_NAME: Final = 80
LONGEST_NOTE: Final = 2_000


def _tidy(text: object) -> object:
    return " ".join(text.split()) if isinstance(text, str) else text


class SavedRun(Settings):
    """What is told of a saved segmentation without opening it."""

    name: Annotated[str, BeforeValidator(_tidy), Field(min_length=1, max_length=LONGEST_NAME)]
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""
    at: str
    """When it was saved, UTC, ISO 8601."""
    dataset: str
    """Content key, as the two that follow."""
    model: str
    embeddings: str
    title: str
    """What the data set is called."""
    users: int
    page_views: int
    controls: Controls
    """All that was set, the number of segments among it."""
    names: KeptNames
    """Segment → the name that the analyst gave it."""
    titles: dict[int, str]
    """Segment → what it was called."""
    sizes: dict[int, int]
    """Segment → users."""
    digest: str
    """Names the segments, see :attr:`core.segments.partition.Partition.digest`."""
    log: tuple[str, ...] = ()
    """What was done, in order."""

    @property
    def when(self) -> str:
        """The minute it was saved in."""
        return f"{datetime.fromisoformat(self.at):%d %b %Y %H:%M} UTC"

    @property
    def own_names(self) -> dict[int, str]:
        """Segment → the analyst's name for it, as text."""
        return {segment: name.text for segment, name in self.names.items()}

    def is_like(self, other: SavedRun) -> bool:
        """Whether the other one has the same segments, names and settings."""
        mine, theirs = (
            (one.model, one.embeddings, one.digest, one.own_names, one.controls) for one in (self, other)
        )
        return mine == theirs

    def renamed(self, name: str) -> SavedRun:
        """Rename the run.

        Raises:
            SettingsError: If it is empty or too long.
        """
        return SavedRun.checked(**{**dict(self), "name": name})

    @property
    def found_by(self) -> str:
        """All words that a search looks in, in lower case."""
        return " ".join((self.name, self.note, self.title, *self.titles.values())).casefold()


def save(store: Store, run: SavedRun, segments: Segmentation, dataset: Dataset) -> str:
    """Save a segmentation.

    Args:
        store: Where.
        run: What is told of it.
        segments: The segments.
        dataset: Whose users they are of; its receipt is kept with them.

    Returns:
        Its key, which a link names. A name that another run has is numbered.

    Raises:
        ResourceError: If the disk is full.
    """
    key, run = secrets.token_hex(6), run.renamed(_numbered(store, run.name))
    with store.write(STAGE, key, {}, _inputs(run)) as folder:
        shutil.copy2(dataset.path / RECEIPT, folder / RECEIPT)
        write_segments(folder, segments)
        _write(folder, run)
    return key


def saved_runs(store: Store) -> dict[str, SavedRun]:
    """Key → every run that was saved and can be read, the newest first."""
    found = {}
    for path in (store.root / STAGE).glob(f"[!.]*/{RUN}"):
        with suppress(OSError, ValueError):
            found[path.parent.name] = SavedRun.model_validate_json(path.read_bytes())
    return dict(sorted(found.items(), key=lambda run: run[1].at, reverse=True))


def open_run(store: Store, key: str) -> tuple[SavedRun, Segmentation]:
    """Read a run with its segments.

    Raises:
        ArtifactError: If there is none of this key, or it is damaged.
    """
    run, folder = _read(store, key)
    return run, read_segments(folder, run.embeddings, run.controls.weights)


def gone(store: Store, run: SavedRun) -> list[str]:
    """What a run was made of that is not there any more, in words; it cannot be opened then."""
    made_of = {
        "its data set": ("preprocess", run.dataset),
        "its model": ("train", run.model),
        "the vectors of its users": ("embed", run.embeddings),
    }
    return [what for what, (stage, key) in made_of.items() if not (store.root / stage / key).is_dir()]


def not_there(run: SavedRun, what: str) -> ArtifactError:
    """The error of a run that cannot be opened."""
    return ArtifactError(
        f"{run.name!r} cannot be opened: {what} is no longer here",
        remedy="Prepare and train again; what was saved of it stays readable under Details",
    )


def tell_anew(store: Store, key: str, *, name: str, note: str) -> None:
    """Change what a run is called and what is noted of it; a name that another run has is numbered.

    Raises:
        ArtifactError: If there is no such run.
        SettingsError: If the name is empty or too long.
        ResourceError: If the disk is full; the run is as it was.
    """
    _copy(store, key, key, {"name": _numbered(store, name, but=key), "note": note})


def duplicate(store: Store, key: str, name: str) -> str:
    """Save a run once more under another name.

    Returns:
        The key of the copy.

    Raises:
        Beha2VecError: As for :func:`tell_anew`.
    """
    copy = secrets.token_hex(6)
    _copy(store, key, copy, {"name": _numbered(store, name), "at": now()})
    return copy


def delete(store: Store, key: str) -> None:
    """Remove a saved run. Its data set and model stay.

    Raises:
        ResourceError: If the disk refuses.
    """
    with store.in_turn(), disk_errors(), suppress(FileNotFoundError):  # another session was first
        shutil.rmtree(store.root / STAGE / _checked(key))


def now() -> str:
    """The time as runs keep it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _numbered(store: Store, name: str, but: str = "") -> str:
    """The name, with a number behind it where another run than ``but`` is called so."""
    taken = {run.name for key, run in saved_runs(store).items() if key != but}
    tidy, place = str(_tidy(name)), 1
    found = tidy
    while found in taken:
        place += 1
        found = f"{tidy[: LONGEST_NAME - len(f' ({place})')]} ({place})"
    return found


def _copy(store: Store, key: str, to: str, changes: Mapping[str, str]) -> None:
    run, source = _read(store, key)
    changed = SavedRun.checked(**{**dict(run), **changes})
    with store.write(STAGE, to, {}, _inputs(run)) as folder:
        unsealed = shutil.ignore_patterns(MANIFEST)
        shutil.copytree(source, folder, ignore=unsealed, dirs_exist_ok=True)
        _write(folder, changed)


def _read(store: Store, key: str) -> tuple[SavedRun, Path]:
    """A run and its folder; once its users were forgotten, who was in which segment is not in it."""
    folder = _artifact(store, key).path
    try:
        return SavedRun.model_validate_json((folder / RUN).read_bytes()), folder
    except ValueError as error:
        raise ArtifactError(f"The saved run {key} is of another version of the app") from error


def _write(folder: Path, run: SavedRun) -> None:
    with disk_errors():
        (folder / RUN).write_text(run.model_dump_json(indent=1), encoding="utf-8")


def _inputs(run: SavedRun) -> dict[str, str]:
    return {"preprocess": run.dataset, "train": run.model, "embed": run.embeddings}


def _artifact(store: Store, key: str) -> Artifact:
    try:
        return open_artifact(store.root / STAGE / _checked(key))
    except (Beha2VecError, OSError) as error:
        raise ArtifactError(
            f"There is no saved run {key!r}, or it is damaged",
            remedy="Choose another one on the page Runs; a link of another machine opens nothing here",
        ) from error


def _checked(key: str) -> str:
    """A key from a link becomes part of a path."""
    if not key.isalnum():
        raise SettingsError(f"{key!r} is not the key of a saved run", allowed="letters and digits")
    return key
