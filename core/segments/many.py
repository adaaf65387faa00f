"""Users of whom a second copy of the vectors would be too much: they are read a block at a time.

The vectors may be mapped from a file. Those of a run are mixed in memory (``combination.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from core.segments.geometry import BLOCK, inertia, nearest

MOST: Final = 2_000_000
"""Most users of whom a second copy of the vectors is made, in which Lloyd's algorithm works."""
TAUGHT: Final = 20_000
"""Users of many that centroids are fitted to first: those that ``kmeans.cold_centroids`` draws anyway, so
that the passes over everybody start where Lloyd's algorithm would."""
RUN: Final = 256
"""Users that lie side by side on the disk and are read together; a batch is runs from all over it, so that
an order of the ids says nothing."""
BATCH: Final = 16_384
PASSES: Final = 3
"""Times that everybody is looked at (docs/method.md)."""


@dataclass(frozen=True, eq=False)
class ChunkedRows:
    """Some rows of a matrix that may be mapped from a file.

    Args:
        vectors: float32 of shape (n_users, d).
        users: int64 of shape (n,), which rows.
    """

    vectors: np.ndarray
    users: np.ndarray

    @property
    def many(self) -> bool:
        """Whether they are so many that centroids are fitted to :data:`TAUGHT` of them."""
        return len(self.users) > MOST

    def teaching(self, seed: int) -> np.ndarray:
        """A copy of those that centroids are fitted to: all, or :data:`TAUGHT` drawn at random of many."""
        if not self.many:
            return self._of(slice(None))
        drawn = np.random.default_rng(seed).choice(len(self.users), TAUGHT, replace=False)
        return self._of(np.sort(drawn))

    def each(self) -> Iterator[tuple[slice, np.ndarray]]:
        """All of them in order, a block at a time, with their places."""
        for start in range(0, len(self.users), BLOCK):
            part = slice(start, start + BLOCK)
            yield part, self._of(part)

    def _of(self, places: np.ndarray | slice) -> np.ndarray:
        return np.ascontiguousarray(self.vectors[self.users[places]], dtype=np.float32)

    def nearest(self, centroids: np.ndarray) -> np.ndarray:
        """The place of the nearest centroid of each row: intp of shape (n,)."""
        return np.concatenate([nearest(rows, centroids)[0] for _, rows in self.each()])

    def inertia(self, centroids: np.ndarray, place: np.ndarray) -> float:
        """Sum of squared distances to the centroid of each row."""
        return sum(inertia(rows, centroids, place[part]) for part, rows in self.each())

    def batches(self, seed: Sequence[int]) -> Iterator[np.ndarray]:
        """All of them once, in an order drawn at random: float32 of shape (at most :data:`BATCH`, d)."""
        runs = np.random.default_rng(seed).permutation(-(-len(self.users) // RUN))
        for start in range(0, len(runs), BATCH // RUN):
            places = runs[start : start + BATCH // RUN, None] * RUN + np.arange(RUN)
            yield self._of(places[places < len(self.users)])


def mini_batch(rows: ChunkedRows, start: np.ndarray, seed: int) -> np.ndarray:
    """Centroids by mini-batches (Sculley 2010; scikit-learn's): float32 of shape (k, d).

    Args:
        rows: All rows to be clustered.
        start: Centroids to go on from, float32 of shape (k, d); centroid i continues the i-th.
        seed: Of the order.
    """
    made = MiniBatchKMeans(len(start), init=start, n_init=1, random_state=seed, reassignment_ratio=0)
    for number in range(PASSES):
        for batch in rows.batches([seed, number]):
            made.partial_fit(batch)
    centroids: np.ndarray = made.cluster_centers_
    return centroids
