"""Steady pages: a mean of page vectors from linear algebra alone, the same in every training.

What a network learns differs from training to training; where pages are seen together does not. Page
vectors are a truncated SVD of positive pointwise mutual information over a wide window, and a page
counts less the more often it is viewed (SIF: Arora, Liang, Ma 2017). They are centred: without that the
mean of many pages points the way of all of them, and the length of a visit can be read from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.model.cooccurrence import page_factors
from core.model.counts import bag, normalised, positions
from core.model.inputs import Spans

WINDOW: Final = 30
RANK: Final = 128
RARE: Final = 1e-3
"""The share of page views at which a page counts half."""
BLOCK: Final = 20_000
"""Runs embedded at a time."""


@dataclass(frozen=True, eq=False)
class SteadyPages:
    """A vector for each page.

    Args:
        pages: float32 of shape (n_items, rank), already weighed; zeros for what was never seen.
    """

    pages: np.ndarray

    @classmethod
    def fit(cls, items: np.ndarray, n_items: int, runs: Spans) -> SteadyPages:
        """Learn from runs of page views.

        Args:
            items: int of shape (n_views,), item of each page view, users one after the other.
            n_items: Number of item ids.
            runs: One run a user.
        """
        users, where, _ = positions(runs)
        viewed = items[where]
        factors = normalised(page_factors(viewed, users, n_items, WINDOW, min(RANK, n_items - 1)))
        share = np.bincount(viewed, minlength=n_items) / max(1, len(viewed))
        weight = factors.any(axis=1) * RARE / (RARE + share)
        counted = weight * share
        centre = counted @ factors / max(counted.sum(), 1e-12)
        return cls((weight[:, None] * (factors - centre)).astype(np.float32))

    def embed(self, items: np.ndarray, runs: Spans) -> np.ndarray:
        """Vectors of runs: float32 of shape (n, rank), of length 1 (zeros where nothing is known)."""
        vectors = np.zeros((len(runs), self.pages.shape[1]), dtype=np.float32)
        for start in range(0, len(runs), BLOCK):
            block = slice(start, start + BLOCK)
            vectors[block] = normalised(bag(items, len(self.pages), runs[block]) @ self.pages)
        return vectors
