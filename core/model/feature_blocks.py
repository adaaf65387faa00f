"""Features of runs of page views, in blocks, and the linear head that makes vectors of them.

Each block turns a run into features by counting alone, but for the network, whose features are its vectors.
Rows are sparse, so that the vector of a run depends on nothing but the run, bit by bit.

A head has a matrix a block: features times the matrix of their block are added up, and the sum is brought to
length 1. All that was learned of a block (its components, its scale, the directions in which users stay the
same) is in that matrix; ``head_fitting.py`` makes it.

Letters: n runs, f features of a block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from threadpoolctl import threadpool_limits
from torch import Tensor

from core.base.schema import View
from core.model.inputs import N_GAPS, Spans, TokenStreams
from core.model.vocabulary import UNKNOWN, ItemVocabulary

_SEED: Final = 0
Sparse: TypeAlias = Any
"""A sparse matrix of scipy, which has no types for them."""


def bag(items: np.ndarray, n_items: int, runs: Spans) -> Sparse:
    """Count how often each item is in each run.

    Args:
        items: int of shape (n_views,), 0 to n_items − 1.
        n_items: Number of items.
        runs: n runs of page views.

    Returns:
        Sparse float32 of shape (n, n_items).
    """
    rows, where, _ = positions(runs)
    return _counted(rows, items[where], (len(runs), n_items))


def steps(items: np.ndarray, n_items: int, runs: Spans) -> Sparse:
    """Count how often each item directly follows each: sparse float32 of shape (n, n_items²).

    Column ``a * n_items + b`` counts b after a; arguments as in :func:`bag`.
    """
    rows, where, place = positions(runs)
    rows, where = rows[place > 0], where[place > 0]
    codes = items[where - 1].astype(np.int64) * n_items + items[where]
    return _counted(rows, codes, (len(runs), n_items * n_items))


def positions(runs: Spans) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every page view in the runs: its run, its index in the flat arrays, its index in the run."""
    rows = np.repeat(np.arange(len(runs)), runs.length)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(runs.length) - runs.length, runs.length)
    return rows, runs.begin[rows] + place, place


def truncated_svd(rows: Sparse, rank: int) -> np.ndarray:
    """Components of a truncated SVD, a column each (Halko, Martinsson and Tropp 2011, by scikit-learn).

    Args:
        rows: Sparse, of shape (n, n_features).
        rank: Components wanted; with no more features than that, nothing is reduced.

    Returns:
        float32 of shape (n_features, rank or n_features).
    """
    n_features = rows.shape[1]
    if n_features <= rank:
        return np.eye(n_features, dtype=np.float32)
    with threadpool_limits(1):  # several threads would sum in another order
        svd = TruncatedSVD(rank, random_state=_SEED).fit(rows)
    onto: np.ndarray = svd.components_.T.astype(np.float32)
    return onto


def unit_rows(matrix: Sparse) -> Sparse:
    """Scale the rows of a sparse matrix to length 1; rows of zeros stay."""
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.csr_array(sparse.diags_array(1 / np.maximum(lengths, 1e-9)) @ matrix)


