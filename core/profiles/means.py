"""Compare measures (means and ratios of sums) of groups of users: intervals, tests and effect sizes.

:class:`ComparedGroups` says which users are compared with which: each row of users with the baseline without
them.

The difference of two means has Welch's (1947) interval on each user's residual, the linearised ratio
(Cochran 1977, § 2.11; Deng et al. 2018). What users do has a long tail, so whether two groups differ is
decided by ranks: the Mann–Whitney U test (Mann and Whitney 1947), with Cliff's (1993) delta as the effect.
Where most users have nothing at all (revenue), ranks say only who has any; there the t-test decides, Welch's
and Student's (1908), the larger p of both: where few users do something, a group that by chance holds none
of them has no spread, and Welch's test alone would be sure of it.

:class:`SingleDifference` is the answer to a question about one figure: a single test, judged by its p, where
the table with its many tests uses q.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from scipy import sparse, stats

from core.profiles import two_shares
from core.profiles.data import ProfileData
from core.profiles.outcomes import OutcomeRecord
from core.profiles.profile_columns import Col, MetricRole
from core.profiles.rows import Rows
from core.profiles.two_shares import SEEN, Z_95, test_shares


@dataclass(frozen=True, eq=False)
class ComparedGroups:
    """Rows of users to compare, and which of them make up the baseline.

    A row is compared with the users of the baseline outside it: a segment with the other clustered users, a
    group made by rule with all clustered users, one of two rows with the other.

    Args:
        place: intp of shape (n_users,), the row of each user, −1 of users in no row.
        n_rows: Number of rows.
        n_base: Number of rows, the first ones, that are the baseline.
    """

    place: np.ndarray
    n_rows: int
    n_base: int

    @classmethod
    def of_rows(cls, rows: Rows) -> ComparedGroups:
        """Compare every segment and group with the (other) clustered users."""
        return cls(rows.place, rows.n_rows, rows.n_segments)

    @classmethod
    def of_one(cls, rows: Rows, row: int) -> ComparedGroups:
        """Compare one row, now row 0, with the (other) clustered users, now row 1."""
        place = np.where(rows.place < rows.n_segments, 1, -1)
        place[rows.members(row)] = 0
        return cls(place, 2, 2)

    @classmethod
    def of_pair(cls, rows: Rows, first: int, second: int) -> ComparedGroups:
        """Compare two rows, now 0 and 1; of a row that contains the other, only the remaining users."""
        place = np.full(len(rows.place), -1, dtype=np.intp)
        members = [rows.members(row) for row in (first, second)]
        for side in sorted((0, 1), key=lambda side: -int(members[side].sum())):
            place[members[side]] = side
        return cls(place, 2, 2)

    @property
    def others_of_first(self) -> np.ndarray:
        """Users that the first row is compared with: bool of shape (n_users,)."""
        others: np.ndarray = (self.place > 0) & (self.place < self.n_base)
        return others

    @cached_property
    def one_hot(self) -> sparse.csr_array:
        """Which user is in which row: float64, 0 or 1, of shape (n_rows, n_users)."""
        user = np.flatnonzero(self.place >= 0)
        shape = (self.n_rows, len(self.place))
        return sparse.csr_array((np.ones(len(user)), (self.place[user], user)), shape)

    def both(self, values: np.ndarray | sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
        """Sum values over the users of each row, and over the users that it is compared with.

        Args:
            values: Of shape (n_users, m).

        Returns:
            Two float64 of shape (n_rows, m).
        """
        sums = self.one_hot @ values
        totals = np.asarray(sums.toarray() if sparse.issparse(sums) else sums)
        rest = np.tile(totals[: self.n_base].sum(axis=0), (self.n_rows, 1))
        rest[: self.n_base] -= totals[: self.n_base]
        return totals, rest


T_TEST: Final = "t-test (Welch's and Student's)"
MANN_WHITNEY: Final = "Mann–Whitney U test"
_OF_ENGAGEMENT: Final = (Col.ENGAGEMENT_NONE_SHARE, Col.ENGAGEMENT_MEAN, Col.ENGAGEMENT_MEDIAN)
_FLAT: Final = 1e-12
"""Share of the squares below which a sum of squared residuals is a rounding error, so no variance."""


@dataclass(frozen=True, eq=False)
class UserValues:
    """Each user's contribution to a measure ``sum(part) / sum(whole)``.

    Args:
        part: float64 of shape (n_users,).
        whole: float64 of shape (n_users,); 0 where a user does not count.
        is_share: Whether the measure is a share of users: ``part`` is 0 or 1.
        by_rank: Whether the Mann–Whitney test decides, else the t-test.
        is_median: Whether the measure is the median of ``part`` over those who count.
    """

    part: np.ndarray
    whole: np.ndarray
    is_share: bool = False
    by_rank: bool = True
    is_median: bool = False


@dataclass(frozen=True, eq=False)
class MeanComparisons:
    """A measure of each row compared with its baseline: columns of the table, float64 of shape (n_rows,).

    ``value`` of ``n`` users is compared with ``rest_value`` of ``rest_n``; ``effect`` is in standard
    deviations, ``error`` its standard error; ``detectable`` is what would be seen in 80 % of samples.
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


