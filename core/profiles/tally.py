"""Who did what how often, laid out once a data set, so that segments only have to be summed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.profiles.rows import Rows

DENSE: Final = 50_000_000
"""Cells up to which counting in a full table is quicker than sorting (and takes at most 400 MB)."""


@dataclass(frozen=True, eq=False)
class Tally:
    """A row a user and thing that occur together.

    Args:
        user: int32 of shape (m,), user indices, ascending.
        code: int32 of shape (m,), places in ``values``.
        times: int32 of shape (m,), how often, at least 1.
        values: The things.
    """

    user: np.ndarray
    code: np.ndarray
    times: np.ndarray
    values: tuple[str, ...]

    def users(self, rows: Rows) -> np.ndarray:
        """Users of each row that did each thing: float64 of shape (n_rows, n_values)."""
        return rows.table(self.user, self.code, len(self.values))

    def sums(self, rows: Rows) -> np.ndarray:
        """How often each row did each thing: float64 of shape (n_rows, n_values)."""
        return rows.table(self.user, self.code, len(self.values), self.times)


def tally(user: np.ndarray, code: np.ndarray, values: Sequence[str], n_users: int) -> Tally:
    """Count pairs.

    Args:
        user: int of shape (m,), user indices, one an occurrence.
        code: int of shape (m,), places in ``values``.
        values: The things.
        n_users: Users of the data set.
    """
    width = max(1, len(values))
    pairs = user.astype(np.int64) * width + code
    if n_users * width <= DENSE:
        counts = np.bincount(pairs, minlength=1)
        different = np.flatnonzero(counts)
        times = counts[different]
    else:
        different, times = np.unique(pairs, return_counts=True)
    users, codes = np.divmod(different, width)
    return Tally(users.astype(np.int32), codes.astype(np.int32), times.astype(np.int32), tuple(values))
