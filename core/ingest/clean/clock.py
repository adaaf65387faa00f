"""What the times of an export say about themselves: unit, zone, rounding, days cut off at the limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

import ibis
import ibis.expr.types as ir

from core.base.schema import Raw
from core.data.receipt import ranked
from core.ingest.clean import records

EXPORT_LIMIT: Final = 1_000_000
"""Events that the daily export of a standard property holds at most."""
LIMIT_SLACK: Final = 0.02

ROUNDED_TO: Final = 10_000_000
"""Microseconds: a spreadsheet keeps six to eleven digits of the sixteen, so all end in zeros."""
ROUNDED_SHARE: Final = 0.9

MINUTE: Final = 60_000_000  # microseconds
DAY: Final = 1_440 * MINUTE
OFFSETS: Final = range(-12 * 60, 14 * 60 + 1, 15)
"""Offsets from UTC that a zone can have, in minutes."""
_EPOCH: Final = date(1970, 1, 1)
_DATE: Final = r"^(?:199|20[0-9])[0-9]-?(?:0[1-9]|1[0-2])-?[0-3][0-9]$"
_DATE_LENGTH: Final = 10  # of 2021-01-31; what may follow is a time
MOST_DAYS: Final = 0.95
UNITS: Final = {
    "us": "microseconds",
    "ms": "milliseconds",
    "s": "seconds",
    "ns": "nanoseconds",
    "iso with zone": "ISO text with a zone",
    "iso": "ISO text without a zone, read as UTC",
}


class Day(NamedTuple):
    """The events of one ``event_date``."""

    name: str
    first: int
    last: int
    events: int

    def joined(self, other: Day | None) -> Day:
        """This day with more of its events."""
        if other is None:
            return self
        first, last = min(self.first, other.first), max(self.last, other.last)
        return Day(self.name, first, last, self.events + other.events)


@dataclass(frozen=True)
class Days:
    """The events by day.

    Args:
        local: By ``event_date``, the property's own days; empty when the export has none.
        truncated: Days at the export limit.
    """

    local: tuple[Day, ...]
    truncated: tuple[str, ...]


def day_of(typed: ir.Table, present: Collection[str]) -> ir.StringValue:
    """The day of each record: its ``event_date``, or else the UTC day (counted from 1970)."""
    if Raw.EVENT_DATE in present:
        return typed[Raw.EVENT_DATE].substr(0, _DATE_LENGTH)
    return (typed[records.TS] // DAY).cast("string")


def named_day(written: ir.StringValue, present: Collection[str]) -> ir.StringValue:
    """The day that :func:`day_of` names; null where it names none."""
    if Raw.EVENT_DATE not in present:
        return written
    return ibis.ifelse(written.strip().re_search(_DATE), written, ibis.null("string"))


def describe_days(days: Mapping[str, Day], present: Collection[str]) -> Days:
    """Sort the days of :func:`day_of` and find those at the export limit."""
    by_date = Raw.EVENT_DATE in present
    found = [days[name] for name in sorted(days)]
    low, high = EXPORT_LIMIT * (1 - LIMIT_SLACK), EXPORT_LIMIT * (1 + LIMIT_SLACK)
    full = [day.name for day in found if low <= day.events <= high]
    names = full if by_date else [f"{_EPOCH + timedelta(int(name)):%Y%m%d}" for name in full]
    return Days(tuple(found) if by_date else (), tuple(names))


def describe_units(counts: Mapping[str, int]) -> str:
    """Name the unit of the times, or all of them with their records, most frequent first."""
    found = ranked({UNITS[unit]: count for unit, count in counts.items()})
    if len(found) == 1:
        return next(iter(found))
    return ", ".join(f"{unit} ({count:,})" for unit, count in found.items())


def describe_zone(days: Sequence[Day]) -> str:
    """Infer the property's offset from UTC from ``event_date``, which is in its own zone.

    Each day allows the offsets that put all its events into it.
    """
    allowed = [offsets for day in days if (offsets := _allowed(day)) is not None]
    if not allowed:
        return "Not known: the file has no event_date; days are UTC"
    votes = Counter(offset for offsets in allowed for offset in offsets)
    sure = [offset for offset, count in votes.items() if count == len(allowed)]
    if sure:
        return _described(sure)
    return _summer_time(allowed, votes) or (
        "Not known: event_date and event_timestamp agree on no single offset; days are UTC"
    )


def _allowed(day: Day) -> set[int] | None:
    """Offsets in minutes for which first and last event fall on this date; None if the date is none."""
    text = day.name.strip().replace("-", "")
    try:
        midnight = datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    start = int(midnight.timestamp()) * 1_000_000
    return {
        offset
        for offset in OFFSETS
        if day.first + offset * MINUTE >= start and day.last + offset * MINUTE < start + DAY
    }


def _described(offsets: Sequence[int]) -> str:
    """Prefer whole hours to half hours to quarters; say so if several are left."""
    for step in (60, 30, 15):
        whole = sorted(offset for offset in offsets if offset % step == 0)
        if len(whole) == 1:
            return f"{_name(whole[0])}, inferred from event_date"
        if whole:
            return f"between {_name(whole[0])} and {_name(whole[-1])}, judging by event_date"
    raise AssertionError("every offset is a multiple of 15 minutes")


def _summer_time(allowed: Sequence[set[int]], votes: Counter[int]) -> str:
    """Two offsets an hour apart that explain nearly all days; empty if there are none."""
    pairs = [(offset, offset + 60) for offset in votes if offset + 60 in votes]
    explained = {pair: sum(not offsets.isdisjoint(pair) for offsets in allowed) for pair in pairs}
    best = max(explained, key=lambda pair: (explained[pair], pair[0] % 60 == 0, -abs(pair[0])), default=None)
    if best is None or explained[best] < MOST_DAYS * len(allowed):
        return ""
    return f"{_name(best[0])} and {_name(best[1])} in summer, inferred from event_date"


def _name(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"
