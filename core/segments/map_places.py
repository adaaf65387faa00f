"""Where the number of each segment stands on a map: among its own users, and on no other number."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.spatial.distance import cdist

from core.base.schema import OUTSIDE

JUDGED: Final = 200
"""Users of a segment that are looked at as places, and as many of the others."""
NEAR: Final = 0.1
"""Of the map's longer side (2): how far a user counts as near, as a standard deviation."""


def number_places(
    xy: np.ndarray, labels: np.ndarray, corners: np.ndarray, size: np.ndarray
) -> dict[int, np.ndarray]:
    """A place for the number of each segment; none lies on another.

    The smallest segment, which has the fewest places, chooses first: the user with the most of its own
    around and few of others. A segment whose users all lie under numbers gets the next free place of a grid.

    Args:
        xy: float of shape (n_users, 2).
        labels: int of shape (n_users,): the segment of each user, negative where there is none.
        corners: Lower left and upper right of the map, (2, 2).
        size: Width and height of a number, (2,), in coordinates of the map. All find a place while the map
            has room for nine numbers a segment.

    Returns:
        Segment → its place, float64 of shape (2,), by segment.
    """
    clustered = labels > OUTSIDE
    segments, users = np.unique(labels[clustered], return_counts=True)
    places: dict[int, np.ndarray] = {}
    for segment in segments[np.argsort(users, kind="stable")]:
        mine = labels == segment
        best_first = _best_first(xy[mine], xy[clustered & ~mine])
        candidates = np.vstack([best_first, _grid(best_first[0], corners, size)])
        free = np.ones(len(candidates), dtype=bool)
        for taken in places.values():
            free &= (np.abs(candidates - taken) >= size).any(axis=1)
        places[int(segment)] = candidates[free.argmax()]
    return {segment: places[segment] for segment in sorted(places)}


def _best_first(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Users of a segment, those with the most of its users around and few of other segments first.

    The middle of a segment that lies on several islands may be an island of others. So: own · (own / (own +
    others))², each a sum of Gaussian weights of distance.
    """
    judged = own[:: max(1, len(own) // JUDGED)].astype(np.float64)
    mine, theirs = _around(judged, own), _around(judged, others)
    return judged[np.argsort(-mine * (mine / (mine + theirs)) ** 2, kind="stable")]


def _around(places: np.ndarray, users: np.ndarray) -> np.ndarray:
    judged = users[:: max(1, len(users) // JUDGED)]
    near = np.exp(-cdist(places, judged, "sqeuclidean") / (2 * NEAR**2)).sum(axis=1)
    weighted: np.ndarray = near * len(users) / max(1, len(judged))
    return weighted


def _grid(start: np.ndarray, corners: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Places a number apart over the whole map, the nearest first."""
    across, up = (np.arange(low, high, step) for (low, high), step in zip(corners.T, size, strict=True))
    grid = np.stack(np.meshgrid(across[:-1], up[:-1]), axis=-1).reshape(-1, 2) + size / 2
    return grid[np.argsort(((grid - start) ** 2).sum(axis=1), kind="stable")]
