"""Segments by day, week and hour: their share, outcome rate and activity, and who comes again.

``Activity`` says who came in which day or week; everything over time but the hours is counted from it, each
segment beside the other clustered users. ``periods`` is the content of ``periods.json``.

Who comes again: users by the period of their first page view, and the share of them in each later one.
Segments are of users with two page views or more. Of those with a single one in their first period, only who
came again has two: to be in a segment is to have come again. So they are left out, and counted are those whom
their first period alone put into a segment.

A period that the export does not hold, or holds in part, says nothing of who came in it: it is left blank,
never 0 (censored on the right). What the first periods of an export hold began earlier: there, users who have
come for long are among the new ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

from core.base.local_clock import days_of, hours
from core.periods.calendar import Calendar, PeriodUnit, calendar
from core.profiles.differences import Diff
from core.profiles.outcomes import OutcomeIndex
from core.profiles.profile_columns import ROW, Col
from core.profiles.rows import Rows
from core.profiles.two_shares import Z_95, difference_interval, wilson
from core.storage.dataset import Dataset, TimedEvents
from core.storage.sequences import UserSequences

PART, VALUE = "part", "value"
REST_PART, REST_VALUE = "rest_part", "rest_value"
_HELD: Final = (PART, Col.N, VALUE, Col.LOW, Col.HIGH, REST_PART, Col.REST_N, REST_VALUE, Diff.DIFFERS)


def distinct(codes: np.ndarray) -> np.ndarray:
    """The different non-negative codes, ascending; many times as fast as ``np.unique``, which hashes."""
    ordered = np.sort(codes, kind="stable")  # they mostly are
    return ordered[np.flatnonzero(np.diff(ordered, prepend=-1))]


def _period_sums(
    rows: Rows, user: np.ndarray, code: np.ndarray, width: int, of: np.ndarray | None = None
) -> np.ndarray:
    """Sum over the users of each segment by a code; groups made by rule are left out.

    Args:
        rows: Which users belong to which row.
        user: int of shape (m,), user indices.
        code: int of shape (m,), 0 to width − 1.
        width: Number of values.
        of: float of shape (m,); 1 each when None.

    Returns:
        float64 of shape (n_segments, width).
    """
    return rows.table(user, code, width, of)[: rows.n_segments]


def _others(counts: np.ndarray) -> np.ndarray:
    """For each segment, on the first axis, the sum over all other segments; of the same shape."""
    rest: np.ndarray = counts.sum(axis=0, keepdims=True) - counts
    return rest


def _shares(part: np.ndarray, n: np.ndarray) -> dict[str, np.ndarray]:
    """Shares of users with Wilson's interval beside the other segments'; arrays of shape (n_segments, …).

    They differ where the interval of the difference (Newcombe 1998) leaves out 0, as everywhere; what users
    do over time is what the model has read, so that no p value is told.

    Args:
        part: Number of users who do it.
        n: Number of users that the share is of.

    Returns:
        Column of :data:`_HELD` → array: ``part`` of ``n`` is ``value``, ``rest_…`` that of all others.
    """
    part, n = np.broadcast_arrays(part, n)
    rest, rest_n = _others(part), _others(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        value, rest_value = part / n, rest / rest_n
    (low, high), (below, above) = wilson(part, n), difference_interval(part, n, rest, rest_n)
    return dict(
        zip(
            _HELD,
            (part, n, value, low, high, rest, rest_n, rest_value, (below > 0) | (above < 0)),
            strict=True,
        )
    )


def _means(total: np.ndarray, squares: np.ndarray, n: np.ndarray) -> dict[str, np.ndarray]:
    """Means a user with their 95 % intervals beside the other segments'; arrays of shape (n_segments, …).

    The intervals are Welch's (1947) by the normal approximation; those of fewer than two users are NaN.

    Args:
        total: Sum over the users.
        squares: Sum of squares.
        n: Users.

    Returns:
        Column of :data:`_HELD` → array, as of :func:`_shares`; ``part`` is the sum.
    """
    rest, rest_squares, rest_n = _others(total), _others(squares), _others(n)
    (value, error), (rest_value, rest_error) = _mean(total, squares, n), _mean(rest, rest_squares, rest_n)
    reach, differs = Z_95 * error, np.abs(value - rest_value) > Z_95 * np.hypot(error, rest_error)
    columns = (total, n, value, value - reach, value + reach, rest, rest_n, rest_value, differs)
    return dict(zip(_HELD, columns, strict=True))


def _mean(total: np.ndarray, squares: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        value = total / n
        spread = np.maximum(squares - n * value**2, 0) / np.where(n > 1, n - 1, np.nan)
        return value, np.sqrt(spread / n)


def _table(rows: Rows, along: pd.DataFrame, arrays: dict[str, np.ndarray]) -> pd.DataFrame:
    """Table of arrays by segment: a row for each segment and column of the arrays, segment by segment.

    Args:
        rows: What the segments are.
        along: A row for each column of the arrays, which is repeated in every segment.
        arrays: Name → array of shape (n_segments, len(along)).
    """
    row = np.repeat(np.arange(rows.n_segments), len(along))
    repeated = pd.concat([along] * rows.n_segments, ignore_index=True)
    columns = {name: repeated[name].array for name in along} | {
        name: np.asarray(values).reshape(-1) for name, values in arrays.items()
    }
    return rows.frame(columns, [*ROW, *columns], row)


@dataclass(frozen=True, eq=False)
class Activity:
    """Who came in which period: a row a user and period with a page view, sorted by user and period.

    Args:
        calendar: The periods.
        n_users: Users of the data set.
        user: int64 of shape (m,), user indices.
        period: int64 of shape (m,).
        views: int64 of shape (m,), page views in it.
        sessions: int64 of shape (m,), sessions that began in it.
        had: bool of shape (m,), whether the user had the outcome in it.
        is_new: bool of shape (n_users,), who has no page view in the export before the days that count.
        unseen: Number of pairs of a user and a period with the outcome and no page view, which have no row.
    """

    calendar: Calendar
    n_users: int
    user: np.ndarray
    period: np.ndarray
    views: np.ndarray
    sessions: np.ndarray
    had: np.ndarray
    is_new: np.ndarray
    unseen: int = 0

    @classmethod
    def of(
        cls,
        sequences: UserSequences,
        calendar: Calendar,
        users: np.ndarray,
        had: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> Activity:
        """Lay out page views by user and period.

        Args:
            sequences: Page views of all users.
            calendar: The periods; page views outside them do not count.
            users: Users whose page views count, bool of shape (n_users,).
            had: User and moment (microseconds UTC) of each outcome; None where there is none.
        """
        place, width = calendar.place(sequences.timestamp), calendar.n_periods
        counts = (place >= 0) & users[sequences.user]
        pair = sequences.user.astype(np.int64) * width + place
        begins = np.zeros(sequences.n_views, dtype=bool)
        begins[sequences.session_starts] = True
        pair = pair[counts]  # ascending, as page views are by user and time
        first = np.flatnonzero(np.diff(pair, prepend=-1))
        pairs, views = pair[first], np.diff(first, append=len(pair))
        sums = np.add.reduceat(begins[counts].astype(np.int64), first) if len(first) else views
        outcome_pairs = _pairs(had, calendar, users) if had else np.zeros(0, dtype=np.int64)
        did = np.isin(pairs, outcome_pairs, assume_unique=True)
        user, period = np.divmod(pairs, width)
        unseen = len(outcome_pairs) - int(did.sum())
        new = _new(sequences, calendar)
        return cls(calendar, sequences.n_users, user, period, views, sums, did, new, unseen)


def _new(sequences: UserSequences, calendar: Calendar) -> np.ndarray:
    """Which users have no page view before the days that count; views from wrong clocks are ignored."""
    day = days_of(sequences.timestamp, calendar.clock)
    before = sequences.user[(day >= calendar.since) & (day < calendar.days[0])]
    is_new = np.ones(sequences.n_users, dtype=bool)
    is_new[before] = False
    return is_new


def _pairs(had: tuple[np.ndarray, np.ndarray], calendar: Calendar, users: np.ndarray) -> np.ndarray:
    user, place = had[0].astype(np.int64), calendar.place(had[1])
    counts = (place >= 0) & users[user]
    return distinct(user[counts] * calendar.n_periods + place[counts])


def moments_of(
    chosen: tuple[str, ...], index: OutcomeIndex, events: TimedEvents
) -> tuple[np.ndarray, np.ndarray]:
    """User index and time (microseconds UTC) of every outcome of users with a page view, in no order.

    Args:
        chosen: The outcomes; whoever did any has it.
        index: Index of the possible outcomes.
        events: When events were done.
    """
    sequences = index.sequences
    pages = [page for outcome in chosen for page in index.pages_of(outcome)]
    views = np.isin(sequences.page, pages)
    done = np.isin(events.name, [code for code, name in enumerate(events.names) if name in chosen])
    return (
        np.concatenate([sequences.user[views], events.user[done]]),
        np.concatenate([sequences.timestamp[views], events.timestamp[done]]),
    )


PERIOD, IN_PART = "period", "in_part"


class PeriodMeasure(StrEnum):
    """Measure of the users who come in a period."""

    SHARE = "share"
    """Share of this segment in all users in segments who come."""
    OUTCOME = "outcome"
    """Share of the users who come that have the outcome in the same period."""
    VIEWS = "views"
    """Page views a user who comes."""
    SESSIONS = "sessions"
    """Sessions begun a user who comes."""
    USERS = "users"
    """Number of users who come."""


SHARES: Final = (PeriodMeasure.SHARE, PeriodMeasure.OUTCOME)


def over_time(activity: Activity, rows: Rows, measure: PeriodMeasure) -> pd.DataFrame:
    """Table of a measure of every segment in every period, beside the other clustered users.

    A user counts in each period with a page view of theirs, once.

    Args:
        activity: Who came when.
        rows: Which users belong to which row.
        measure: What is counted.

    Returns:
        A row a segment and period: what the row is, ``period`` (its first day), ``in_part``, ``part`` of
        ``n`` is ``value`` with ``low`` and ``high`` (95 %), the same of the others, ``differs``. Where nobody
        came it is NaN. A share of those who come is beside that of all other periods.
    """
    dates = activity.calendar.dates
    along = pd.DataFrame({PERIOD: pd.to_datetime(dates), IN_PART: activity.calendar.is_part})
    return _table(rows, along, _held(activity, rows, measure))


def _held(activity: Activity, rows: Rows, measure: PeriodMeasure) -> dict[str, np.ndarray]:
    def sums(of: np.ndarray | None = None) -> np.ndarray:
        return _period_sums(rows, activity.user, activity.period, activity.calendar.n_periods, of)

    users = sums()
    if measure is PeriodMeasure.SHARE:
        return _shares_of_all(users)
    if measure is PeriodMeasure.OUTCOME:
        return _shares(sums(activity.had), users)
    if measure is PeriodMeasure.USERS:
        ours, nothing = users.copy(), np.full(users.shape, np.nan)
        columns = (
            ours,
            ours,
            ours,
            nothing,
            nothing,
            _others(users),
            _others(users),
            nothing,
            nothing > 0,
        )
        return dict(zip(_HELD, columns, strict=True))
    times = activity.views if measure is PeriodMeasure.VIEWS else activity.sessions
    return _means(sums(times), sums(times.astype(np.float64) ** 2), users)


def _shares_of_all(users: np.ndarray) -> dict[str, np.ndarray]:
    """Each segment's share of those who come, beside its share in all other periods."""
    everybody = np.broadcast_to(users.sum(axis=0), users.shape)
    columns = _shares(users, everybody)
    rest, rest_n = (counts.sum(axis=1, keepdims=True) - counts for counts in (users, everybody))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = rest / rest_n
    below, above = difference_interval(users, everybody, rest, rest_n)
    again = (rest, rest_n, value, (below > 0) | (above < 0))
    return columns | dict(zip(_HELD[-4:], again, strict=True))


