"""Page views and events of all users in one order: what a funnel goes along."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from core.data.sequences import UserSequences
from core.data.timed_events import TimedEvents
from core.journeys.patterns import StepMarks


@dataclass(frozen=True, eq=False)
class Moments:
    """Page views and some events, by user and in order; arrays of shape (n_moments,).

    Args:
        user: int32, user indices.
        session: int32, 0-based within the user.
        timestamp: int64, microseconds UTC.
        page: int32, the page of a page view; −1 of an event.
        event: int32, the name of an event; −1 of a page view.
        following: int32, index of the page view that comes next, of whichever user.
    """

    user: np.ndarray
    session: np.ndarray
    timestamp: np.ndarray
    page: np.ndarray
    event: np.ndarray
    following: np.ndarray

    @classmethod
    def of(cls, sequences: UserSequences, events: TimedEvents) -> Moments:
        """Put events between the page views that they came between."""
        at = sequences.offsets[events.user] + events.after
        is_event = np.zeros(sequences.n_views + len(at), dtype=bool)
        is_event[at + np.arange(len(at))] = True

        def put(views: np.ndarray, between: np.ndarray | int) -> np.ndarray:
            made = np.empty(len(is_event), dtype=views.dtype)
            made[~is_event], made[is_event] = views, between
            return made

        nothing = np.full(sequences.n_views, -1, dtype=np.int32)
        following = np.arange(1, sequences.n_views + 1, dtype=np.int32)
        return cls(
            user=put(sequences.user, events.user),
            session=put(sequences.session, events.session),
            timestamp=put(sequences.timestamp, events.timestamp),
            page=put(sequences.page, -1),
            event=put(nothing, events.name),
            following=put(following, at),
        )

    def only(self, which: np.ndarray) -> Moments:
        """Some of them, in an order: bool of shape (n_moments,), or int of shape (m,)."""
        return Moments(*(getattr(self, field.name)[which] for field in fields(self)))

    def by_session(self) -> Moments:
        """Sort the moments so that each session of a user is in one piece: sessions of a user can overlap."""
        key = self.user.astype(np.int64) * (int(self.session.max(initial=0)) + 1) + self.session
        return self if bool((np.diff(key) >= 0).all()) else self.only(np.argsort(key, kind="stable"))

    def happened(self, marks: StepMarks) -> np.ndarray:
        """Which of them make a step: bool of shape (n_moments,)."""
        pages, events = (np.append(part, False) for part in (marks.pages, marks.events))  # −1 is neither
        found: np.ndarray = pages[self.page] | events[self.event]
        return found

    def begins(self, *, sessions: bool) -> np.ndarray:
        """Which of them begin a user, or a session of one: bool of shape (n_moments,)."""
        starts = np.ones(len(self.user), dtype=bool)
        starts[1:] = self.user[1:] != self.user[:-1]
        if sessions:
            starts[1:] |= self.session[1:] != self.session[:-1]
        return starts


def users_who(marks: StepMarks, sequences: UserSequences, events: TimedEvents) -> int:
    """How many users did a step at all.

    Args:
        marks: What makes it.
        sequences: Page views of all users.
        events: Their events.
    """
    did = np.zeros(sequences.n_users, dtype=bool)
    did[sequences.user[marks.pages[sequences.page]]] = True
    did[events.user[marks.events[events.name]]] = True
    return int(did.sum())
