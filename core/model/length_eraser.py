"""The length of a visit taken out of the vectors, as far as a linear read-out can find it.

LEACE (Belrose et al. 2023) for one number in closed form: the smallest change after which the vectors do
not covary with it. Trees still find it: only what is linear goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.model.counts import normalised

RIDGE: Final = 1e-3
"""Of the mean variance of a coordinate, added to each: vectors lie in fewer dimensions than they have."""


@dataclass(frozen=True, eq=False)
class LengthEraser:
    """x ↦ x − along · (readᵀ(x − mean)), and then to length 1.

    Args:
        mean: float32 of shape (d,).
        along: float32 of shape (d,), where vectors move with the length.
        read: float32 of shape (d,), what of them tells the length; ``readᵀ along = 1``.
    """

    mean: np.ndarray
    along: np.ndarray
    read: np.ndarray

    @classmethod
    def fit(cls, vectors: np.ndarray, log_lengths: np.ndarray) -> LengthEraser:
        """Learn from users.

        Args:
            vectors: float32 of shape (n, d).
            log_lengths: float of shape (n,).
        """
        mean = vectors.mean(axis=0, dtype=np.float64)
        centred = vectors - mean
        together = centred.T @ (log_lengths - log_lengths.mean()) / max(1, len(vectors))  # (d,)
        spread = centred.T @ centred / max(1, len(vectors))  # (d, d)
        ridge = max(RIDGE * np.trace(spread) / len(spread), 1e-12)
        read = np.linalg.solve(spread + ridge * np.eye(len(spread)), together)
        scale = read @ together
        read = read / scale if scale > 0 else np.zeros_like(read)
        return cls(mean.astype(np.float32), together.astype(np.float32), read.astype(np.float32))

    def erase(self, vectors: np.ndarray) -> np.ndarray:
        """The vectors without the length: float32 of shape (n, d), of length 1; zeros stay zeros."""
        told = np.einsum("ij,j->i", vectors - self.mean, self.read)  # no BLAS: equal rows stay equal
        known = vectors.any(axis=1)
        return normalised(vectors - np.where(known, told, 0.0)[:, None] * self.along)
