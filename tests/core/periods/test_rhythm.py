"""Hours of the week: by eye, and against pandas."""

from __future__ import annotations

import numpy as np
import pytest

from core.base.local_clock import HOUR, UTC_CLOCK, LocalClock, hours
from core.periods.calendar import PeriodUnit, calendar_of
from core.periods.over_time import rhythm
from core.profiles.profile_columns import Col
from tests.core.periods.visits import CASES, MONDAY, frame, random_case, rows_of, visits


def test_by_eye() -> None:
    sequences = visits([[0.0, 0.01, 1.5], [8.5]])  # Monday midnight, Tuesday noon; the Tuesday after
    calendar = calendar_of(sequences.timestamp, PeriodUnit.DAY)
    table = rhythm(sequences, calendar, np.ones(2, dtype=bool), rows_of([0, 0]), sessions=False)
    some = table[table["part"] > 0][["weekday", "hour", "part", "users", "value"]]
    assert some.to_numpy().tolist() == [["Monday", 0, 2, 1, 0.5], ["Tuesday", 12, 2, 2, 0.5]]
    assert len(table) == 168


def test_the_clock_is_that_of_the_export() -> None:
    monday = np.array([MONDAY * 24 * HOUR])
    assert hours(monday, UTC_CLOCK).tolist() == [0]
    assert hours(monday, LocalClock.fixed(-60)).tolist() == [167]
    assert hours(monday, LocalClock.fixed(330)).tolist() == [5]


def test_a_segment_without_a_view_that_fits_has_no_shares() -> None:
    sequences = visits([[0.1], [0.2]])
    calendar = calendar_of(sequences.timestamp, PeriodUnit.DAY)
    table = rhythm(sequences, calendar, np.array([True, False]), rows_of([0, 1]), sessions=True)
    assert table[table[Col.SEGMENT] == 1]["value"].isna().all()
    assert table[table[Col.SEGMENT] == 0]["value"].sum() == 1


@pytest.mark.parametrize("seed", range(CASES))
def test_every_hour_is_that_of_pandas(seed: int) -> None:
    sequences, labels, clock = random_case(np.random.default_rng(seed))
    table, rows = frame(sequences, labels, clock), rows_of(labels.tolist())
    whole = np.ones(sequences.n_users, dtype=bool)
    for sessions in (False, True):
        calendar = calendar_of(sequences.timestamp, PeriodUnit.WEEK, clock)
        made = rhythm(sequences, calendar, whole, rows, sessions=sessions)
        views = table[table["begins"]] if sessions else table
        views = views[views["segment"] >= 0]
        groups = views.groupby(["segment", views["local"].dt.day_name(), views["local"].dt.hour])
        expected = {key: (len(own), own["user"].nunique()) for key, own in groups}
        own = made[made["part"] > 0]
        keys = zip(own[Col.SEGMENT], own["weekday"], own["hour"], strict=True)
        assert dict(zip(keys, zip(own["part"], own["users"], strict=True), strict=True)) == expected
        assert (own["value"] == own["part"] / own["n"]).all()
        sizes = views.groupby("segment").size()
        assert (own["n"] == own[Col.SEGMENT].map(sizes)).all()
