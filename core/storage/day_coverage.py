"""Find which days an export covers, which have no page views, and which fewer than chance explains."""

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
_FALSE_ALARM: Final = 0.05
"""Chance that any day of an export is reported although nothing but chance made it low."""
_WEEKS: Final = 2
"""Weeks before and after a day whose same weekday says what is usual; the lower counts, so that a site that
grows has no low days at first."""
_WEEK: Final = 7
_MIN_WEEKS: Final = 2
"""Fewest such days with page views for a day to be judged."""
_NORMAL_MAD, _TINY = 0.6745, 1e-9
"""Median absolute deviation of a normal distribution, in standard deviations; least variance."""
_FEWER: Final = "Fewer than usual on that weekday (by chance in at most one export of 20)"
_DAYS_NAMED: Final = 5
"""Most reported days that are named, the lowest first: a log of years can have a hundred."""


class LowDay(NamedTuple):
    """A day with fewer page views than chance explains: cut off, or a holiday.

    Args:
        day: Which day.
        views: Its page views.
        usual: Median page views of that weekday in the two weeks before or after, the lower one.
    """

    day: date
    views: int
    usual: int


@dataclass(frozen=True)
class DayCoverage:
    """The days that an export covers, and those without page views or with surely fewer than usual.

    Args:
        first: First day with page views, wrong clocks aside.
        last: Last day with page views, wrong clocks aside.
        missing: Days in between without any page view.
        low_days: Days with fewer than chance explains; by chance at most one export in twenty has any.
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
        """Sentence on how many days have page views, which have none, and which fewer than usual."""
        whole = self.with_views + len(self.missing)
        none = f"; none on {wording.days(self.missing)}" if self.missing else ""
        told = f"{self.with_views:,} of {wording.pluralise(whole, 'day')} have page views{none}."
        if not self.low_days:
            return told
        worst = sorted(self.low_days, key=lambda day: day.views / day.usual)[:_DAYS_NAMED]
        named = [f"{wording.days([day.day])} ({day.views:,}, usually {day.usual:,})" for day in worst]
        if others := len(self.low_days) - len(worst):
            named.append(f"and {wording.pluralise(others, 'more day')}")
        return f"{told} {_FEWER}: {'; '.join(named)}."


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
    """Find the covered days of an export, those without page views, and those with surely fewer than usual.

    Args:
        page_views: As :func:`page_views_by_day` gives them.
    """
    first, last = covered_days(page_views)
    dates = [first + timedelta(number) for number in range((last - first).days + 1)]
    views = np.array([page_views.get(day, 0) for day in dates])
    usual = np.array([_usual(views, number) for number in range(len(views))])
    low = np.flatnonzero(_chance(views, usual) * max(1, (usual > 0).sum()) < _FALSE_ALARM).tolist()
    low_days = tuple(LowDay(dates[number], int(views[number]), round(usual[number])) for number in low)
    missing = tuple(dates[number] for number in np.flatnonzero(views == 0).tolist())
    return DayCoverage(dates[0], dates[-1], missing, low_days)


def _usual(views: np.ndarray, number: int) -> float:
    """What is usual on a day: the lower median of the same weekdays before and after; 0 where not known."""
    weeks = np.arange(1, _WEEKS + 1) * _WEEK
    sides = [views[days[(days >= 0) & (days < len(views))]] for days in (number - weeks, number + weeks)]
    seen = [side[side > 0] for side in sides]
    if views[number] == 0 or sum(map(len, seen)) < _MIN_WEEKS:
        return 0.0
    return min(float(np.median(side)) for side in seen if len(side))


def _chance(views: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Chance of so few page views on each day, by counts that scatter as these do around what is usual.

    Counts are negative binomial; the relative spread is that of the middle half of the days, so that days
    that fall do not widen it.
    """
    from scipy.special import betainc  # scipy.stats has this distribution too, but loads for seconds

    known, chance = usual > 0, np.ones(len(views))
    n = int(known.sum())
    if n > _WEEK:
        spread = np.median(np.abs(np.log(views[known] / usual[known]))) / _NORMAL_MAD
        variance = max(float(spread) ** 2 * n / (n - _WEEK), _TINY)  # what is usual is known of each weekday
        chance[known] = betainc(1 / variance, views[known] + 1, 1 / (1 + variance * usual[known]))
    return chance
