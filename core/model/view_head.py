"""What makes the vector of a view: its blocks, weighed by a linear head; fitted once, kept with the model.

Block by block, features times a matrix are added up, and the sum is brought to length 1. All that was learned
of a block (its components, its scale, the directions in which users stay the same) is in that one matrix.
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
        onto: float32 of shape (f, d) of each block that says something.
        bias: float32 of shape (d,), subtracted.
    """

    onto: Mapping[FeatureBlock, np.ndarray]
    bias: np.ndarray

    def vectors(self, learned: np.ndarray, streams: TokenStreams, runs: Spans) -> np.ndarray:
        """Make the vectors of runs.

        Args:
            learned: float32 of shape (n, E), of the network.
            streams: What the view knows of every page view.
            runs: n runs of them.

        Returns:
            float32 of shape (n, d), rows of length 1; zeros where the view cannot speak of a run.
        """
        vectors = np.zeros((len(runs), len(self.bias)), dtype=np.float32)
        for start in range(0, len(runs), ROWS):
            part = slice(start, start + ROWS)
            total = -np.broadcast_to(self.bias, vectors[part].shape)
            for block, onto in self.onto.items():
                total = total + self._features(block, learned[part], streams, runs[part]) @ onto
            vectors[part] = normalised(total * streams.speaks_of(runs[part])[:, None])
        return vectors

    def _features(
        self, block: FeatureBlock, learned: np.ndarray, streams: TokenStreams, runs: Spans
    ) -> Sparse:
        if block is FeatureBlock.NETWORK:
            return sparse.csr_array(learned)  # dense, a product would not leave equal rows equal
        return features(block, streams, runs, len(self.onto[block]))


def head_tensors(heads: Mapping[View, ViewHead]) -> dict[str, Tensor]:
    """What :func:`read_heads` reads."""
    arrays = {f"{view}.{BIAS}": head.bias for view, head in heads.items()} | {
        f"{view}.{block}": onto for view, head in heads.items() for block, onto in head.onto.items()
    }
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def read_heads(tensors: Mapping[str, Tensor]) -> dict[View, ViewHead]:
    """Read what :func:`head_tensors` made.

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
        raise ArtifactError("The model's finish is damaged", remedy="Train again") from error


def _head(parts: Mapping[str, np.ndarray]) -> ViewHead:
    bias = parts[BIAS]
    arrays = {FeatureBlock(name): array for name, array in parts.items() if name != BIAS}
    onto = {block: arrays[block] for block in FeatureBlock if block in arrays}  # files have them in any order
    fits = all(array.ndim == 2 and array.shape[1] == len(bias) for array in onto.values())
    if not fits or not all(np.isfinite(array).all() for array in parts.values()):
        raise ValueError
    return ViewHead(onto, bias)
