"""Two shares against scipy, one table at a time, and against formulas at their ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.profiles import two_shares
from core.profiles.two_shares import wilson

COUNTS = st.tuples(st.integers(0, 60), st.integers(1, 60), st.integers(0, 60), st.integers(1, 60)).map(
    lambda four: (min(four[0], four[1]), four[1], min(four[2], four[3]), four[3])
)


def arrays(*counts: int) -> list[np.ndarray]:
    return [np.array([count], dtype=np.float64) for count in counts]


@given(COUNTS)
def test_p_is_that_of_scipy(counts: tuple[int, int, int, int]) -> None:
    users, n, rest, rest_n = counts
    table = np.array([[users, n - users], [rest, rest_n - rest]])
    (p,), (is_fisher,) = two_shares.test_shares(*arrays(*counts))
    assert is_fisher == (stats.contingency.expected_freq(table).min() < 5)
    found = stats.fisher_exact(table) if is_fisher else stats.chi2_contingency(table, correction=False)
    assert p == pytest.approx(found.pvalue, rel=1e-6)


@given(COUNTS)
def test_swapped_sides_turn_both_intervals_round(counts: tuple[int, int, int, int]) -> None:
    users, n, rest, rest_n = counts
    low, high = two_shares.difference_interval(*arrays(*counts))
    other_low, other_high = two_shares.difference_interval(*arrays(rest, rest_n, users, n))
    assert (low, high) == (pytest.approx(-other_high), pytest.approx(-other_low))
    assert low <= users / n - rest / rest_n <= high
    ratio_low, ratio_high = two_shares.ratio_interval(*arrays(*counts))
    if users and rest:
        inverse_low, inverse_high = two_shares.ratio_interval(*arrays(rest, rest_n, users, n))
        assert (ratio_low, ratio_high) == (
            pytest.approx(1 / inverse_high, rel=1e-6), pytest.approx(1 / inverse_low, rel=1e-6),
        )  # fmt: skip


def test_the_interval_of_newcombe_s_paper() -> None:
    """Newcombe 1998, table II, method 10: 56/70 against 48/80."""
    low, high = two_shares.difference_interval(*arrays(56, 70, 48, 80))
    assert (low[0], high[0]) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_zeros_have_ends() -> None:
    low, high = two_shares.ratio_interval(*arrays(0, 10, 3, 10))
    assert low == 0
    assert 0 < high < np.inf
    low, high = two_shares.ratio_interval(*arrays(3, 10, 0, 10))
    assert 0 < low < np.inf
    assert high == np.inf
    assert np.isnan(two_shares.ratio_interval(*arrays(0, 10, 0, 10))).all()


def test_the_least_difference_is_seen_in_four_of_five_samples() -> None:
    n, rng = 400, np.random.default_rng(0)
    (least,) = two_shares.least_difference(*arrays(80, n, 80, n))
    users, rest = rng.binomial(n, 0.2 + least / 2, 4_000), rng.binomial(n, 0.2 - least / 2, 4_000)
    p, _ = two_shares.test_shares(users, np.array(n), rest, np.array(n))
    assert np.mean(p < 0.05) == pytest.approx(0.8, abs=0.03)


def test_nobody_on_a_side_is_no_test() -> None:
    assert np.isnan(two_shares.test_shares(*arrays(0, 0, 3, 10))[0]).all()
    assert wilson(np.array(0), np.array(10))[0] == 0


def test_no_difference_of_more_than_all_is_called_the_least() -> None:
    """Of two against two a difference of 140 points would be: none can be seen."""
    assert np.isnan(two_shares.least_difference(*arrays(1, 2, 1, 2))).all()
