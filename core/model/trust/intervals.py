"""95 % intervals of figures, and of differences of two figures on the same users.

Letters: n users (or queries), B resamples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
from scipy.stats import rankdata

from core.model.trust.result import Call, Comparison, Figure, Method
from core.profiles.two_shares import Z_95

_RESAMPLES: Final = 2_000
_TAILS: Final = (2.5, 97.5)

Placements: TypeAlias = tuple[np.ndarray, np.ndarray]
"""Shares from :func:`auc_placements`: float of shape (n_positive,) and of shape (n_negative,)."""


def call(low: float, high: float, matters: float) -> Call:
    """Decide by the interval of a difference whether it is better, worse, equal or unclear.

    Args:
        low: Lower end of the interval.
        high: Upper end.
        matters: The smallest difference that would matter.
    """
    if low >= -matters and high <= matters:  # perhaps not zero, but too small to matter
        return Call.EQUAL
    return Call.BETTER if low > 0 else Call.WORSE if high < 0 else Call.UNCLEAR


def resample(n: int, seed: int, times: int = _RESAMPLES) -> np.ndarray:
    """Draw bootstrap samples of n users, as how often each is drawn: float32 of shape (times, n)."""
    rng = np.random.default_rng(seed)
    return np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(times)]).astype(
        np.float32
    )


def mean_figures(scores: Mapping[Method, np.ndarray], drawn: np.ndarray) -> tuple[Figure, ...]:
    """Means over users with 95 % percentile bootstrap intervals, a figure a method.

    Args:
        scores: Method → float of shape (n,), of the same users in the same order.
        drawn: From :func:`resample`, the same for all methods.
    """
    return tuple(
        Figure(method=method, value=float(score.mean()), low=low, high=high)
        for method, score in scores.items()
        for low, high in [_tails(drawn @ score / len(score))]
    )


def mean_comparisons(
    scores: Mapping[Method, np.ndarray], drawn: np.ndarray, matters: float
) -> tuple[Comparison, ...]:
    """Compare the learned mean with that of each other method, by a paired bootstrap of difference and ratio.

    Args:
        scores: Method → float of shape (n,), not negative.
        drawn: From :func:`resample`.
        matters: The smallest difference that would matter, as a share of the other method's mean.
    """
    learned = scores[Method.LEARNED]
    ours = drawn @ learned
    found = []
    for other, score in scores.items():
        if other is Method.LEARNED or score.sum() <= 0:
            continue
        low, high = _tails(drawn @ (learned - score) / len(score))
        theirs = np.maximum(drawn @ score, 1e-12)
        ratio_low, ratio_high = _tails(ours / theirs)
        found.append(
            Comparison(
                other=other, difference=float((learned - score).mean()), low=low, high=high,
                call=call(low, high, matters * float(score.mean())),
                ratio=float(learned.sum() / score.sum()), ratio_low=ratio_low, ratio_high=ratio_high,
            )
        )  # fmt: skip
    return tuple(found)


def auc_placements(scores: np.ndarray, positive: np.ndarray) -> Placements:
    """Each positive's share of negatives below it, and each negative's share of positives above it.

    The mean of either is the area under the ROC curve (DeLong, DeLong and Clarke-Pearson 1988; by ranks as
    in Sun and Xu 2014).

    Args:
        scores: float of shape (n,); ties count half.
        positive: bool of shape (n,).
    """
    ranks = rankdata(scores)
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    below = (ranks[positive] - rankdata(scores[positive])) / n_negative
    above = 1 - (ranks[~positive] - rankdata(scores[~positive])) / n_positive
    return below, above


def auc_interval(placements: Placements) -> tuple[float, float, float]:
    """An area under the ROC curve, or a difference of two, with its 95 % interval (DeLong).

    Args:
        placements: From :func:`auc_placements`, or two of them subtracted, of the same users.

    Returns:
        The area or the difference, and the ends of the interval.
    """
    value = float(placements[0].mean())
    error = float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in placements)))
    return value, value - Z_95 * error, value + Z_95 * error


def r2_interval(truth: np.ndarray, read: np.ndarray, drawn: np.ndarray) -> tuple[float, float, float]:
    """R² of a read-out with its 95 % percentile bootstrap interval.

    Args:
        truth: float of shape (n,).
        read: The predictions, float of shape (n,).
        drawn: From :func:`resample`, of shape (B, n).
    """
    weight = drawn / len(truth)
    missed = weight @ (truth - read) ** 2
    spread_of = weight @ truth**2 - (weight @ truth) ** 2
    low, high = _tails(1 - missed / np.maximum(spread_of, 1e-12))
    value = 1 - np.mean((truth - read) ** 2) / max(float(np.var(truth)), 1e-12)
    return float(value), low, high


def _tails(values: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(values, _TAILS)
    return float(low), float(high)
