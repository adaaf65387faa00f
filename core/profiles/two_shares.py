"""Compare two shares of users, for arrays of any shape: intervals, test, effect size, detectable difference.

A single share has Wilson's interval. The intervals of the difference (Newcombe 1998, method 10) and of the
ratio (Donner and Zou 2012, MOVER-R) are made of those of the two shares, so that they also hold for few users
and for 0 and 100 %. The test is Fisher's exact one (Fisher 1935) where a count would be expected below 5,
else the χ² test (Pearson 1900; the bound is Cochran's 1954).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import stats
from scipy.special import gammaln

Z_95: Final = 1.959963984540054
"""Standard normal quantile that leaves 2.5 % on each side."""


def wilson(successes: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % Wilson score interval of a share (Wilson 1927), which also holds for few users and for 0 %.

    Args:
        successes: Counts, of any shape.
        trials: Counts of the same or a broadcastable shape.

    Returns:
        Lower and upper end, float64; NaN where there are no trials.
    """
    n = np.asarray(trials, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = successes / n
        spread = Z_95 * np.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
        middle, scale = share + Z_95**2 / (2 * n), 1 + Z_95**2 / n
        low, high = (middle - spread) / scale, (middle + spread) / scale
    # rounding must not push the ends beyond 0 % and 100 %
    return np.where(share == 0, 0.0, low), np.where(share == 1, 1.0, high)


FISHER: Final = "Fisher's exact test"
CHI_SQUARE: Final = "χ² test"
_MIN_EXPECTED: Final = 5
NO_COMPARISON: Final = np.array(0.0)
"""Correlation of two shares without common users."""
SEEN: Final = Z_95 + float(stats.norm.ppf(0.8))
"""Size of a difference, in standard errors, that is detected in 80 % of samples at p < .05."""


def difference_interval(
    users: np.ndarray,
    n: np.ndarray,
    rest: np.ndarray,
    rest_n: np.ndarray,
    correlation: np.ndarray = NO_COMPARISON,
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of the difference of two shares (Newcombe 1998, method 10).

    Shares with users on both sides are correlated, which the interval takes into account (MOVER, Zou and
    Donner 2008; where all are on both, it is Newcombe's 1998 method 10 for pairs).

    Args:
        users: Users with the item.
        n: All users of this side.
        rest: Users with the item on the other side.
        rest_n: All users of the other side.
        correlation: Correlation of the two shares; 0 if no user is on both sides.

    Returns:
        Lower and upper end; NaN where a side has no users.
    """
    (p, low, high), (q, rest_low, rest_high) = _shares(users, n), _shares(rest, rest_n)
    apart = p - q
    below, above = p - low, high - p
    rest_below, rest_above = q - rest_low, rest_high - q
    return (
        apart - np.sqrt(below**2 + rest_above**2 - 2 * correlation * below * rest_above),
        apart + np.sqrt(above**2 + rest_below**2 - 2 * correlation * above * rest_below),
    )


def ratio_interval(
    users: np.ndarray, n: np.ndarray, rest: np.ndarray, rest_n: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of the ratio of two shares, with the arguments of :func:`difference_interval`.

    Source: Donner and Zou 2012, MOVER-R.

    Returns:
        Lower and upper end, infinite where the other share is 0; NaN where both are 0.
    """
    (p, low, high), (q, rest_low, rest_high) = _shares(users, n), _shares(rest, rest_n)
    both = p * q
    with np.errstate(divide="ignore", invalid="ignore"):
        part, whole = low * (2 * p - low), rest_high * (2 * q - rest_high)
        least = part / (both + np.sqrt(np.maximum(both**2 - part * whole, 0)))
        part, whole = high * (2 * p - high), rest_low * (2 * q - rest_low)
        most = (both + np.sqrt(np.maximum(both**2 - part * whole, 0))) / whole
    nobody = (p == 0) & (q == 0)
    return (
        np.where(nobody, np.nan, np.where(p == 0, 0, least)),
        np.where(nobody, np.nan, np.where(q == 0, np.inf, most)),
    )


def test_shares(
    users: np.ndarray, n: np.ndarray, rest: np.ndarray, rest_n: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Test whether two shares differ; arguments as in :func:`difference_interval`.

    Returns:
        p, two-sided, NaN where a side has no users; and bool, whether the test is Fisher's.
    """
    users, n, rest, rest_n = (np.asarray(a, np.float64) for a in np.broadcast_arrays(users, n, rest, rest_n))
    doing, whole = users + rest, n + rest_n
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.minimum(n, rest_n) * np.minimum(doing, whole - doing) / whole
        pooled = doing / whole
        error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / rest_n))
        p = 2 * stats.norm.sf(np.abs(users / n - rest / rest_n) / error)
    small = expected < _MIN_EXPECTED
    p[small] = _fisher(*(counts[small] for counts in (users, n, doing, whole)))
    p[(n == 0) | (rest_n == 0)] = np.nan
    return p, small


def least_difference(users: np.ndarray, n: np.ndarray, rest: np.ndarray, rest_n: np.ndarray) -> np.ndarray:
    """The least difference of shares that is detected in 80 % of samples, by the normal approximation.

    Arguments as in :func:`difference_interval`. The common share is shrunk towards ½ (Agresti and Coull
    1998), since a share of 0 would otherwise make a difference of 0 detectable. NaN where it would exceed 1:
    so few users show no difference at all.
    """
    share = (users + rest + 2) / (n + rest_n + 4)
    with np.errstate(divide="ignore"):
        least: np.ndarray = SEEN * np.sqrt(share * (1 - share) * (1 / n + 1 / rest_n))
    return np.where(least > 1, np.nan, least)


def effect_size(users: np.ndarray, n: np.ndarray, rest: np.ndarray, rest_n: np.ndarray) -> np.ndarray:
    """Cohen's (1988) h of two shares (:func:`difference_interval`), and its standard error: shape (2, …)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        h = 2 * np.arcsin(np.sqrt(users / n)) - 2 * np.arcsin(np.sqrt(rest / rest_n))
        return np.stack([h, np.broadcast_to(np.sqrt(1 / n + 1 / rest_n), h.shape)])


def _shares(users: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(users / n, np.float64), *wilson(users, n)


def _fisher(users: np.ndarray, n: np.ndarray, doing: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The two-sided p of Fisher's exact test, for arrays of shape (m,).

    It is the probability of all tables no likelier than the observed; ``scipy.stats.fisher_exact`` takes only
    one table at a time.
    """
    first = np.maximum(0, n + doing - whole)
    sizes = (np.minimum(n, doing) - first + 1).astype(np.int64)
    starts = np.cumsum(sizes) - sizes
    count = np.arange(sizes.sum()) - np.repeat(starts - first, sizes)

    def likely(count: np.ndarray, times: np.ndarray) -> np.ndarray:
        a, b, c = (np.repeat(values, times) for values in (n, doing, whole))
        made: np.ndarray = _log_choose(a, count) + _log_choose(c - a, b - count) - _log_choose(c, b)
        return made

    log_p, own = likely(count, sizes), likely(users, np.ones_like(sizes))
    no_likelier = log_p <= np.repeat(own, sizes) + 1e-7  # ties are equal up to rounding
    sums = np.add.reduceat(np.where(no_likelier, np.exp(log_p), 0), starts) if len(starts) else own
    return np.minimum(sums, 1)


def _log_choose(n: np.ndarray, k: np.ndarray) -> np.ndarray:
    made: np.ndarray = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return made
