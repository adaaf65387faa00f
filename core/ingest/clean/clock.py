"""What the times of an export say about themselves: unit, rounding, days cut off at the limit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
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

DAY: Final = 86_400_000_000  # microseconds
_EPOCH: Final = date(1970, 1, 1)
_DATE: Final = r"^(?:199|20[0-9])[0-9]-?(?:0[1-9]|1[0-2])-?[0-3][0-9]$"
_DATE_LENGTH: Final = 10  # of 2021-01-31; what may follow is a time
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
