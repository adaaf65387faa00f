"""Whether two rows differ in a measure: one stated test a kind of measure.

Shares of users are tested by Fisher's exact test (Fisher 1935), means and ratios of sums by the t-test on
each user's residual, the linearised ratio (Cochran 1977, § 2.11; Deng et al. 2018), medians by the
Mann–Whitney U test (Mann and Whitney 1947). Counts are what was counted and need no test.

The t-test is both Welch's (1947) and Student's (1908), and the larger p counts: where few users do something
at all, a row that by chance holds none of them has no spread, and Welch's test alone would be sure of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from core.profiles.data import ProfileData
from core.profiles.outcomes import Happened
from core.profiles.profile_columns import Col

FISHER: Final = "Fisher's exact test"
T_TEST: Final = "t-test (Welch's and Student's)"
MANN_WHITNEY: Final = "Mann–Whitney U test"
SURE: Final = 0.05
"""p below which a difference is called one."""


@dataclass(frozen=True)
class Tested:
    """What a test found.

    Args:
        test: Its name.
        p_value: Two-sided; 1 where there is too little to tell.
    """

    test: str
    p_value: float


@dataclass(frozen=True, eq=False)
class UserValues:
    """What each user adds to a measure, ``sum(part) / sum(whole)``.

    Args:
        part: float64 of shape (n_users,).
        whole: float64 of shape (n_users,); 0 where a user does not count.
        is_share: Whether ``part`` only says who of ``whole`` it holds for.
        is_median: Whether the measure is the median of ``part`` over those who count.
    """

    part: np.ndarray
    whole: np.ndarray
    is_share: bool = False
    is_median: bool = False


def user_values(data: ProfileData, happened: Happened | None, measure: str) -> UserValues | None:
    """What a column of the segments table is made of; None for a plain count.

    Args:
        data: The users.
        happened: Who converted; None where there is no outcome.
        measure: The column.
    """
    views, sessions = data.page_views.astype(np.float64), data.sessions.astype(np.float64)
    if measure in (Col.OUTCOME_RATE, Col.SESSION_RATE, Col.REVENUE_PER_USER):
        return _of_outcome(happened, measure, sessions) if happened else None
    if measure in (Col.ENGAGEMENT_NONE_SHARE, Col.ENGAGEMENT_MEAN, Col.ENGAGEMENT_MEDIAN):
        return _of_engagement(data.engagement_s, measure)
    ones = np.ones(data.n_users)
    return {
        Col.PAGE_VIEWS_MEAN: UserValues(views, ones),
        Col.PAGE_VIEWS_MEDIAN: UserValues(views, ones, is_median=True),
        Col.SESSIONS_MEAN: UserValues(sessions, ones),
        Col.PAGES_PER_SESSION: UserValues(views, sessions),
        Col.DIFFERENT_PAGES_MEAN: UserValues(data.different_pages.astype(np.float64), ones),
    }.get(measure)


def _of_engagement(seconds: np.ndarray, measure: str) -> UserValues:
    has = (~np.isnan(seconds)).astype(np.float64)
    if measure == Col.ENGAGEMENT_NONE_SHARE:
        return UserValues(1 - has, np.ones(len(has)), is_share=True)
    return UserValues(np.nan_to_num(seconds), has, is_median=measure == Col.ENGAGEMENT_MEDIAN)


def _of_outcome(happened: Happened, measure: str, sessions: np.ndarray) -> UserValues:
    ones, size = np.ones(len(sessions)), len(sessions)
    if measure == Col.OUTCOME_RATE:
        return UserValues(np.minimum(np.bincount(happened.user, minlength=size), 1.0), ones, is_share=True)
    if measure == Col.SESSION_RATE:
        converting = np.bincount(happened.user, happened.sessions, minlength=size)
        return UserValues(converting, sessions)
    revenue = np.nan_to_num(happened.revenue)
    return UserValues(np.bincount(happened.user, revenue, minlength=size), ones)


def compare_users(values: UserValues, first: np.ndarray, second: np.ndarray) -> Tested:
    """Whether two groups of users differ.

    Args:
        values: The measure.
        first: bool of shape (n_users,).
        second: bool of shape (n_users,); shares no user with ``first``.
    """
    parts = [(values.part[group], values.whole[group]) for group in (first, second)]
    if values.is_share:
        (one, n_one), (other, n_other) = ((part.sum(), whole.sum()) for part, whole in parts)
        return compare_shares(one, n_one, other, n_other)
    known = [(part[whole > 0], whole[whole > 0]) for part, whole in parts]
    if values.is_median:
        return _mann_whitney(*(part for part, _ in known))
    return _t_test(*(_linearised(part, whole) for part, whole in known))


def compare_shares(users: float, n: float, other_users: float, other_n: float) -> Tested:
    """Whether two shares of users differ.

    Args:
        users: Who does it.
        n: Of how many.
        other_users: Who does it among the others.
        other_n: Of how many.
    """
    table = np.array([[users, n - users], [other_users, other_n - other_users]]).round().astype(np.int64)
    return Tested(FISHER, float(stats.fisher_exact(table).pvalue))


def _linearised(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """A value a user with the ratio as its mean and the ratio's error as its own."""
    if not whole.sum():
        return part[:0]
    ratio = part.sum() / whole.sum()
    linear: np.ndarray = ratio + (part - ratio * whole) / whole.mean()
    return linear


def _t_test(first: np.ndarray, second: np.ndarray) -> Tested:
    if min(len(first), len(second)) < 2:
        return Tested(T_TEST, 1.0)
    if _is_flat(first) and _is_flat(second):  # all of a row are the same: Fisher's p of all against none
        apart = compare_shares(len(first), len(first), 0, len(second)).p_value
        return Tested(T_TEST, 1.0 if np.isclose(first[0], second[0]) else apart)
    parts = [part for group in (first, second) for part in (group.mean(), group.std(ddof=1), len(group))]
    both = [stats.ttest_ind_from_stats(*parts, equal_var=equal).pvalue for equal in (False, True)]
    return Tested(T_TEST, float(max(both)))


def _is_flat(values: np.ndarray) -> bool:
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())


def _mann_whitney(first: np.ndarray, second: np.ndarray) -> Tested:
    """One that leans against the medians says nothing for them."""
    if not len(first) or not len(second):
        return Tested(MANN_WHITNEY, 1.0)
    found = stats.mannwhitneyu(first, second)
    leans = found.statistic / (len(first) * len(second)) - 0.5
    against = leans * (np.median(first) - np.median(second)) < 0
    return Tested(MANN_WHITNEY, 1.0 if against else float(found.pvalue))
