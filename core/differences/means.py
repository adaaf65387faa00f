"""Means and ratios of sums held against each other.

The difference of two means has Welch's (1947) interval on each user's residual, the linearised ratio
(Cochran 1977, § 2.11; Deng et al. 2018). What users do has a long tail, so whether two groups differ is
decided by ranks: the Mann–Whitney U test (Mann and Whitney 1947), with Cliff's (1993) delta as the effect.
Where most users have nothing at all (revenue), ranks say only who has any; there the t-test decides, Welch's
and Student's (1908), the larger p of both: where few users do something, a group that by chance holds none
of them has no spread, and Welch's test alone would be sure of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from scipy import stats

from core.differences.sides import Sides
from core.profiles.data import ProfileData
from core.profiles.outcomes import Happened
from core.profiles.profile_columns import Col
from core.profiles.two_shares import SEEN, test_shares
from core.profiles.wilson import Z_95

T_TEST: Final = "t-test (Welch's and Student's)"
MANN_WHITNEY: Final = "Mann–Whitney U test"
_OF_ENGAGEMENT: Final = (Col.ENGAGEMENT_NONE_SHARE, Col.ENGAGEMENT_MEAN, Col.ENGAGEMENT_MEDIAN)
FLAT: Final = 1e-12
"""A sum of squared residuals below this share of the squares is rounding: all users have the same."""


@dataclass(frozen=True, eq=False)
class UserValues:
    """What each user adds to a measure, ``sum(part) / sum(whole)``.

    Args:
        part: float64 of shape (n_users,).
        whole: float64 of shape (n_users,); 0 where a user does not count.
        is_share: Whether ``part`` only says who of ``whole`` it holds for.
        by_rank: Whether ranks decide.
        is_median: Whether the measure is the median of ``part`` over those who count.
    """

    part: np.ndarray
    whole: np.ndarray
    is_share: bool = False
    by_rank: bool = True
    is_median: bool = False


@dataclass(frozen=True, eq=False)
class Compared:
    """One measure of each row against its baseline, float64 of shape (n_rows,), as in the table.

    ``effect`` is in standard deviations, ``error`` its standard error.
    """

    n: np.ndarray
    value: np.ndarray
    rest_n: np.ndarray
    rest_value: np.ndarray
    difference_low: np.ndarray
    difference_high: np.ndarray
    ratio_low: np.ndarray
    ratio_high: np.ndarray
    effect: np.ndarray
    error: np.ndarray
    p_value: np.ndarray
    detectable: np.ndarray


def user_values(data: ProfileData, happened: Happened | None, measure: str) -> UserValues | None:
    """What a column of the segments table is made of; None for a plain count, and where it is absent.

    Args:
        data: The users.
        happened: Who converted, of the users with a page view; None where there is no outcome.
        measure: The column.
    """
    ones = np.ones(data.n_users)
    views, sessions = data.page_views.astype(np.float64), data.sessions.astype(np.float64)
    if measure in (Col.OUTCOME_RATE, Col.SESSION_RATE, Col.REVENUE_PER_USER):
        return _of_outcome(happened, measure, sessions) if happened else None
    has = (~np.isnan(data.engagement_s)).astype(np.float64)
    if not has.any() and measure in _OF_ENGAGEMENT:  # of an export without it, nobody is without engagement
        return None
    return {
        Col.PAGE_VIEWS_MEAN: UserValues(views, ones),
        Col.SESSIONS_MEAN: UserValues(sessions, ones),
        Col.PAGES_PER_SESSION: UserValues(views, sessions),
        Col.DIFFERENT_PAGES_MEAN: UserValues(data.different_pages.astype(np.float64), ones),
        Col.ENGAGEMENT_NONE_SHARE: UserValues(1 - has, ones, is_share=True),
        Col.ENGAGEMENT_MEAN: UserValues(np.nan_to_num(data.engagement_s), has),
        Col.PAGE_VIEWS_MEDIAN: UserValues(views, ones, is_median=True),
        Col.ENGAGEMENT_MEDIAN: UserValues(np.nan_to_num(data.engagement_s), has, is_median=True),
    }.get(measure)


def _of_outcome(happened: Happened, measure: str, sessions: np.ndarray) -> UserValues | None:
    ones, size = np.ones(len(sessions)), len(sessions)
    if measure == Col.OUTCOME_RATE:
        return UserValues(np.minimum(np.bincount(happened.user, minlength=size), 1.0), ones, is_share=True)
    if measure == Col.SESSION_RATE:
        converting = np.bincount(happened.user, happened.sessions, minlength=size)
        return None if np.isnan(converting).any() else UserValues(converting, sessions, by_rank=False)
    if np.isnan(happened.revenue).all():  # nobody paid, or in several currencies: that is not 0
        return None
    revenue = np.nan_to_num(happened.revenue)
    return UserValues(np.bincount(happened.user, revenue, minlength=size), ones, by_rank=False)


def compare_means(values: UserValues, sides: Sides) -> Compared:
    """Hold each row's mean, or ratio of sums, against its baseline's."""
    (n, mean, variance), (rest_n, rest_mean, rest_variance) = _moments(values, sides)
    with np.errstate(divide="ignore", invalid="ignore"):
        square, rest_square = variance / n, rest_variance / rest_n
        error = np.sqrt(square + rest_square)
        freedom = error**4 / (square**2 / (n - 1) + rest_square**2 / (rest_n - 1))
        reach = np.where(error > 0, stats.t.ppf(0.975, freedom), 0) * error
        apart = mean - rest_mean
    ratio_low, ratio_high = ratio_interval(mean, np.sqrt(square), rest_mean, np.sqrt(rest_square))
    p_rank, effect, effect_error = compare_ranks(values, sides)
    against = effect * apart < 0  # ranks that lean the other way say nothing for the means
    if values.by_rank:
        p = np.where(against, 1, p_rank)
    else:
        p = _t_test((n, mean, variance), (rest_n, rest_mean, rest_variance))
    return Compared(
        n, mean, rest_n, rest_mean, apart - reach, apart + reach, ratio_low, ratio_high, effect,
        effect_error, p, np.where(error > 0, SEEN * error, np.nan),  # where all are the same, no spread tells
    )  # fmt: skip


def ratio_interval(
    mean: np.ndarray, error: np.ndarray, rest_mean: np.ndarray, rest_error: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of a ratio of two means, on the log scale (delta method).

    Args:
        mean: Of any shape.
        error: Its standard error.
        rest_mean: The same of the others.
        rest_error: Its standard error.

    Returns:
        Lower and upper end; NaN where one of the two is 0 or absent.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, spread = mean / rest_mean, np.hypot(error / mean, rest_error / rest_mean)
        known = np.isfinite(ratio) & np.isfinite(spread) & (ratio > 0)
        low, high = ratio * np.exp(-Z_95 * spread), ratio * np.exp(Z_95 * spread)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


_Moments: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]


def _moments(values: UserValues, sides: Sides) -> tuple[_Moments, _Moments]:
    """Users, mean and variance of the linearised ratio, of each row and of its baseline."""
    part, whole = values.part, values.whole
    terms = np.stack([whole > 0, part, whole, part**2, part * whole, whole**2], axis=1, dtype=np.float64)
    own, rest = sides.both(terms)
    return moments_of(*own.T), moments_of(*rest.T)


def moments_of(
    n: np.ndarray, part: np.ndarray, whole: np.ndarray, squares: np.ndarray, products: np.ndarray,
    whole_squares: np.ndarray,
) -> _Moments:  # fmt: skip
    """Users, and mean and variance of the linearised ratio, of sums over users of any shape."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = part / whole
        residuals = squares - 2 * ratio * products + ratio**2 * whole_squares
        residuals = np.where(residuals <= FLAT * squares, 0, residuals)
        return n, ratio, residuals / (n - 1) / (whole / n) ** 2


