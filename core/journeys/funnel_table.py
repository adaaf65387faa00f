"""Count how far each user comes in a funnel, and tabulate steps, times, losses and differences.

A user has reached step k if some page views and events of theirs make the steps 1 to k in order and within
the limit, whichever they are. Taking each step as early as possible is not enough: a limit counts from the
first step, and a later first step may still be in time. So for every page view that makes step k the *latest*
first step is kept from which it can be reached (a recurrence over k, each a running maximum over all users at
once); it is in time exactly if that one is.

In the tables, two shares differ if the interval of their difference leaves out 0, as everywhere; the model
has read the steps, so a difference describes how the segments were made, and no p value could support it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

from core.base.wording import percent, pluralise
from core.journeys.funnel import SESSION, Funnel, StepKind, StepOrder
from core.journeys.moves import END, Places
from core.journeys.patterns import FunnelSite, Moments, StepMarks, any_of
from core.profiles.differences import Diff
from core.profiles.profile_columns import ROW, Col
from core.profiles.rows import Rows
from core.profiles.two_shares import difference_interval, wilson
from core.storage.dataset import Dataset, TimedEvents
from core.storage.page_labels import LabelledPages
from core.storage.sequences import UserSequences


@dataclass(frozen=True, eq=False)
class FunnelWalk:
    """How far each user comes, by the sequence of moments that first reaches the user's furthest step.

    Of several sequences with that end it is the one that begins last, with each step as late as possible.

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
    """The moments at which a step is reached; arrays over moments.

    Args:
        start: int32, the latest first step that leads here, −1 where there is none.
        before: int32, the step before on the way from there, where there is one; empty of the first step.
    """

    start: np.ndarray
    before: np.ndarray


def walk(
    funnel: Funnel, marks: Sequence[StepMarks], sequences: UserSequences, events: TimedEvents
) -> FunnelWalk:
    """Find how far each user comes in a funnel.

    Args:
        funnel: The steps.
        marks: Pages and events that make each step.
        sequences: Page views of all users.
        events: Their events; those that make no step are not looked at.
    """
    wanted = np.logical_or.reduce([step.events for step in marks])
    moments = Moments.of(sequences, events.only(wanted[events.name]))
    if funnel.order is StepOrder.LOOSE:  # what makes no step is in nobody's way
        moments = moments.only(moments.matches(any_of(marks)))
    if funnel.within == SESSION:
        moments = moments.by_session()
    walked = _follow(_reached(funnel, marks, moments), funnel.limit_us, moments, sequences)
    return replace(walked, following=_elsewhere(walked, marks, sequences))


def steps_reached(funnel: Funnel, marks: Sequence[StepMarks], moments: Moments, n_users: int) -> np.ndarray:
    """Count the steps of a funnel that each user reaches: int32 of shape (n_users,).

    Args:
        funnel: The steps.
        marks: Pages and events that make each step.
        moments: Page views and events in order, of which those that make no step may be left out where the
            steps need not be strictly one after the other.
        n_users: Number of users of the data set.
    """
    if funnel.within == SESSION:
        moments = moments.by_session()
    return _furthest(_reached(funnel, marks, moments), funnel.limit_us, moments, n_users)[0]


def _reached(funnel: Funnel, marks: Sequence[StepMarks], moments: Moments) -> list[_Step]:
    number = np.arange(len(moments.user), dtype=np.int32)
    first = np.maximum.accumulate(
        np.where(moments.begins(sessions=funnel.within == SESSION), number, np.int32(0))
    )
    stretch = np.cumsum(moments.page >= 0) if funnel.order is StepOrder.STRICT else None
    start = np.where(moments.matches(marks[0]), number, np.int32(-1))
    steps = [_Step(start, np.zeros(0, dtype=np.int32))]
    for step in marks[1:]:
        start, place = _latest(start, number, stretch)
        start = np.where(moments.matches(step) & (start >= first), start, np.int32(-1))
        steps.append(_Step(start, place))
    return steps


