"""Partitions of the same users over numbers of segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from core.base.settings import ClusterSettings
from core.segments.geometry import count_different, nearest
from core.segments.kmeans import centroids_from, narrowed

N_INIT: Final = 6
"""Starts of a K-Means that is only compared: the final fit takes 40."""
DIGITS: Final = 5
"""Vectors that differ by less are the same: rounding alone makes no segment."""


def labels_over_k(
    learns: np.ndarray, rows: np.ndarray, ks: Sequence[int], seed: int = 0, n_init: int = N_INIT
) -> np.ndarray:
    """Cut users into K segments that some users teach; call it within ``geometry.repeatable``.

    Args:
        learns: float32 of shape (m, d).
        rows: float32 of shape (n, d).
        ks: Numbers of segments; where fewer of ``learns`` differ, there are as many segments as differ.
        seed: Of K-Means.
        n_init: Its starts.

    Returns:
        int of shape (n, n_ks).
    """
    learns = np.ascontiguousarray(learns)
    labels = np.zeros((len(rows), len(ks)), dtype=np.intp)
    different = count_different(np.round(learns, DIGITS), enough=max(ks) + 1)
    if different < 2:
        return labels
    narrow = narrowed(learns)
    for place, k in enumerate(ks):
        settings = ClusterSettings(n_clusters=min(k, different), seed=seed, n_init=n_init)
        labels[:, place], _ = nearest(rows, centroids_from(learns, narrow, settings))
    return labels
