"""HDBSCAN (Campello, Moulavi, Sander 2013; scikit-learn's): dense groups, as many as there are, and outliers.

It is learned on principal components of at most :data:`SAMPLE` users, as its time grows with their square.
Everybody then is what the nearest user of the sample is, outliers among them; who is farther from that one
than its own fifteenth neighbour fits no segment either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from sklearn.cluster import HDBSCAN
from sklearn.metrics import pairwise_distances_argmin_min
from sklearn.neighbors import NearestNeighbors

from core.base.errors import InputError
from core.base.schema import OUTLIER
from core.base.settings import ClusterSettings
from core.segments.geometry import seeded_sample
from core.segments.principal import along, principal_axes

SAMPLE: Final = 5_000
DIMENSIONS: Final = 10
"""Principal components: with more, all users are about as far from each other."""
NEIGHBOURS: Final = 5
"""Users around one that say how dense it is there, itself among them; with more, more users are outliers."""
REACH: Final = 15
"""Neighbours as far as which a user of the sample speaks for others: then as many of those who are placed are
outliers as of the sample (34 % of the demo shop; 46 % with 5)."""
FEWEST: Final = 5
"""Users that a group has at least, whatever the share says."""
SLACK: Final = 1e-5
"""Rounding, in squared distance of unit vectors: users with the same vector are not apart."""


def learn(
    rows: np.ndarray, settings: ClusterSettings, init: np.ndarray | None = None
) -> tuple[dict[str, np.ndarray], int]:
    """The group of each user of a sample, and 0, as there are no rounds.

    Args:
        rows: float32 of shape (n, d), all of them to be clustered.
        settings: Share of the users in the smallest group, seed of the sample.
        init: Not used: it always starts from scratch.

    Raises:
        InputError: If there are no two dense groups.
    """
    sample = seeded_sample(rows, SAMPLE, settings.seed)
    smallest = max(FEWEST, round(settings.min_cluster_size * len(sample)))
    axes = principal_axes(sample, DIMENSIONS)
    narrow = along(sample, axes)
    around = min(NEIGHBOURS, len(sample))
    groups = np.full(len(sample), -1)
    if len(sample) >= smallest:
        groups = HDBSCAN(min_cluster_size=smallest, min_samples=around, copy=True).fit(narrow).labels_
    if groups.max() < 0:
        raise InputError(
            f"No dense groups: with at least {smallest:,} of {len(sample):,} users in each, everybody "
            "would be an outlier",
            remedy="Allow smaller groups, or choose K-Means",
        )
    far, _ = NearestNeighbors(n_neighbors=min(REACH, len(sample))).fit(narrow).kneighbors(narrow)
    groups[groups < 0] = OUTLIER
    return axes | {"sample": narrow, "reach": far[:, -1], "group": groups}, 0


def place(rows: np.ndarray, learned: Mapping[str, np.ndarray]) -> np.ndarray:
    """The group of each row's nearest user of the sample, ``OUTLIER`` beyond its reach: int of shape (n,)."""
    beside, apart = pairwise_distances_argmin_min(along(rows, learned), learned["sample"])
    within = apart**2 <= learned["reach"][beside] ** 2 + SLACK
    placed: np.ndarray = np.where(within, learned["group"][beside], OUTLIER)
    return placed
