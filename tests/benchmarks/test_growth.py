"""What is said of growth."""

import pytest

from benchmarks.growth import slope


@pytest.mark.parametrize(("power", "expected"), [(0, 0.0), (1, 1.0), (2, 2.0)])
def test_the_slope_is_the_power_of_the_events(power: int, expected: float) -> None:
    events = [140, 1_400, 14_000]
    assert slope(events, [3.0 * count**power for count in events]) == pytest.approx(expected)
