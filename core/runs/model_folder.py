"""A model folder: all that places new users in the segments of a run, sealed by checksums."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from core.base.schema import View
from core.base.settings import TrainSettings
from core.labels.label_settings import LabelSettings
from core.periods.placed_users import PlacedUsers, by_section, seen_pages
from core.periods.training_period import TrainingPeriod
from core.runs.artifacts import Embeddings
from core.runs.pipeline import RunSettings, Segments
from core.segments.one_page import write_rules
from core.storage.dataset import Dataset
from core.storage.page_labels import LabelledPages, page_names
from core.storage.store import MANIFEST, Artifact

if TYPE_CHECKING:
    pass

MODEL: Final = "model"
"""Name of the folder within that of its run."""
INGEST_SETTINGS: Final = "ingest.json"
LABEL_FILES: Final = ("labelling.json", "known_labels.json")
"""Files with how pages are labelled, and the theme and type of each page of the training."""
ONE_PAGE_RULES: Final = "one_page.json"
SEGMENTS: Final = "segments"
NAMES: Final = "names.json"
"""File beside the frozen segments: what each is called."""
ACTIVITY: Final = "activity.npy"
"""File beside the frozen segments, where activity counts: what places users by it."""
SEALED: Final = "sealed.json"
"""The checksum of every file, so that a folder half replaced is noticed."""
_UNSEALED: Final = (SEALED, "training.json")
"""Files without a checksum: that of the checksums, and how long training took, which differs from run
to run."""


@dataclass(frozen=True)
class StoredStages:
    """Results of the stored stages.

    Args:
        dataset: The cleaned, ordered export.
        labels: Themes and types of its pages; None where labelling is off.
        model: The trained model.
        embeddings: What it made of every user.
    """

    dataset: Dataset
    labels: LabelledPages | None
    model: Artifact
    embeddings: Embeddings

    @property
    def keys(self) -> dict[str, str]:
        """Stage → content key; without ``label`` where labelling is off."""
        found = {
            "preprocess": self.dataset.key,
            "train": self.model.key,
            "embed": self.embeddings.artifact.key,
        }
        return found | ({"label": self.labels.key} if self.labels else {})


def publish_model(folder: Path, stages: StoredStages, settings: RunSettings, made: Segments) -> None:
    """Write and seal a model folder, without the other files of a run.

    Args:
        folder: Path of a folder that is not there yet.
        stages: What the stored stages made.
        settings: Settings of the run, or of what is on a screen.
        made: The segments.

    Raises:
        ArtifactError: If the model or the labels are damaged.
    """
    write_model(folder, stages, settings, made)
    seal(folder)


def label_settings(labels: LabelledPages, settings: RunSettings) -> LabelSettings:
    """Settings by which the pages were labelled, with the themes in use in place of mining them again.

    Raises:
        ArtifactError: If the labels are damaged.
    """
    from core.labels.labelling import in_use, read_summary

    return in_use(settings.label, read_summary(labels.path))


def known_labels(dataset: Dataset, labels: LabelledPages) -> dict[str, tuple[str, str]]:
    """Address of each page of a data set → (theme, type)."""
    names = page_names(dataset.pages, labels)
    pairs = zip(names[View.THEME], names[View.TYPE], strict=True)
    return dict(zip(names[View.URL], pairs, strict=True))


def write_model(folder: Path, results: StoredStages, settings: RunSettings, made: Segments) -> None:
    """Write the files of a model folder, unsealed: the model, cleaning, labels, frozen segments."""
    folder.mkdir()
    for file in results.model.path.iterdir():
        if file.name != MANIFEST:
            link(file, folder / file.name)
    ingest = settings.ingest.viewing(results.dataset.receipt.page_view).model_copy(update={"dimensions": ()})
    (folder / INGEST_SETTINGS).write_text(ingest.model_dump_json(indent=1), encoding="utf-8")
    if results.labels:
        settings_file, labels_file = LABEL_FILES
        used = label_settings(results.labels, settings)
        (folder / settings_file).write_text(used.model_dump_json(indent=1), encoding="utf-8")
        write_json(folder / labels_file, known_labels(results.dataset, results.labels))
    made.partition.to_files(folder / SEGMENTS)
    write_json(folder / SEGMENTS / NAMES, {str(segment): name for segment, name in made.titles.items()})
    if made.profiles.one_page:
        write_rules(folder / ONE_PAGE_RULES, made.profiles.one_page.segments)
    for view, mean in made.combined.means.items():
        np.save(folder / SEGMENTS / f"mean_{view}.npy", mean, allow_pickle=False)
    if made.combined.activity is not None:
        np.save(folder / SEGMENTS / ACTIVITY, made.combined.activity, allow_pickle=False)
    _training_period(results, made).save(folder)
    weights = made.combined.counted.model_dump_json()
    (folder / SEGMENTS / "weights.json").write_text(weights, encoding="utf-8")


def _training_period(results: StoredStages, made: Segments) -> TrainingPeriod:
    """Summary of the users of the training, to compare later ones with.

    Raises:
        ArtifactError: If the model is missing or damaged.
    """
    from core.model.model_files import load_pages

    mine, least = results.dataset.sequences, TrainSettings.checked(**results.model.settings).min_count
    names, known = page_names(results.dataset.pages, None)[View.URL], set(load_pages(results.model.path))
    (pages,) = seen_pages([(mine, names)], known)
    before = PlacedUsers.of(mine, made.combined.vectors, made.partition.labels, made.partition, pages, least)
    if in_sections := by_section(mine, names):
        before = replace(before, pages=before.pages.in_sections())
    return TrainingPeriod.of(before, len(made.partition.ids), by_section=in_sections)


def seal(folder: Path) -> None:
    """Write the checksums of a model folder, once all its files are there."""
    write_json(folder / SEALED, checksums(read_files(folder)))


def read_files(folder: Path) -> dict[str, bytes]:
    """The files of a model folder: relative path → bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def checksums(files: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 of each file of a model folder, except those of :data:`_UNSEALED`."""
    sealed = {name: data for name, data in files.items() if name.rpartition("/")[2] not in _UNSEALED}
    return {name: hashlib.sha256(data).hexdigest() for name, data in sealed.items()}


def write_json(path: Path, value: object) -> None:
    """Write JSON that a person can read, without NaN."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")


def link(source: Path, target: Path) -> None:
    """Hard-link a file, or copy it where the file system cannot."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
