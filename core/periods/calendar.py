"""The days or weeks that an export covers, by its own time zone, and which of them it covers only in part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

import numpy as np

from core.base.local_clock import DAY, HOUR, UTC_CLOCK, LocalClock, days_of
from core.storage.dataset import Dataset
from core.storage.day_coverage import EPOCH, covered_days, page_views_by_day

_CHANCE: Final = 0.05
"""Chance of seeing nobody in a stretch of a day below which the export does not cover the stretch."""
_MIN_MISSED: Final = -math.log(_CHANCE)
"""Sessions that begin in a stretch on average, above which none is less likely than that (Poisson)."""
_DAYS_AT_MOST: Final = 35
"""Length in days up to which an export is counted by day where no unit is chosen."""


class PeriodUnit(StrEnum):
    """Unit of a period of time."""

    DAY = "day"
    WEEK = "week"
    """A week from Monday to Sunday."""

    @property
    def days(self) -> int:
        """Number of days of the unit."""
        return 7 if self is PeriodUnit.WEEK else 1


@dataclass(frozen=True, eq=False)
class Calendar:
    """Consecutive periods of the same length.

    Args:
        unit: Days or weeks.
        start: First day of the first one, in days since 1970 by the clock of the export.
        is_part: bool of shape (n_periods,), whether the export, or what is asked for, has it in part only.
        days: First and last day that count, in days since 1970.
        clock: Clock by which days begin.
        since: The first day of the export, whether it counts or not.
    """

    unit: PeriodUnit
    start: int
    is_part: np.ndarray
    days: tuple[int, int]
    clock: LocalClock
    since: int

    @property
    def n_periods(self) -> int:
        """Number of periods in the calendar."""
        return len(self.is_part)

    @property
    def dates(self) -> tuple[date, ...]:
        """The first day of each period."""
        return tuple(
            EPOCH + timedelta(self.start + self.unit.days * number) for number in range(self.n_periods)
        )

    def place(self, timestamp: np.ndarray) -> np.ndarray:
        """Number of each moment's period (microseconds UTC): int64, same shape; −1 if it does not count."""
        day = days_of(timestamp, self.clock)
        counts = (day >= self.days[0]) & (day <= self.days[1])
        return np.where(counts, (day - self.start) // self.unit.days, -1)


def day_number(day: date) -> int:
    """Number of a date: days since 1970."""
    return (day - EPOCH).days


def usual_unit(days: tuple[int, int]) -> PeriodUnit:
    """Unit of an export where none is chosen, by its first and last day: days, or weeks if over 35 days."""
    return PeriodUnit.DAY if days[1] - days[0] < _DAYS_AT_MOST else PeriodUnit.WEEK


def calendar_of(
    timestamp: np.ndarray,
    unit: PeriodUnit,
    clock: LocalClock = UTC_CLOCK,
    truncated: Sequence[int] = (),
    within: tuple[int | None, int | None] = (None, None),
    starts: np.ndarray | None = None,
) -> Calendar:
    """Make the calendar of an export.

    Args:
        timestamp: int64 of shape (n_views,), every page view of it, microseconds UTC.
        unit: Days or weeks.
        clock: Clock by which its days begin.
        truncated: Days that are known to be cut off, in days since 1970.
        within: First and last day that are asked for; None for no bound.
        starts: int64 of shape (n_sessions,), when sessions began; None where each view is one.
    """
    first, last = covered(timestamp, clock)
    in_part = {*cut_days(timestamp, clock, (first, last), starts), *truncated}
    low = first if within[0] is None else max(first, within[0])
    high = max(low, last if within[1] is None else min(last, within[1]))
    start = low if unit is PeriodUnit.DAY else low - (low + 3) % 7  # 1 January 1970 was a Thursday
    n_periods = (high - start) // unit.days + 1
    day = np.arange(start, start + n_periods * unit.days)
    whole = (day >= low) & (day <= high) & ~np.isin(day, list(in_part))
    in_full = np.all(whole.reshape(n_periods, unit.days), axis=1)
    return Calendar(unit, start, np.logical_not(in_full), (low, high), clock, first)


def calendar(
    dataset: Dataset, unit: PeriodUnit | None, within: tuple[int | None, int | None] = (None, None)
) -> Calendar:
    """Make the calendar of a data set.

    Args:
        dataset: The export.
        unit: Days or weeks; None for what its length suggests (:func:`usual_unit`).
        within: First and last day that are asked for, in days since 1970; None for no bound.
    """
    receipt, timestamp = dataset.receipt, dataset.sequences.timestamp
    starts = timestamp[dataset.sequences.session_starts]
    found = unit or usual_unit(covered(timestamp, receipt.clock))
    return calendar_of(timestamp, found, receipt.clock, _numbers(receipt.truncated_days), within, starts)


def _numbers(days: Sequence[str]) -> list[int]:
    """Numbers of days as the files write them, ``20200913``; others are left out."""
    found = []
    for day in days:
        with suppress(ValueError):
            found.append(day_number(date.fromisoformat(day)))
    return found


def covered(timestamp: np.ndarray, clock: LocalClock = UTC_CLOCK) -> tuple[int, int]:
    """First and last day of an export, without outliers from wrong clocks.

    Args:
        timestamp: int64 of shape (n_views,), microseconds UTC.
        clock: Clock by which its days begin.
    """
    first, last = covered_days(page_views_by_day(timestamp, clock))
    return day_number(first), day_number(last)


def cut_days(
    timestamp: np.ndarray, clock: LocalClock, days: tuple[int, int], starts: np.ndarray | None = None
) -> list[int]:
    """Which of an export's first and last day are cut off, begun late or ended early, as days since 1970.

    Seeing nobody in the rest of such a day must be unlikely, judging by that stretch of the days between: the
    night of a small shop is no gap, nor what is quiet on some days of the week. Sessions are counted, as page
    views come in clumps. Where there are no days between, nothing is known, nor where the times tell the day
    alone: then all are in one hour.

    Args:
        timestamp: int64 of shape (n_views,), microseconds UTC.
        clock: Clock by which its days begin.
        days: First and last day, in days since 1970.
        starts: int64 of shape (n_sessions,), when sessions began; None where each view is one.
    """
    (first, last), starts = days, timestamp if starts is None else starts
    between = last - first - 1
    day, time = np.divmod(clock.local(timestamp), DAY)
    if between < 1 or np.ptp(time) < HOUR:
        return []
    begins, ends = time[day == first].min(), time[day == last].max()
    began, at = np.divmod(clock.local(starts), DAY)
    missed = {first: began[at < begins], last: began[at > ends]}
    return [
        end for end, days in missed.items() if _is_surprising(days[(days > first) & (days < last)], between)
    ]


def _is_surprising(days: np.ndarray, between: int) -> bool:
    """Whether a stretch is hardly ever empty, given the days between on which sessions began in it."""
    return len(days) / between > _MIN_MISSED and 1 - len(np.unique(days)) / between <= _CHANCE
