"""What another training would have made of the same users: the same settings and another seed.

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
    again = pipeline.train(apart, dataset, labels, _other(model), progress)
    return pipeline.embed(apart, dataset, labels, again, progress)


def find_again(
    store: Store, dataset: Dataset, labels: LabelledPages | None, model: Artifact
) -> Embeddings | None:
    """What :func:`train_again` made of these users; None until it has run."""
    apart = _apart(store)
    again = pipeline.find_model(apart, dataset, labels, _other(model))
    return None if again is None else pipeline.find_embeddings(apart, dataset, labels, again)


def _apart(store: Store) -> Store:
    return Store(store.root / FOLDER)


def _other(model: Artifact) -> TrainSettings:
    settings = TrainSettings.checked(**model.settings)
    return settings.model_copy(update={"seed": settings.seed + 1})
