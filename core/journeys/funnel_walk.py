"""How far each user comes in a funnel, exactly.

A user has reached step k if some page views and events of theirs make the steps 1 to k in order and within
the limit, whichever they are. Taking each step as early as possible is not enough: a limit counts from the
first step, and a later first step may still be in time. So for every page view that makes step k the *latest*
first step is kept from which it can be reached (a recurrence over k, each a running maximum over all users at
once); it is in time exactly if that one is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.data.sequences import UserSequences
from core.data.timed_events import TimedEvents
from core.journeys.funnel import SESSION, Funnel, StepOrder
from core.journeys.moments import Moments
from core.journeys.patterns import StepMarks, any_of


@dataclass(frozen=True, eq=False)
class FunnelWalk:
    """How far each user comes, by one sequence of theirs: the first that ends the furthest step they reach.

    Of several sequences with that end it is the one that begins last, and takes each step as late as it can.

    Args:
        depth: int32 of shape (n_users,), steps reached.
        seconds: float32 of shape (n_users, n_steps), since the step before; NaN of the first and of
            those that were not reached.
        following: int32 of shape (n_users,), index of the first page view in its session after the furthest
            step that does not make this step again; −1 where there is none, or no step was reached.
    """

    depth: np.ndarray
    seconds: np.ndarray
    following: np.ndarray


@dataclass(frozen=True, eq=False)
class _Step:
    """Where one step is reached; arrays over moments.

    Args:
        start: int32, the latest first step that leads here, −1 where there is none.
        before: int32, the step before on the way from there, where there is one; empty of the first step.
    """

    start: np.ndarray
    before: np.ndarray


def walk(
    funnel: Funnel, marks: Sequence[StepMarks], sequences: UserSequences, events: TimedEvents
) -> FunnelWalk:
    """Follow all users.

    Args:
        funnel: The steps.
        marks: What makes each.
        sequences: Page views of all users.
        events: Their events; those that make no step are not looked at.
    """
    wanted = np.logical_or.reduce([step.events for step in marks])
    moments = Moments.of(sequences, events.only(wanted[events.name]))
    if funnel.order is StepOrder.LOOSE:  # what makes no step is in nobody's way
        moments = moments.only(moments.happened(any_of(marks)))
    if funnel.within == SESSION:
        moments = moments.by_session()
    walked = _follow(_reached(funnel, marks, moments), funnel.limit_us, moments, sequences)
    return replace(walked, following=_elsewhere(walked, marks, sequences))


def _reached(funnel: Funnel, marks: Sequence[StepMarks], moments: Moments) -> list[_Step]:
    number = np.arange(len(moments.user), dtype=np.int32)
    first = np.maximum.accumulate(
        np.where(moments.begins(sessions=funnel.within == SESSION), number, np.int32(0))
    )
    stretch = np.cumsum(moments.page >= 0) if funnel.order is StepOrder.STRICT else None
    start = np.where(moments.happened(marks[0]), number, np.int32(-1))
    steps = [_Step(start, np.zeros(0, dtype=np.int32))]
    for step in marks[1:]:
        start, place = _latest(start, number, stretch)
        start = np.where(moments.happened(step) & (start >= first), start, np.int32(-1))
        steps.append(_Step(start, place))
    return steps


def _latest(
    start: np.ndarray, number: np.ndarray, stretch: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """For each moment, the latest first step of those that reach an earlier moment, and the last such moment.

    Args:
        start: int32 of shape (n_moments,), the first step that leads to each; −1 where there is none.
        number: int32 of shape (n_moments,), 0, 1, 2, ….
        stretch: int64 of shape (n_moments,), ascending: only moments of the stretch that the moment before is
            in are looked at, a page view and the events after it. None for any earlier moment.
    """
    bits = len(start).bit_length()
    key = start if stretch is None else (stretch << bits) + (start + 1)
    best = np.maximum.accumulate(key)
    place = np.maximum.accumulate(np.where(key == best, number, np.int32(0)))
    if stretch is not None:
        best = ((best & ((1 << bits) - 1)) - 1).astype(np.int32)
    return _shifted(best), _shifted(place)


def _shifted(values: np.ndarray) -> np.ndarray:
    """The value of the moment before; −1 of the first."""
    before = np.empty_like(values)
    before[:1], before[1:] = -1, values[:-1]
    return before


def _follow(
    steps: Sequence[_Step], limit_us: int | None, moments: Moments, sequences: UserSequences
) -> FunnelWalk:
    n_users, time = sequences.n_users, moments.timestamp
    depth, now = np.zeros(n_users, dtype=np.int32), np.zeros(n_users, dtype=np.int32)
    for number, step in enumerate(steps, start=1):
        there = np.flatnonzero(step.start >= 0)
        if limit_us is not None:
            there = there[time[there] - time[step.start[there]] <= limit_us]
        there = there[np.diff(moments.user[there], prepend=-1) != 0]  # the first of each user
        depth[moments.user[there]], now[moments.user[there]] = number, there
    following = _following(np.flatnonzero(depth), now, moments, sequences)
    seconds = np.full((n_users, len(steps)), np.nan, dtype=np.float32)
    for number in range(len(steps) - 1, 0, -1):
        users = np.flatnonzero(depth > number)
        before = steps[number].before[now[users]]
        seconds[users, number] = (time[now[users]] - time[before]) / 1e6
        now[users] = before
    return FunnelWalk(depth, seconds, following)


def _following(users: np.ndarray, now: np.ndarray, moments: Moments, sequences: UserSequences) -> np.ndarray:
    found = np.full(len(now), -1, dtype=np.int32)
    view = moments.following[now[users]]
    inside = view < sequences.offsets[users + 1]
    users, view = users[inside], view[inside]
    same = sequences.session[view] == moments.session[now[users]]
    found[users[same]] = view[same]
    return found


def _elsewhere(walked: FunnelWalk, marks: Sequence[StepMarks], sequences: UserSequences) -> np.ndarray:
    """The page view that follows, past those in a row that make the step again."""
    found, n = walked.following.copy(), sequences.n_views
    new_session = np.diff(sequences.session, append=-1) != 0
    new_session[sequences.offsets[1:] - 1] = True
    for number, step in enumerate(marks, start=1):
        users = np.flatnonzero((walked.depth == number) & (found >= 0))
        again = step.pages[sequences.page]
        stops = np.where(~again | new_session, np.arange(n), n)
        stop = np.minimum.accumulate(stops[::-1])[::-1][found[users]]
        found[users] = np.where(again[stop], -1, stop)
    return found
