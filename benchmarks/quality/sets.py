"""The data of one run: a demo shop or a file, preprocessed, with what is known of its truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEMO_SEED = 6
"""Of the demo shop that is reported."""
TUNING_SEED = 5
"""Of the demo shop that the settings of the model and of the baselines were chosen on."""
REAL = {"eshop_2008": "eshop_2008.csv.gz", "wikispeedia": "wikispeedia.csv.gz"}
REAL_FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclass(frozen=True)
class SetSpec:
    """Where a preprocessed set lies; small, so that it can be sent to child processes.

    Args:
        name: For the report.
        dataset: Folder of the preprocess stage.
        truth: CSV of user and segment; None where nobody knows.
        ladder: Folder with the labels of the real ladder; None where there are none.
        work: Folder for models and vectors.
    """

    name: str
    dataset: str
    truth: str | None
    ladder: str | None
    work: str


def demo_shop(users: int, seed: int, folder: Path) -> tuple[Path, Path]:
    """Write a demo shop unless it is there; its CSV and its truth."""
    from core.sample import truth_path, write_sample

    folder.mkdir(parents=True, exist_ok=True)
    csv = folder / f"shop-{users}-{seed}.csv"
    if csv.exists() and truth_path(csv).exists():
        return csv, truth_path(csv)
    return csv, write_sample(csv, users, seed)


def prepare(name: str, csv: Path, truth: Path | None, folder: Path) -> SetSpec:
    """Preprocess a file and label its pages, as the app does."""
    from core.base.progress import silent
    from core.base.settings import IngestSettings
    from core.labels.label_settings import LabelSettings
    from core.runs.pipeline import label, preprocess
    from core.storage.store import Store

    work = folder / name.replace(" ", "-").replace(",", "")
    store = Store(work / "store")
    dataset = preprocess(store, [csv], IngestSettings(), silent)
    labels = label(store, dataset, LabelSettings(), silent)
    return SetSpec(
        name=name,
        dataset=str(dataset.path),
        truth=str(truth) if truth else None,
        ladder=str(labels.path) if labels else None,
        work=str(work),
    )
