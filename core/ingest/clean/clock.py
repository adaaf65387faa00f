"""Infer properties of the times of an export: unit, rounding, days at the export limit, and the local clock.

A day agrees with a UTC offset that puts its first and its last event into that day. A clock with a constant
offset is preferred to the other clocks of the world (IANA database) if as many days agree with it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import ibis
import ibis.expr.types as ir
import numpy as np

from core.base.local_clock import MINUTE, LocalClock, offset_name
from core.base.schema import Raw
from core.ingest.clean import records
from core.storage.receipt import sort_counts

EXPORT_LIMIT: Final = 1_000_000
"""Most events in the daily export of a standard property."""
_LIMIT_SLACK: Final = 0.02

ROUNDED_TO: Final = 10_000_000
"""Divisor of rounded times, in microseconds: a spreadsheet keeps 6 to 11 of the 16 digits, then zeros."""
ROUNDED_SHARE: Final = 0.9

DAY: Final = 86_400_000_000  # microseconds
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DATE: Final = r"^(?:199|20[0-9])[0-9]-?(?:0[1-9]|1[0-2])-?[0-3][0-9]$"
_DATE_LENGTH: Final = 10  # of 2021-01-31; what may follow is a time
_UNITS: Final = {
    "us": "microseconds",
    "ms": "milliseconds",
    "s": "seconds",
    "ns": "nanoseconds",
    "iso with zone": "ISO text with a zone",
    "iso": "ISO text without a zone, read as UTC",
}


class Day(NamedTuple):
    """The events of one ``event_date``: first and last time (microseconds UTC), and how many they are."""

    name: str
    first: int
    last: int
    events: int

    def joined(self, other: Day | None) -> Day:
        """Merge with another part of the same day."""
        if other is None:
            return self
        first, last = min(self.first, other.first), max(self.last, other.last)
        return Day(self.name, first, last, self.events + other.events)


@dataclass(frozen=True)
class Days:
    """Counts of events by day.

    Args:
        local: Local days of the property, by ``event_date``; empty when the export has none.
        truncated: Names of the days at the export limit.
    """

    local: tuple[Day, ...]
    truncated: tuple[str, ...]


def day_of(typed: ir.Table, present: Collection[str]) -> ir.StringValue:
    """Name of each record's day: its ``event_date``, or else the number of the UTC day since 1970."""
    if Raw.EVENT_DATE in present:
        return typed[Raw.EVENT_DATE].substr(0, _DATE_LENGTH)
    return (typed[records.TS] // DAY).cast("string")


def named_day(written: ir.StringValue, present: Collection[str]) -> ir.StringValue:
    """Keep the names of :func:`day_of` that are valid days; null for all others."""
    if Raw.EVENT_DATE not in present:
        return written
    return ibis.ifelse(written.strip().re_search(_DATE), written, ibis.null("string"))


def describe_days(days: Mapping[str, Day], present: Collection[str]) -> Days:
    """Sort days, given by name (:func:`day_of`), and find those at the export limit."""
    by_date = Raw.EVENT_DATE in present
    found = [days[name] for name in sorted(days)]
    low, high = EXPORT_LIMIT * (1 - _LIMIT_SLACK), EXPORT_LIMIT * (1 + _LIMIT_SLACK)
    full = [day.name for day in found if low <= day.events <= high]
    names = full if by_date else [f"{_EPOCH + timedelta(int(name)):%Y%m%d}" for name in full]
    return Days(tuple(found) if by_date else (), tuple(names))


def describe_units(counts: Mapping[str, int]) -> str:
    """Name the unit of the times, or all units with their numbers of records, most frequent first."""
    found = sort_counts({_UNITS[unit]: count for unit, count in counts.items()})
    if len(found) == 1:
        return next(iter(found))
    return ", ".join(f"{unit} ({count:,})" for unit, count in found.items())


_OFFSETS: Final = range(-12 * 60, 14 * 60 + 1, 15)
"""UTC offsets that a time zone can have, in minutes."""
_MIN_DAYS_AGREEING: Final = 0.95
"""Least share of the days that must agree with a clock."""
NO_DATES: Final = "Not known: the file has no event_date; days are UTC"
NO_CLOCK: Final = "Not known: event_date and event_timestamp agree on no clock; days are UTC"
_INFERRED, _LIKELY = "inferred from event_date", "judging by event_date"
"""Text for the only clock that agrees, and for the likeliest of several."""

Changes = tuple[tuple[int, int], ...]
"""Pairs of a moment (microseconds UTC) and the UTC offset in minutes from then on."""


class InferredZone(NamedTuple):
    """The inferred local clock of a property, or that none could be inferred."""

    text: str
    changes: Changes
    """Changes within the time of the data; empty where nothing is known."""


@dataclass(frozen=True, eq=False)
class _Spans:
    """First and last event of each day, and its midnight in UTC: int64 of shape (n,), microseconds."""

    first: np.ndarray
    last: np.ndarray
    midnight: np.ndarray

    @classmethod
    def of(cls, days: Sequence[Day]) -> _Spans:
        found = [(day.first, day.last, at) for day in days if (at := _midnight(day)) is not None]
        return cls(*np.array(found, dtype=np.int64).reshape(-1, 3).T)

    def agreeing(self, changes: Changes) -> int:
        """Count the days that agree with a clock."""
        clock = LocalClock(changes)
        begins, ends = clock.local(self.first) >= self.midnight, clock.local(self.last) < self.midnight + DAY
        return int(np.count_nonzero(begins & ends))

    @property
    def ends_of_weeks(self) -> list[int]:
        """First and last event of each week, ascending; no clock is changed twice in a week."""
        moments = np.sort(np.append(self.first, self.last))
        week = moments // (7 * DAY)
        kept: list[int] = moments[
            (np.diff(week, prepend=-1) > 0) | (np.diff(week, append=week[-1] + 1) > 0)
        ].tolist()
        return kept


def infer_zone(days: Sequence[Day]) -> InferredZone:
    """Infer the local clock of the property from its days.

    It is exact if all clocks with the most agreeing days are the same within the data. Otherwise the one with
    the fewest changes is taken, then the one of most places, and the text says that it is likely.
    """
    spans = _Spans.of(days)
    n = len(spans.first)
    if not n:
        return InferredZone(NO_DATES, ())
    since = int(spans.first.min())
    fixed: list[Changes] = [((since, offset),) for offset in _OFFSETS]
    moments = spans.ends_of_weeks
    places = Counter(_changes(ZoneInfo(name), moments) for name in available_timezones())
    agree = {clock: spans.agreeing(clock) for clock in (*fixed, *places)}
    most = max(agree.values())
    if most < _MIN_DAYS_AGREEING * n:
        return InferredZone(NO_CLOCK, ())
    likely = [clock for clock, days_of_it in agree.items() if days_of_it == most]
    never_changed = [clock for clock in likely if len(clock) == 1]
    text, changes = _one_offset(never_changed) if never_changed else _likeliest(likely, places)
    text += f", {_INFERRED if len(likely) == 1 else _LIKELY}"
    return InferredZone(text + (f" ({n - most:,} of {n:,} days contradict it)" if most < n else ""), changes)


def _midnight(day: Day) -> int | None:
    """Return a day's midnight in UTC, in microseconds since 1970; None if its name is not a day."""
    try:
        found = datetime.strptime(day.name.strip().replace("-", ""), "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return (found - _EPOCH).days * DAY


def _one_offset(clocks: Sequence[Changes]) -> tuple[str, Changes]:
    """Choose a constant offset: whole hours before half hours before quarters, then the closest to UTC."""
    of_step = ([clock for clock in clocks if clock[0][1] % step == 0] for step in (60, 30, 15))
    first, *more = next(found for found in of_step if found)
    if not more:
        return offset_name(first[0][1]), first
    between = f"between {offset_name(first[0][1])} and {offset_name(more[-1][0][1])}"
    return between, min((first, *more), key=lambda clock: abs(clock[0][1]))


def _likeliest(clocks: Sequence[Changes], places: Counter[Changes]) -> tuple[str, Changes]:
    """Choose the clock with the fewest changes, of these the one that most places have."""
    found = min(clocks, key=lambda clock: (len(clock), -places[clock], clock))
    return LocalClock(found).name, found


def _changes(zone: ZoneInfo, moments: Sequence[int]) -> Changes:
    """Return the offsets of a zone from the first moment to the last (microseconds UTC), to the minute."""
    found = [(moments[0], _offset(zone, _EPOCH + timedelta(microseconds=moments[0])))]
    minutes = [moment // MINUTE for moment in moments]
    for since, until in pairwise(minutes):
        while found[-1][1] != _offset(zone, _EPOCH + timedelta(minutes=until)):
            found.append(_next_change(zone, since, until))
            since = found[-1][0] // MINUTE
    return tuple(found)


def _next_change(zone: ZoneInfo, since: int, until: int) -> tuple[int, int]:
    """Find the change of a clock between two minutes since 1970 whose offsets differ."""
    before = _offset(zone, _EPOCH + timedelta(minutes=since))

    def differs(minute: int) -> bool:
        return _offset(zone, _EPOCH + timedelta(minutes=minute)) != before

    minute = bisect_left(range(until + 1), True, lo=since, key=differs)
    return minute * MINUTE, _offset(zone, _EPOCH + timedelta(minutes=minute))


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    """UTC offset of a zone at a moment, in minutes."""
    found = moment.astimezone(zone).utcoffset()
    assert found is not None
    return found // timedelta(minutes=1)
