"""The local clock of an export: its UTC offsets, and from which moment each applies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

import numpy as np

MINUTE: Final = 60_000_000
"""One minute in microseconds."""
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
_EPOCH: Final = datetime(1970, 1, 1)
_OFFSET: Final = re.compile(r"UTC([+−-])(\d{1,2}):(\d{2})")


@dataclass(frozen=True)
class LocalClock:
    """A local clock whose UTC offset can change, as between winter and summer time.

    Args:
        changes: Pairs of a moment (microseconds UTC) and the UTC offset in minutes from then on, ascending.
            The first offset also applies before its moment.
    """

    changes: tuple[tuple[int, int], ...] = ((0, 0),)

    @classmethod
    def fixed(cls, minutes: int) -> Self:
        """Make a clock with a constant UTC offset in minutes."""
        return cls(((0, minutes),))

    @classmethod
    def of(cls, time_zone: str, changes: tuple[tuple[int, int], ...]) -> Self:
        """Make a clock with these changes; without any, from a text about a time zone (:meth:`told`)."""
        return cls(changes) if changes else cls.told(time_zone)

    @classmethod
    def told(cls, time_zone: str) -> Self:
        """Make a clock with the offset that a text begins with (``UTC+01:00, …``), all year; UTC if none."""
        found = _OFFSET.match(time_zone)
        if not found:
            return cls()
        sign, hours, minutes = found.groups()
        offset = 60 * int(hours) + int(minutes)
        return cls.fixed(-offset if sign in "-−" else offset)

    def local(self, timestamp: np.ndarray) -> np.ndarray:
        """Convert moments to local time: int64, microseconds since 1970, of the shape of ``timestamp``.

        Args:
            timestamp: int64, microseconds UTC.
        """
        since, minutes = np.array(self.changes, dtype=np.int64).T
        piece = np.searchsorted(since[1:], timestamp, side="right")
        shown: np.ndarray = timestamp + MINUTE * minutes[piece]
        return shown

    def moment(self, microseconds: int) -> datetime:
        """Convert a moment (microseconds UTC) to a local ``datetime`` without a zone."""
        return _EPOCH + timedelta(microseconds=int(self.local(np.array(microseconds, dtype=np.int64))))

    @property
    def name(self) -> str:
        """Its offsets as text: ``UTC+01:00``, or ``UTC+01:00, UTC+02:00 from 28 Mar 2021``."""
        (_, first), *later = self.changes
        days = [(offset, self.moment(since)) for since, offset in later]
        told = [f"{offset_name(offset)} from {day.day} {day:%b %Y}" for offset, day in days]
        return ", ".join([offset_name(first), *told])


def offset_name(minutes: int) -> str:
    """Format a UTC offset in minutes: ``UTC+05:30``, ``UTC-03:00``, ``UTC``."""
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}" if minutes else "UTC"


UTC_CLOCK: Final = LocalClock()
"""The clock where the time zone is not known."""


def days_of(timestamp: np.ndarray, clock: LocalClock) -> np.ndarray:
    """Days since 1970 by a clock, of moments in microseconds UTC."""
    day: np.ndarray = clock.local(timestamp) // DAY
    return day


def hours(timestamp: np.ndarray, clock: LocalClock) -> np.ndarray:
    """The hour of the week of each moment, from Monday 0:00 on: int64, 0 to 167."""
    day, time = np.divmod(clock.local(timestamp), DAY)
    hour: np.ndarray = (day + 3) % 7 * 24 + time // HOUR  # 1 January 1970 was a Thursday
    return hour
