"""Which users of a map lie within a line drawn around them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.base.errors import InputError


def inside_polygon(polygon: Sequence[Sequence[float]] | np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Users within a lasso, by the even-odd rule: a part that the line goes round twice is outside.

    Args:
        polygon: Corners, (m, 2), in drawing order; the last is joined to the first.
        xy: float of shape (n_users, 2).

    Returns:
        Indices of the users inside, ascending, int64; none where there are fewer than three corners.

    Raises:
        InputError: If the corners are not pairs of finite numbers.
    """
    corners = _corners(polygon)
    if len(corners) < 3:
        return np.empty(0, dtype=np.int64)
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero(((xy >= low) & (xy <= high)).all(axis=1))  # the box first: a lasso is small
    x, y = xy[near].astype(np.float64).T
    odd = np.zeros(len(near), dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y1 != y2:
            crosses = (y1 > y) != (y2 > y)
            odd ^= crosses & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    return near[odd]


def _corners(polygon: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    try:
        corners = np.asarray(polygon, dtype=np.float64).reshape(len(polygon), 2)
    except (TypeError, ValueError) as error:
        raise InputError(f"The lasso is not a list of points: {error}", allowed="pairs of numbers") from error
    if not np.isfinite(corners).all():
        raise InputError("The lasso has a corner that is not a finite number", allowed="pairs of numbers")
    return corners
