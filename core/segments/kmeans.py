"""K-Means (Lloyd's algorithm, scikit-learn's), from a cold start or from given centroids.

A cold fit tries ``n_init`` k-means++ starts on the principal components of a sample and runs the best one to
the end on all users and all coordinates (docs/method.md). A warm fit goes on from given centroids, so that a
small move of a slider gives nearly the same segments.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from core.base.schema import OUTSIDE
from core.base.settings import ClusterSettings
from core.segments.geometry import (
    count_different,
    nearest,
    repeatable,
    seeded_sample,
    segment_means,
    squared_distances,
)
from core.segments.partition import Partition

SAMPLE: Final = 20_000
"""Users that the starts of a cold fit are tried on."""

_START_DIMENSIONS: Final = 16
"""Principal components that starts are tried on (Ding, He 2004). They hold five sixths of the variance, and
40 starts on them cost what 10 on all 128 coordinates do: luck decides fewer near ties between optima."""

_FEW_STARTS: Final = 6
"""Starts of a K-Means that is only compared: the final fit takes 40."""
_DIGITS: Final = 5
"""Decimal digits in which vectors must differ: rounding alone makes no segment."""

_CANDIDATES: Final = 256
"""Users tried as the first centroid of a segment that is added to earlier ones."""
_COMPARED: Final = 5_000
"""Users that each candidate is tried on. With 20,000 the fit ends no better (inertia 1.0003 times, over 30
moves of the demo shop), and choosing takes longer than fitting."""


def fit_centroids(
    rows: np.ndarray, settings: ClusterSettings, init: np.ndarray | None = None
) -> tuple[np.ndarray, int]:
    """Fit centroids, float32 of shape (n_clusters, d), and return them with the rounds that it took.

    Args:
        rows: float32 of shape (n, d), all of them to be clustered; changed in place, so that there is no
            second copy: they are moved to their mean, and back but for rounding.
        settings: Number of segments, seed and starts.
        init: Centroids to start from; None for a cold fit.
    """
    start = cold_centroids(rows, settings) if init is None else init
    again = KMeans(settings.n_clusters, init=start, n_init=1, random_state=settings.seed, copy_x=False)
    made = again.fit(rows)
    return made.cluster_centers_, int(made.n_iter_)


def cold_centroids(rows: np.ndarray, settings: ClusterSettings) -> np.ndarray:
    """Fit centroids to a seeded sample, from the best of ``n_init`` k-means++ starts on its components.

    Args:
        rows: float32 of shape (n, d), all of them to be clustered.
        settings: Number of segments, seed and starts.

    Returns:
        Centroids, float32 of shape (n_clusters, d).
    """
    rows = seeded_sample(rows, SAMPLE, settings.seed)
    return _centroids_from(rows, _reduce_dimensions(rows), settings)


def _reduce_dimensions(rows: np.ndarray) -> np.ndarray:
    """Principal components that starts are tried on: float32 of shape (n, at most 16)."""
    narrow: np.ndarray = PCA(min(_START_DIMENSIONS, *rows.shape), svd_solver="covariance_eigh").fit_transform(
        rows
    )
    return narrow


def _centroids_from(rows: np.ndarray, narrow: np.ndarray, settings: ClusterSettings) -> np.ndarray:
    """Find centroids of rows that are narrowed already (:func:`cold_centroids`): float32 of shape (k, d)."""
    tried = KMeans(settings.n_clusters, n_init=settings.n_init, random_state=settings.seed).fit(narrow)
    start, _ = segment_means(rows, tried.labels_, settings.n_clusters)
    made = KMeans(settings.n_clusters, init=start, n_init=1, random_state=settings.seed).fit(rows)
    centroids: np.ndarray = made.cluster_centers_
    return centroids


def labels_by(
    learns: np.ndarray, rows: np.ndarray, n_clusters: int, seed: int = 0, n_init: int = _FEW_STARTS
) -> np.ndarray:
    """Fit segments to some users, and assign others to them; call it within ``geometry.repeatable``.

    Args:
        learns: float32 of shape (m, d), users that segments are fitted to.
        rows: float32 of shape (n, d), users that are assigned.
        n_clusters: Number of segments; as many as differ where fewer of ``learns`` do.
        seed: Seed of K-Means.
        n_init: Number of its starts.

    Returns:
        int of shape (n,), the segment of each row, from 0.
    """
    learns = np.ascontiguousarray(learns)
    different = count_different(np.round(learns, _DIGITS), enough=n_clusters + 1)
    if different < 2:
        return np.zeros(len(rows), dtype=np.intp)
    settings = ClusterSettings(n_clusters=min(n_clusters, different), seed=seed, n_init=n_init)
    return nearest(rows, _centroids_from(learns, _reduce_dimensions(learns), settings))[0]


def warm_start(previous: Partition, vectors: np.ndarray, n_clusters: int) -> np.ndarray:
    """Choose centroids to start from after the weights or the number of segments changed.

    They are the means of the previous segments among the vectors as they are now. Where more segments are
    wanted, each new one starts at the user who brings the others closest to a centroid (greedy k-means++,
    over fixed candidates); where fewer, the two that lose least by it are merged (Ward's criterion).

    Args:
        previous: The segments before the move.
        vectors: float32 of shape (n_users, d), as they are now.
        n_clusters: Segments wanted now.

    Returns:
        float32 of shape (n_clusters, d).
    """
    with repeatable():
        inside = np.flatnonzero(previous.labels > OUTSIDE)
        place = np.searchsorted(previous.ids, previous.labels[inside])
        centroids, sizes = segment_means(vectors[inside], place, len(previous.ids))
        while len(centroids) > n_clusters:
            centroids, sizes = _merged(centroids, sizes)
        if len(centroids) < n_clusters:
            sample = vectors[inside[:: max(1, len(inside) // _COMPARED)]]
            centroids = np.vstack([centroids, _added(sample, centroids, n_clusters - len(centroids))])
    return centroids


def _added(sample: np.ndarray, centroids: np.ndarray, count: int) -> np.ndarray:
    candidates = sample[:: max(1, len(sample) // _CANDIDATES)]
    apart = squared_distances(sample, candidates)
    _, now = nearest(sample, centroids)
    chosen = []
    for _ in range(count):
        gain = now[:, None] - apart
        best = int(np.maximum(gain, 0, out=gain).sum(axis=0).argmax())
        now = np.minimum(now, np.maximum(apart[:, best], 0))
        chosen.append(candidates[best])
    return np.array(chosen)


def _merged(centroids: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Merge the pair of segments that raises the inertia least."""
    together = np.maximum(sizes[:, None] + sizes, 1)
    cost = sizes[:, None] * sizes / together * squared_distances(centroids, centroids)
    cost[np.tril_indices(len(sizes))] = np.inf
    kept, lost = np.unravel_index(np.argmin(cost), cost.shape)
    total = together[kept, lost]
    centroids, sizes = centroids.copy(), sizes.copy()
    centroids[kept] = (sizes[kept] * centroids[kept] + sizes[lost] * centroids[lost]) / total
    sizes[kept] = total
    return np.delete(centroids, lost, axis=0), np.delete(sizes, lost)
