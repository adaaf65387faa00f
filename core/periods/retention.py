"""Who comes again: users by the period of their first page view, and the share of them in each later one.

Segments are of users with two page views or more. Of those with a single one in their first period, only who
came again has two: to be in a segment is to have come again. So they are left out, and counted are those whom
their first period alone put into a segment.

A period that the export does not hold, or holds in part, says nothing of who came in it: it is left blank,
never 0 (censored on the right). What the first periods of an export hold began earlier: there, users who have
come for long are among the new ones.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from core.periods import beside
from core.periods.activity import Activity
from core.profiles.profile_columns import Col
from core.profiles.rows import Rows

BEGAN, AGE = "began", "age"
FEWEST: Final = 2
"""Page views of a user in a segment, whatever else: asked of the first period alone."""
MOST_PERIODS: Final = 62
"""Of a triangle that can still be read."""


def _first(activity: Activity) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Users who are new in these periods, the first of each, and page views in it: int64 of shape (m,)."""
    begins = np.flatnonzero(np.diff(activity.user, prepend=-1))
    begins = begins[activity.is_new[activity.user[begins]]]
    return activity.user[begins], activity.period[begins], activity.views[begins]


def known(activity: Activity) -> np.ndarray:
    """Which cells can be known: bool of shape (n_periods, n_periods), by first period and periods since."""
    width, is_part = activity.calendar.n_periods, activity.calendar.is_part
    later = np.add.outer(np.arange(width), np.arange(width))
    found: np.ndarray = (later < width) & ~np.append(is_part, True)[np.minimum(later, width)]
    found[:, 0] = True  # who came first then did come
    return found


def counted(activity: Activity, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """How many users began in each period, with two page views or more, and how many of them came later.

    Returns:
        float64 of shape (n_segments, n_periods), and of shape (n_segments, n_periods, n_periods): cells that
        cannot be known are NaN.
    """
    (user, first, views), width = _first(activity), activity.calendar.n_periods
    user, first = user[views >= FEWEST], first[views >= FEWEST]
    size = beside.sums(rows, user, first, width)
    began = np.full(activity.n_users, -1, dtype=np.int64)
    began[user] = first
    counts = np.flatnonzero(began[activity.user] >= 0)
    begin, period = began[activity.user[counts]], activity.period[counts]
    came = beside.sums(rows, activity.user[counts], begin * width + period - begin, width * width)
    came = came.reshape(-1, width, width)
    return size, np.where(known(activity), came, np.nan)


def left_out(activity: Activity, rows: Rows) -> np.ndarray:
    """Users of each segment with a single page view in their first period: int64 of shape (n_segments,)."""
    user, first, views = _first(activity)
    once = views < FEWEST
    return beside.sums(rows, user[once], first[once] * 0, 1)[:, 0].astype(np.int64)


def triangle(activity: Activity, rows: Rows) -> pd.DataFrame:
    """The share of users who come so many periods after their first one, for every segment.

    Args:
        activity: Who came when.
        rows: Who belongs where.

    Returns:
        A row a segment, first period and period since (from 1 on) with users in it that can be known: what
        the row is, ``began`` (its first day), ``age``, ``part`` of ``n`` users come, ``value`` with its
        Wilson interval, the same of the other clustered users, ``differs``.
    """
    size, came = counted(activity, rows)
    width = activity.calendar.n_periods
    cell = np.flatnonzero(known(activity).ravel() & (np.arange(width * width) % width > 0))
    began, age = np.divmod(cell, width)
    held = beside.shares(came.reshape(len(size), -1)[:, cell], size[:, began])
    dates = pd.to_datetime(activity.calendar.dates)
    made = beside.table(rows, pd.DataFrame({BEGAN: dates[began], AGE: age}), held)
    return made[made[Col.N] > 0].reset_index(drop=True)


def curve(activity: Activity, rows: Rows) -> pd.DataFrame:
    """Count who comes again, over all first periods together: a row a segment and period since.

    Each row is of the users whose period it is can be known, so the last rows are of the earliest users.
    """
    size, came = counted(activity, rows)
    is_known = known(activity)
    part = np.nansum(came, axis=1)[:, 1:]
    n = np.einsum("sc,ca->sa", size, is_known.astype(np.float64))[:, 1:]
    made = beside.table(rows, pd.DataFrame({AGE: np.arange(1, part.shape[1] + 1)}), beside.shares(part, n))
    return made[made[Col.N] > 0].reset_index(drop=True)
