"""Artifacts of the stored stages: the keys they lie under, and how each is opened by its key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow.parquet as pq

from core.base.errors import ArtifactError
from core.base.schema import LEARNED_VIEWS, Outcomes, Users, View
from core.base.settings import IngestSettings, Settings, TrainSettings
from core.storage.dataset import OUTCOMES, Dataset, is_clustered
from core.storage.page_labels import LabelledPages
from core.storage.store import Artifact, Store, content_key

if TYPE_CHECKING:
    from core.segments.combination import CalibratedViews

COVERAGE: Final = "coverage.json"
"""File beside the vectors: the share of the page views that each view can speak of."""
FIRST_PART, DEALT = "first_part_{}.npy", "dealt.npy"
"""Files of the vectors of a part of the sessions of users who have several, and of these users with its page
views."""


@dataclass(frozen=True, eq=False)
class Embeddings:
    """The vectors of one embed artifact.

    Args:
        artifact: Artifact of the vectors.
        dataset: The users.
        views: Memory-mapped float32 of shape (n_users, d), one a present learned view, L2-normalised.
        inside: bool of shape (n_users,), who takes part in clustering.
        coverage: What each weight is multiplied by, see :func:`core.model.inputs.view_factors`; 1
            where none is named.
        first_parts: Vectors of the first part of the sessions of users who have several, float32 of shape
            (m, d) a view; none where nobody has several sessions, or an earlier release made the artifact.
    """

    artifact: Artifact
    dataset: Dataset
    views: Mapping[View, np.ndarray]
    inside: np.ndarray
    coverage: Mapping[View, float]
    first_parts: Mapping[View, np.ndarray]

    @cached_property
    def calibrated(self) -> CalibratedViews:
        """Views scaled for mixing: the part that does not depend on the weights, measured once.

        Raises:
            ArtifactError: If the views do not fit together.
        """
        from core.segments.combination import calibrate

        return calibrate(self.views, self.inside)

    @cached_property
    def with_activity(self) -> CalibratedViews:
        """Views scaled for mixing, with the activity of the users as a further view.

        Raises:
            ArtifactError: If the views do not fit together.
        """
        from core.segments.activity import activity_ranks, with_activity
        from core.segments.combination import calibrate

        sequences = self.dataset.sequences
        ranks = activity_ranks(sequences, self.inside)
        calibrated = calibrate(with_activity(self.views, sequences, ranks), self.inside)
        return replace(calibrated, activity=ranks)

    @property
    def weighable(self) -> tuple[View, ...]:
        """The views that can have a weight above 0: those present, and activity."""
        return (*self.views, View.ACTIVITY)


def dataset_key(settings: IngestSettings, inputs: Mapping[str, str]) -> str:
    """Content key of a data set made of files; ``inputs``: checksums of the files."""
    known = {"known_pages": sorted(settings.known_pages)} if settings.known_pages else {}
    return content_key("preprocess", settings.model_dump(mode="json") | known, inputs)


def open_dataset(store: Store, key: str) -> Dataset:
    """Open a preprocessed export by its key.

    Raises:
        ArtifactError: If it is missing or damaged.
    """
    artifact = find_artifact(store, "preprocess", key)
    return Dataset(artifact.path, artifact.key)


def known_dataset(store: Store, key: str) -> Dataset | None:
    """A preprocessed export by its key; None where it is missing, or of an earlier release."""
    if store.find("preprocess", key) is None:
        return None
    dataset = open_dataset(store, key)
    return None if _is_of_before(dataset) else dataset


def _is_of_before(dataset: Dataset) -> bool:
    """Whether an earlier release made a data set: it lacks a column that was added since."""
    if Outcomes.ITEMS not in pq.read_schema(dataset.path / OUTCOMES).names:
        return True
    return dataset.receipt.logins is not None and Users.ID_KIND not in dataset.users


def open_labels(store: Store, key: str) -> LabelledPages:
    """Open the labels of a data set by their key.

    Raises:
        ArtifactError: If they are missing or damaged.
    """
    artifact = find_artifact(store, "label", key)
    return LabelledPages(artifact.path, artifact.key)


def open_labelled(store: Store, dataset: str, labels: str) -> tuple[Dataset, LabelledPages | None]:
    """Open a data set and the labels of its pages by their keys; ``labels`` is empty where there are none.

    Raises:
        ArtifactError: If one of them is missing or damaged.
    """
    return open_dataset(store, dataset), open_labels(store, labels) if labels else None


class TrainedRequest(Settings):
    """Content keys of a model, its data set and labels; ``labels`` is empty where there are none."""

    dataset: str
    labels: str
    model: str

    @property
    def inputs(self) -> dict[str, str]:
        """Stage → key of what the model was trained on, and of the model."""
        labels = {"label": self.labels} if self.labels else {}
        return {"preprocess": self.dataset, "train": self.model} | labels


def model_key(dataset: Dataset, labels: LabelledPages | None, settings: TrainSettings) -> str:
    """Content key of a trained model."""
    from core.model.model_files import FORMAT, HEADS_VERSION

    # models of another format cannot be read; those with heads of another version can
    inputs = labelled_inputs(dataset, labels) | {"model": f"{FORMAT}.{HEADS_VERSION}"}
    return content_key("train", settings.model_dump(mode="json"), inputs)


def open_model(store: Store, key: str) -> Artifact:
    """Find a trained model by its key.

    Raises:
        ArtifactError: If it is missing or damaged.
    """
    return find_artifact(store, "train", key)


def embeddings_key(dataset: Dataset, labels: LabelledPages | None, model: str) -> str:
    """Content key of the vectors that a model makes; ``model``: the model's key."""
    return content_key("embed", {}, labelled_inputs(dataset, labels) | {"train": model})


