"""Two simple ways to make a vector a user, and the first of them as the fast mode of the app.

Both are truncated SVDs of counts, with rows of length 1. Neither needs a training worth the name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.decomposition import TruncatedSVD

from core.dataset import Dataset
from core.scorecard.counts import bag, normalised, steps, unit_rows
from core.segments.geometry import repeatable

RANK: Final = 64
"""Numbers a vector on the scorecard."""
FAST_DIM: Final = 128
"""Numbers a vector in the fast mode: as many as a view of the model has."""
SEED: Final = 0
BLOCK: Final = 20_000


@dataclass(frozen=True, eq=False)
class BagOfPages:
    """Which pages, weighed by how few users see them: TF-IDF, reduced by a truncated SVD.

    Args:
        pages: int of shape (n_views,), the page of every page view.
        idf: float32 of shape (n_pages,): ``ln((1 + n) / (1 + users with the page)) + 1``.
        onto: float32 of shape (n_pages, rank).
    """

    pages: np.ndarray
    idf: np.ndarray
    onto: np.ndarray

    @classmethod
    def fit(
        cls, pages: np.ndarray, n_pages: int, begin: np.ndarray, length: np.ndarray, rank: int = RANK
    ) -> BagOfPages:
        """Learn from runs of page views.

        Args:
            pages: int of shape (n_views,), 0 to n_pages − 1.
            n_pages: Number of pages.
            begin: int of shape (n,), where each run begins.
            length: int of shape (n,), page views in it.
            rank: Numbers a vector; fewer where there are fewer pages.
        """
        seen = bag(pages, n_pages, begin, length)
        users_with = np.bincount(seen.indices, minlength=n_pages)
        idf = (np.log((1 + len(begin)) / (1 + users_with)) + 1).astype(np.float32)
        return cls(pages, idf, components(unit_rows(seen * idf[None, :]), rank))

    def embed(self, begin: np.ndarray, length: np.ndarray) -> np.ndarray:
        """Vectors of runs: float32 of shape (n, rank), of length 1 (zeros where nothing is known)."""
        counted = bag(self.pages, len(self.idf), begin, length)
        return normalised(unit_rows(counted * self.idf[None, :]) @ self.onto)


@dataclass(frozen=True, eq=False)
class Transitions:
    """Which kind of page follows which: square roots of counts of steps, reduced by a truncated SVD.

    Args:
        kinds: int of shape (n_views,), the kind of every page view.
        n_kinds: Number of kinds.
        onto: float32 of shape (n_kinds², rank).
    """

    kinds: np.ndarray
    n_kinds: int
    onto: np.ndarray

    @classmethod
    def fit(
        cls, kinds: np.ndarray, n_kinds: int, begin: np.ndarray, length: np.ndarray, rank: int = RANK
    ) -> Transitions:
        """Learn from runs of page views, see :meth:`BagOfPages.fit`."""
        return cls(kinds, n_kinds, components(_step_rows(kinds, n_kinds, begin, length), rank))

    def embed(self, begin: np.ndarray, length: np.ndarray) -> np.ndarray:
        """Vectors of runs: float32 of shape (n, rank); zeros for a run without a step."""
        return normalised(_step_rows(self.kinds, self.n_kinds, begin, length) @ self.onto)


def components(rows: Any, rank: int) -> np.ndarray:  # noqa: ANN401 - scipy's matrices have no types
    """Where a truncated SVD projects to (Halko, Martinsson and Tropp 2011, as scikit-learn has it).

    Args:
        rows: Sparse, of shape (n, n_features).
        rank: Numbers wanted; with no more features than that, nothing is reduced.

    Returns:
        float32 of shape (n_features, rank or n_features).
    """
    n_features = rows.shape[1]
    if n_features <= rank:
        return np.eye(n_features, dtype=np.float32)
    with repeatable():
        svd = TruncatedSVD(rank, random_state=SEED).fit(rows)
    onto: np.ndarray = svd.components_.T.astype(np.float32)
    return onto


def bag_vectors(dataset: Dataset) -> np.ndarray:
    """The fast mode: a bag of pages in place of the trained url view.

    Unlike on the scorecard, every user is learned from and every page view counts. Order and tempo do
    not exist for it.

    Returns:
        float32 of shape (n_users, 128), rows of length 1; with fewer pages than that, the last numbers
        are 0.
    """
    sequences, n_pages = dataset.sequences, len(dataset.pages)
    begin, length = sequences.offsets[:-1], sequences.lengths
    model = BagOfPages.fit(sequences.page, n_pages, begin, length, FAST_DIM)
    vectors = np.zeros((sequences.n_users, FAST_DIM), dtype=np.float32)
    for start in range(0, sequences.n_users, BLOCK):
        part = slice(start, start + BLOCK)
        found = model.embed(begin[part], length[part])
        vectors[part, : found.shape[1]] = found
    return vectors


def _step_rows(kinds: np.ndarray, n_kinds: int, begin: np.ndarray, length: np.ndarray) -> Any:  # noqa: ANN401
    return unit_rows(steps(kinds, n_kinds, begin, length).sqrt())
