"""Segments by day or week: their share, their outcome rate, and how active their users are."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.periods import beside
from core.periods.activity import Activity
from core.profiles.rows import Rows
from core.profiles.two_shares import difference_interval

PERIOD, IN_PART = "period", "in_part"


class PeriodMeasure(StrEnum):
    """What is counted of the users who come in a period."""

    SHARE = "share"
    """How many of the users in segments who come are of this one."""
    OUTCOME = "outcome"
    """How many of those who come have the outcome in that very period."""
    VIEWS = "views"
    """Page views of each who comes."""
    SESSIONS = "sessions"
    """Sessions that each who comes begins."""
    USERS = "users"
    """Who come, as a number."""


SHARES: Final = (PeriodMeasure.SHARE, PeriodMeasure.OUTCOME)


def over_time(activity: Activity, rows: Rows, measure: PeriodMeasure) -> pd.DataFrame:
    """A measure of every segment in every period, beside the other clustered users.

    A user counts in each period with a page view of theirs, once.

    Args:
        activity: Who came when.
        rows: Who belongs where.
        measure: What is counted.

    Returns:
        A row a segment and period: what the row is, ``period`` (its first day), ``in_part``, ``part`` of
        ``n`` is ``value`` with ``low`` and ``high`` (95 %), the same of the others, ``differs``. Where nobody
        came it is NaN. A share of those who come is beside that of all other periods.
    """
    dates = activity.calendar.dates
    along = pd.DataFrame({PERIOD: pd.to_datetime(dates), IN_PART: activity.calendar.is_part})
    return beside.table(rows, along, _held(activity, rows, measure))


def _held(activity: Activity, rows: Rows, measure: PeriodMeasure) -> dict[str, np.ndarray]:
    def sums(of: np.ndarray | None = None) -> np.ndarray:
        return beside.sums(rows, activity.user, activity.period, activity.calendar.n_periods, of)

    users = sums()
    if measure is PeriodMeasure.SHARE:
        return _shares_of_all(users)
    if measure is PeriodMeasure.OUTCOME:
        return beside.shares(sums(activity.had), users)
    if measure is PeriodMeasure.USERS:
        ours, nothing = users.copy(), np.full(users.shape, np.nan)
        held = (
            ours,
            ours,
            ours,
            nothing,
            nothing,
            beside.others(users),
            beside.others(users),
            nothing,
            nothing > 0,
        )
        return dict(zip(beside.HELD, held, strict=True))
    times = activity.views if measure is PeriodMeasure.VIEWS else activity.sessions
    return beside.means(sums(times), sums(times.astype(np.float64) ** 2), users)


def _shares_of_all(users: np.ndarray) -> dict[str, np.ndarray]:
    """Each segment's share of those who come, beside its share in all other periods."""
    everybody = np.broadcast_to(users.sum(axis=0), users.shape)
    found = beside.shares(users, everybody)
    rest, rest_n = (counts.sum(axis=1, keepdims=True) - counts for counts in (users, everybody))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = rest / rest_n
    below, above = difference_interval(users, everybody, rest, rest_n)
    again = (rest, rest_n, value, (below > 0) | (above < 0))
    return found | dict(zip(beside.HELD[-4:], again, strict=True))
