"""The prepared cache that the server starts from: the demo shop, labelled, a model, and its vectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.base.progress import silent
from core.base.settings import IngestSettings, Preset, TrainSettings
from core.labels.label_settings import LabelSettings
from core.runs import pipeline, tasks
from core.sample import write_sample
from core.storage.store import Store

SEED = 3


@dataclass(frozen=True)
class Shop:
    """A finished run.

    Args:
        root: The store's folder.
        dataset: Content key of the data set.
        model: Content key of the trained model.
    """

    root: Path
    dataset: str
    model: str


def prepare(folder: Path, users: int, preset: Preset) -> Shop:
    """Make the shop, or find what an earlier run left in the folder.

    Raises:
        ResourceError: If the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    csv, store = folder / f"demo_shop_{users}.csv", Store(folder / "cache")
    if not csv.exists():
        write_sample(csv, users, SEED)
    dataset = pipeline.preprocess(store, [csv], IngestSettings(), silent)
    settings = TrainSettings.preset(preset)
    request = tasks.TrainRequest(dataset=dataset.key, label=LabelSettings(), settings=settings)
    made = tasks.train(store, request, silent)  # as the app's own button does: with the scores over K
    return Shop(store.root, made["dataset"], made["model"])
