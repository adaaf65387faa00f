"""Would other users, or another start of K-Means, have led to the same segments?"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import combinations
from typing import Final

import numpy as np
from sklearn.metrics import adjusted_rand_score

from core.base.settings import ClusterSettings
from core.segments.geometry import count_different, repeatable, threads
from core.segments.kmeans import labels_by
from core.trust.case import SEED
from core.trust.intervals import range_comparisons, range_figures
from core.trust.result import Method, Question, Topic

SPLITS: Final = 6
"""All on one side by chance in 2 of 64 cases."""
SEEDS: Final = 4
MOST: Final = 6_000
"""Users clustered; each half has half of them."""
FEWEST_PER_SEGMENT: Final = 10
"""Users a segment and half, below which halves differ by chance alone."""
N_INIT: Final = ClusterSettings().n_init
MATTERS: Final = 0.05


def measure(vectors: Mapping[Method, np.ndarray], n_clusters: int) -> tuple[Question, Question]:
    """Cluster halves of the users, and all of them from several seeds.

    Args:
        vectors: float32 of shape (n, d) a way, of the same users in the same order; first the one on screen.
        n_clusters: Number of segments.

    Returns:
        The answer about other users, and the one about other seeds.
    """
    own = next(iter(vectors))
    rows = {method: _chosen(array) for method, array in vectors.items()}
    rows = {method: array for method, array in rows.items() if _enough(array, n_clusters)}
    if own not in rows:
        reason = (
            f"{min(MOST, len(vectors[own])):,} users are too few for {n_clusters} segments of two halves: "
            f"{2 * FEWEST_PER_SEGMENT * n_clusters:,} users who differ are needed."
        )
        return Question(topic=Topic.STABILITY, absent=reason), Question(topic=Topic.SEEDS, absent=reason)
    with repeatable(), threads() as pool:
        return _halves(pool, rows, n_clusters), _seeds(pool, rows, n_clusters)


def _chosen(vectors: np.ndarray) -> np.ndarray:
    chosen = np.sort(np.random.default_rng(SEED).permutation(len(vectors))[:MOST])
    return np.ascontiguousarray(vectors[chosen])


def _enough(rows: np.ndarray, n_clusters: int) -> bool:
    """Whether halves would differ by more than chance."""
    return (
        len(rows) >= 2 * FEWEST_PER_SEGMENT * n_clusters
        and count_different(rows[::2], enough=n_clusters + 1) > n_clusters
    )


def _splits(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(SEED)
    return [rng.permutation(n) < n // 2 for _ in range(SPLITS)]


def agreement_of_halves(rows: np.ndarray, n_clusters: int, half: np.ndarray) -> float:
    """Adjusted Rand index of all users as two halves would have segmented them (Hubert, Arabie 1985).

    Args:
        rows: float32 of shape (n, d).
        n_clusters: Number of segments.
        half: bool of shape (n,), who is in the first half.
    """
    one, other = (labels_by(rows[part], rows, n_clusters, SEED, N_INIT) for part in (half, ~half))
    return float(adjusted_rand_score(one, other))


def _halves(pool: ThreadPoolExecutor, rows: Mapping[Method, np.ndarray], n_clusters: int) -> Question:
    n = len(next(iter(rows.values())))
    halves = _splits(n)
    repeats = {
        method: list(pool.map(partial(agreement_of_halves, array, n_clusters), halves))
        for method, array in rows.items()
    }
    return Question(
        topic=Topic.STABILITY, n=n, interval=f"lowest and highest of {SPLITS} splits of the users in halves",
        facts={"segments": n_clusters, "splits": SPLITS},
        figures=range_figures(repeats), comparisons=range_comparisons(repeats, MATTERS),
    )  # fmt: skip


def _seeds(pool: ThreadPoolExecutor, rows: Mapping[Method, np.ndarray], n_clusters: int) -> Question:
    repeats = {}
    for method, array in rows.items():
        labels = pool.map(partial(labels_by, array, array, n_clusters, n_init=N_INIT), range(SEEDS))
        repeats[method] = [float(adjusted_rand_score(*pair)) for pair in combinations(labels, 2)]
    pairs = SEEDS * (SEEDS - 1) // 2
    return Question(
        topic=Topic.SEEDS, n=len(array), interval=f"lowest and highest of {pairs} pairs of {SEEDS} seeds",
        facts={"segments": n_clusters, "seeds": SEEDS}, figures=range_figures(repeats),
    )  # fmt: skip
