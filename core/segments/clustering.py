"""Stage 7: cluster users by their combined vectors, and assign new users to the nearest segment.

Where there are too many users for a second copy of their vectors, these are read a block at a time, and may
be mapped from a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from core.base.errors import ArtifactError, InputError, SettingsError
from core.base.schema import OUTSIDE
from core.base.settings import ClusterSettings
from core.segments import editing
from core.segments.geometry import BLOCK, count_different, inertia, nearest, repeatable
from core.segments.kmeans import fit_centroids
from core.segments.partition import Partition

MAX_USERS: Final = 2_000_000
"""Most users of whom a second copy of the vectors is made, in which Lloyd's algorithm works."""
TAUGHT: Final = 20_000
"""Users that centroids are fitted to first, where there are more than :data:`MAX_USERS`: those that
``kmeans.cold_centroids`` draws anyway, so that the passes over everybody start where Lloyd's would."""
RUN: Final = 256
"""Users that are read together, as they lie side by side on the disk; a batch holds runs from all over it, so
that the order of the ids says nothing."""
BATCH: Final = 16_384
_PASSES: Final = 3
"""Passes of the mini-batches over all users (docs/method.md)."""


@dataclass(frozen=True, eq=False)
class ChunkedRows:
    """Some rows of a matrix that may be mapped from a file, read a block at a time.

    Args:
        vectors: float32 of shape (n_users, d).
        users: int64 of shape (n,), which rows.
    """

    vectors: np.ndarray
    users: np.ndarray

    @property
    def many(self) -> bool:
        """Whether there are so many rows that centroids are first fitted to :data:`TAUGHT` of them."""
        return len(self.users) > MAX_USERS

    def teaching(self, seed: int) -> np.ndarray:
        """Copy the rows that centroids are fitted to: all, or :data:`TAUGHT` drawn at random of many."""
        if not self.many:
            return self._of(slice(None))
        drawn = np.random.default_rng(seed).choice(len(self.users), TAUGHT, replace=False)
        return self._of(np.sort(drawn))

    def each(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Iterate over all rows in order, a block at a time: the block's slice of ``users``, and its rows."""
        for start in range(0, len(self.users), BLOCK):
            part = slice(start, start + BLOCK)
            yield part, self._of(part)

    def _of(self, places: np.ndarray | slice) -> np.ndarray:
        return np.ascontiguousarray(self.vectors[self.users[places]], dtype=np.float32)

    def nearest(self, centroids: np.ndarray) -> np.ndarray:
        """Position of the centroid that is nearest to each row: intp of shape (n,)."""
        return np.concatenate([nearest(rows, centroids)[0] for _, rows in self.each()])

    def inertia(self, centroids: np.ndarray, place: np.ndarray) -> float:
        """Sum of squared distances of all rows to their centroids, ``place`` being that of each row."""
        return sum(inertia(rows, centroids, place[part]) for part, rows in self.each())

    def batches(self, seed: Sequence[int]) -> Iterator[np.ndarray]:
        """Iterate over all rows once, in random order: float32 of shape (at most :data:`BATCH`, d)."""
        runs = np.random.default_rng(seed).permutation(-(-len(self.users) // RUN))
        for start in range(0, len(runs), BATCH // RUN):
            places = runs[start : start + BATCH // RUN, None] * RUN + np.arange(RUN)
            yield self._of(places[places < len(self.users)])


def mini_batch(rows: ChunkedRows, start: np.ndarray, seed: int) -> np.ndarray:
    """Fit centroids by mini-batches (Sculley 2010; scikit-learn's): float32 of shape (k, d).

    Args:
        rows: All rows to be clustered.
        start: Centroids to go on from, float32 of shape (k, d); centroid i continues the i-th.
        seed: Seed of the order of rows.
    """
    made = MiniBatchKMeans(len(start), init=start, n_init=1, random_state=seed, reassignment_ratio=0)
    for number in range(_PASSES):
        for batch in rows.batches([seed, number]):
            made.partial_fit(batch)
    centroids: np.ndarray = made.cluster_centers_
    return centroids


def fit(
    vectors: np.ndarray, inside: np.ndarray, settings: ClusterSettings, init: np.ndarray | None = None
) -> Partition:
    """Cluster the users who take part into segments.

    Args:
        vectors: float32 of shape (n_users, d), L2-normalised.
        inside: bool of shape (n_users,), who takes part.
        settings: Number of segments, seed, starts of a cold fit.
        init: Centroids to go on from (:func:`core.segments.kmeans.warm_start`), of shape (n_clusters, d);
            segment i then continues centroid i. Else segments are numbered by size, largest first.

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
    """Assign each user, new or known, to the segment of the nearest centroid.

    Changes by hand are followed: to a merged segment, to a part of a split one, or to those set aside.

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
        return editing.apply_edits(cut["ids"][place], vectors, partition)


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
