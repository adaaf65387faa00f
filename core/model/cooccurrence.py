"""Where the page vectors start: from which pages are seen near each other, by linear algebra alone.

Shifted positive pointwise mutual information, factorised, is what word2vec approximates (Levy, Goldberg
2014, "Neural word embedding as implicit matrix factorization"), without its randomness and its epochs.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from core.model.vocabulary import PADDING

START_WINDOW: Final = 5
CONTEXT_POWER: Final = 0.75
"""Flattens the context counts, so that rare pages do not look special (Levy, Goldberg, Dagan 2015)."""
START_STD: Final = 0.1
"""Spread of the page table at the start; the other tables of a token have about the same."""


def item_vectors(items: np.ndarray, users: np.ndarray, n_items: int, dim: int) -> np.ndarray:
    """Start vectors of all items.

    Args:
        items: int of shape (n_views,), item of each page view, users one after the other.
        users: int of shape (n_views,), whose page view it is.
        n_items: Number of item ids.
        dim: Length of a vector.

    Returns:
        float32 of shape (n_items, dim), of standard deviation :data:`START_STD`; padding is 0.
    """
    rng = np.random.default_rng(0)  # not the seed of the training: the start is the same for all seeds
    vectors = rng.standard_normal((n_items, dim))
    rank = min(dim, n_items - 1)
    factors = page_factors(items, users, n_items, START_WINDOW, rank)
    seen = np.abs(factors).sum(axis=1) > 0
    if seen.any():
        vectors[seen, :rank] = factors[seen] / factors[seen].std()
    vectors[PADDING] = 0.0
    return (START_STD * vectors).astype(np.float32)


def page_factors(items: np.ndarray, users: np.ndarray, n_items: int, window: int, rank: int) -> np.ndarray:
    """Items that are seen near the same others have near vectors; see :func:`item_vectors`.

    Args:
        items: Of each page view.
        users: Of each page view.
        n_items: Number of item ids.
        window: Page views that two may lie apart.
        rank: Length of a vector, below the number of items.

    Returns:
        float64 of shape (n_items, rank); zeros for an item that was seen near no other.
    """
    return _factors(positive_pmi(cooccurrences(items, users, n_items, window)), rank)


def cooccurrences(items: np.ndarray, users: np.ndarray, n_items: int, window: int) -> sparse.csr_array:
    """How often two items lie at most so many views apart, nearer ones counting more.

    Returns:
        Symmetric, of shape (n_items, n_items).
    """
    total = sparse.csr_array((n_items, n_items))
    for apart in range(1, window + 1):
        same = users[apart:] == users[:-apart]
        pairs = (items[:-apart][same], items[apart:][same])
        weight = np.full(len(pairs[0]), (window - apart + 1) / window)
        total = total + sparse.coo_array((weight, pairs), shape=total.shape).tocsr()
    return (total + total.T).tocsr()


def positive_pmi(counts: sparse.csr_array) -> sparse.csr_array:
    """max(0, log(p(a, b) / (p(a) p'(b)))) of each pair seen together, p' flattened."""
    pairs = counts.tocoo()
    rows = counts.sum(axis=1)
    context = rows**CONTEXT_POWER
    expected = rows[pairs.row] * context[pairs.col] / max(context.sum(), 1.0)
    pmi = np.log(pairs.data / expected)
    positive = pmi > 0
    kept = (pmi[positive], (pairs.row[positive], pairs.col[positive]))
    return sparse.coo_array(kept, shape=counts.shape).tocsr()


def _factors(matrix: sparse.csr_array, rank: int) -> np.ndarray:
    with threadpool_limits(1):  # more threads add up in another order
        left, strength, _ = randomized_svd(matrix, rank, random_state=0)
    factors: np.ndarray = left * np.sqrt(strength)
    return factors
