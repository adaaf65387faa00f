"""A second training on the same users: the same settings and another seed, to compare with the first.

Its model is thrown away, so that it is never taken for one of the analyst's; its vectors are kept.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

from core.base.progress import Progress
from core.base.settings import TrainSettings
from core.runs import artifacts, pipeline
from core.runs.artifacts import TrainedRequest
from core.storage.store import MANIFEST, Store, content_key

NAME: Final = "second_training"


def made_of(request: TrainedRequest) -> tuple[dict[str, Any], dict[str, str]]:
    """Settings and inputs of which the content key of the vectors is made."""
    return {}, request.inputs


def train_again(store: Store, request: TrainedRequest, folder: Path, progress: Progress) -> None:
    """Train with another seed and write the vectors of all users into a folder.

    Goes on from a checkpoint that a killed run left.

    Raises:
        InputError: If there is too little to learn from.
        Cancelled: If ``progress`` says so; the checkpoint stays.
    """
    dataset, labels = artifacts.open_labelled(store, request.dataset, request.labels)
    first = TrainSettings.checked(**artifacts.open_model(store, request.model).settings)
    settings = first.model_copy(update={"seed": first.seed + 1})
    apart = Store(_unfinished(store, request))
    apart.sweep()
    model = pipeline.train(apart, dataset, labels, settings, progress)
    made = pipeline.embed(apart, dataset, labels, model, progress).artifact
    shutil.copytree(made.path, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(MANIFEST))


def clear(store: Store, request: TrainedRequest) -> None:
    """Remove the model of a second training, and what earlier releases kept of theirs."""
    for path in (_unfinished(store, request), *left_by_earlier_releases(store.root)):
        shutil.rmtree(path, ignore_errors=True)


def left_by_earlier_releases(store: Path) -> list[Path]:
    """Folders of the store that earlier releases had within the store for second trainings."""
    return [path for stage in ("train", "embed", "checkpoints") if (path := store / NAME / stage).is_dir()]


def _unfinished(store: Store, request: TrainedRequest) -> Path:
    """Store of the second training until its vectors are kept."""
    return store.root / "checkpoints" / content_key(NAME, *made_of(request))
