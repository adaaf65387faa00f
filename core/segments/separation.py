"""How far apart segments lie: the silhouette (Rousseeuw 1987)."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.segments.geometry import squared_distances

BLOCK: Final = 1_000
"""Rows compared with all others at a time."""


def silhouettes(rows: np.ndarray, labels: np.ndarray) -> list[float]:
    """Mean silhouette of several labellings of the same rows, each distance taken once.

    For a row, a is its mean distance to the others of its segment and b the lowest mean distance to
    another segment; its silhouette is (b − a) / max(a, b), or 0 where it is alone.

    Args:
        rows: float32 of shape (m, d).
        labels: int of shape (m, n_labellings), each from 0.

    Returns:
        One mean a labelling.
    """
    members = [np.eye(column.max() + 1, dtype=np.float32)[column] for column in labels.T]
    totals = np.zeros(labels.shape[1])
    for start in range(0, len(rows), BLOCK):
        block = slice(start, start + BLOCK)
        distances = np.sqrt(np.maximum(squared_distances(rows[block], rows), 0))
        own = np.arange(start, start + len(distances))
        distances[own - start, own] = 0  # rounding leaves a trace of distance to oneself
        for number, member in enumerate(members):
            totals[number] += _silhouette(distances @ member, member.sum(axis=0), labels[block, number]).sum()
    return [float(total) / len(rows) for total in totals]


def _silhouette(sums: np.ndarray, sizes: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Of rows with summed distances (m, k) to segments of these sizes; own segment (m,)."""
    here = np.arange(len(own))
    within = sums[here, own] / np.maximum(sizes[own] - 1, 1)
    means = np.divide(sums, sizes, out=np.full(sums.shape, np.inf), where=sizes > 0)
    means[here, own] = np.inf
    between = means.min(axis=1)
    larger = np.maximum(within, between)
    counts = (sizes[own] > 1) & np.isfinite(between) & (larger > 0)
    score: np.ndarray = np.divide(between - within, larger, out=np.zeros(len(own)), where=counts)
    return score
