"""Wilson's interval against scipy's, and at the ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from core.profiles.two_shares import wilson


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_it_is_scipys(counts: tuple[int, int]) -> None:
    low, high = wilson(*(np.array([count]) for count in counts))
    expected = binomtest(*counts).proportion_ci(0.95, method="wilson")
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_it_holds_the_share_and_stays_within_0_and_1() -> None:
    successes = np.arange(21)
    low, high = wilson(successes, np.array(20))
    assert ((low <= successes / 20) & (successes / 20 <= high)).all()
    assert (low[0], high[20]) == (0.0, 1.0)
    assert ((low >= 0) & (high <= 1)).all()


def test_a_textbook_value() -> None:
    low, high = wilson(np.array([10]), np.array([100]))  # Newcombe 1998: 0.0552 to 0.1744
    assert (low[0], high[0]) == pytest.approx((0.0552, 0.1744), abs=5e-5)


def test_nobody_gives_no_interval() -> None:
    low, high = wilson(np.array([0.0]), np.array([0.0]))
    assert np.isnan([low, high]).all()
