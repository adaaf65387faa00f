"""What users saw so far, as the tables of next pages know it, and how it is turned into questions to them.

Letters: n users, n_columns pages that the tables know.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
from scipy import sparse

from core.data.sequences import UserSequences

UNKNOWN_PAGE: Final = -1
LAGS: Final = 5
"""Page views back that a rule looks; the one that is l back counts 1 / l (Ludewig and Jannach 2018)."""
FADING: Final = 0.8
"""What a page view of the user's own counts, beside the one after it."""
Sparse: TypeAlias = Any
"""A matrix of scipy, whose own have no types."""


@dataclass(frozen=True, eq=False)
class SeenPages:
    """Page views of n users in order; those of pages that the tables do not know are left out.

    Args:
        offsets: int64 of shape (n + 1,), where each user's page views begin; users may have none.
        column: int64 of shape (n_views,), the page of each view, 0 to n_columns − 1.
        n_columns: Pages that the tables know.
    """

    offsets: np.ndarray
    column: np.ndarray
    n_columns: int

    @classmethod
    def of(cls, sequences: UserSequences, columns: np.ndarray, n_columns: int) -> SeenPages:
        """Of all users of a data set.

        Args:
            sequences: Their page views.
            columns: int of shape (n_pages,), the column of each page of the data set, or ``UNKNOWN_PAGE``.
            n_columns: Pages that the tables know.
        """
        column = columns[sequences.page].astype(np.int64)
        known = np.concatenate([[0], np.cumsum(column != UNKNOWN_PAGE)])
        return cls(known[sequences.offsets], column[column != UNKNOWN_PAGE], n_columns)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def some(self, users: np.ndarray | slice) -> SeenPages:
        """Of some of these users.

        Args:
            users: Their numbers, in any order.
        """
        begin, length = self.offsets[:-1][users], self.lengths[users]
        offsets = np.concatenate([[0], np.cumsum(length)])
        where = np.arange(offsets[-1]) + np.repeat(begin - offsets[:-1], length)
        return SeenPages(offsets, self.column[where], self.n_columns)

    @property
    def lengths(self) -> np.ndarray:
        """Known page views a user: int64 of shape (n,)."""
        return np.diff(self.offsets)

    @cached_property
    def user(self) -> np.ndarray:
        """Whose each page view is: int64 of shape (n_views,)."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @cached_property
    def back(self) -> np.ndarray:
        """How many page views back each one lies, the last one 1: int64 of shape (n_views,)."""
        back: np.ndarray = self.offsets[1:][self.user] - np.arange(len(self.column))
        return back

    @property
    def evenly(self) -> Sparse:
        """All pages by their share of the views: sparse float32 of shape (n, n_columns)."""
        ones = np.ones(len(self.column), dtype=np.float32)
        return shares(sparse.csr_array((ones, (self.user, self.column)), shape=(len(self), self.n_columns)))


def shares(counts: Sparse) -> Sparse:
    """Rows that sum to 1; empty ones stay empty."""
    counts = sparse.csr_array(counts)
    counts.sum_duplicates()
    totals = np.asarray(counts.sum(axis=1)).ravel()
    counts.data = (counts.data / np.repeat(np.maximum(totals, 1e-30), np.diff(counts.indptr))).astype(
        np.float32
    )
    return counts
