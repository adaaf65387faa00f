"""Find which days an export covers, which have no page views, and which far fewer than usual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

import numpy as np

from core.base import wording
from core.base.local_clock import LocalClock, days_of

EPOCH: Final = date(1970, 1, 1)
_EMPTY_DAYS: Final = 60
"""Longest gap in days between page views within a block of days; a longer one begins a new block."""
_STRAY_SHARE: Final = 0.01
"""Share of all page views below which the first or last block of days counts as wrong clocks."""
_LOW_SHARE: Final = 0.25
"""Share of a weekday's usual page views below which a day is reported: cut off, or a holiday."""
_MIN_USUAL: Final = 50
"""Fewest usual page views for that report: smaller counts vary too much by chance."""
_MIN_WEEKS: Final = 2
"""Fewest other days of the same weekday with page views, whose median is what is usual."""
_DAYS_NAMED: Final = 5
"""Most reported days that are named, the lowest first: a log of years can have a hundred."""


class LowDay(NamedTuple):
    """A day with far fewer page views than usual.

    Args:
        day: Which day.
        views: Its page views.
        usual: Median page views of the other days of that weekday.
    """

    day: date
    views: int
    usual: int


@dataclass(frozen=True)
class DayCoverage:
    """The days that an export covers, and those without page views or with far fewer than usual.

    Args:
        first: First day with page views, wrong clocks aside.
        last: Last day with page views, wrong clocks aside.
        missing: Days in between without any page view.
        low_days: Days with less than a quarter of what is usual on that weekday.
    """

    first: date
    last: date
    missing: tuple[date, ...]
    low_days: tuple[LowDay, ...]

    @property
    def with_views(self) -> int:
        """Number of days with page views."""
        return (self.last - self.first).days + 1 - len(self.missing)

    @property
    def sentence(self) -> str:
        """Sentence on how many days have page views, which have none, and which far fewer than usual."""
        whole = self.with_views + len(self.missing)
        none = f"; none on {wording.days(self.missing)}" if self.missing else ""
        told = f"{self.with_views:,} of {wording.pluralise(whole, 'day')} have page views{none}."
        if not self.low_days:
            return told
        worst = sorted(self.low_days, key=lambda day: day.views / day.usual)[:_DAYS_NAMED]
        named = [f"{wording.days([day.day])} ({day.views:,}, usually {day.usual:,})" for day in worst]
        if others := len(self.low_days) - len(worst):
            named.append(f"and {wording.pluralise(others, 'more day')}")
        return f"{told} Far fewer than usual on that weekday: {'; '.join(named)}."


def page_views_by_day(timestamp: np.ndarray, clock: LocalClock) -> dict[date, int]:
    """Count page views per local day, without days that have none.

    Args:
        timestamp: int64 of shape (n_views,), microseconds UTC; at least one.
        clock: Local clock that decides when days begin.
    """
    days, views = np.unique(days_of(timestamp, clock), return_counts=True)
    return {EPOCH + timedelta(day): n for day, n in zip(days.tolist(), views.tolist(), strict=True)}


def covered_days(page_views: Mapping[date, int]) -> tuple[date, date]:
    """Return the first and last day of an export, ignoring the few page views that wrong clocks put far off.

    Args:
        page_views: As :func:`page_views_by_day` gives them.
    """
    days = sorted(page_views)
    views = np.array([page_views[day] for day in days])
    gaps = np.diff([day.toordinal() for day in days], prepend=days[0].toordinal())
    block = np.cumsum(gaps > _EMPTY_DAYS)
    many = np.flatnonzero(np.bincount(block, views) >= _STRAY_SHARE * views.sum())
    kept = np.flatnonzero((block >= many[0]) & (block <= many[-1]))
    return days[kept[0]], days[kept[-1]]


def day_coverage(page_views: Mapping[date, int]) -> DayCoverage:
    """Find the covered days of an export, those without page views, and those with far fewer than usual.

    Args:
        page_views: As :func:`page_views_by_day` gives them.
    """
    first, last = covered_days(page_views)
    dates = [first + timedelta(number) for number in range((last - first).days + 1)]
    views = np.array([page_views.get(day, 0) for day in dates])
    low_days = []
    for number in np.flatnonzero(views).tolist():
        others = np.delete(views[number % 7 :: 7], number // 7)
        others = others[others > 0]
        usual = float(np.median(others)) if len(others) >= _MIN_WEEKS else 0.0
        if usual >= _MIN_USUAL and views[number] < _LOW_SHARE * usual:
            low_days.append(LowDay(dates[number], int(views[number]), round(usual)))
    missing = tuple(dates[number] for number in np.flatnonzero(views == 0).tolist())
    return DayCoverage(dates[0], dates[-1], missing, tuple(low_days))
