"""Days and weeks of an export, and which it covers in part."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from core.base.local_clock import DAY, UTC_CLOCK, LocalClock
from core.periods.calendar import PeriodUnit, calendar_of, covered, cut_days, usual_unit
from tests.core.periods.visits import CASES, MONDAY, frame, random_case


def moments(*days: float) -> np.ndarray:
    return MONDAY * DAY + np.round(np.array(days) * DAY).astype(np.int64)


def test_days_by_eye() -> None:
    found = calendar_of(moments(0.5, 1.2, 3.9), PeriodUnit.DAY)
    assert [day.isoformat() for day in found.dates] == [
        "2016-02-29",
        "2016-03-01",
        "2016-03-02",
        "2016-03-03",
    ]
    assert found.place(moments(0, 0.99, 3.5, -0.1, 4)).tolist() == [0, 0, 3, -1, -1]


def test_weeks_begin_on_monday_and_one_that_the_export_begins_or_ends_in_is_a_part() -> None:
    found = calendar_of(moments(2.5, 8, 20.5), PeriodUnit.WEEK)  # from a Wednesday to a Sunday
    assert found.dates == (date(2016, 2, 29), date(2016, 3, 7), date(2016, 3, 14))
    assert found.is_part.tolist() == [True, False, False]
    assert calendar_of(moments(0, 19), PeriodUnit.WEEK).is_part.tolist() == [False, False, True]


def test_the_clock_of_the_export_decides_where_a_day_begins() -> None:
    late = moments(0.99)
    assert calendar_of(late, PeriodUnit.DAY, LocalClock.fixed(60)).dates == (date(2016, 3, 1),)
    assert calendar_of(late, PeriodUnit.DAY, LocalClock.fixed(-60)).dates == (date(2016, 2, 29),)


def busy(first_hour: int, last_hour: int, a_day: int = 24) -> np.ndarray:
    """Five days with views at equal distances; the first one begins late, the last one ends early."""
    days = [day + hour / a_day for day in range(5) for hour in range(a_day)]
    return moments(*(at for at in days if first_hour / 24 <= at < 4 + last_hour / 24))


def test_a_first_or_last_day_that_misses_what_other_days_have_is_a_part() -> None:
    first, last = MONDAY, MONDAY + 4
    assert cut_days(busy(0, 24), UTC_CLOCK, (first, last)) == []
    assert cut_days(busy(2, 24), UTC_CLOCK, (first, last)) == []  # two views: chance
    assert cut_days(busy(5, 24), UTC_CLOCK, (first, last)) == [first]
    assert cut_days(busy(0, 18), UTC_CLOCK, (first, last)) == [last]
    assert cut_days(busy(5, 24, a_day=4), UTC_CLOCK, (first, last)) == []  # a small shop's night
    assert cut_days(moments(0.9, 1.1), UTC_CLOCK, (first, first + 1)) == []  # no days between to judge by
    dated = busy(5, 24) // DAY * DAY + busy(5, 24) % DAY // 30  # dates, and the order of clicks as seconds
    assert cut_days(dated, UTC_CLOCK, (first, last)) == []


def test_page_views_of_one_session_are_one_sign_of_life() -> None:
    starts = moments(0.2, 1.1, 1.3, 2.1, 2.3, 3.1, 3.3, 4.5)
    again = [day + 0.1 + second / 86_400 for day in (1, 2, 3) for second in range(20)]
    views = np.sort(np.concatenate([starts, moments(*again)]))
    assert cut_days(views, UTC_CLOCK, (MONDAY, MONDAY + 4)) == [MONDAY]
    assert cut_days(views, UTC_CLOCK, (MONDAY, MONDAY + 4), starts) == []


def test_a_stretch_that_is_empty_on_some_days_is_no_gap() -> None:
    some = [day + 0.9 + number / 1000 for day in (1, 2) for number in range(20)]
    views = moments(*(day + 0.1 for day in range(5)), *some)
    assert (
        cut_days(np.sort(views), UTC_CLOCK, (MONDAY, MONDAY + 4)) == []
    )  # nobody came late on the fourth day


def test_days_that_are_known_to_be_cut_off_are_parts() -> None:
    assert calendar_of(busy(0, 24), PeriodUnit.DAY, UTC_CLOCK, [MONDAY + 2]).is_part.tolist() == [
        False, False, True, False, False,
    ]  # fmt: skip


def test_what_is_asked_for_cuts_weeks() -> None:
    found = calendar_of(busy(0, 24), PeriodUnit.WEEK, UTC_CLOCK, (), (MONDAY + 1, None))
    assert (found.days, found.is_part.tolist()) == ((MONDAY + 1, MONDAY + 4), [True])
    assert found.place(moments(0.5, 1.5)).tolist() == [-1, 0]


def test_a_clock_in_the_future_makes_no_years_of_empty_days() -> None:
    many = np.repeat(moments(*range(30)), 10)
    assert covered(np.append(many, moments(3_650))) == (MONDAY, MONDAY + 29)
    assert covered(np.append(moments(-900), many)) == (MONDAY, MONDAY + 29)
    assert covered(moments(0, 1, 100, 101)) == (
        MONDAY,
        MONDAY + 101,
    )  # a small site
    future = calendar_of(np.append(many, moments(3_650)), PeriodUnit.DAY)
    assert future.place(moments(3_650)).tolist() == [-1]


def test_one_day() -> None:
    found = calendar_of(moments(0.4, 0.6), PeriodUnit.WEEK)
    assert (found.n_periods, found.is_part.tolist()) == (1, [True])
    assert usual_unit(found.days) is PeriodUnit.DAY
    assert usual_unit((0, 35)) is PeriodUnit.WEEK


@pytest.mark.parametrize("seed", range(CASES))
def test_periods_are_those_of_pandas(seed: int) -> None:
    sequences, labels, clock = random_case(np.random.default_rng(seed))
    local = frame(sequences, labels, clock)["local"]
    for unit, code in ((PeriodUnit.DAY, "D"), (PeriodUnit.WEEK, "W-SUN")):
        found = calendar_of(sequences.timestamp, unit, clock)
        begins = pd.to_datetime(found.dates)[found.place(sequences.timestamp)]
        assert (begins == local.dt.to_period(code).dt.start_time.to_numpy()).all()