def user_values(data: ProfileData, conversions: OutcomeRecord | None, measure: str) -> UserValues | None:
    """Each user's contribution to a column of the segments table; None for a plain count or absent data.

    Args:
        data: The users.
        conversions: Who converted, of the users with a page view; None where there is no outcome.
        measure: Name of the column.
    """
    ones = np.ones(data.n_users)
    views, sessions = data.page_views.astype(np.float64), data.sessions.astype(np.float64)
    if measure in (Col.OUTCOME_RATE, Col.SESSION_RATE, Col.REVENUE_PER_USER):
        return _of_outcome(conversions, measure, sessions) if conversions else None
    has = (~np.isnan(data.engagement_s)).astype(np.float64)
    if not has.any() and measure in _OF_ENGAGEMENT:  # the export has no engagement times at all
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


def _of_outcome(conversions: OutcomeRecord, measure: str, sessions: np.ndarray) -> UserValues | None:
    ones, size = np.ones(len(sessions)), len(sessions)
    if measure == Col.OUTCOME_RATE:
        return UserValues(np.minimum(np.bincount(conversions.user, minlength=size), 1.0), ones, is_share=True)
    if measure == Col.SESSION_RATE:
        converting = np.bincount(conversions.user, conversions.sessions, minlength=size)
        return None if np.isnan(converting).any() else UserValues(converting, sessions, by_rank=False)
    if np.isnan(conversions.revenue).all():  # nobody paid, or in several currencies: that is not 0
        return None
    revenue = np.nan_to_num(conversions.revenue)
    return UserValues(np.bincount(conversions.user, revenue, minlength=size), ones, by_rank=False)


def compare_means(values: UserValues, sides: ComparedGroups) -> MeanComparisons:
    """Compare each row's mean, or ratio of sums, with that of the users that ``sides`` compares it with."""
    (n, mean, variance), (rest_n, rest_mean, rest_variance) = _moments(values, sides)
    with np.errstate(divide="ignore", invalid="ignore"):
        square, rest_square = variance / n, rest_variance / rest_n
        error = np.sqrt(square + rest_square)
        freedom = error**4 / (square**2 / (n - 1) + rest_square**2 / (rest_n - 1))
        reach = np.where(error > 0, stats.t.ppf(0.975, freedom), 0) * error
        apart = mean - rest_mean
    ratio_low, ratio_high = ratio_interval(mean, np.sqrt(square), rest_mean, np.sqrt(rest_square))
    p_rank, effect, effect_error = _compare_ranks(values, sides)
    against = effect * apart < 0  # ranks and means differ in direction: no evidence for the means
    if values.by_rank:
        p = np.where(against, 1, p_rank)
    else:
        p = _t_test((n, mean, variance), (rest_n, rest_mean, rest_variance))
    return MeanComparisons(
        n, mean, rest_n, rest_mean, apart - reach, apart + reach, ratio_low, ratio_high, effect,
        effect_error, p, np.where(error > 0, SEEN * error, np.nan),  # unknown where all values are equal
    )  # fmt: skip