def _latest(
    start: np.ndarray, number: np.ndarray, stretch: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """For each moment, the latest first step that leads to an earlier moment, and the last such moment.

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
    """Values shifted by one moment: that of the moment before, −1 for the first."""
    before = np.empty_like(values)
    before[:1], before[1:] = -1, values[:-1]
    return before


def _follow(
    steps: Sequence[_Step], limit_us: int | None, moments: Moments, sequences: UserSequences
) -> FunnelWalk:
    n_users, time = sequences.n_users, moments.timestamp
    depth, now = _furthest(steps, limit_us, moments, n_users)
    following = _following(np.flatnonzero(depth), now, moments, sequences)
    seconds = np.full((n_users, len(steps)), np.nan, dtype=np.float32)
    for number in range(len(steps) - 1, 0, -1):
        users = np.flatnonzero(depth > number)
        before = steps[number].before[now[users]]
        seconds[users, number] = (time[now[users]] - time[before]) / 1e6
        now[users] = before
    return FunnelWalk(depth, seconds, following)


def _furthest(
    steps: Sequence[_Step], limit_us: int | None, moments: Moments, n_users: int
) -> tuple[np.ndarray, np.ndarray]:
    """Steps that each user reaches, and the moment of the last of them: two int32 of shape (n_users,)."""
    time = moments.timestamp
    depth, now = np.zeros(n_users, dtype=np.int32), np.zeros(n_users, dtype=np.int32)
    for number, step in enumerate(steps, start=1):
        there = np.flatnonzero(step.start >= 0)
        if limit_us is not None:
            there = there[time[there] - time[step.start[there]] <= limit_us]
        there = there[np.diff(moments.user[there], prepend=-1) != 0]  # the first of each user
        depth[moments.user[there]], now[moments.user[there]] = number, there
    return depth, now


def _following(users: np.ndarray, now: np.ndarray, moments: Moments, sequences: UserSequences) -> np.ndarray:
    following = np.full(len(now), -1, dtype=np.int32)
    view = moments.following[now[users]]
    inside = view < sequences.offsets[users + 1]
    users, view = users[inside], view[inside]
    same = sequences.session[view] == moments.session[now[users]]
    following[users[same]] = view[same]
    return following


def _elsewhere(walked: FunnelWalk, marks: Sequence[StepMarks], sequences: UserSequences) -> np.ndarray:
    """The next page view after the furthest step, past consecutive ones that make the same step again."""
    next_view, n = walked.following.copy(), sequences.n_views
    new_session = np.diff(sequences.session, append=-1) != 0
    new_session[sequences.offsets[1:] - 1] = True
    for number, step in enumerate(marks, start=1):
        users = np.flatnonzero((walked.depth == number) & (next_view >= 0))
        again = step.pages[sequences.page]
        stops = np.where(~again | new_session, np.arange(n), n)
        stop = np.minimum.accumulate(stops[::-1])[::-1][next_view[users]]
        next_view[users] = np.where(again[stop], -1, stop)
    return next_view


STEP, NAME, DROPPED, INSTEAD = "step", "name", "dropped", "instead"
REST_LOW, REST_HIGH = "rest_low", "rest_high"
SECONDS_P25, SECONDS_MEDIAN, SECONDS_P75 = "seconds_p25", "seconds_median", "seconds_p75"
REST_SECONDS: Final = "rest_seconds_median"


class ShareOf(StrEnum):
    """Users that the share of a step is of: all, those of the first step, or of the step before."""

    ALL = "all"
    FIRST = "first"
    BEFORE = "before"


def count_takers(walk: FunnelWalk, users: np.ndarray) -> np.ndarray:
    """Count the users who take each step: int64 of shape (n_steps + 1,), the first entry counts all.

    Args:
        walk: How far each user comes.
        users: bool of shape (n_users,), whom to count.
    """
    return _at_least(np.bincount(walk.depth[users], minlength=walk.seconds.shape[1] + 1))


def _at_least(counts: np.ndarray) -> np.ndarray:
    """Cumulate users by furthest step to users who reach at least each step, along the last axis."""
    at_least: np.ndarray = np.flip(np.flip(counts, -1).cumsum(-1), -1)
    return at_least


def steps_table(funnel: Funnel, here: np.ndarray, there: np.ndarray, of: ShareOf) -> pd.DataFrame:
    """Table of the steps of a funnel for a row and the others, a row a step.

    Args:
        funnel: The steps.
        here: Users of the row who take each, as :func:`count_takers` gives them.
        there: The same of the others; zeros where there are none.
        of: Which users shares are of.

    Returns:
        ``step`` (from 1), ``name``, ``users``, ``n``, ``share``, ``low``, ``high`` (Wilson), ``dropped`` (who
        do not take the next step), the others' ``rest_users``, ``rest_n``, ``rest_share``, ``rest_low``,
        ``rest_high``, ``difference``, ``difference_low``, ``difference_high`` (Newcombe) and ``differs``.
    """
    users, rest = here[1:].astype(np.float64), there[1:].astype(np.float64)
    n, rest_n = _whole(here, of), _whole(there, of)
    (low, high), (rest_low, rest_high) = wilson(users, n), wilson(rest, rest_n)
    least, most = difference_interval(users, n, rest, rest_n)
    with np.errstate(divide="ignore", invalid="ignore"):
        share, rest_share = users / n, rest / rest_n
    return pd.DataFrame(
        {
            STEP: np.arange(1, len(users) + 1), NAME: [step.title for step in funnel.steps],
            Col.USERS: here[1:], Col.N: n.astype(np.int64), Col.SHARE: share, Col.LOW: low, Col.HIGH: high,
            DROPPED: np.append(here[1:-1] - here[2:], 0), Col.REST_USERS: there[1:],
            Col.REST_N: rest_n.astype(np.int64), Col.REST_SHARE: rest_share,
            REST_LOW: rest_low, REST_HIGH: rest_high, Col.DIFFERENCE: share - rest_share,
            Diff.DIFFERENCE_LOW: least, Diff.DIFFERENCE_HIGH: most, Diff.DIFFERS: (least > 0) | (most < 0),
        }
    )  # fmt: skip


def _whole(counts: np.ndarray, of: ShareOf) -> np.ndarray:
    """The base of each step's share: float64 of shape (n_steps,)."""
    if of is ShareOf.BEFORE:
        return counts[:-1].astype(np.float64)
    return np.full(len(counts) - 1, counts[int(of is ShareOf.FIRST)], dtype=np.float64)


def with_times(table: pd.DataFrame, walk: FunnelWalk, users: np.ndarray, others: np.ndarray) -> pd.DataFrame:
    """Add the time since the step before to the table of a row, over users who took both steps.

    Args:
        table: As :func:`steps_table` gives it.
        walk: How far each user comes.
        users: bool of shape (n_users,), the users of the row.
        others: The same of the others.

    Returns:
        The table with ``seconds_p25``, ``seconds_median``, ``seconds_p75`` and ``rest_seconds_median``.
    """
    p25, median, p75 = _quartiles(walk.seconds[users])
    times = {SECONDS_P25: p25, SECONDS_MEDIAN: median, SECONDS_P75: p75}
    return table.assign(**times, **{REST_SECONDS: _quartiles(walk.seconds[others])[1]})


def _quartiles(seconds: np.ndarray) -> np.ndarray:
    """Quartiles of the times: float64 of shape (3, n_steps), NaN where nobody took both steps."""
    columns = (column[~np.isnan(column)] for column in seconds.T)
    none = np.full(3, np.nan)
    return np.stack([np.quantile(one, (0.25, 0.5, 0.75)) if len(one) else none for one in columns], axis=1)


def side_by_side(funnel: Funnel, walk: FunnelWalk, rows: Rows, of: ShareOf) -> pd.DataFrame:
    """Table of the steps for every row of the profiles, totals last, beside the other clustered users.

    Args:
        funnel: The steps.
        walk: How far each user comes.
        rows: Which users belong to which row.
        of: Which users shares are of.

    Returns:
        The columns that say what a row is, then those of :func:`steps_table`.
    """
    n_users, width = len(walk.depth), len(funnel.steps) + 1
    counts = _at_least(rows.table(np.arange(n_users), walk.depth, width)).astype(np.int64)
    here, there = rows.with_all(counts), np.nan_to_num(rows.rest(counts)).astype(np.int64)
    tables = [steps_table(funnel, *both, of) for both in zip(here, there, strict=True)]
    about = np.repeat(np.arange(len(tables)), len(funnel.steps))
    table = pd.concat(tables, ignore_index=True)
    return rows.frame({str(name): table[name] for name in table}, [*ROW, *table], about)


def alternatives(
    funnel: Funnel,
    walk: FunnelWalk,
    users: np.ndarray,
    places: Places,
    sequences: UserSequences,
    most: int,
) -> pd.DataFrame:
    """Table of the places that users went to after a step when they did not take the following one.

    Args:
        funnel: The steps.
        walk: How far each user comes.
        users: bool of shape (n_users,), whom to look at.
        places: What places are told apart.
        sequences: Page views of all users.
        most: Places a step.

    Returns:
        ``step``, ``name``, ``rank`` (from 1), ``instead`` (a place, or the end of the session), ``users``,
        ``n`` (who dropped), ``share``, ``low`` and ``high``; most frequent first.
    """
    dropped = np.flatnonzero(users & (walk.depth > 0) & (walk.depth < len(funnel.steps)))
    view = walk.following[dropped]
    place = np.where(view < 0, len(places.names), places.of_page[sequences.page[view]])
    counts = np.zeros((len(funnel.steps), len(places.names) + 1), dtype=np.int64)
    np.add.at(counts, (walk.depth[dropped], place), 1)
    step, rank, where = _most(counts, most)
    n, found = counts.sum(axis=1)[step], counts[step, where]
    low, high = wilson(found, n)
    called = np.array([*places.names, END], dtype=object)
    titles = np.array([step_of.title for step_of in funnel.steps], dtype=object)
    return pd.DataFrame(
        {
            STEP: step, NAME: titles[step - 1], Col.RANK: rank + 1, INSTEAD: called[where],
            Col.USERS: found, Col.N: n, Col.SHARE: found / n, Col.LOW: low, Col.HIGH: high,
        }
    )  # fmt: skip


def _most(counts: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, rank and column indices of the largest positive counts of each row."""
    order = np.argsort(-counts, axis=1, kind="stable")[:, :most]
    row, rank = np.divmod(np.arange(order.size), order.shape[1])
    column = order.ravel()
    positive = counts[row, column] > 0
    return row[positive], rank[positive], column[positive]


def sentences(table: pd.DataFrame, title: str, other_title: str) -> list[str]:
    """Describe in plain text how many users of a row reach the last step of a funnel, and the largest loss.

    Args:
        table: Shares of all users of the row, as :func:`core.journeys.funnel_table.steps_table` gives them.
        title: Title of the row.
        other_title: Title of the others; empty without any.
    """
    last, users = table.iloc[-1], int(table[Col.N].iloc[0])
    if not users:
        return [f"{title}: no users."]
    reach = f"{title}: {last[Col.USERS]:,} of {pluralise(users, 'user')} reach {last[NAME]}"
    lines = [f"{reach}, {_share(last, Col.SHARE, Col.LOW, Col.HIGH, users)}."]
    if other_title and last[Col.REST_N]:
        rest = _share(last, Col.REST_SHARE, REST_LOW, REST_HIGH, int(last[Col.REST_N]))
        verdict = "That differs" if last[Diff.DIFFERS] else "No difference is shown"
        lines.append(f"{other_title}: {rest}. {verdict}.")
    return lines + _loss(table)


def _share(row: pd.Series, share: str, low: str, high: str, n: int) -> str:
    ends = " and ".join(percent(row[end], n=n) for end in (low, high))
    return f"{percent(row[share], n=n)} (between {ends})"


def _loss(table: pd.DataFrame) -> list[str]:
    """Sentence on the step after which most users are lost, in a list; empty where nobody is."""
    place = int(table[DROPPED].to_numpy().argmax())
    lost, reached = int(table[DROPPED].iloc[place]), int(table[Col.USERS].iloc[place])
    if not lost:
        return []
    share = percent(lost / reached, n=reached)
    return [
        f"Most are lost after {table[NAME].iloc[place]}: {lost:,} of {reached:,} ({share}) go no further."
    ]


_NO_STEP = (Col.KIND, Col.SEGMENT)
"""Columns of a row that are left out as its key says the same."""


@dataclass(frozen=True, eq=False)
class CountedFunnel:
    """A funnel with how far each user comes in it."""

    funnel: Funnel
    walk: FunnelWalk


def require_steps(funnels: Iterable[Funnel], dataset: Dataset, labels: LabelledPages | None) -> None:
    """Check that funnels can be counted, so that a training does not fail at its end.

    Raises:
        SettingsError: If these pages have no names at the level of a step.
        ArtifactError: If a step is an event and the data set does not say when events were done.
    """
    _marked(tuple(funnels), dataset, labels)


def count_funnels(
    funnels: Iterable[Funnel], dataset: Dataset, labels: LabelledPages | None
) -> tuple[CountedFunnel, ...]:
    """Count how far each user comes in each of some funnels.

    Raises:
        SettingsError: If these pages have no names at the level of a step.
        ArtifactError: If a step is an event and the data set does not say when events were done.
    """
    all_funnels = tuple(funnels)
    site, events = _marked(all_funnels, dataset, labels)
    return tuple(
        CountedFunnel(one, walk(one, site.marks_of(one), dataset.sequences, events)) for one in all_funnels
    )


def _marked(
    funnels: tuple[Funnel, ...], dataset: Dataset, labels: LabelledPages | None
) -> tuple[FunnelSite, TimedEvents]:
    asks_events = any(step.kind is StepKind.EVENT for funnel in funnels for step in funnel.steps)
    events = dataset.events if asks_events else TimedEvents.none()
    site = FunnelSite.of(dataset, labels, events.names)
    for funnel in funnels:
        site.marks_of(funnel)
    return site, events


def to_plain(counted: CountedFunnel, rows: Rows, called: Mapping[str, str]) -> dict[str, Any]:
    """A counted funnel as plain data for JSON: its settings, and the steps of every row of the profiles.

    Args:
        counted: The funnel.
        rows: Which users belong to which row.
        called: Key of a row → its title.
    """
    funnel = counted.funnel
    of_all = side_by_side(funnel, counted.walk, rows, ShareOf.ALL)
    before = side_by_side(funnel, counted.walk, rows, ShareOf.BEFORE)
    figures = (Col.N, Col.SHARE, Col.LOW, Col.HIGH, Diff.DIFFERS)
    columns = {f"{name}_of_step_before": before[name] for name in figures}
    table = of_all.assign(**columns).drop(columns=list(_NO_STEP))
    nobody = np.zeros(len(counted.walk.depth), dtype=bool)
    records = []
    for row, (key, part) in enumerate(table.groupby(Col.KEY, sort=False)):
        timed = with_times(part, counted.walk, rows.members(row), nobody)
        steps = timed.drop(columns=[*set(ROW) - set(_NO_STEP), REST_SECONDS])
        records.append({"key": key, "name": called.get(str(key), str(key)), "steps": _records(steps)})
    plain = funnel.model_dump(mode="json") | {"title": funnel.title, "meaning": funnel.meaning}
    return plain | {"rows": records}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as plain data; absent figures are None."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