BEGAN, AGE = "began", "age"
_FEWEST: Final = 2
"""Page views that a user in a segment has, at least; required in the first period alone."""
MAX_PERIODS: Final = 62
"""Periods of a retention triangle that can still be read, at most."""


def _first(activity: Activity) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """New users, the first period of each, and their page views in it: three int64 of shape (m,)."""
    begins = np.flatnonzero(np.diff(activity.user, prepend=-1))
    begins = begins[activity.is_new[activity.user[begins]]]
    return activity.user[begins], activity.period[begins], activity.views[begins]


def known(activity: Activity) -> np.ndarray:
    """Which cells of the retention triangle the export covers: bool of shape (n_periods, n_periods).

    By first period, and by number of periods since, from 0.
    """
    width, is_part = activity.calendar.n_periods, activity.calendar.is_part
    later = np.add.outer(np.arange(width), np.arange(width))
    is_known: np.ndarray = (later < width) & ~np.append(is_part, True)[np.minimum(later, width)]
    is_known[:, 0] = True  # who came first then did come
    return is_known


def _counted(activity: Activity, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Count the new users who began in each period with two page views or more, and who of them came later.

    Returns:
        float64 of shape (n_segments, n_periods), users by first period; and of shape (n_segments, n_periods,
        n_periods), those who came so many periods (from 0) after it: NaN in cells that are not :func:`known`.
    """
    (user, first, views), width = _first(activity), activity.calendar.n_periods
    user, first = user[views >= _FEWEST], first[views >= _FEWEST]
    size = _period_sums(rows, user, first, width)
    began = np.full(activity.n_users, -1, dtype=np.int64)
    began[user] = first
    counts = np.flatnonzero(began[activity.user] >= 0)
    begin, period = began[activity.user[counts]], activity.period[counts]
    returned = _period_sums(rows, activity.user[counts], begin * width + period - begin, width * width)
    returned = returned.reshape(-1, width, width)
    return size, np.where(known(activity), returned, np.nan)


def left_out(activity: Activity, rows: Rows) -> np.ndarray:
    """New users of each segment with one page view in their first period: int64 of shape (n_segments,)."""
    user, first, views = _first(activity)
    once = views < _FEWEST
    return _period_sums(rows, user[once], first[once] * 0, 1)[:, 0].astype(np.int64)


def triangle(activity: Activity, rows: Rows) -> pd.DataFrame:
    """Retention triangle: share of users who come so many periods after their first one, by segment.

    Only new users with :data:`_FEWEST` page views or more in their first period count.

    Args:
        activity: Who came when.
        rows: Which users belong to which row.

    Returns:
        A row a segment, first period and period since (from 1 on) with users in it that can be known: what
        the row is, ``began`` (its first day), ``age``, ``part`` of ``n`` users come, ``value`` with its
        Wilson interval, the same of the other clustered users, ``differs``.
    """
    size, returned = _counted(activity, rows)
    width = activity.calendar.n_periods
    cell = np.flatnonzero(known(activity).ravel() & (np.arange(width * width) % width > 0))
    began, age = np.divmod(cell, width)
    columns = _shares(returned.reshape(len(size), -1)[:, cell], size[:, began])
    dates = pd.to_datetime(activity.calendar.dates)
    cells = _table(rows, pd.DataFrame({BEGAN: dates[began], AGE: age}), columns)
    return cells[cells[Col.N] > 0].reset_index(drop=True)


def curve(activity: Activity, rows: Rows) -> pd.DataFrame:
    """Retention curve: who comes again over all first periods together, a row a segment and period since.

    Columns of :func:`triangle` but ``began``. Each row counts the users for whom that period is known, so the
    last rows are of the earliest users.
    """
    size, returned = _counted(activity, rows)
    is_known = known(activity)
    part = np.nansum(returned, axis=1)[:, 1:]
    n = np.einsum("sc,ca->sa", size, is_known.astype(np.float64))[:, 1:]
    points = _table(rows, pd.DataFrame({AGE: np.arange(1, part.shape[1] + 1)}), _shares(part, n))
    return points[points[Col.N] > 0].reset_index(drop=True)


WEEKDAY, CLOCK = "weekday", "hour"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
USERS = "users"


def rhythm(
    sequences: UserSequences, calendar: Calendar, users: np.ndarray, rows: Rows, *, sessions: bool
) -> pd.DataFrame:
    """Share of each hour of the week in the page views or sessions of each segment.

    Shares compare segments of any size. They have no interval: views of one user come together.

    Args:
        sequences: Page views of all users.
        calendar: The days that count, and the clock of the export.
        users: Users whose page views count, bool of shape (n_users,).
        rows: Which users belong to which row.
        sessions: Whether the beginnings of sessions are counted in place of page views.

    Returns:
        A row a segment, weekday and hour: what the row is, ``weekday``, ``hour`` (0 to 23), ``users`` with
        any, ``part`` of ``n`` and ``value``, the same of the others. NaN of a segment with none.
    """
    at = sequences.session_starts if sessions else np.arange(sequences.n_views)
    at = at[(calendar.place(sequences.timestamp[at]) >= 0) & users[sequences.user[at]]]
    user, code = sequences.user[at].astype(np.int64), hours(sequences.timestamp[at], calendar.clock)
    different = distinct(user * 168 + code)
    part = _period_sums(rows, user, code, 168)
    columns = _shares(part, part.sum(axis=1, keepdims=True))
    shown = {name: columns[name] for name in (PART, Col.N, VALUE, REST_VALUE)}
    shown[USERS] = _period_sums(rows, different // 168, different % 168, 168)
    day, hour = np.divmod(np.arange(168), 24)
    along = pd.DataFrame({WEEKDAY: np.array(WEEKDAYS)[day], CLOCK: hour})
    return _table(rows, along, shown)


_DIGITS: Final = 5
_NAMES: Final = {PART: "users", Col.N: "of", VALUE: "share", Col.LOW: "low", Col.HIGH: "high"}


def periods(dataset: Dataset, rows: Rows, titles: Mapping[int, str]) -> dict[str, Any]:
    """The content of ``periods.json``: each segment by week, from Monday on by the clock of the export.

    Args:
        dataset: The export.
        rows: Who belongs to which segment.
        titles: Segment → its title.

    Returns:
        ``time_zone`` and, of each of the ``segments``, ``weeks`` (``from``, ``in_part``, ``users`` of all in
        segments who came, ``share`` with its 95 % interval) and ``retention`` (``weeks`` since the first one,
        how many ``users`` came ``of`` those who are known so long; ``retention_left_out`` users had a single
        page view in their first week).
    """
    days = calendar(dataset, PeriodUnit.WEEK)
    activity = Activity.of(dataset.sequences, days, np.ones(dataset.sequences.n_users, dtype=bool))
    shares, again = over_time(activity, rows, PeriodMeasure.SHARE), curve(activity, rows)
    shares["from"] = shares[PERIOD].dt.strftime("%Y-%m-%d")
    again = again.rename(columns={AGE: "weeks"})
    segments = [
        {"cluster": segment, "name": titles[segment]}
        | {"weeks": _records(shares, segment, ("from", IN_PART))}
        | {"retention": _records(again, segment, ("weeks",)), "retention_left_out": once}
        for segment, once in zip(rows.segments, left_out(activity, rows).tolist(), strict=True)
    ]
    return {"time_zone": dataset.receipt.time_zone, "segments": segments}


def _records(table: pd.DataFrame, segment: int, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows of a segment as plain data; the share of a week in which nobody came is None."""
    rows = table.loc[table[Col.SEGMENT] == segment, [*columns, *_NAMES]].rename(columns=_NAMES).round(_DIGITS)
    rows = rows.astype({"users": int, "of": int, **dict.fromkeys(("share", "low", "high"), object)})
    plain = rows.where(rows.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in plain]
