"""Stage 7: segments of the combined vectors, by one of three ways.

K-Means is the default; a Gaussian mixture and HDBSCAN are choices beside it, each a module. All of them leave
a :class:`Partition`, and whoever comes later is placed by the same rule as those it was made of.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from core.base.errors import ArtifactError, InputError, SettingsError
from core.base.schema import OUTLIER, OUTSIDE
from core.base.settings import Algorithm, ClusterSettings
from core.segments import by_hand, density, kmeans, mixture
from core.segments.geometry import count_different, repeatable, segment_means
from core.segments.many import ChunkedRows, mini_batch
from core.segments.partition import Partition

MODULES: Final = {
    Algorithm.KMEANS: kmeans, Algorithm.GAUSSIAN_MIXTURE: mixture, Algorithm.HDBSCAN: density
}  # fmt: skip
"""Each learns arrays from rows, and places rows by them: the position of a segment, or ``OUTLIER``."""


def fit(
    vectors: np.ndarray, inside: np.ndarray, settings: ClusterSettings, init: np.ndarray | None = None
) -> Partition:
    """Cluster the users inside.

    Args:
        vectors: float32 of shape (n_users, d), L2-normalised.
        inside: bool of shape (n_users,), who takes part.
        settings: The way, number of segments, seed, starts of a cold fit.
        init: Centroids to go on from, of shape (n_clusters, d), see :func:`kmeans.warm_start`; segment i then
            continues centroid i. Else, and with HDBSCAN, segments are numbered by size, largest first.

    Raises:
        InputError: If fewer than two different users can be clustered, or they form no such groups.
        SettingsError: If there are more segments than different users, or ``init`` does not fit.
    """
    rows = ChunkedRows(vectors, np.flatnonzero(inside))
    free = settings.algorithm is Algorithm.HDBSCAN
    teaching = rows.teaching(settings.seed)
    _check_enough(teaching, 2 if free else settings.n_clusters)
    start = None if init is None or free else _checked_start(init, settings, teaching)
    with repeatable():
        learned, place, n_iter = _learned(rows, teaching, settings, start)
    centroids = learned.pop("centroids")
    order = _largest_first(place, len(centroids)) if start is None else np.arange(len(centroids))
    rank = np.argsort(order).astype(np.int32)
    labels = np.full(len(vectors), OUTSIDE, dtype=np.int32)
    labels[inside] = _named(place, rank)
    return Partition(
        labels=labels,
        centroids=centroids[order],
        ids=np.arange(len(centroids), dtype=np.int32),
        inertia=rows.inertia(centroids, place),
        n_iter=n_iter,
        warm=start is not None,
        settings=settings,
        learned=learned | {"ids": rank} if learned else {},
    )


def _learned(
    rows: ChunkedRows, teaching: np.ndarray, settings: ClusterSettings, start: np.ndarray | None
) -> tuple[dict[str, np.ndarray], np.ndarray, int]:
    """What a way learns, with centroids, the place of each row by it, and the rounds it took."""
    way = MODULES[settings.algorithm]
    learned, n_iter = way.learn(teaching, settings, start)
    if rows.many and "centroids" in learned:
        learned["centroids"] = mini_batch(rows, learned["centroids"], settings.seed)
    place = rows.placed(partial(way.place, learned=learned))
    if "centroids" not in learned:
        taught = way.place(teaching, learned) if rows.many else place
        own = taught >= 0
        learned["centroids"] = segment_means(teaching[own], taught[own], place.max() + 1)[0]
    return learned, place, n_iter


def assign(vectors: np.ndarray, partition: Partition) -> np.ndarray:
    """The segment of each user, new or known, by the rule that the segments were made by.

    Changes by hand are followed: who is put into a merged segment, a part of a split one, or one set aside.

    Args:
        vectors: float32 of shape (n, d), from the same mix as the partition's.
        partition: The frozen segments.

    Returns:
        int32 of shape (n,), values of ``partition.ids`` (of two that are as near the lower), ``OUTLIER`` or
        ``SET_ASIDE``.

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
        learned = {"centroids": partition.centroids, **partition.learned}
        place = MODULES[partition.settings.algorithm].place(vectors, learned)
        return by_hand.follow(_named(place, learned.get("ids", partition.ids)), vectors, partition)


def placed_by(learns: np.ndarray, rows: np.ndarray, settings: ClusterSettings) -> np.ndarray:
    """Cut users into segments that some users teach; call it within ``geometry.repeatable``.

    Args:
        learns: float32 of shape (m, d).
        rows: float32 of shape (n, d).
        settings: The way and its settings.

    Returns:
        int of shape (n,), 0 and up, or ``OUTLIER``; that of everybody where ``learns`` form no segments.
    """
    way, different = MODULES[settings.algorithm], count_different(learns, enough=settings.n_clusters)
    fewer = settings.model_copy(update={"n_clusters": min(settings.n_clusters, different)})
    try:
        _check_enough(learns, 2)
        place: np.ndarray = way.place(rows, way.learn(np.array(learns, order="C"), fewer, None)[0])
    except InputError:
        return np.full(len(rows), OUTLIER)
    return place


def _named(place: np.ndarray, ids: np.ndarray) -> np.ndarray:
    named: np.ndarray = np.where(place < 0, np.int32(OUTLIER), ids[place])
    return named


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
    return np.argsort(-np.bincount(place[place >= 0], minlength=n_clusters), kind="stable")
