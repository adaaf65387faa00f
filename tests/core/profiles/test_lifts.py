"""Ratios of shares and their intervals."""

import numpy as np
import pytest

from core.profiles.lifts import ratio, user_lift_interval, views_lift_interval


def test_a_ratio_to_nothing_is_absent() -> None:
    assert ratio(np.array([0.5, 0.5]), np.array([0.25, 0.0])).tolist() == pytest.approx(
        [2, np.nan], nan_ok=True
    )


def test_interval_of_a_known_table() -> None:
    """20 of 100 against 10 of 100: ln 2 ± 1.96 · √(1/20 − 1/100 + 1/10 − 1/100)."""
    low, high = user_lift_interval(np.array(20.0), np.array(100.0), np.array(10.0), np.array(100.0))
    assert (float(low), float(high)) == pytest.approx((0.98656, 4.05448), abs=1e-5)


def test_a_share_of_nobody_has_no_interval() -> None:
    low, high = user_lift_interval(np.array(0.0), np.array(10.0), np.array(3.0), np.array(10.0))
    assert np.isnan(low)
    assert np.isnan(high)


def test_interval_of_shares_of_views_gets_wider_with_the_error() -> None:
    narrow = views_lift_interval(np.array(0.2), np.array(0.01), np.array(0.1), np.array(0.01))
    wide = views_lift_interval(np.array(0.2), np.array(0.02), np.array(0.1), np.array(0.02))
    assert wide[0] < narrow[0] < 2 < narrow[1] < wide[1]
