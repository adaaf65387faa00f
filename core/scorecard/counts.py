"""Counts over runs of page views, as sparse matrices: what the simple ways are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse


def bag(items: np.ndarray, n_items: int, begin: np.ndarray, length: np.ndarray) -> Any:  # noqa: ANN401 - scipy
    """How often each item is in each run.

    Args:
        items: int of shape (n_views,), 0 to n_items − 1.
        n_items: Number of items.
        begin: int of shape (n,), where each run begins.
        length: int of shape (n,), items in it.

    Returns:
        Sparse float32 of shape (n, n_items).
    """
    rows, where, _ = positions(begin, length)
    return _counted(rows, items[where], (len(begin), n_items))


def steps(items: np.ndarray, n_items: int, begin: np.ndarray, length: np.ndarray) -> Any:  # noqa: ANN401
    """How often each item follows each: sparse float32 of shape (n, n_items²), see :func:`bag`."""
    rows, where, place = positions(begin, length)
    rows, where = rows[place > 0], where[place > 0]
    codes = items[where - 1].astype(np.int64) * n_items + items[where]
    return _counted(rows, codes, (len(begin), n_items * n_items))


def positions(begin: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every page view in the runs: its run, its place in the flat arrays, its place in the run."""
    rows = np.repeat(np.arange(len(begin)), length)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(length) - length, length)
    return rows, begin[rows] + place, place


def unit_rows(matrix: Any) -> Any:  # noqa: ANN401
    """A sparse matrix with rows of length 1; rows of zeros stay."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.csr_array(sparse.diags_array(1 / np.maximum(lengths, 1e-9)) @ matrix)


def normalised(vectors: np.ndarray) -> np.ndarray:
    """float32 rows of length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    nothing = np.zeros(vectors.shape, dtype=np.float32)
    unit: np.ndarray = np.divide(vectors, lengths, out=nothing, where=lengths > 1e-6)
    return unit


def _counted(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> Any:  # noqa: ANN401
    return sparse.csr_array((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
