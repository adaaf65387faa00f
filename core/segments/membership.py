"""Soft membership: how near users are to their segment and to the next one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.base.schema import OUTSIDE
from core.segments.geometry import BLOCK, repeatable, squared_distances
from core.segments.partition import Partition


@dataclass(frozen=True, eq=False)
class Memberships:
    """How near each user is to their segment and to the next one.

    Args:
        distance: float32 of shape (n,), to the centroid of the user's segment; NaN for users in none.
        next_segment: int32 of shape (n,), the other segment with the nearest centroid; ``OUTSIDE`` for users
            outside clustering.
        next_distance: float32 of shape (n,), to that centroid; NaN outside clustering.
        share: float32 of shape (n,), 0 to 1, how much users belong to their segment: 1/d² of its centroid by
            the sum of that and 1/d² of the next centroid, fuzzy c-means of the two with m = 2 (Bezdek 1981);
            .5 is the border, below it the next centroid is nearer (segments made by hand need not be round).
            0 for users set aside, NaN outside clustering.
    """

    distance: np.ndarray
    next_segment: np.ndarray
    next_distance: np.ndarray
    share: np.ndarray


def memberships(vectors: np.ndarray, labels: np.ndarray, partition: Partition) -> Memberships:
    """Measure how near each user is to their segment and to the next one.

    Args:
        vectors: float32 of shape (n, d), from the same mix as the partition's.
        labels: int32 of shape (n,), values of ``partition.ids``, ``OUTSIDE`` or ``SET_ASIDE``.
        partition: The segments.
    """
    found = np.full((3, len(labels)), np.nan, dtype=np.float32)
    next_segment = np.full(len(labels), OUTSIDE, dtype=np.int32)
    inside = np.flatnonzero(labels != OUTSIDE)
    with repeatable():
        for start in range(0, len(inside), BLOCK):
            users = inside[start : start + BLOCK]
            found[:, users], other = _measured(vectors[users], labels[users], partition)
            next_segment[users] = partition.ids[other]
    return Memberships(found[0], next_segment, found[1], found[2])


def _measured(
    rows: np.ndarray, labels: np.ndarray, partition: Partition
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Distance, next distance and share, each of shape (n,), and the place of the next segment."""
    own = labels[:, None] == partition.ids  # (n, k); all False of who was set aside
    apart = np.sqrt(np.maximum(squared_distances(rows, partition.centroids), 0))
    others = np.where(own, np.inf, apart)
    mine, following = np.where(own, apart, 0).sum(axis=1), others.min(axis=1)
    share = following**2 / np.maximum(mine**2 + following**2, np.finfo(np.float32).tiny)
    fits = own.any(axis=1)
    return (np.where(fits, mine, np.nan), following, np.where(fits, share, 0)), others.argmin(axis=1)
