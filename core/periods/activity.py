"""Who came in which day or week, laid out once: what everything over time is counted from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.data.sequences import UserSequences
from core.data.timed_events import TimedEvents
from core.periods.beside import distinct
from core.periods.calendar import Calendar, days_of
from core.profiles.outcomes import OutcomeIndex


@dataclass(frozen=True, eq=False)
class Activity:
    """A row a user and period with a page view, by user and then by period.

    Args:
        calendar: The periods.
        n_users: Users of the data set.
        user: int64 of shape (m,), user indices.
        period: int64 of shape (m,).
        views: int64 of shape (m,), page views in it.
        sessions: int64 of shape (m,), sessions that began in it.
        had: bool of shape (m,), whether the user had the outcome in it.
        is_new: bool of shape (n_users,), who has no page view in the export before the days that count.
        unseen: Users and periods with the outcome and without a page view: they are in no row.
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
        """Lay out page views.

        Args:
            sequences: Page views of all users.
            calendar: The periods; page views outside them do not count.
            users: Whose page views count, bool of shape (n_users,).
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
        own = _pairs(had, calendar, users) if had else np.zeros(0, dtype=np.int64)
        did = np.isin(pairs, own, assume_unique=True)
        user, period = np.divmod(pairs, width)
        unseen = len(own) - int(did.sum())
        new = _new(sequences, calendar)
        return cls(calendar, sequences.n_users, user, period, views, sums, did, new, unseen)


def _new(sequences: UserSequences, calendar: Calendar) -> np.ndarray:
    """Who was not there before the days that count; clocks that are wrong say nothing."""
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
    """User and moment of every outcome, of the users with a page view.

    Args:
        chosen: The outcomes; whoever did any has it.
        index: What can be one.
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