def ratio_interval(
    mean: np.ndarray, error: np.ndarray, rest_mean: np.ndarray, rest_error: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of a ratio of two means, on the log scale (delta method).

    Args:
        mean: The first mean, of any shape.
        error: Its standard error.
        rest_mean: Mean of the others.
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


def _moments(values: UserValues, sides: ComparedGroups) -> tuple[_Moments, _Moments]:
    """Number of users, and mean and variance of the linearised ratio, of each row and its baseline."""
    part, whole = values.part, values.whole
    terms = np.stack([whole > 0, part, whole, part**2, part * whole, whole**2], axis=1, dtype=np.float64)
    row_values, rest = sides.both(terms)
    return moments_of(*row_values.T), moments_of(*rest.T)


def moments_of(
    n: np.ndarray, part: np.ndarray, whole: np.ndarray, squares: np.ndarray, products: np.ndarray,
    whole_squares: np.ndarray,
) -> _Moments:  # fmt: skip
    """Number of users, and mean and variance of the linearised ratio, from sums over users of any shape.

    ``squares`` and ``whole_squares`` are sums of the squares of ``part`` and ``whole``, ``products`` of both.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = part / whole
        residuals = squares - 2 * ratio * products + ratio**2 * whole_squares
        residuals = np.where(residuals <= _FLAT * squares, 0, residuals)
        return n, ratio, residuals / (n - 1) / (whole / n) ** 2


def _compare_ranks(values: UserValues, sides: ComparedGroups) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The p of the Mann–Whitney test, Cliff's delta in standard deviations, and its standard error.

    The conversion gives d of two normal distributions with the same share of pairs in which one is higher.
    """
    counted = (sides.place >= 0) & (values.whole > 0)
    place = sides.place[counted]
    different, number = np.unique(values.part[counted] / values.whole[counted], return_inverse=True)
    shape = (sides.n_rows, len(different))
    users = np.bincount(place * shape[1] + number, minlength=shape[0] * shape[1]).reshape(shape)
    base = users[: sides.n_base].sum(axis=0)  # the baseline is sorted once for all rows
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [_mann_whitney(users[: sides.n_base], base)]
        parts += [_mann_whitney(row_users[None], base + row_users) for row_users in users[sides.n_base :]]
    p, effect, error = np.concatenate(parts, axis=1)
    return p, effect, error


def _mann_whitney(values: np.ndarray, everybody: np.ndarray) -> np.ndarray:
    """Mann–Whitney test of rows against all other users; p, effect and standard error of shape (3, m).

    ``values``, (m, n_values), and ``everybody``, (n_values,), count users at each value, the lowest first.
    """
    n, counts = values.sum(axis=1, dtype=np.float64), everybody.astype(np.float64)
    whole = counts.sum()
    rest_n = whole - n
    higher = values @ (counts.cumsum() - (counts - 1) / 2) - n * (n + 1) / 2  # pairs, a tie counts half
    spread = np.sqrt(n * rest_n / 12 * (whole + 1 - (counts**3 - counts).sum() / max(1, whole * (whole - 1))))
    z = np.maximum(np.abs(higher - n * rest_n / 2) - 0.5, 0) / spread
    p = np.where(spread > 0, 2 * stats.norm.sf(z), np.where(n * rest_n > 0, 1, np.nan))
    share = (higher / (n * rest_n)).clip(0.5 / whole, 1 - 0.5 / whole)  # of pairs; keeps d finite
    d = np.sqrt(2) * stats.norm.ppf(share)
    return np.stack(
        [np.minimum(p, 1), d, spread / (n * rest_n) * np.sqrt(2) / stats.norm.pdf(d / np.sqrt(2))]
    )


def _t_test(first: _Moments, second: _Moments) -> np.ndarray:
    (n, mean, variance), (rest_n, rest_mean, rest_variance) = first, second
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = (mean, np.sqrt(variance), n, rest_mean, np.sqrt(rest_variance), rest_n)
        both = [stats.ttest_ind_from_stats(*parts, equal_var=equal).pvalue for equal in (False, True)]
        flat = (variance == 0) & (rest_variance == 0)  # equal values on each side: test all against none
        apart = np.where(np.isclose(mean, rest_mean), 1, test_shares(n, n, np.zeros_like(n), rest_n)[0])
    p: np.ndarray = np.where(flat, apart, np.maximum(*both))
    return np.where(np.minimum(n, rest_n) < 2, 1, p)


SIGNIFICANCE: Final = 0.05
"""Significance level: p, and q, below which a difference is called one."""


@dataclass(frozen=True)
class SingleDifference:
    """Whether two figures differ, and by which test.

    Args:
        differs: Whether the interval leaves out 0 (of medians: the ranks do), and the test, if any, agrees.
        test: Name of the test; empty where nothing was tested.
        p_value: Two-sided; None where nothing was tested.
        detectable: The least difference that would have been seen in 80 % of samples; NaN of medians.
    """

    differs: bool
    test: str
    p_value: float | None
    detectable: float


def decide_shares(users: float, n: float, rest: float, rest_n: float, role: MetricRole) -> SingleDifference:
    """Decide whether two shares of users differ.

    Args:
        users: Users of one group who have or do something.
        n: Users of this group who count.
        rest: Users of the other group who have or do it.
        rest_n: Users of the other group who count.
        role: How the figure relates to what made the segments; only held-out figures are tested.
    """
    four = [np.array([count], dtype=np.float64) for count in (users, n, rest, rest_n)]
    (p,), (is_fisher,) = two_shares.test_shares(*four)
    (low,), (high,) = two_shares.difference_interval(*four)
    test = two_shares.FISHER if is_fisher else two_shares.CHI_SQUARE
    return _decision(role, low > 0 or high < 0, test, p, two_shares.least_difference(*four)[0])


def decide_values(values: UserValues, sides: ComparedGroups, role: MetricRole) -> SingleDifference:
    """Decide whether a measure differs between the first row and the users it is compared with."""
    if values.is_share:
        users, rest = sides.both((values.part > 0)[:, None])
        n, rest_n = sides.both((values.whole > 0)[:, None])
        return decide_shares(users[0, 0], n[0, 0], rest[0, 0], rest_n[0, 0], role)
    if values.is_median:
        return _decide_medians(values, sides, role)
    compared = compare_means(values, sides)
    leaves_out_0 = compared.difference_low[0] > 0 or compared.difference_high[0] < 0
    test = MANN_WHITNEY if values.by_rank else T_TEST
    return _decision(role, leaves_out_0, test, compared.p_value[0], compared.detectable[0])


def _decide_medians(values: UserValues, sides: ComparedGroups, role: MetricRole) -> SingleDifference:
    """Decide whether two medians differ, by the Mann–Whitney test alone.

    They do not where ranks and medians differ in direction.
    """
    (p, *_), (effect, *_), _ = _compare_ranks(values, sides)
    counted = values.whole > 0
    groups = [values.part[counted & chosen] for chosen in (sides.place == 0, sides.others_of_first)]
    if not all(map(len, groups)) or effect * (np.median(groups[0]) - np.median(groups[1])) < 0:
        return _decision(role, False, MANN_WHITNEY, 1, np.nan)
    return _decision(role, p < SIGNIFICANCE, MANN_WHITNEY, p, np.nan)


def _decision(
    role: MetricRole, leaves_out_0: bool, test: str, p: float, detectable: float
) -> SingleDifference:
    if role is not MetricRole.HELD_OUT:
        return SingleDifference(bool(leaves_out_0), "", None, float(detectable))
    p = 1.0 if np.isnan(p) else float(p)
    return SingleDifference(bool(leaves_out_0) and p < SIGNIFICANCE, test, p, float(detectable))
