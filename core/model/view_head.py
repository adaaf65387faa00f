"""The head of a view, as a model keeps it: a matrix a block, and what they make of page views.

Features times the matrix of their block are added up, and the sum is brought to length 1. All that was
learned of a block (its components, its scale, the directions in which users stay the same) is in that one
matrix; ``head_fitting.py`` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from core.base.schema import View
from core.model.counts import Sparse, normalised
from core.model.feature_blocks import FeatureBlock, features
from core.model.inputs import Spans, TokenStreams

ROWS = 20_000
"""Runs worked on at a time."""
BIAS = "bias"
LEAST: Final = 1e-6
"""Directions that vary less than so much of the first one are not read."""


@dataclass(frozen=True, eq=False)
class ViewHead:
    """The head of a view.

    Args:
        projections: float32 of shape (f, d) of each block whose features differ between users.
        bias: float32 of shape (d,), subtracted.
    """

    projections: Mapping[FeatureBlock, np.ndarray]
    bias: np.ndarray

    def vectors(self, embedded: np.ndarray, streams: TokenStreams, runs: Spans) -> np.ndarray:
        """Make the vectors of runs.

        Args:
            embedded: float32 of shape (n, E), the network's vectors of the runs; any E where it is no block.
            streams: What the view knows of every page view.
            runs: n runs of them.

        Returns:
            float32 of shape (n, d), rows of length 1; zeros where the view knows no page of a run.
        """
        vectors = np.zeros((len(runs), len(self.bias)), dtype=np.float32)
        for start in range(0, len(runs), ROWS):
            part = slice(start, start + ROWS)
            total = -np.broadcast_to(self.bias, vectors[part].shape)
            for block, projection in self.projections.items():
                total = total + self._features(block, embedded[part], streams, runs[part]) @ projection
            vectors[part] = normalised(total * streams.covers(runs[part])[:, None])
        return vectors

    def without(self, trait: np.ndarray, vectors: np.ndarray, share: float) -> ViewHead:
        """Remove a share of what a linear read-out of vectors finds of a trait (LEACE; Belrose et al. 2023).

        Args:
            trait: float of shape (n,), of users of whom the view knows a page.
            vectors: float32 of shape (n, d), theirs.
            share: How much of it, 1 for all.
        """
        centred = (vectors - vectors.mean(axis=0)).astype(np.float64)
        along = centred.T @ (trait - trait.mean())
        read = np.linalg.lstsq(centred.T @ centred, along, rcond=LEAST)[0]
        if not read @ along > 0:
            return self
        kept = np.eye(len(along)) - share * np.outer(read, along) / (read @ along)
        projections = {block: (array @ kept).astype(np.float32) for block, array in self.projections.items()}
        return ViewHead(projections, (self.bias @ kept).astype(np.float32))

    def _features(
        self, block: FeatureBlock, embedded: np.ndarray, streams: TokenStreams, runs: Spans
    ) -> Sparse:
        if block is FeatureBlock.NETWORK:
            return sparse.csr_array(embedded)  # dense, a product would not leave equal rows equal
        return features(block, streams, runs, len(self.projections[block]))


def head_tensors(heads: Mapping[View, ViewHead]) -> dict[str, Tensor]:
    """All heads as named tensors, for :func:`read_heads`."""
    arrays = {f"{view}.{BIAS}": head.bias for view, head in heads.items()} | {
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
    bias = parts.pop(BIAS, np.empty(()))
    if bias.ndim != 1:
        raise ValueError(f"{view}.{BIAS} is missing, or no row of numbers")
    arrays = {FeatureBlock(name): array for name, array in parts.items()}
    for block, array in arrays.items():
        if array.ndim != 2 or array.shape[1] != len(bias):
            raise ValueError(f"{view}.{block} has the shape {array.shape} beside a bias of {len(bias)}")
    # files have them in any order
    return ViewHead({block: arrays[block] for block in FeatureBlock if block in arrays}, bias)
