"""Would another half of the users, learning from its own visits alone, cut everybody in the same way?

Each half learns page vectors of its own: a truncated SVD of the positive pointwise mutual information of
pages seen by the same users (Levy, Goldberg 2014). A user is the mean of them, frequent pages counting less
(Arora, Liang, Ma 2017). Nothing is shared between the halves, so that only what is in the users can make
them agree; K-Means on given vectors agrees with itself also where there is nothing (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from sklearn.utils.extmath import randomized_svd

from core.data.sequences import UserSequences
from core.model.cooccurrence import positive_pmi
from core.model.counts import bag, normalised
from core.model.inputs import Spans, latest_views
from core.segments.agreement import agreement, labels_over_k

RANK: Final = 32
FREQUENT: Final = 1e-3
"""Share of page views from which on a page counts clearly less."""
MOST_PAGES: Final = 4_000
"""Pages that have a vector, the most viewed ones."""
FEWEST_VIEWS: Final = 3
MAX_LENGTH: Final = 64
"""Page views of a user that are read, the latest ones."""


def page_halves(sequences: UserSequences, ks: Sequence[int], seeds: Sequence[int]) -> np.ndarray:
    """How well halves of the users agree.

    Args:
        sequences: Page views of the users.
        ks: Numbers of segments.
        seeds: One a split.

    Returns:
        Adjusted Rand index (Hubert, Arabie 1985), float of shape (n_splits, n_ks).
    """
    items, n_items = _items(sequences.page)
    runs = latest_views(sequences, MAX_LENGTH)
    found = []
    for seed in seeds:
        half = np.random.default_rng(seed).permutation(len(runs)) < len(runs) // 2
        cuts = []
        for part in (half, ~half):
            users = user_vectors(items, n_items, runs, part)
            cuts.append(labels_over_k(users[part], users, ks))
        found.append(agreement(*cuts))
    return np.array(found)


def user_vectors(items: np.ndarray, n_items: int, runs: Spans, learns: np.ndarray) -> np.ndarray:
    """Users by page vectors that some of them taught.

    Args:
        items: int of shape (n_views,), the page of each page view; 0 is no page.
        n_items: Number of items, that of no page included.
        runs: One run a user.
        learns: bool of shape (n_users,), who teaches.

    Returns:
        float32 of shape (n_users, rank), of length 1; zeros for users of whose pages nothing is known.
    """
    if n_items < 2:
        return np.zeros((len(runs), 1), dtype=np.float32)
    counts = bag(items, n_items, runs)
    seen = counts[learns].sign()
    together = (seen.T @ seen).tocsr()
    together.setdiag(0)
    together.eliminate_zeros()
    left, strength, _ = randomized_svd(positive_pmi(together), min(RANK, n_items - 1), random_state=0)
    share = counts.sum(axis=0) / max(counts.sum(), 1.0)
    vectors = left * np.sqrt(strength) * (FREQUENT / (FREQUENT + share))[:, None]
    vectors[0] = 0.0
    return normalised((counts @ vectors).astype(np.float32))


def _items(page: np.ndarray) -> tuple[np.ndarray, int]:
    """Pages that can have a vector numbered from 1, most viewed first; 0 for the others."""
    views = np.bincount(page)
    ranked = np.argsort(-views, kind="stable")[:MOST_PAGES]
    kept = ranked[views[ranked] >= FEWEST_VIEWS]
    number = np.zeros(len(views), dtype=np.int32)
    number[kept] = np.arange(1, len(kept) + 1)
    return number[page], len(kept) + 1
