"""The head of a view, as a model keeps it: a matrix a block, and what they make of page views.

Features times the matrix of their block are added up, and the sum is brought to length 1. All that was
learned of a block (its components, its scale, the directions in which users stay the same) is in that one
matrix; ``head_fitting.py`` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from core.base.errors import ArtifactError
from core.base.schema import View
from core.model.counts import Sparse, normalised
from core.model.feature_blocks import FeatureBlock, features
from core.model.inputs import Spans, TokenStreams

ROWS = 20_000
"""Runs worked on at a time."""
BIAS = "bias"


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
        ArtifactError: If a part is missing, not a number, or does not fit the others.
    """
    heads: dict[View, dict[str, np.ndarray]] = {}
    try:
        for name, tensor in tensors.items():
            view, part = name.split(".")
            heads.setdefault(View(view), {})[part] = tensor.numpy()
        return {view: _head(parts) for view, parts in heads.items()}
    except (KeyError, ValueError) as error:
        raise ArtifactError("The heads of the model are damaged", remedy="Train again") from error


def _head(parts: Mapping[str, np.ndarray]) -> ViewHead:
    bias = parts[BIAS]
    arrays = {FeatureBlock(name): array for name, array in parts.items() if name != BIAS}
    ordered = {block: arrays[block] for block in FeatureBlock if block in arrays}  # files have any order
    fits = all(array.ndim == 2 and array.shape[1] == len(bias) for array in ordered.values())
    if not fits or not all(np.isfinite(array).all() for array in parts.values()):
        raise ValueError
    return ViewHead(ordered, bias)
