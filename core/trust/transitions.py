"""The other simple way to make a vector a user: which kind of page follows which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.model.bag import RANK
from core.model.counts import Sparse, normalised, steps, truncated_svd, unit_rows
from core.model.inputs import Spans


@dataclass(frozen=True, eq=False)
class TransitionVectors:
    """Square roots of counts of steps, in rows of length 1, reduced by a truncated SVD.

    Args:
        n_kinds: Number of kinds.
        onto: float32 of shape (n_kinds², rank).
    """

    n_kinds: int
    onto: np.ndarray

    @classmethod
    def fit(cls, kinds: np.ndarray, n_kinds: int, runs: Spans, rank: int = RANK) -> TransitionVectors:
        """Learn from runs of page views.

        Args:
            kinds: int of shape (n_views,), the kind of every page view, 0 to n_kinds − 1.
            n_kinds: Number of kinds.
            runs: One run a user.
            rank: Numbers a vector; fewer where there are fewer pairs of kinds.
        """
        return cls(n_kinds, truncated_svd(_rows(kinds, n_kinds, runs), rank))

    def embed(self, kinds: np.ndarray, runs: Spans) -> np.ndarray:
        """Vectors of runs: float32 of shape (n, rank); zeros for a run without a step."""
        return normalised(_rows(kinds, self.n_kinds, runs) @ self.onto)


def _rows(kinds: np.ndarray, n_kinds: int, runs: Spans) -> Sparse:
    return unit_rows(steps(kinds, n_kinds, runs).sqrt())
