"""Users by where they stand in their segment: between two of them, and far from everybody."""

from __future__ import annotations

import numpy as np

from core.segments.membership import Memberships


def between(found: Memberships, labels: np.ndarray, segment: int, n: int) -> np.ndarray:
    """Users of a segment that are nearly as near to the next one: the smallest lead first.

    Args:
        found: Distances of all users.
        labels: int32 of shape (n_users,), the segment of each.
        segment: Whose users.
        n: How many.

    Returns:
        int64 of shape (at most n,), user indices.
    """
    return _first(np.flatnonzero(labels == segment), found.next_distance - found.distance, n)


def outlying(found: Memberships, labels: np.ndarray, segment: int, n: int) -> np.ndarray:
    """Users of a segment that are farthest from its middle, the farthest first; arguments as above."""
    return _first(np.flatnonzero(labels == segment), -found.distance, n)


def _first(users: np.ndarray, by: np.ndarray, n: int) -> np.ndarray:
    first: np.ndarray = users[np.argsort(by[users], kind="stable")[:n]]
    return first
