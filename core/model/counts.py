"""Counts over runs of page views, as sparse matrices: what vectors without a network are made of."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from threadpoolctl import threadpool_limits

from core.model.inputs import Spans

SEED: Final = 0
Sparse: TypeAlias = Any
"""A matrix of scipy, whose own have no types."""


def bag(items: np.ndarray, n_items: int, runs: Spans) -> Sparse:
    """How often each item is in each run.

    Args:
        items: int of shape (n_views,), 0 to n_items − 1.
        n_items: Number of items.
        runs: n runs of page views.

    Returns:
        Sparse float32 of shape (n, n_items).
    """
    rows, where, _ = positions(runs)
    return counted(rows, items[where], (len(runs), n_items))


def steps(items: np.ndarray, n_items: int, runs: Spans) -> Sparse:
    """How often each item follows each: sparse float32 of shape (n, n_items²), see :func:`bag`."""
    rows, where, place = positions(runs)
    rows, where = rows[place > 0], where[place > 0]
    codes = items[where - 1].astype(np.int64) * n_items + items[where]
    return counted(rows, codes, (len(runs), n_items * n_items))


def positions(runs: Spans) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every page view in the runs: its run, its place in the flat arrays, its place in the run."""
    rows = np.repeat(np.arange(len(runs)), runs.length)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(runs.length) - runs.length, runs.length)
    return rows, runs.begin[rows] + place, place


def truncated_svd(rows: Sparse, rank: int) -> np.ndarray:
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
    with threadpool_limits(1):  # more threads add up in another order
        svd = TruncatedSVD(rank, random_state=SEED).fit(rows)
    onto: np.ndarray = svd.components_.T.astype(np.float32)
    return onto


def unit_rows(matrix: Sparse) -> Sparse:
    """A sparse matrix with rows of length 1; rows of zeros stay."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.csr_array(sparse.diags_array(1 / np.maximum(lengths, 1e-9)) @ matrix)


def normalised(vectors: np.ndarray) -> np.ndarray:
    """float32 rows of length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    nothing = np.zeros(vectors.shape, dtype=np.float32)
    unit: np.ndarray = np.divide(vectors, lengths, out=nothing, where=lengths > 1e-6, casting="same_kind")
    return unit


def counted(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> Sparse:
    """How often each row meets each column: sparse float32."""
    return sparse.csr_array((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