def open_embeddings(store: Store, dataset: Dataset, key: str) -> Embeddings:
    """Map the vectors of a data set's users into memory, by the content key of the vectors.

    Raises:
        ArtifactError: If it is missing or damaged.
    """
    return embeddings_of(find_artifact(store, "embed", key), dataset)


def embeddings_of(artifact: Artifact, dataset: Dataset) -> Embeddings:
    """Map the vectors of an artifact into memory.

    Raises:
        ArtifactError: If it is damaged.
    """
    views, parts = (_arrays(artifact, called) for called in ("{}.npy", FIRST_PART))
    inside, coverage = is_clustered(dataset.users), _coverage(artifact.path / COVERAGE)
    return Embeddings(artifact, dataset, views, inside, coverage, parts)


def _arrays(artifact: Artifact, called: str) -> dict[View, np.ndarray]:
    files = {view: artifact.path / called.format(view) for view in LEARNED_VIEWS}
    return {
        view: np.load(path, mmap_mode="r", allow_pickle=False)
        for view, path in files.items()
        if path.exists()
    }


def _coverage(path: Path) -> dict[View, float]:
    """Read how far each view counts; empty for vectors of earlier releases."""
    try:
        coverage: dict[str, float] = json.loads(path.read_bytes()) if path.exists() else {}
        return {View(view): float(share) for view, share in coverage.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise ArtifactError(f"{path} is damaged", remedy="Make the embeddings again") from error


def labelled_inputs(dataset: Dataset, labels: LabelledPages | None) -> dict[str, str]:
    """Inputs of training and embedding: labels count by what they say, not by what decided them."""
    return {"preprocess": dataset.key} | ({"labels": labels.digest} if labels else {})


def find_artifact(store: Store, stage: str, key: str) -> Artifact:
    """Find what a stage left under a key.

    Raises:
        ArtifactError: If it is missing or damaged.
    """
    artifact = store.find(stage, key)
    if artifact is None:
        raise ArtifactError(
            f"The result of stage {stage!r} ({key}) is missing or damaged", remedy=f"Run {stage} again"
        )
    return artifact
