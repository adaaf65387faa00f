"""Tests between two rows, against scipy called on plain columns and against counting by hand."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.profiles.contrasts import (
    FISHER,
    MANN_WHITNEY,
    T_TEST,
    UserValues,
    compare_shares,
    compare_users,
    user_values,
)
from tests.core.profiles.toy import many, toy

ONE, OTHER = np.arange(6) < 3, np.arange(6) >= 3


def values(*part: float, whole: float = 1, **how: bool) -> UserValues:
    return UserValues(np.array(part), np.full(len(part), whole), **how)


def people(seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """One row a user, and two groups of them."""
    _, labels, frame = many(seed)
    users = frame.groupby("user").agg(
        views=("page", "size"), different=("page", "nunique"), sessions=("sessions", "first"),
        seconds=("engagement", "first"), bought=("bought", "first"),
    )  # fmt: skip
    return users, labels == 0, labels == 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("measure", "column"),
    [
        ("page_views_mean", "views"), ("sessions_mean", "sessions"), ("different_pages_mean", "different"),
        ("engagement_s_mean", "seconds"),
    ],
)  # fmt: skip
def test_means_are_the_larger_p_of_both_t_tests_of_the_column(seed: int, measure: str, column: str) -> None:
    data, _, _ = many(seed)
    users, first, second = people(seed)
    found = compare_users(user_values(data, data.outcomes["purchase"], measure), first, second)
    columns = [users[column][group].dropna() for group in (first, second)]
    wanted = max(stats.ttest_ind(*columns, equal_var=equal).pvalue for equal in (False, True))
    assert found.test == T_TEST
    assert found.p_value == pytest.approx(wanted)


@pytest.mark.parametrize("seed", range(3))
def test_medians_and_rates_are_those_of_scipy(seed: int) -> None:
    data, _, _ = many(seed)
    users, first, second = people(seed)
    median = compare_users(user_values(data, None, "engagement_s_median"), first, second)
    seconds = [users["seconds"][group].dropna() for group in (first, second)]
    found = stats.mannwhitneyu(*seconds)
    leans = found.statistic / (len(seconds[0]) * len(seconds[1])) - 0.5
    is_told = leans * (seconds[0].median() - seconds[1].median()) >= 0
    assert median.test == MANN_WHITNEY
    assert median.p_value == pytest.approx(found.pvalue if is_told else 1)
    rate = compare_users(user_values(data, data.outcomes["purchase"], "outcome_rate"), first, second)
    table = pd.crosstab(np.where(first, 0, 1)[first | second], users["bought"][first | second])
    assert rate.test == FISHER
    assert rate.p_value == pytest.approx(stats.fisher_exact(table).pvalue)


def test_a_ratio_is_tested_by_the_error_of_a_ratio_estimator() -> None:
    """The delta method by its formula: sum of squared residuals over the square of the whole."""
    random = np.random.default_rng(0)
    whole = random.integers(1, 9, 200).astype(float)
    part = whole * random.random(200)
    first = np.arange(200) < 120
    found = compare_users(UserValues(part, whole), first, ~first)
    ratios, errors = [], []
    for group in (first, ~first):
        ratio = part[group].sum() / whole[group].sum()
        residuals = part[group] - ratio * whole[group]
        ratios.append(ratio)
        errors.append((residuals**2).sum() / whole[group].sum() ** 2)
    z = (ratios[0] - ratios[1]) / np.sqrt(sum(errors))
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(z)), abs=0.01)


def test_fishers_p_is_that_of_all_tables_counted_by_hand() -> None:
    """3 of 4 against 1 of 4: of the 70 ways to choose four converts of eight, 34 are as uneven or more."""
    ways = [len({0, 1, 2, 3} & set(chosen)) for chosen in combinations(range(8), 4)]
    uneven = sum(one in (0, 1, 3, 4) for one in ways) / len(ways)
    assert compare_shares(3, 4, 1, 4).p_value == pytest.approx(uneven)
    assert uneven == pytest.approx(34 / 70)


def test_the_p_of_means_is_near_that_of_a_permutation_test() -> None:
    part = np.array([1, 2, 4, 3, 5, 9, 8, 12, 7, 10], dtype=float)
    first = np.arange(10) < 5
    gap = abs(part[first].mean() - part[~first].mean())
    gaps = [
        abs(part[list(chosen)].mean() - (part.sum() - part[list(chosen)].sum()) / 5)
        for chosen in combinations(range(10), 5)
    ]
    share = np.mean([one >= gap - 1e-9 for one in gaps])
    assert compare_users(UserValues(part, np.ones(10)), first, ~first).p_value == pytest.approx(
        share, abs=0.01
    )


def test_a_row_without_any_of_few_buyers_is_not_surely_worse() -> None:
    """Of 697 users six buy; that none of them is among 77 has a chance of one half."""
    part = np.zeros(697)
    part[:6] = (40, 90, 120, 60, 150, 200)
    row = np.arange(697) >= 620
    revenue = compare_users(UserValues(part, np.ones(697)), row, ~row)
    assert stats.ttest_ind(part[row], part[~row], equal_var=False).pvalue < 0.05
    assert revenue.p_value > 0.3


@given(st.lists(st.integers(0, 9), min_size=6, max_size=6), st.booleans(), st.booleans())
def test_whoever_comes_first_does_not_matter(part: list[int], is_share: bool, is_median: bool) -> None:
    numbers = [min(one, 1) for one in part] if is_share else part
    made = values(*map(float, numbers), is_share=is_share, is_median=is_median)
    one, other = compare_users(made, ONE, OTHER), compare_users(made, OTHER, ONE)
    assert one.test == other.test
    assert one.p_value == pytest.approx(other.p_value)
    assert 0 <= one.p_value <= 1


@pytest.mark.parametrize(
    ("made", "first", "second", "p_value"),
    [
        (values(5, 5, 5, 5, 5, 5), ONE, OTHER, 1),  # everybody is the same
        (values(5, 5, 5, 4, 4, 4), ONE, OTHER, 0.1),  # in each group: 2 of 20 ways to part the six
        (values(*[0.1] * 5, 0.1 + 1e-17), ONE, OTHER, 1),  # the same but for rounding
        (values(5, 1, 2, 3, 4, 5), np.arange(6) == 0, OTHER, 1),  # one user
        (values(5, 1, 2, 3, 4, 5), np.zeros(6, bool), OTHER, 1),  # nobody
        (values(5, 1, 2, 3, 4, 5, is_median=True), np.zeros(6, bool), OTHER, 1),
        (values(1, 0, 1, 0, 1, 0, is_share=True), np.zeros(6, bool), OTHER, 1),
        (values(0, 0, 0, 0, 0, 0, whole=0), ONE, OTHER, 1),  # nobody counts
    ],
)
def test_too_little_to_tell_and_no_spread(
    made: UserValues, first: np.ndarray, second: np.ndarray, p_value: float
) -> None:
    assert compare_users(made, first, second).p_value == pytest.approx(p_value)


def test_a_test_of_medians_that_leans_the_other_way_says_nothing() -> None:
    """The first median is higher, yet most pairs have the second one ahead."""
    first, second = np.r_[np.full(49, 0.0), np.full(51, 5.0)], np.r_[np.full(51, 4.0), np.full(49, 9.0)]
    part = np.concatenate([first, second])
    made = UserValues(part, np.ones(200), is_median=True)
    assert stats.mannwhitneyu(first, second).pvalue < 0.05
    assert compare_users(made, np.arange(200) < 100, np.arange(200) >= 100).p_value == 1


def test_counts_and_a_missing_outcome_have_no_test() -> None:
    assert user_values(toy(), toy().outcomes["purchase"], "users") is None
    assert user_values(toy(), toy().outcomes["purchase"], "revenue") is None
    assert user_values(toy(), None, "outcome_rate") is None


def test_what_a_user_adds_by_eye() -> None:
    """One purchase session and 30.0 of the first of the eight, a purchase without revenue of the fourth."""
    rate, sessions, revenue = (
        user_values(toy(), toy().outcomes["purchase"], name)
        for name in ("outcome_rate", "session_rate", "revenue_per_user")
    )
    assert rate is not None
    assert sessions is not None
    assert revenue is not None
    assert rate.part.tolist() == [1, 0, 0, 1, 0, 0, 0, 0]
    assert (sessions.part[0], sessions.whole[0]) == (1, 2)
    assert revenue.part.tolist() == [30, 0, 0, 0, 0, 0, 0, 0]
