"""Counts over runs of page views, as sparse matrices: what the simple ways are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from core.data.sequences import UserSequences
from core.model.inputs import N_GAPS, Spans, gap_buckets


def normalised(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: np.ndarray = np.divide(
        vectors, lengths, out=np.zeros(vectors.shape, np.float32), where=lengths > 1e-9
    )
    return unit


def positions(spans: Spans) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every page view in the runs: its run, its place in the flat arrays, its place in the run."""
    rows = np.repeat(np.arange(len(spans)), spans.length)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(spans.length) - spans.length, spans.length)
    return rows, spans.begin[rows] + place, place


def bag(items: np.ndarray, n_items: int, spans: Spans) -> sparse.csr_array:
    """How often each item is in each run: (n, n_items)."""
    rows, where, _ = positions(spans)
    ones = np.ones(len(rows), dtype=np.float32)
    return sparse.csr_array((ones, (rows, items[where])), shape=(len(spans), n_items))


def bigrams(items: np.ndarray, n_items: int, spans: Spans) -> sparse.csr_array:
    """How often each item follows each in each run: (n, n_items * n_items)."""
    rows, where, place = positions(spans)
    rows, where = rows[place > 0], where[place > 0]
    codes = items[where - 1].astype(np.int64) * n_items + items[where]
    ones = np.ones(len(rows), dtype=np.float32)
    return sparse.csr_array((ones, (rows, codes)), shape=(len(spans), n_items * n_items))


def tempo(sequences: UserSequences, spans: Spans) -> np.ndarray:
    """Square root of the share of each gap bucket: float32 of shape (n, N_GAPS)."""
    rows, where, place = positions(spans)
    gaps = gap_buckets(sequences.timestamp, sequences.offsets[:-1])
    counts = np.zeros((len(spans), N_GAPS), dtype=np.float32)
    np.add.at(counts, (rows[place > 0], gaps[where[place > 0]]), 1)
    shares: np.ndarray = np.sqrt(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    return shares


def codes(names: Sequence[str]) -> tuple[np.ndarray, int]:
    """A number for each distinct name: int64 of shape (n_names,), and how many there are."""
    distinct, numbers = np.unique(np.asarray(names, dtype=object), return_inverse=True)
    return numbers, len(distinct)
