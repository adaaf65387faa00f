"""Days without page views, and days with surely fewer than usual."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import numpy as np
import pytest

from core.base.local_clock import UTC_CLOCK, LocalClock
from core.storage.day_coverage import DayCoverage, LowDay, day_coverage, page_views_by_day


def month(views: dict[int, int]) -> DayCoverage:
    """A month from Monday, 29 February 2016, on: 400 views a day, 40 on Sundays; other days as given."""
    usual = {day: 40 if day % 7 == 6 else 400 for day in range(31)} | views
    return day_coverage({date(2016, 2, 29) + timedelta(day): n for day, n in usual.items() if n})


def test_days_without_page_views_and_days_that_fall_are_told_apart() -> None:
    found = month({3: 0, 8: 0, 9: 0, 11: 0, 17: 90})
    assert found.with_views == 27
    assert found.missing == (date(2016, 3, 3), date(2016, 3, 8), date(2016, 3, 9), date(2016, 3, 11))
    assert found.low_days == (LowDay(date(2016, 3, 17), 90, 400),)
    assert found.sentence == (
        "27 of 31 days have page views; none on 3 Mar 2016, 8 Mar 2016 to 9 Mar 2016, 11 Mar 2016. Fewer "
        "than usual on that weekday (by chance in at most one export of 20): 17 Mar 2016 (90, usually 400)."
    )


def test_of_many_days_that_fall_the_farthest_are_named() -> None:
    fallen = tuple(LowDay(date(2016, 3, day), day, 400) for day in range(8, 0, -1))
    said = DayCoverage(date(2016, 3, 1), date(2016, 3, 8), (), fallen).sentence
    assert "of 20): 1 Mar 2016 (1, usually 400); 2 Mar 2016" in said
    assert said.endswith("5 Mar 2016 (5, usually 400); and 3 more days.")


def test_sundays_are_held_against_sundays_and_few_days_against_nothing() -> None:
    assert month({}).low_days == ()
    assert month({20: 28}).low_days == ()  # a Sunday: of 40 so few come by chance
    assert month({20: 2}).low_days == (LowDay(date(2016, 3, 20), 2, 40),)
    three = {date(2016, 3, day): views for day, views in ((1, 400), (2, 400), (3, 4))}
    assert day_coverage(three).low_days == ()  # no other such weekday


def scattering(days: int, spread: float, seed: int, growth: float = 0.0) -> np.ndarray:
    """Page views a day, with a weekly rhythm, that scatter by so much beside what is drawn."""
    rng, day = np.random.default_rng(seed), np.arange(days)
    mean = 2_000 * np.array([1, 1.1, 1.1, 1, 0.9, 0.4, 0.3])[day % 7] * np.exp(growth * day)
    return rng.poisson(mean * np.exp(rng.normal(0, spread, days)))


def low_days(views: np.ndarray) -> list[int]:
    found = day_coverage({date(2024, 1, 1) + timedelta(day): int(n) for day, n in enumerate(views)})
    return [(one.day - date(2024, 1, 1)).days for one in found.low_days]


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("days", [21, 60])
@pytest.mark.parametrize("growth", [0.0, 0.01])
def test_an_ordinary_rhythm_has_hardly_ever_a_low_day(days: int, spread: float, growth: float) -> None:
    alarms = sum(bool(low_days(scattering(days, spread, seed, growth))) for seed in range(60))
    assert alarms <= 6  # of 60, at a rate of 5 %: more than six by chance in 3 of 100


def test_a_day_with_half_of_the_views_is_said_where_days_scatter_little_and_not_where_much() -> None:
    for spread, seen in ((0.05, True), (0.4, False)):
        views = scattering(42, spread, 1)
        views[23] //= 2
        assert (23 in low_days(views)) is seen


def test_the_clock_decides_of_which_day_a_page_view_is() -> None:
    at = np.array([1, 1, 86_399]) * 1_000_000
    assert page_views_by_day(at, UTC_CLOCK) == {date(1970, 1, 1): 3}
    assert page_views_by_day(at, LocalClock.fixed(60)) == {date(1970, 1, 1): 2, date(1970, 1, 2): 1}


def test_days_are_judged_without_loading_all_of_statistics() -> None:
    code = (
        "import sys; from datetime import date; from core.storage.day_coverage import day_coverage; "
        "day_coverage({date(2021, 1, day): 50 + day for day in range(1, 32)}); "
        "sys.exit('scipy.stats' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