def compare_ranks(values: UserValues, sides: Sides) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The p of the Mann–Whitney test, Cliff's delta as standard deviations apart, and its error.

    The delta is the d of two normal distributions with the same share of pairs in which one is higher.
    """
    counted = (sides.place >= 0) & (values.whole > 0)
    place = sides.place[counted]
    different, number = np.unique(values.part[counted] / values.whole[counted], return_inverse=True)
    shape = (sides.n_rows, len(different))
    users = np.bincount(place * shape[1] + number, minlength=shape[0] * shape[1]).reshape(shape)
    base = users[: sides.n_base].sum(axis=0)  # sorted once, whoever is ranked among them
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [_mann_whitney(users[: sides.n_base], base)]
        parts += [_mann_whitney(own[None], base + own) for own in users[sides.n_base :]]
    p, effect, error = np.concatenate(parts, axis=1)
    return p, effect, error


def _mann_whitney(own: np.ndarray, everybody: np.ndarray) -> np.ndarray:
    """Rows, of shape (m, values), against the rest of everybody, (values,): users a value, lowest first."""
    n, counts = own.sum(axis=1, dtype=np.float64), everybody.astype(np.float64)
    whole = counts.sum()
    rest_n = whole - n
    higher = own @ (counts.cumsum() - (counts - 1) / 2) - n * (n + 1) / 2  # pairs, a tie counts half
    spread = np.sqrt(n * rest_n / 12 * (whole + 1 - (counts**3 - counts).sum() / max(1, whole * (whole - 1))))
    z = np.maximum(np.abs(higher - n * rest_n / 2) - 0.5, 0) / spread
    p = np.where(spread > 0, 2 * stats.norm.sf(z), np.where(n * rest_n > 0, 1, np.nan))
    share = (higher / (n * rest_n)).clip(0.5 / whole, 1 - 0.5 / whole)  # of pairs; never without end
    d = np.sqrt(2) * stats.norm.ppf(share)
    return np.stack(
        [np.minimum(p, 1), d, spread / (n * rest_n) * np.sqrt(2) / stats.norm.pdf(d / np.sqrt(2))]
    )


def _t_test(first: _Moments, second: _Moments) -> np.ndarray:
    (n, mean, variance), (rest_n, rest_mean, rest_variance) = first, second
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = (mean, np.sqrt(variance), n, rest_mean, np.sqrt(rest_variance), rest_n)
        both = [stats.ttest_ind_from_stats(*parts, equal_var=equal).pvalue for equal in (False, True)]
        flat = (variance == 0) & (rest_variance == 0)  # all of a row are the same: p of all against none
        apart = np.where(np.isclose(mean, rest_mean), 1, test_shares(n, n, np.zeros_like(n), rest_n)[0])
    p: np.ndarray = np.where(flat, apart, np.maximum(*both))
    return np.where(np.minimum(n, rest_n) < 2, 1, p)
