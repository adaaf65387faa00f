"""Stage 7: K-Means on the combined vectors.

A cold fit tries ``n_init`` k-means++ starts on the principal components of a sample and runs the best one to
the end on all users and all coordinates (docs/method.md). A warm fit goes on from given centroids, so that a
small move of a slider gives nearly the same segments. K-Means is scikit-learn's (Lloyd's algorithm).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from core.base.errors import ArtifactError, InputError, SettingsError
from core.base.schema import OUTSIDE
from core.base.settings import ClusterSettings
from core.segments.geometry import count_different, nearest, repeatable, segment_means, squared_distances
from core.segments.partition import Partition

__all__ = ["Partition", "assign", "cold_centroids", "fit", "warm_start"]

SAMPLE: Final = 20_000
"""Users that the starts of a cold fit are tried on."""

START_DIMENSIONS: Final = 16
"""Principal components that starts are tried on (Ding, He 2004). They hold five sixths of the variance, and
40 starts on them cost what 10 on all 128 coordinates do: luck decides fewer near ties between optima."""

CANDIDATES: Final = 256
"""Users tried as the first centroid of a segment that is added to earlier ones."""
COMPARED: Final = 5_000
"""Users that each of these is tried on. With 20,000 the fit ends no better (inertia 1.0003 times, over 30
moves of the demo shop), and choosing takes longer than fitting."""


def fit(
    vectors: np.ndarray, inside: np.ndarray, settings: ClusterSettings, init: np.ndarray | None = None
) -> Partition:
    """Cluster the users inside.

    Args:
        vectors: float32 of shape (n_users, d), L2-normalised.
        inside: bool of shape (n_users,), who takes part.
        settings: Number of segments, seed, starts of a cold fit.
        init: Centroids to go on from, of shape (n_clusters, d), see :func:`warm_start`; segment i then
            continues centroid i. None for a cold fit, which numbers segments by size, largest first.

    Raises:
        InputError: If fewer than two different users can be clustered.
        SettingsError: If there are more segments than different users, or ``init`` does not fit.
    """
    rows = np.ascontiguousarray(vectors[inside], dtype=np.float32)
    _check_enough(rows, settings.n_clusters)
    with repeatable():
        start = cold_centroids(rows, settings) if init is None else _checked_start(init, settings, rows)
        made = KMeans(settings.n_clusters, init=start, n_init=1, random_state=settings.seed).fit(rows)
        place, _ = nearest(rows, made.cluster_centers_)
    order = np.arange(settings.n_clusters) if init is not None else _largest_first(place, settings.n_clusters)
    labels = np.full(len(vectors), OUTSIDE, dtype=np.int32)
    labels[inside] = np.argsort(order)[place]
    return Partition(
        labels=labels,
        centroids=made.cluster_centers_[order],
        ids=np.arange(settings.n_clusters, dtype=np.int32),
        inertia=float(made.inertia_),
        n_iter=int(made.n_iter_),
        warm=init is not None,
        settings=settings,
    )


def assign(vectors: np.ndarray, partition: Partition) -> np.ndarray:
    """The nearest segment of each user, new or known; on a tie the one with the lower id.

    Args:
        vectors: float32 of shape (n, d), from the same mix as the partition's.
        partition: The frozen segments.

    Returns:
        int32 of shape (n,), values of ``partition.ids``.

    Raises:
        ArtifactError: If the vectors are of another model.
    """
    wanted = partition.centroids.shape[1]
    if vectors.shape[1] != wanted:
        raise ArtifactError(
            f"Vectors of {vectors.shape[1]} numbers do not fit segments of {wanted}",
            remedy="Use the model that the segments were made with",
        )
    with repeatable():
        place, _ = nearest(vectors, partition.centroids)
    chosen: np.ndarray = partition.ids[place]
    return chosen


def cold_centroids(rows: np.ndarray, settings: ClusterSettings) -> np.ndarray:
    """The best of ``n_init`` k-means++ starts on principal components of one seeded sample, run to the end.

    Args:
        rows: float32 of shape (n, d), all of them to be clustered.
        settings: Number of segments, seed and starts.

    Returns:
        Centroids, float32 of shape (n_clusters, d).
    """
    if len(rows) > SAMPLE:
        chosen = np.random.default_rng(settings.seed).choice(len(rows), SAMPLE, replace=False)
        rows = rows[np.sort(chosen)]
    return centroids_from(rows, narrowed(rows), settings)


def narrowed(rows: np.ndarray) -> np.ndarray:
    """What starts are tried on: principal components, float32 of shape (n, at most 16)."""
    narrow: np.ndarray = PCA(min(START_DIMENSIONS, *rows.shape), svd_solver="covariance_eigh").fit_transform(
        rows
    )
    return narrow


def centroids_from(rows: np.ndarray, narrow: np.ndarray, settings: ClusterSettings) -> np.ndarray:
    """The same as :func:`cold_centroids`, of rows that are narrowed already."""
    tried = KMeans(settings.n_clusters, n_init=settings.n_init, random_state=settings.seed).fit(narrow)
    start, _ = segment_means(rows, tried.labels_, settings.n_clusters)
    made = KMeans(settings.n_clusters, init=start, n_init=1, random_state=settings.seed).fit(rows)
    centroids: np.ndarray = made.cluster_centers_
    return centroids


def warm_start(previous: Partition, vectors: np.ndarray, n_clusters: int) -> np.ndarray:
    """Centroids to go on from after the weights or the number of segments moved.

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
        inside = np.flatnonzero(previous.labels != OUTSIDE)
        place = np.searchsorted(previous.ids, previous.labels[inside])
        centroids, sizes = segment_means(vectors[inside], place, len(previous.ids))
        while len(centroids) > n_clusters:
            centroids, sizes = _merged(centroids, sizes)
        if len(centroids) < n_clusters:
            sample = vectors[inside[:: max(1, len(inside) // COMPARED)]]
            centroids = np.vstack([centroids, _added(sample, centroids, n_clusters - len(centroids))])
    return centroids


def _check_enough(rows: np.ndarray, n_clusters: int) -> None:
    different = count_different(rows, enough=n_clusters)
    if different < 2:
        raise InputError(
            f"There is nothing to cluster: {_alike(len(rows))}",
            allowed="at least 2 users with two page views or more whose vectors differ",
            remedy="Use an export with more users or a longer period",
        )
    if different < n_clusters:
        raise SettingsError(
            f"n_clusters = {n_clusters} is more than the {different} different users that can be clustered",
            allowed=f"2 to {different}",
            remedy="Choose fewer segments",
        )


def _alike(users: int) -> str:
    if users == 0:
        return "nobody has two page views or more"
    if users == 1:
        return "only one user has two page views or more"
    return (
        f"the {users:,} users with two page views or more all have the same vector, because they viewed the "
        "same pages or only pages too rare to tell apart"
    )


def _checked_start(init: np.ndarray, settings: ClusterSettings, rows: np.ndarray) -> np.ndarray:
    wanted = (settings.n_clusters, rows.shape[1])
    if init.shape != wanted:
        raise SettingsError(
            f"Centroids of shape {init.shape} cannot start n_clusters = {settings.n_clusters} segments",
            allowed=f"shape {wanted}",
            remedy="Fit again from scratch",
        )
    return np.ascontiguousarray(init, dtype=np.float32)


def _largest_first(place: np.ndarray, n_clusters: int) -> np.ndarray:
    return np.argsort(-np.bincount(place, minlength=n_clusters), kind="stable")


def _added(sample: np.ndarray, centroids: np.ndarray, count: int) -> np.ndarray:
    candidates = sample[:: max(1, len(sample) // CANDIDATES)]
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
    """One segment less: the pair whose merging raises the inertia least becomes one."""
    together = np.maximum(sizes[:, None] + sizes, 1)
    cost = sizes[:, None] * sizes / together * squared_distances(centroids, centroids)
    cost[np.tril_indices(len(sizes))] = np.inf
    kept, lost = np.unravel_index(np.argmin(cost), cost.shape)
    total = together[kept, lost]
    centroids, sizes = centroids.copy(), sizes.copy()
    centroids[kept] = (sizes[kept] * centroids[kept] + sizes[lost] * centroids[lost]) / total
    sizes[kept] = total
    return np.delete(centroids, lost, axis=0), np.delete(sizes, lost)
