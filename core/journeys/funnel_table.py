"""Funnels as tables: who takes each step, how that differs, how long it takes, and what they do instead.

A difference is called one if its interval leaves out 0, as everywhere; the model has read the steps, so it
describes how the segments were made, and is no finding that a p value could support.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.data.sequences import UserSequences
from core.differences.table import Diff
from core.journeys.funnel import Funnel
from core.journeys.funnel_walk import FunnelWalk
from core.journeys.moves import END
from core.journeys.places import Places
from core.profiles.profile_columns import ROW, Col
from core.profiles.rows import Rows
from core.profiles.two_shares import difference_interval
from core.profiles.wilson import wilson

STEP, NAME, DROPPED, INSTEAD = "step", "name", "dropped", "instead"
REST_LOW, REST_HIGH = "rest_low", "rest_high"
SECONDS_P25, SECONDS_MEDIAN, SECONDS_P75 = "seconds_p25", "seconds_median", "seconds_p75"
REST_SECONDS: Final = "rest_seconds_median"


class ShareOf(StrEnum):
    """Which users the share of a step is of."""

    ALL = "all"
    FIRST = "first"
    BEFORE = "before"


def takers(walk: FunnelWalk, users: np.ndarray) -> np.ndarray:
    """How many users take each step: int64 of shape (n_steps + 1,), the first all of them.

    Args:
        walk: How far each comes.
        users: bool of shape (n_users,), whom to count.
    """
    return _at_least(np.bincount(walk.depth[users], minlength=walk.seconds.shape[1] + 1))


def _at_least(counts: np.ndarray) -> np.ndarray:
    """Users who come so far → users who come at least so far, along the last axis."""
    found: np.ndarray = np.flip(np.flip(counts, -1).cumsum(-1), -1)
    return found


def steps_table(funnel: Funnel, here: np.ndarray, there: np.ndarray, of: ShareOf) -> pd.DataFrame:
    """One row a step.

    Args:
        funnel: The steps.
        here: Users of the row who take each, as :func:`takers` gives them.
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
    """What the share of each step is of."""
    if of is ShareOf.BEFORE:
        return counts[:-1].astype(np.float64)
    return np.full(len(counts) - 1, counts[int(of is ShareOf.FIRST)], dtype=np.float64)


def with_times(table: pd.DataFrame, walk: FunnelWalk, users: np.ndarray, others: np.ndarray) -> pd.DataFrame:
    """The table of one row with the time since the step before, of those who took both.

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
    """float64 of shape (3, n_steps), NaN where nobody took both steps."""
    columns = (column[~np.isnan(column)] for column in seconds.T)
    none = np.full(3, np.nan)
    return np.stack([np.quantile(one, (0.25, 0.5, 0.75)) if len(one) else none for one in columns], axis=1)


def side_by_side(funnel: Funnel, walk: FunnelWalk, rows: Rows, of: ShareOf) -> pd.DataFrame:
    """Every row of the profiles, totals last, against the other clustered users.

    Args:
        funnel: The steps.
        walk: How far each user comes.
        rows: Who belongs where.
        of: Which users shares are of.

    Returns:
        The columns that say what a row is, then those of :func:`steps_table`.
    """
    n_users, width = len(walk.depth), len(funnel.steps) + 1
    counts = _at_least(rows.table(np.arange(n_users), walk.depth, width)).astype(np.int64)
    here, there = rows.with_all(counts), np.nan_to_num(rows.rest(counts)).astype(np.int64)
    tables = [steps_table(funnel, *both, of) for both in zip(here, there, strict=True)]
    about = np.repeat(np.arange(len(tables)), len(funnel.steps))
    found = pd.concat(tables, ignore_index=True)
    return rows.frame({str(name): found[name] for name in found}, [*ROW, *found], about)


def instead(
    funnel: Funnel,
    walk: FunnelWalk,
    users: np.ndarray,
    places: Places,
    sequences: UserSequences,
    most: int,
) -> pd.DataFrame:
    """Where those went next who took a step and not the following one.

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
    titles = np.array([one.title for one in funnel.steps], dtype=object)
    return pd.DataFrame(
        {
            STEP: step, NAME: titles[step - 1], Col.RANK: rank + 1, INSTEAD: called[where],
            Col.USERS: found, Col.N: n, Col.SHARE: found / n, Col.LOW: low, Col.HIGH: high,
        }
    )  # fmt: skip


def _most(counts: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, rank and column of the largest counts above 0 of each row."""
    order = np.argsort(-counts, axis=1, kind="stable")[:, :most]
    row, rank = np.divmod(np.arange(order.size), order.shape[1])
    column = order.ravel()
    kept = counts[row, column] > 0
    return row[kept], rank[kept], column[kept]
