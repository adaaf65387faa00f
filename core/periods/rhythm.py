"""When users come: how page views, or beginnings of sessions, are spread over the hours of the week."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.base.local_clock import LocalClock
from core.data.sequences import UserSequences
from core.periods import beside
from core.periods.calendar import DAY, HOUR, Calendar
from core.profiles.profile_columns import Col
from core.profiles.rows import Rows

WEEKDAY, CLOCK = "weekday", "hour"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
USERS = "users"


def rhythm(
    sequences: UserSequences, calendar: Calendar, users: np.ndarray, rows: Rows, *, sessions: bool
) -> pd.DataFrame:
    """The share of each hour of the week in all page views of a segment, or in all its sessions.

    Shares compare segments of any size. They have no interval: views of one user come together.

    Args:
        sequences: Page views of all users.
        calendar: The days that count, and the clock of the export.
        users: Whose page views count, bool of shape (n_users,).
        rows: Who belongs where.
        sessions: Whether the beginnings of sessions are counted in place of page views.

    Returns:
        A row a segment, weekday and hour: what the row is, ``weekday``, ``hour`` (0 to 23), ``users`` with
        any, ``part`` of ``n`` and ``value``, the same of the others. NaN of a segment with none.
    """
    at = sequences.session_starts if sessions else np.arange(sequences.n_views)
    at = at[(calendar.place(sequences.timestamp[at]) >= 0) & users[sequences.user[at]]]
    user, code = sequences.user[at].astype(np.int64), hours(sequences.timestamp[at], calendar.clock)
    different = beside.distinct(user * 168 + code)
    part = beside.sums(rows, user, code, 168)
    held = beside.shares(part, part.sum(axis=1, keepdims=True))
    shown = {name: held[name] for name in (beside.PART, Col.N, beside.VALUE, beside.REST_VALUE)}
    shown[USERS] = beside.sums(rows, different // 168, different % 168, 168)
    day, hour = np.divmod(np.arange(168), 24)
    along = pd.DataFrame({WEEKDAY: np.array(WEEKDAYS)[day], CLOCK: hour})
    return beside.table(rows, along, shown)


def hours(timestamp: np.ndarray, clock: LocalClock) -> np.ndarray:
    """The hour of the week of each moment, from Monday 0:00 on: int64, 0 to 167."""
    day, time = np.divmod(clock.local(timestamp), DAY)
    found: np.ndarray = (day + 3) % 7 * 24 + time // HOUR  # 1 January 1970 was a Thursday
    return found
