"""By which clock the property's days are, judging by ``event_date``, which is told by it.

A day agrees with offsets from UTC that put its first and its last event into it. One that all days agree with
is preferred; else the clocks of the world are tried, as the IANA database has them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import numpy as np

from core.base.local_clock import MINUTE, LocalClock, offset_name
from core.ingest.clean.clock import DAY, Day

OFFSETS: Final = range(-12 * 60, 14 * 60 + 1, 15)
"""Offsets from UTC that a zone can have, in minutes."""
MOST_DAYS: Final = 0.95
"""Share of the days that must agree."""
NO_DATES: Final = "Not known: the file has no event_date; days are UTC"
NO_CLOCK: Final = "Not known: event_date and event_timestamp agree on no clock; days are UTC"
INFERRED, LIKELY = "inferred from event_date", "judging by event_date"
"""Whether it is the only one, or the likeliest of several."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Changes = tuple[tuple[int, int], ...]
"""From which moment on (microseconds UTC) a clock is how many minutes off UTC."""


class InferredZone(NamedTuple):
    """What the dates say."""

    text: str
    changes: Changes
    """Within the data; empty where nothing is known."""


@dataclass(frozen=True, eq=False)
class _Spans:
    """First and last event of each day, and its midnight by a clock that is UTC: int64 of shape (n,)."""

    first: np.ndarray
    last: np.ndarray
    midnight: np.ndarray

    @classmethod
    def of(cls, days: Sequence[Day]) -> _Spans:
        found = [(day.first, day.last, at) for day in days if (at := _midnight(day)) is not None]
        return cls(*np.array(found, dtype=np.int64).reshape(-1, 3).T)

    def agreeing(self, at_first: np.ndarray, at_last: np.ndarray) -> np.ndarray:
        """How many days agree with each clock, by its minutes off UTC: of shape (n_clocks, n or 1)."""
        begins = self.first + at_first * MINUTE >= self.midnight
        ends = self.last + at_last * MINUTE < self.midnight + DAY
        found: np.ndarray = np.count_nonzero(begins & ends, axis=1)
        return found


def infer_zone(days: Sequence[Day]) -> InferredZone:
    """Infer the property's clock.

    Within the data it is exact where all clocks that most days agree with are the same. Else that with the
    fewest changes is taken, of these the one that most places have, and the text says that it is likely.
    """
    spans = _Spans.of(days)
    n = len(spans.first)
    if not n:
        return InferredZone(NO_DATES, ())
    offsets = np.array(OFFSETS)
    fixed = spans.agreeing(offsets[:, None], offsets[:, None])
    places = _places(spans) if fixed.max() < n else {}
    most = max([int(fixed.max()), *places.values()])
    if most < MOST_DAYS * n:
        return InferredZone(NO_CLOCK, ())
    if fixed.max() == most:
        text, changes = _one_offset(offsets[fixed == most].tolist(), int(spans.first.min()))
    else:
        text, changes = _of_places([name for name, agree in places.items() if agree == most], spans)
    return InferredZone(text + (f" ({n - most:,} of {n:,} days contradict it)" if most < n else ""), changes)


def _midnight(day: Day) -> int | None:
    """Microseconds from 1970 to the beginning of a day; None if its name is none."""
    try:
        found = datetime.strptime(day.name.strip().replace("-", ""), "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return (found - _EPOCH).days * DAY


def _one_offset(offsets: Sequence[int], since: int) -> tuple[str, Changes]:
    """Prefer whole hours to half hours to quarters; that next to UTC if several are left."""
    whole = next(found for step in (60, 30, 15) if (found := [one for one in offsets if one % step == 0]))
    if len(whole) == 1:
        return f"{offset_name(whole[0])}, {INFERRED}", ((since, whole[0]),)
    between = f"between {offset_name(whole[0])} and {offset_name(whole[-1])}, {LIKELY}"
    return between, ((since, min(whole, key=abs)),)


def _places(spans: _Spans) -> dict[str, int]:
    """Name of a zone → how many days agree with its clock."""
    names = sorted(available_timezones())
    moments = [_EPOCH + timedelta(microseconds=at) for at in np.append(spans.first, spans.last).tolist()]
    offsets = np.array([[_offset(zone, at) for at in moments] for zone in map(ZoneInfo, names)])
    at_first, at_last = np.split(offsets.reshape(len(names), len(moments)), 2, axis=1)
    return dict(zip(names, spans.agreeing(at_first, at_last).tolist(), strict=True))


def _of_places(names: Sequence[str], spans: _Spans) -> tuple[str, Changes]:
    """The likeliest clock of places."""
    moments = np.sort(np.append(spans.first, spans.last)).tolist()
    clocks = Counter(_changes(ZoneInfo(name), moments) for name in names)
    found = min(clocks, key=lambda changes: (len(changes), -clocks[changes], changes))
    return f"{LocalClock(found).name}, {INFERRED if len(clocks) == 1 else LIKELY}", found


def _changes(zone: ZoneInfo, moments: Sequence[int]) -> Changes:
    """The clock of a zone from the first moment to the last, both in microseconds UTC, to the minute."""
    found = [(moments[0], _offset(zone, _EPOCH + timedelta(microseconds=moments[0])))]
    minutes = [moment // MINUTE for moment in moments]
    for since, until in pairwise(minutes):
        while found[-1][1] != _offset(zone, _EPOCH + timedelta(minutes=until)):
            found.append(_next_change(zone, since, until))
            since = found[-1][0] // MINUTE
    return tuple(found)


def _next_change(zone: ZoneInfo, since: int, until: int) -> tuple[int, int]:
    """When a clock is put forward or back, between two minutes since 1970 at which it differs."""
    before = _offset(zone, _EPOCH + timedelta(minutes=since))

    def differs(minute: int) -> bool:
        return _offset(zone, _EPOCH + timedelta(minutes=minute)) != before

    minute = bisect_left(range(until + 1), True, lo=since, key=differs)
    return minute * MINUTE, _offset(zone, _EPOCH + timedelta(minutes=minute))


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    """Minutes off UTC."""
    found = moment.astimezone(zone).utcoffset()
    assert found is not None
    return found // timedelta(minutes=1)
