"""A second training on the same users: the same settings and another seed, to compare with the first.

It lies in a store within the store, so that its model is never taken for one of the analyst's.
"""

from __future__ import annotations

from typing import Final

from core.base.progress import Progress
from core.base.settings import TrainSettings
from core.data.dataset import Dataset
from core.data.page_labels import LabelledPages
from core.runs import pipeline
from core.runs.pipeline import Embeddings
from core.storage.store import Artifact, Store

FOLDER: Final = "second_training"
"""Folder of the store that holds the other store; also what the task is called."""


def train_again(
    store: Store, dataset: Dataset, labels: LabelledPages | None, model: Artifact, progress: Progress
) -> Embeddings:
    """Train with another seed and place all users; goes on from a checkpoint that a killed run left.

    Raises:
        InputError: If there is too little to learn from.
        Cancelled: If ``progress`` says so; the checkpoint stays.
    """
    apart = _apart(store)
    apart.sweep()
    settings = _other(TrainSettings.checked(**model.settings))
    again = pipeline.train(apart, dataset, labels, settings, progress)
    return pipeline.embed(apart, dataset, labels, again, progress)


def find_again(store: Store, dataset: Dataset, labels: LabelledPages | None, settings: TrainSettings) -> str:
    """Content key of the vectors that :func:`train_again` left; empty until it has run.

    Args:
        store: The store of the first model.
        dataset: The users.
        labels: Themes and types of the pages.
        settings: What the first model was trained with.
    """
    key = pipeline.embeddings_key(dataset, labels, pipeline.model_key(dataset, labels, _other(settings)))
    return key if (_apart(store).root / "embed" / key).is_dir() else ""


def open_again(store: Store, dataset: Dataset, key: str) -> Embeddings:
    """Open the vectors that :func:`find_again` has found.

    Raises:
        ArtifactError: If they are damaged.
    """
    return pipeline.open_embeddings(_apart(store), dataset, key)


def _apart(store: Store) -> Store:
    return Store(store.root / FOLDER)


def _other(settings: TrainSettings) -> TrainSettings:
    return settings.model_copy(update={"seed": settings.seed + 1})
