"""Blocks of a view: what is counted of a run of page views before a linear head weighs it.

Each block turns a run into features by counting alone, but for the network, whose features are its vectors.
Rows are sparse, so that the vector of a run depends on nothing but the run, bit by bit.

Letters: n runs, f features of a block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

import numpy as np
from scipy import sparse

from core.base.schema import View
from core.model.counts import Sparse, bag, counted, positions, unit_rows
from core.model.inputs import N_GAPS, Spans, TokenStreams
from core.model.label_vocabulary import ItemVocabulary
from core.model.vocabulary import UNKNOWN


class FeatureBlock(StrEnum):
    """What a block counts."""

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
    """f, how many features a block has.

    Args:
        block: Which.
        vocabulary: Of its view.
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
    """Count a block; the network has no counts.

    Args:
        block: Which.
        streams: What the view knows of every page view.
        runs: n runs of them.
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
    """A step from the end of a session to the start of the next one is none."""
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
    sums.data /= np.sqrt(counted(rows, columns, shape).data)
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
    return unit_rows(counted(rows, columns, shape).sqrt())


def _rows_times(factors: np.ndarray, matrix: Sparse) -> Sparse:
    return sparse.csr_array(sparse.diags_array(factors.astype(np.float32)) @ matrix)
