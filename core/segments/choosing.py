"""How many segments: silhouette and inertia over K.

Neither says how many segments there ARE. The silhouette says how well each number separates users; near
ties are common, and then fewer segments are easier to act on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.base.errors import InputError
from core.base.progress import Progress
from core.base.settings import ClusterSettings
from core.segments.clustering import cold_centroids
from core.segments.geometry import count_different, nearest, repeatable, squared_distances

STAGE: Final = "choose_k"
MEASURED: Final = 8_000
"""Users whose silhouette is taken: each is compared with each, so the time grows with the square."""
N_INIT: Final = 5
"""Starts a number of segments: enough for a smooth curve, half of what the final fit takes."""
NEAR: Final = 0.95
"""A silhouette of at least this share of the best one is called a near tie."""
BLOCK: Final = 1_000


@dataclass(frozen=True)
class KScore:
    """How well one number of segments fits.

    Args:
        k: Number of segments.
        silhouette: Mean over a sample of users, −1 to 1, higher is better (Rousseeuw 1987).
        inertia: Mean squared distance of a clustered user to the centroid; it can only fall as K grows,
            so look for the bend.
    """

    k: int
    silhouette: float
    inertia: float


@dataclass(frozen=True)
class Suggestion:
    """A number of segments to start from.

    Args:
        k: The smallest of ``near``.
        near: Every K whose silhouette is within 5 % of the best, ascending.
    """

    k: int
    near: tuple[int, ...]


def scan(
    vectors: np.ndarray, inside: np.ndarray, ks: Sequence[int], seed: int, progress: Progress
) -> list[KScore]:
    """Score several numbers of segments.

    Each is fitted on a seeded sample like a cold fit; the inertia is taken over all clustered users, the
    silhouette over a seeded sample of them.

    Args:
        vectors: float32 of shape (n_users, d), L2-normalised.
        inside: bool of shape (n_users,), who is clustered.
        ks: Numbers of segments to try; one above the number of different users is left out.
        seed: Chooses the samples and the starts.
        progress: Where to report; may stop the scan.

    Returns:
        One score a K, ascending.

    Raises:
        InputError: If there are fewer than three different users.
        Cancelled: If ``progress`` says so.
    """
    rows = np.ascontiguousarray(vectors[inside], dtype=np.float32)
    chosen = _sample(len(rows), seed)
    tried = _possible(rows, chosen, ks)
    labels, inertia = np.empty((len(chosen), len(tried)), dtype=np.intp), []
    for number, k in enumerate(tried):
        progress(STAGE, 0.8 * number / len(tried), f"Trying {k} segments")
        with repeatable():
            centroids = cold_centroids(rows, ClusterSettings(n_clusters=k, seed=seed, n_init=N_INIT))
            place, distance = nearest(rows, centroids)
        labels[:, number] = place[chosen]
        inertia.append(float(distance.mean(dtype=np.float64)))
    measured = silhouettes(rows[chosen], labels, progress)
    progress(STAGE, 1.0, "")
    return [KScore(k, *both) for k, both in zip(tried, zip(measured, inertia, strict=True), strict=True)]


def suggest(scores: Sequence[KScore]) -> Suggestion:
    """The smallest K among near ties with the best silhouette.

    Raises:
        InputError: If there are no scores.
    """
    if not scores:
        raise InputError("No number of segments was scored", remedy="Score some first")
    best = max(score.silhouette for score in scores)
    near = sorted(score.k for score in scores if score.silhouette >= best - (1 - NEAR) * abs(best))
    return Suggestion(near[0], tuple(near))


def silhouettes(rows: np.ndarray, labels: np.ndarray, progress: Progress) -> list[float]:
    """Mean silhouette of several labellings of the same rows, each distance taken once.

    For a row, a is its mean distance to the others of its segment and b the lowest mean distance to
    another segment; its silhouette is (b − a) / max(a, b), or 0 where it is alone.

    Args:
        rows: float32 of shape (m, d).
        labels: int of shape (m, n_labellings), each from 0.
        progress: Where to report.

    Returns:
        One mean a labelling.
    """
    members = [np.eye(column.max() + 1, dtype=np.float32)[column] for column in labels.T]
    totals = np.zeros(labels.shape[1])
    for start in range(0, len(rows), BLOCK):
        progress(STAGE, 0.8 + 0.2 * start / len(rows), "Measuring how well segments are separated")
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


def _sample(n_rows: int, seed: int) -> np.ndarray:
    if n_rows <= MEASURED:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, MEASURED, replace=False))


def _possible(rows: np.ndarray, chosen: np.ndarray, ks: Sequence[int]) -> list[int]:
    different = count_different(rows[chosen], enough=max(ks, default=2) + 1)
    tried = sorted({k for k in ks if 2 <= k < different})
    if not tried:
        raise InputError(
            f"There are {different} different users: too few to compare numbers of segments",
            allowed="at least 3",
            remedy="Use an export with more users or a longer period",
        )
    return tried
