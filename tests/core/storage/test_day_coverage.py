"""Days without page views, and days with far fewer than usual."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

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
        "27 of 31 days have page views; none on 3 Mar 2016, 8 Mar 2016 to 9 Mar 2016, 11 Mar 2016. Far fewer "
        "than usual on that weekday: 17 Mar 2016 (90, usually 400)."
    )


def test_of_many_days_that_fall_the_farthest_are_named() -> None:
    fallen = tuple(LowDay(date(2016, 3, day), day, 400) for day in range(8, 0, -1))
    said = DayCoverage(date(2016, 3, 1), date(2016, 3, 8), (), fallen).sentence
    assert "weekday: 1 Mar 2016 (1, usually 400); 2 Mar 2016" in said
    assert said.endswith("5 Mar 2016 (5, usually 400); and 3 more days.")


def test_sundays_are_held_against_sundays_and_small_sites_against_nothing() -> None:
    assert month({}).low_days == ()
    assert month({20: 2}).low_days == ()  # a Sunday: 40 are too few to tell
    assert month({18: 101}).low_days == ()  # more than a quarter
    three = {date(2016, 3, day): views for day, views in ((1, 400), (2, 400), (3, 4))}
    assert day_coverage(three).low_days == ()  # no other such weekday


def test_the_clock_decides_of_which_day_a_page_view_is() -> None:
    at = np.array([1, 1, 86_399]) * 1_000_000
    assert page_views_by_day(at, UTC_CLOCK) == {date(1970, 1, 1): 3}
    assert page_views_by_day(at, LocalClock.fixed(60)) == {date(1970, 1, 1): 2, date(1970, 1, 2): 1}
