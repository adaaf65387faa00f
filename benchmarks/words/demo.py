"""The demo shop as the questions see it: its tables, labels by address, segments from what was looked at.

No model is trained: what is asked about the segments does not depend on how they were made.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.base.progress import silent
from core.base.schema import Pages, View
from core.base.settings import AnalyzeSettings, ClusterSettings, IngestSettings
from core.facts.context import Basis, Context, Tables
from core.ingest.ingest import ingest
from core.ingest.sample import write_sample
from core.profiles.data import ProfileData
from core.profiles.facets import find_facets
from core.profiles.metrics import profile
from core.segments.clustering import fit
from core.segments.partition import Partition
from core.storage.dataset import Dataset, is_clustered
from core.storage.sequences import UserSequences

EDITED = {
    0: "Bargain hunters", 1: "Window shoppers", 2: "Loyal readers", 3: "Weekend climbers", 4: "Gift seekers",
    5: "Quick buyers",
}  # fmt: skip
"""Names that an analyst typed."""
DIMENSIONS = 48
TYPES = (
    (r"^/$", "Homepage"), (r"^/(cart|checkout)", "Cart & checkout"), (r"^/account", "Account"),
    (r"^/search", "Search"), (r"^/blog", "Blog"), (r"^/(support|stores)", "Service"),
    (r"^/(sale|compare|guides|shop/[^/]+(/[^/]+)?$)", "Category"), (r"^/", "Product"),
)  # fmt: skip
THEMES = (
    ("tents", "Tents"), ("sleeping", "Sleeping"), ("packs", "Packs"), ("jackets", "Jackets"),
    ("footwear|boots|shoe", "Footwear"), ("climbing", "Climbing"), ("cooking|stove", "Cooking"),
    ("cycling|bike", "Cycling"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Shop:
    """A data set in segments, of which questions are asked.

    Args:
        dataset: The preprocessed export.
        labels: View → label of each page.
        partition: The segments.
        vectors: Vectors that were clustered, float32 of shape (n_users, d).
        context: The segments as the app answers questions from.
    """

    dataset: Dataset
    labels: dict[View, list[str]]
    partition: Partition
    vectors: np.ndarray
    context: Context


def make_shop(folder: Path, users: int, seed: int = 3, segments: int = 6) -> Shop:
    """Make the export, read it, label its pages by address, cluster its users."""
    csv, data, work = folder / "shop.csv", folder / "data", folder / "work"
    for made in (data, work):
        made.mkdir(parents=True, exist_ok=True)
    write_sample(csv, users, seed)
    ingest([csv], IngestSettings(), data, silent, work)
    return open_shop(Dataset(data, f"shop-{users}-{seed}"), segments)


def open_shop(dataset: Dataset, segments: int = 6) -> Shop:
    """Label and cluster a preprocessed export of the demo shop."""
    labels = labels_of(dataset.pages)
    vectors = vectors_of(dataset.sequences, len(dataset.pages))
    settings = ClusterSettings(n_clusters=segments, n_init=2)
    partition = fit(vectors, is_clustered(dataset.users), settings)
    data = ProfileData.from_dataset(dataset)
    levels = find_facets(dataset).items()
    basis = Basis.from_tables(dataset.key, data, dataset.pages, dataset.sequences, labels, levels)
    basis = replace(basis, events=lambda: dataset.events)
    profiles = profile(data, partition.labels, AnalyzeSettings())
    context = Context(Tables(basis, profiles, partition), EDITED, earlier(partition))
    return Shop(dataset, labels, partition, vectors, context)


def earlier(now: Partition) -> Partition:
    """Make segments as if before a move: every seventh user of the first was in the second."""
    labels = now.labels.copy()
    labels[np.flatnonzero(labels == 0)[::7]] = 1
    return Partition(labels, now.centroids, now.ids, now.inertia, now.n_iter, False, now.settings)


def labels_of(pages: pd.DataFrame) -> dict[View, list[str]]:
    """Theme and type of each page, by its path."""
    paths = [re.sub(r"^https?://[^/]+", "", address) for address in pages[Pages.PAGE_LOCATION]]
    types = [next(name for pattern, name in TYPES if re.search(pattern, path)) for path in paths]
    themes = [
        next((name for pattern, name in THEMES if re.search(pattern, path)), "Unknown") for path in paths
    ]
    return {View.THEME: themes, View.TYPE: types}


def vectors_of(sequences: UserSequences, n_pages: int) -> np.ndarray:
    """Unit vectors of users: the sum of a seeded random direction for each page viewed; (n_users, d)."""
    directions = np.random.default_rng(0).standard_normal((n_pages, DIMENSIONS)).astype(np.float32)
    sums = np.add.reduceat(directions[sequences.page], sequences.offsets[:-1], axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    vectors: np.ndarray = (sums / np.maximum(lengths, 1e-9)).astype(np.float32)
    return vectors


def demo_shop(users: int = 3_000) -> Shop:
    """Make a shop in a temporary folder; its tables are in memory when the folder is gone."""
    with tempfile.TemporaryDirectory() as folder:
        shop = make_shop(Path(folder), users)
        _ = shop.dataset.outcomes, shop.dataset.users, shop.dataset.pages, shop.dataset.sequences
    return shop