def normalised(vectors: np.ndarray) -> np.ndarray:
    """Scale the rows of an array to length 1, as float32; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    nothing = np.zeros(vectors.shape, dtype=np.float32)
    unit: np.ndarray = np.divide(vectors, lengths, out=nothing, where=lengths > 1e-6, casting="same_kind")
    return unit


def _counted(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> Sparse:
    """Count each pair of a row and a column, int arrays of one length: sparse float32 of shape ``shape``."""
    return sparse.csr_array((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)


class FeatureBlock(StrEnum):
    """A block of features, by what it counts of a run."""

    PAGES = "pages"
    """Which pages, as shares of the views."""
    RARE = "rare"
    """Which pages, by the logarithm of how often, in a row of length 1."""
    SHARES = "shares"
    """Square roots of the shares of labels; pages without a label are left out."""
    STEPS = "steps"
    """Square roots of the shares of steps within a session."""
    TEMPO = "tempo"
    """Square roots of the shares of gap lengths between page views."""
    PLACE = "place"
    """How early (below 0) or late (above 0) in a session each group of pages stands."""
    NETWORK = "network"
    """The vectors of the transformer."""


BLOCKS: Final[Mapping[View, Mapping[FeatureBlock, float]]] = {
    View.URL: {
        FeatureBlock.PAGES: 1.0,
        FeatureBlock.RARE: 0.5,
        FeatureBlock.STEPS: 1.0,
        FeatureBlock.TEMPO: 1.0,
        FeatureBlock.PLACE: 1.0,
        FeatureBlock.NETWORK: 1.0,
    },
    View.THEME: {FeatureBlock.SHARES: 1.0},
    View.TYPE: {
        FeatureBlock.SHARES: 0.7,
        FeatureBlock.STEPS: 0.7,
        FeatureBlock.TEMPO: 1.0,
        FeatureBlock.PLACE: 1.0,
    },
}
"""The blocks of each view, and the standard deviation that each is scaled to. Views keep to themselves:
themes know nothing of order and tempo, and types nothing of pages."""


def block_width(block: FeatureBlock, vocabulary: ItemVocabulary, embedding_dim: int) -> int:
    """Number of features of a block, f.

    Args:
        block: The block.
        vocabulary: Vocabulary of its view.
        embedding_dim: Numbers in a vector of the transformer.
    """
    widths = {
        FeatureBlock.STEPS: vocabulary.n_transitions,
        FeatureBlock.TEMPO: N_GAPS,
        FeatureBlock.PLACE: vocabulary.n_groups,
        FeatureBlock.NETWORK: embedding_dim,
    }
    return widths.get(block, vocabulary.n_items)


def features(block: FeatureBlock, streams: TokenStreams, runs: Spans, width: int) -> Sparse:
    """Count the features of a block, which may not be the network.

    Args:
        block: The block.
        streams: Tokens of every page view in its view.
        runs: n runs of page views.
        width: f, how many items, steps, gaps or groups there are.

    Returns:
        Sparse float32 of shape (n, f).
    """
    return _COUNTS[block](streams, runs, width)


def _pages(streams: TokenStreams, runs: Spans, width: int) -> Sparse:
    return _rows_times(1 / np.maximum(runs.length, 1), bag(streams.items, width, runs))


def _rare(streams: TokenStreams, runs: Spans, width: int) -> Sparse:
    counts = bag(streams.items, width, runs)
    counts.data = 1 + np.log(counts.data)
    return unit_rows(counts)


def _shares(streams: TokenStreams, runs: Spans, width: int) -> Sparse:
    rows, where, _ = positions(runs)
    labelled = streams.items[where] != UNKNOWN
    return _root_shares(rows[labelled], streams.items[where[labelled]], (len(runs), width))


def _steps(streams: TokenStreams, runs: Spans, width: int) -> Sparse:
    """Count steps within sessions: from the end of one to the start of the next is no step."""
    rows, where, place = positions(runs)
    step = (place > 0) & (streams.session_starts[where] == 0)
    return _root_shares(rows[step], streams.transitions[where[step]], (len(runs), width))


def _tempo(streams: TokenStreams, runs: Spans, width: int) -> Sparse:
    rows, where, place = positions(runs)
    return _root_shares(rows[place > 0], streams.gaps[where[place > 0]], (len(runs), width))


def _place(streams: TokenStreams, runs: Spans, width: int) -> Sparse:
    """Sum of a group's places in the session (−1 its first view, 1 its last) over √(its views · all views).

    Sessions are taken as the run holds them: with the whole of a session that was cut, its two halves would
    be known by where they were cut.
    """
    rows, where, place = positions(runs)
    begins = (place == 0) | (streams.session_starts[where] == 1)
    session = np.cumsum(begins) - 1
    size, first = np.bincount(session)[session], np.flatnonzero(begins)[session]
    at = np.where(size > 1, 2 * (np.arange(len(where)) - first) / np.maximum(size - 1, 1) - 1, 0)
    shape, columns = (len(runs), width), streams.groups[where]
    sums = sparse.csr_array((at.astype(np.float32), (rows, columns)), shape=shape)
    sums.data /= np.sqrt(_counted(rows, columns, shape).data)
    return _rows_times(1 / np.sqrt(np.maximum(runs.length, 1)), sums)


_COUNTS: Final[Mapping[FeatureBlock, Callable[[TokenStreams, Spans, int], Sparse]]] = {
    FeatureBlock.PAGES: _pages,
    FeatureBlock.RARE: _rare,
    FeatureBlock.SHARES: _shares,
    FeatureBlock.STEPS: _steps,
    FeatureBlock.TEMPO: _tempo,
    FeatureBlock.PLACE: _place,
}


def _root_shares(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> Sparse:
    """√(share of each column in its row): rows of length 1, or zeros."""
    return unit_rows(_counted(rows, columns, shape).sqrt())


def _rows_times(factors: np.ndarray, matrix: Sparse) -> Sparse:
    return sparse.csr_array(sparse.diags_array(factors.astype(np.float32)) @ matrix)


_ROWS = 20_000
"""Runs worked on at a time."""
_BIAS = "bias"
_LEAST: Final = 1e-6
"""Share of the variance of the first direction below which a direction is not read."""


@dataclass(frozen=True, eq=False)
class ViewHead:
    """The linear head of a view: a matrix for each block, and a bias.

    Args:
        projections: float32 of shape (f, d) of each block whose features differ between users.
        bias: float32 of shape (d,), subtracted.
    """

    projections: Mapping[FeatureBlock, np.ndarray]
    bias: np.ndarray

    def vectors(self, embedded: np.ndarray, streams: TokenStreams, runs: Spans) -> np.ndarray:
        """Compute the vectors of runs in this view.

        Args:
            embedded: float32 of shape (n, E), the network's vectors of the runs; any E where it is no block.
            streams: Tokens of every page view in this view.
            runs: n runs of page views.

        Returns:
            float32 of shape (n, d), rows of length 1; zeros where the view knows no page of a run.
        """
        vectors = np.zeros((len(runs), len(self.bias)), dtype=np.float32)
        for start in range(0, len(runs), _ROWS):
            part = slice(start, start + _ROWS)
            total = -np.broadcast_to(self.bias, vectors[part].shape)
            for block, projection in self.projections.items():
                total = total + self._features(block, embedded[part], streams, runs[part]) @ projection
            vectors[part] = normalised(total * streams.covers(runs[part])[:, None])
        return vectors

    def without(self, trait: np.ndarray, vectors: np.ndarray, share: float) -> ViewHead:
        """Head whose vectors tell less of a trait: a share of what a linear read-out finds is removed.

        LEACE (Belrose et al. 2023); the head itself where nothing is found.

        Args:
            trait: float of shape (n,), a number of each of n users of whom the view knows a page.
            vectors: float32 of shape (n, d), their vectors by this head.
            share: How much of it to remove, 1 for all.
        """
        centred = (vectors - vectors.mean(axis=0)).astype(np.float64)
        along = centred.T @ (trait - trait.mean())
        read = np.linalg.lstsq(centred.T @ centred, along, rcond=_LEAST)[0]
        if not read @ along > 0:
            return self
        kept = np.eye(len(along)) - share * np.outer(read, along) / (read @ along)
        projections = {block: (array @ kept).astype(np.float32) for block, array in self.projections.items()}
        return ViewHead(projections, (self.bias @ kept).astype(np.float32))

    def _features(
        self, block: FeatureBlock, embedded: np.ndarray, streams: TokenStreams, runs: Spans
    ) -> Sparse:
        if block is FeatureBlock.NETWORK:
            return sparse.csr_array(embedded)  # as a dense array, equal rows could differ in the product
        return features(block, streams, runs, len(self.projections[block]))


def head_tensors(heads: Mapping[View, ViewHead]) -> dict[str, Tensor]:
    """All heads as named tensors, for :func:`read_heads`."""
    arrays = {f"{view}.{_BIAS}": head.bias for view, head in heads.items()} | {
        f"{view}.{block}": array for view, head in heads.items() for block, array in head.projections.items()
    }
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def read_heads(tensors: Mapping[str, Tensor]) -> dict[View, ViewHead]:
    """Build the heads from what :func:`head_tensors` made.

    Raises:
        ValueError: If a part is missing, of another type, or does not fit the others.
    """
    parts: dict[View, dict[str, np.ndarray]] = {}
    for name, tensor in tensors.items():
        view, _, part = name.partition(".")
        if tensor.dtype != torch.float32:
            raise ValueError(f"{name} is {tensor.dtype} instead of float32")
        parts.setdefault(View(view), {})[part] = tensor.numpy()
    return {view: _head(view, arrays) for view, arrays in parts.items()}


def _head(view: View, parts: dict[str, np.ndarray]) -> ViewHead:
    bias = parts.pop(_BIAS, np.empty(()))
    if bias.ndim != 1:
        raise ValueError(f"{view}.{_BIAS} is missing, or no row of numbers")
    arrays = {FeatureBlock(name): array for name, array in parts.items()}
    for block, array in arrays.items():
        if array.ndim != 2 or array.shape[1] != len(bias):
            raise ValueError(f"{view}.{block} has the shape {array.shape} beside a bias of {len(bias)}")
    # in the order of the blocks: a file may hold them in any
    return ViewHead({block: arrays[block] for block in FeatureBlock if block in arrays}, bias)
