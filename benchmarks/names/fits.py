"""Segments to be named: an export through every stage, kept in a folder so that the next run is quick."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.sets import DEMO_SEED, REAL, demo_shop
from core.base.progress import silent
from core.base.settings import ClusterSettings, IngestSettings, Preset, TrainSettings
from core.labels.label_settings import LabelSettings
from core.runs import pipeline
from core.runs.artifacts import Embeddings
from core.runs.pipeline import RunSettings, Segments
from core.storage.dataset import Dataset
from core.storage.page_labels import LabelledPages
from core.storage.store import Store

DEV: Final = ("demo", "eshop_2008", "deskdrop_2016", "wikispeedia", "mattress", "saas", "merch")
HELD: Final = ("paper", "campus", "tokyo")
"""Sites that are looked at once, when all is decided."""
USERS: Final = 4_000
"""Users of a made-up site."""


@dataclass(frozen=True)
class Fit:
    """A site's users with a trained model.

    Args:
        dataset: The cleaned export.
        labels: Themes and types of its pages; None where they are left out.
        embeddings: A vector a user and view.
    """

    dataset: Dataset
    labels: LabelledPages | None
    embeddings: Embeddings

    def segments(self, k: int) -> Segments:
        """Cluster the users into k segments, and name these."""
        settings = RunSettings(cluster=ClusterSettings(n_clusters=k))
        return pipeline.segment(self.dataset, self.labels, self.embeddings, settings, silent)


def export(site: str, folder: Path) -> Path:
    """Path of the CSV of a site (``demo``, a real or a made-up one), which is written first if need be."""
    if site == "demo":
        return demo_shop(USERS, DEMO_SEED, folder)
    real = {path.name.split(".")[0]: path for path in (*REAL, REAL[0].with_name("deskdrop_2016.csv.gz"))}
    if site not in real:
        from benchmarks.sites.write import write_site

        return write_site(site, folder, USERS, DEMO_SEED).csv
    csv = folder / f"{site}.csv"
    if not csv.exists():
        with gzip.open(real[site]) as packed, csv.open("wb") as plain:
            shutil.copyfileobj(packed, plain)
    return csv


def fit(csv: Path, folder: Path, labelling: LabelSettings) -> Fit:
    """Run every stored stage on an export, with the fast preset."""
    store = Store(folder / "store")
    dataset = pipeline.preprocess(store, [csv], IngestSettings(), silent)
    labels = pipeline.label(store, dataset, labelling, silent)
    model = pipeline.train(store, dataset, labels, TrainSettings.preset(Preset.FAST), silent)
    return Fit(dataset, labels, pipeline.embed(store, dataset, labels, model, silent))
