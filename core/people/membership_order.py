"""Users of a segment in order: those between two segments first, or those farthest from its middle."""

from __future__ import annotations

import numpy as np

from core.segments.membership import Memberships


def borderline_users(found: Memberships, labels: np.ndarray, segment: int, n: int) -> np.ndarray:
    """Users of a segment that are nearly as near to the next segment, the smallest difference first.

    Args:
        found: Memberships of all users.
        labels: int32 of shape (n_users,), the segment of each.
        segment: Id of the segment.
        n: How many users, at most.

    Returns:
        int64 of shape (at most n,), user indices.
    """
    return _first(np.flatnonzero(labels == segment), found.next_distance - found.distance, n)


def outlying_users(found: Memberships, labels: np.ndarray, segment: int, n: int) -> np.ndarray:
    """Users of a segment farthest from its middle, farthest first; arguments as :func:`borderline_users`."""
    return _first(np.flatnonzero(labels == segment), -found.distance, n)


def _first(users: np.ndarray, by: np.ndarray, n: int) -> np.ndarray:
    first: np.ndarray = users[np.argsort(by[users], kind="stable")[:n]]
    return first
