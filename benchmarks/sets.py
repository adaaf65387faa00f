"""The data that benchmarks run on: demo shops and real exports, prepared as the app prepares them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.labels.label_settings import LabelSettings, ThemeSource

DEMO_SEED = 6
"""Seed of the demo shop that is reported; settings were chosen on that of seed 5."""
_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
REAL = (_DATA / "eshop_2008.csv.gz", _DATA / "wikispeedia.csv.gz")
"""Real exports, which lie beside the repository where they are at hand."""


@dataclass(frozen=True)
class SetSpec:
    """Where a preprocessed set lies; small, so that it can be sent to child processes.

    Args:
        name: Name in the report.
        dataset: Folder of the preprocess stage.
        truth: CSV of user and segment; None where nobody knows.
        cascade: Folder of the labels made by the app's rungs; None where there are none.
        work: Folder for models and vectors.
    """

    name: str
    dataset: Path
    truth: Path | None
    cascade: Path | None
    work: Path


def demo_shop(users: int, seed: int, folder: Path) -> Path:
    """Path of a demo shop's export, which is written with its truth beside it unless both are there."""
    from core.ingest.sample import truth_path, write_sample

    csv = folder / f"shop-{users}-{seed}.csv"
    if not (csv.exists() and truth_path(csv).exists()):
        write_sample(csv, users, seed)
    return csv


def prepare(csv: Path, folder: Path, themes: ThemeSource = ThemeSource.AUTO) -> SetSpec:
    """Preprocess an export and label its pages."""
    from core.base.progress import silent
    from core.base.settings import IngestSettings
    from core.ingest.sample import truth_path
    from core.runs.pipeline import label, preprocess
    from core.storage.store import Store

    name, truth = csv.name.split(".")[0], truth_path(csv)
    store = Store(folder / name / "store")
    dataset = preprocess(store, [csv], IngestSettings(), silent)
    labels = label(store, dataset, LabelSettings(themes=themes), silent)
    return SetSpec(
        name=name,
        dataset=dataset.path,
        truth=truth if truth.exists() else None,
        cascade=labels.path if labels else None,
        work=folder / name,
    )
