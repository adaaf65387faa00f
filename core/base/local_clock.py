"""The clock of an export: how far it is off UTC, and since when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

import numpy as np

MINUTE: Final = 60_000_000
"""Microseconds."""
_EPOCH: Final = datetime(1970, 1, 1)
_OFFSET: Final = re.compile(r"UTC([+−-])(\d{1,2}):(\d{2})")


@dataclass(frozen=True)
class LocalClock:
    """A clock that is put forward and back.

    Args:
        changes: From which moment on (microseconds UTC) it is how many minutes off UTC, in their order. It is
            as after the first of them before that, too.
    """

    changes: tuple[tuple[int, int], ...] = ((0, 0),)

    @classmethod
    def fixed(cls, minutes: int) -> Self:
        """One that always is so many minutes off UTC."""
        return cls(((0, minutes),))

    @classmethod
    def of(cls, time_zone: str, changes: tuple[tuple[int, int], ...]) -> Self:
        """One with these changes; where there are none, the one that a text about a time zone begins with."""
        return cls(changes) if changes else cls.told(time_zone)

    @classmethod
    def told(cls, time_zone: str) -> Self:
        """The offset that a text about a time zone begins with (``UTC+01:00, …``), all year; UTC if none."""
        found = _OFFSET.match(time_zone)
        if not found:
            return cls()
        sign, hours, minutes = found.groups()
        offset = 60 * int(hours) + int(minutes)
        return cls.fixed(-offset if sign in "-−" else offset)

    def local(self, timestamp: np.ndarray) -> np.ndarray:
        """What it shows at moments: int64, microseconds since 1970 by it, of the shape of ``timestamp``.

        Args:
            timestamp: int64, microseconds UTC.
        """
        since, minutes = np.array(self.changes, dtype=np.int64).T
        piece = np.searchsorted(since[1:], timestamp, side="right")
        shown: np.ndarray = timestamp + MINUTE * minutes[piece]
        return shown

    def moment(self, microseconds: int) -> datetime:
        """What it shows at a moment, without a zone."""
        return _EPOCH + timedelta(microseconds=int(self.local(np.array(microseconds, dtype=np.int64))))

    @property
    def name(self) -> str:
        """``UTC+01:00``, or ``UTC+01:00, UTC+02:00 from 28 Mar 2021``."""
        (_, first), *later = self.changes
        days = [(offset, self.moment(since)) for since, offset in later]
        told = [f"{offset_name(offset)} from {day.day} {day:%b %Y}" for offset, day in days]
        return ", ".join([offset_name(first), *told])


def offset_name(minutes: int) -> str:
    """``UTC+05:30``, ``UTC-03:00``, ``UTC``."""
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}" if minutes else "UTC"


UTC_CLOCK: Final = LocalClock()
"""The clock where nothing is known of another one."""
