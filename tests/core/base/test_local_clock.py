"""A clock that is put forward and back: by eye, and against the clocks of the world."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.base.local_clock import MINUTE, UTC_CLOCK, LocalClock

HOUR = 60 * MINUTE
BERLIN = LocalClock(((1_605_000_000_000_000, 60), (1_616_893_200_000_000, 120), (1_635_642_000_000_000, 60)))


def test_by_eye() -> None:
    clock = LocalClock(((0, 60), (10 * HOUR, 120)))
    moments = np.array([-HOUR, 0, 10 * HOUR - 1, 10 * HOUR, 20 * HOUR])
    assert (clock.local(moments) - moments).tolist() == [HOUR, HOUR, HOUR, 2 * HOUR, 2 * HOUR]
    assert UTC_CLOCK.local(moments).tolist() == moments.tolist()


def test_it_is_that_of_the_world() -> None:
    moments = np.random.default_rng(0).integers(1_605_000_000, 1_646_000_000, 200)  # November to February
    for at in (*moments.tolist(), 1_616_893_199, 1_616_893_200, 1_635_641_999, 1_635_642_000):
        world = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo("Europe/Berlin"))
        assert BERLIN.moment(at * 1_000_000) == world.replace(tzinfo=None)


def test_its_name_tells_every_change() -> None:
    assert BERLIN.name == "UTC+01:00, UTC+02:00 from 28 Mar 2021, UTC+01:00 from 31 Oct 2021"
    assert (LocalClock.fixed(-570).name, UTC_CLOCK.name) == ("UTC-09:30", "UTC")


@pytest.mark.parametrize(
    ("text", "hours"),
    [("UTC+01:00, inferred", 1), ("UTC-05:30", -5.5), ("UTC", 0), ("could not be inferred", 0),
     ("UTC-05:00 and UTC-04:00 in summer, inferred from event_date", -5)],
)  # fmt: skip
def test_receipts_of_before_tell_one_offset(text: str, hours: float) -> None:
    assert LocalClock.told(text) == LocalClock.fixed(round(hours * 60))
