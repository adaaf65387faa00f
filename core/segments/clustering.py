"""Stage 7: segments of the combined vectors. Whoever comes later is placed by the rule that made them."""

from __future__ import annotations

import numpy as np

from core.base.errors import ArtifactError, InputError, SettingsError
from core.base.schema import OUTSIDE
from core.base.settings import ClusterSettings
from core.segments import by_hand
from core.segments.geometry import count_different, nearest, repeatable
from core.segments.kmeans import fit_centroids
from core.segments.many import ChunkedRows, mini_batch
from core.segments.partition import Partition


def fit(
    vectors: np.ndarray, inside: np.ndarray, settings: ClusterSettings, init: np.ndarray | None = None
) -> Partition:
    """Cluster the users inside.

    Args:
        vectors: float32 of shape (n_users, d), L2-normalised.
        inside: bool of shape (n_users,), who takes part.
        settings: Number of segments, seed, starts of a cold fit.
        init: Centroids to go on from, of shape (n_clusters, d), see :func:`kmeans.warm_start`; segment i then
            continues centroid i. Else segments are numbered by size, largest first.

    Raises:
        InputError: If fewer than two different users can be clustered.
        SettingsError: If there are more segments than different users, or ``init`` does not fit.
    """
    rows = ChunkedRows(vectors, np.flatnonzero(inside))
    teaching = rows.teaching(settings.seed)
    _check_enough(teaching, settings.n_clusters)
    start = None if init is None else _checked_start(init, settings, teaching)
    with repeatable():
        centroids, n_iter = fit_centroids(teaching, settings, start)
        if rows.many:
            centroids = mini_batch(rows, centroids, settings.seed)
        place = rows.nearest(centroids)
    ids = np.arange(len(centroids), dtype=np.int32)
    by_size = np.argsort(-np.bincount(place, minlength=len(ids)), kind="stable")
    order = by_size if start is None else ids
    labels = np.full(len(vectors), OUTSIDE, dtype=np.int32)
    labels[inside] = np.argsort(order)[place]
    return Partition(
        labels=labels,
        centroids=centroids[order],
        ids=ids,
        inertia=rows.inertia(centroids, place),
        n_iter=n_iter,
        warm=start is not None,
        settings=settings,
    )


def assign(vectors: np.ndarray, partition: Partition) -> np.ndarray:
    """The segment of each user, new or known: that of the nearest centroid.

    Changes by hand are followed: who is put into a merged segment, a part of a split one, or one set aside.

    Args:
        vectors: float32 of shape (n, d), from the same mix as the partition's.
        partition: The frozen segments.

    Returns:
        int32 of shape (n,), values of ``partition.ids`` (of two that are as near the lower) or ``SET_ASIDE``.

    Raises:
        ArtifactError: If the vectors are of another model.
    """
    wanted = partition.centroids.shape[1]
    if vectors.shape[1] != wanted:
        raise ArtifactError(
            f"Vectors of {vectors.shape[1]} numbers do not fit segments of {wanted}",
            remedy="Use the model that the segments were made with",
        )
    cut = {"centroids": partition.centroids, "ids": partition.ids, **partition.learned}
    with repeatable():
        place, _ = nearest(vectors, cut["centroids"])
        return by_hand.follow(cut["ids"][place], vectors, partition)


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
