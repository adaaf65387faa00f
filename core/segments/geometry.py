"""Distances, nearest centroids, means and inertia: the same arithmetic wherever users are compared."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

import numpy as np
from scipy.sparse import csr_array
from threadpoolctl import ThreadpoolController, threadpool_limits

from core.base.contention import available_cores

THREADS: Final = 1
"""Threads of numerical libraries. With a single one a sum has one order, so the segments are the same on any
number of cores. It costs nothing that can be measured: with several, K-Means on a few thousand rows mostly
waits at the barriers between threads, and on busy cores a fit takes several times as long (decision 0005)."""

BLOCK: Final = 16_384
"""Rows compared with the centroids at a time."""

_LIMITED = threading.RLock()
"""Lock of the limit of threads, which belongs to the whole process: two sessions must not interleave it."""


@contextmanager
def repeatable() -> Iterator[None]:
    """Run numerical libraries on one thread, so that the result is the same each time."""
    with _LIMITED, _libraries(len(sys.modules)).limit(limits=THREADS):
        yield


@lru_cache(1)
def _libraries(n_modules: int) -> ThreadpoolController:
    """Control the libraries with threads, looked up again (milliseconds) after an import."""
    return ThreadpoolController()


def threads() -> ThreadPoolExecutor:
    """Make a pool of a thread a core, each of which runs numerical libraries on that thread alone."""
    return ThreadPoolExecutor(available_cores(), initializer=threadpool_limits, initargs=(THREADS,))


def squared_distances(rows: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances of all rows to all centroids.

    Args:
        rows: float32 of shape (n, d).
        centroids: float32 of shape (k, d).

    Returns:
        float32 of shape (n, k); rounding can make a 0 slightly negative.
    """
    own = np.einsum("ij,ij->i", rows, rows)
    theirs = np.einsum("ij,ij->i", centroids, centroids)
    distances: np.ndarray = own[:, None] + theirs - 2 * (rows @ centroids.T)
    return distances


def nearest(rows: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest centroid of each row; on a tie the first.

    Args:
        rows: float32 of shape (n, d).
        centroids: float32 of shape (k, d).

    Returns:
        Its position, intp of shape (n,), and the squared distance to it, float32 of shape (n,).
    """
    place = np.empty(len(rows), dtype=np.intp)
    distance = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), BLOCK):
        block = slice(start, start + BLOCK)
        distances = squared_distances(rows[block], centroids)
        place[block] = distances.argmin(axis=1)
        distance[block] = np.maximum(distances.min(axis=1), 0)
    return place, distance


def seeded_sample(rows: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Draw at most ``most`` of the rows without replacement, and return them in their order."""
    if len(rows) <= most:
        return rows
    chosen: np.ndarray = rows[np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False))]
    return chosen


def segment_means(rows: np.ndarray, place: np.ndarray, n_segments: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean vector and size of each segment.

    Args:
        rows: float32 of shape (n, d).
        place: int of shape (n,), the segment of each row, 0 to n_segments − 1.
        n_segments: Number of segments; one without rows has the mean 0.

    Returns:
        float32 of shape (n_segments, d) and int64 of shape (n_segments,).
    """
    sizes = np.bincount(place, minlength=n_segments)
    member = csr_array(
        (np.ones(len(rows), dtype=np.float32), (place, np.arange(len(rows)))), shape=(n_segments, len(rows))
    )
    means: np.ndarray = (member @ rows) / np.maximum(sizes, 1)[:, None].astype(np.float32)
    return means, sizes


def inertia(rows: np.ndarray, centroids: np.ndarray, place: np.ndarray) -> float:
    """Sum of squared distances of all rows to the centroids of their segments.

    Args:
        rows: float32 of shape (n, d).
        centroids: float32 of shape (k, d).
        place: int of shape (n,), the centroid of each row; below 0 for none.
    """
    total = 0.0
    for start in range(0, len(rows), BLOCK):  # a block stays in the processor's cache
        block = slice(start, start + BLOCK)
        own = place[block] >= 0
        apart = rows[block][own] - centroids[place[block][own]]
        total += float(np.einsum("ij,ij->", apart, apart, dtype=np.float64))
    return total


def count_different(rows: np.ndarray, enough: int | None = None) -> int:
    """Count distinct rows, or stop at enough of them.

    Args:
        rows: float32 of shape (n, d).
        enough: Stop looking once this many are found, which mostly spares sorting all rows.

    Returns:
        The number, or at least ``enough``.
    """
    few = len(unique_rows(rows[: 20 * enough])[0]) if enough else 0
    return few if enough and few >= enough else len(unique_rows(rows)[0])


def unique_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find distinct rows, such as users with exactly the same vector.

    Args:
        rows: float32 of shape (n, d).

    Returns:
        Index of the first of each distinct row, ascending, int64 of shape (n_distinct,), and for each row
        its place in that list, int64 of shape (n,).
    """
    if not len(rows):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    flat = np.ascontiguousarray(rows)
    whole = flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1]))).ravel()
    _, first, place = np.unique(whole, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    return np.sort(first), rank[place]
