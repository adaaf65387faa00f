"""Tables of steps, returns, dead ends and positions of users beside others, and ``journeys.json``.

Steps of one user resemble each other, so an interval is one of users (Wilson 1927; of a difference Newcombe
1998): of those who were at a place, who ever took the step from there. Two groups *differ* where that
interval leaves out 0 and the share of the steps that leave the place leans the same way: whoever comes back
more often has more occasions, which is no other way of moving.

The step matrix (after retentioneering, github.com/retentioneering) counts where users are at each step of
their sessions, place × position. A column holds all sessions, also those that have ended, so that it adds up
to 100 % and the ended ones only grow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from core.base.wording import percent
from core.journeys.moves import (
    END,
    FROM,
    SESSIONS,
    START,
    STEPS,
    TO,
    Moves,
    OccurrenceCounts,
    StepCounts,
)
from core.profiles import two_shares
from core.profiles.differences import Diff
from core.profiles.profile_columns import Col
from core.profiles.rows import Rows
from core.profiles.two_shares import wilson

MAX_ROWS: Final = 1_000
"""Rows of a table, at most; the most frequent ones."""
_FAR_STEPS: Final = 1.5
"""Multiple of the mean share of ended sessions from which a place is a dead end."""
MIN_STEP_SHARE: Final = 0.01
"""Share of users by which a step must differ, at least, to be listed as differing …"""
MIN_USERS: Final = 5
"""… and number of users on each side who could have taken it, at least."""


class MoveCol:
    """Columns of the tables of steps; others are in :class:`core.profiles.profile_columns.Col`."""

    STEP_SHARE: Final = "step_share"  # of the steps that leave the place
    REST_STEPS: Final = "rest_steps"
    REST_STEP_SHARE: Final = "rest_step_share"
    AT_LEAST: Final = "at_least"  # users by whom it differs, at the end of the interval that is nearer to 0


def step_table(
    moves: Moves,
    here: StepCounts,
    there: StepCounts | None = None,
    which: np.ndarray | None = None,
    most: int = MAX_ROWS,
) -> pd.DataFrame:
    """Table of the most frequent steps, by their share of all steps of ``here`` or ``there``: the larger.

    Args:
        moves: All steps.
        here: Steps of the users in question.
        there: Steps of the users to compare with; None for nobody.
        which: Only these of the different steps, bool, as :attr:`Moves.left`; None for all.
        most: Rows at most.

    Returns:
        One row a step: ``from``, ``to``, ``steps``, ``step_share`` (of the steps that leave the place),
        ``sessions`` with it, ``users`` who took it, ``n`` who were at the place (a start: all), ``share`` of
        these with ``low`` and ``high``; where there are others, the same of them as ``rest_…``, the
        ``difference`` of the shares of users with ``difference_low`` and ``difference_high``, whether it
        ``differs``, and then how many users ``at_least`` take the step more (or less) than at the others'
        share, else 0.
    """
    sides = [side for side in (here, there) if side is not None]
    strength = np.max([side.steps.times / max(1, side.n_steps) for side in sides], axis=0)
    wanted = strength > 0 if which is None else which & (strength > 0)
    chosen = _strongest(strength, wanted, most)
    left, reached = moves.left[chosen], moves.reached[chosen]
    return _table(moves, left, reached, [_side(side.steps, chosen, side.left, left) for side in sides])


def return_table(
    moves: Moves, here: StepCounts, there: StepCounts | None = None, most: int = MAX_ROWS
) -> pd.DataFrame:
    """Table of returns, most frequent first: from a place to another and straight back.

    Args:
        moves: All steps.
        here: Steps of the users in question.
        there: Steps of the users to compare with; None for nobody.
        most: Rows at most.

    Returns:
        The columns of :func:`step_table`, about who took the step to ``to`` and came straight back: ``steps``
        of ``step_share`` of these steps, ``users`` of the ``n`` who took it.
    """
    different = moves.returns.different
    step = np.searchsorted(moves.steps.different, different)  # a return is a step, too
    sides = [side for side in (here, there) if side is not None]
    strength = np.max([side.returns.times / max(1, side.n_steps) for side in sides], axis=0)
    chosen = _strongest(strength, strength > 0, most)
    columns = [_side(side.returns, chosen, side.steps, step[chosen]) for side in sides]
    left, reached = np.divmod(different[chosen], moves.width)
    return _table(moves, left, reached, columns)


def dead_ends(moves: Moves, here: StepCounts) -> pd.DataFrame:
    """Table of places where sessions end far more often than the mean, of those that came there.

    Args:
        moves: All steps.
        here: Steps of the users in question.

    Returns:
        ``place``, ``sessions`` that ended there, ``n`` that came there, ``share`` with ``low`` and ``high``,
        and ``mean`` (over all places), those with most ended sessions first.
    """
    ends = np.flatnonzero(moves.reached == moves.end)
    place, ended = moves.left[ends], here.steps.sessions[ends]
    arrived = here.left.sessions[place]
    mean = here.n_sessions / max(1, int(here.left.sessions[: moves.start].sum()))
    low, high = wilson(ended, arrived)
    far = np.flatnonzero(low > _FAR_STEPS * mean)
    far = far[np.argsort(-ended[far], kind="stable")]
    return pd.DataFrame(
        {
            "place": moves.called(place[far]), SESSIONS: ended[far], Col.N: arrived[far],
            Col.SHARE: ended[far] / arrived[far], Col.LOW: low[far], Col.HIGH: high[far], "mean": mean,
        }
    )  # fmt: skip


def differing_step_table(steps: pd.DataFrame, here: StepCounts) -> pd.DataFrame:
    """Rows of :func:`step_table`, with others, in which users surely differ, those of most users first.

    One in twenty steps would differ by chance, but hardly any by a hundredth of the users of ``here``.
    """
    worth_telling = steps[MoveCol.AT_LEAST] >= MIN_STEP_SHARE * here.n_users
    enough = steps[[Col.N, Col.REST_N]].min(axis=1) >= MIN_USERS
    rows = steps[steps[Diff.DIFFERS] & worth_telling & enough]
    return rows.sort_values(MoveCol.AT_LEAST, ascending=False, kind="stable")


def _strongest(strength: np.ndarray, wanted: np.ndarray, most: int) -> np.ndarray:
    indices = np.flatnonzero(wanted)
    order: np.ndarray = indices[np.argsort(-strength[indices], kind="stable")][:most]
    return order


_Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _side(done: OccurrenceCounts, which: np.ndarray, of: OccurrenceCounts, of_which: np.ndarray) -> _Columns:
    """Counts of one side: steps and their base, users and their base, sessions."""
    return (
        done.times[which], of.times[of_which], done.users[which], of.users[of_which], done.sessions[which]
    )  # fmt: skip


def _table(moves: Moves, left: np.ndarray, reached: np.ndarray, sides: list[_Columns]) -> pd.DataFrame:
    (steps, of_steps, users, n, sessions), *others = sides
    low, high = wilson(users, n)
    with np.errstate(invalid="ignore"):
        step_share, share = steps / of_steps, users / n
    columns = {
        FROM: moves.called(left), TO: moves.called(reached), STEPS: steps,
        MoveCol.STEP_SHARE: step_share, SESSIONS: sessions, Col.USERS: users, Col.N: n, Col.SHARE: share,
        Col.LOW: low, Col.HIGH: high,
    }  # fmt: skip
    for rest_steps, rest_of, rest, rest_n, _ in others:
        with np.errstate(invalid="ignore"):
            rest_step_share = rest_steps / rest_of
        columns |= {MoveCol.REST_STEPS: rest_steps, MoveCol.REST_STEP_SHARE: rest_step_share}
        columns |= _compared(users, n, rest, rest_n, step_share - rest_step_share)
    return pd.DataFrame(columns)


def _compared(
    users: np.ndarray, n: np.ndarray, rest: np.ndarray, rest_n: np.ndarray, leaning: np.ndarray
) -> dict[str, np.ndarray]:
    """Compare two shares of users; they differ where the interval leaves out 0 on the side of ``leaning``.

    Args:
        users: Number of users who do it.
        n: Number of users that the share is of.
        rest: Number of the others who do it.
        rest_n: Number of the others.
        leaning: Positive where it is done more often here, by occasion, and negative where less often.

    Returns:
        Column → array: ``rest_users``, ``rest_n``, ``rest_share``, the ``difference`` with its interval,
        ``differs``, ``at_least`` (users by the nearer end of the interval, 0 unless it differs).
    """
    four = (np.asarray(part, dtype=np.float64) for part in (users, n, rest, rest_n))
    low, high = two_shares.difference_interval(*four)
    more, less = (low > 0) & (leaning > 0), (high < 0) & (leaning < 0)
    with np.errstate(invalid="ignore"):
        rest_share, apart = rest / rest_n, users / n - rest / rest_n
    return {
        Col.REST_USERS: rest, Col.REST_N: rest_n, Col.REST_SHARE: rest_share, Col.DIFFERENCE: apart,
        Diff.DIFFERENCE_LOW: low, Diff.DIFFERENCE_HIGH: high, Diff.DIFFERS: more | less,
        MoveCol.AT_LEAST: np.where(more, low, np.where(less, -high, 0)) * n,
    }  # fmt: skip


def step_sentence(step: Mapping[Any, Any]) -> str:
    """Sentence on a differing step.

    ``More go from /cart to /checkout: 45% of 220 users who were there, others 30.1% of 1,204``.

    Args:
        step: A row of :func:`core.journeys.step_table.step_table` with others.
    """
    doing, there = f"go from {step[FROM]} to {step[TO]}", " who were there"
    if step[FROM] == START:
        doing, there = f"begin at {step[TO]}", ""
    elif step[TO] == END:
        doing = f"end at {step[FROM]}"
    elif step[FROM] == step[TO]:
        doing = f"open {step[FROM]} again right away"
    here, others = (
        f"{percent(step[share], 1, step[n])} of {step[n]:,}"
        for share, n in ((Col.SHARE, Col.N), (Col.REST_SHARE, Col.REST_N))
    )
    more = "More" if step[Col.DIFFERENCE] > 0 else "Fewer"
    return f"{more} {doing}: {here} users{there}, others {others}"


_STEPS_KEPT: Final = 15
_DIFFERING: Final = 15
_ENDS: Final = 8
"""Entries of each list of a segment, at most, so that the file stays below 1 MB."""
_DIGITS: Final = 5


def journeys(moves: Moves, rows: Rows, titles: Mapping[int, str]) -> dict[str, Any]:
    """The steps of each segment as plain data for ``journeys.json``.

    Args:
        moves: All steps, at one level.
        rows: Who belongs to which segment.
        titles: Segment → its title.

    Returns:
        ``level`` and, of each of the ``segments``, its ``users``, ``sessions`` and ``steps`` with records
        of the tables of :mod:`core.journeys.step_table`: ``top_steps``, ``differing`` (by which most users
        differ from the other clustered users, each with a ``text``), ``entries``, ``exits``, ``returns``,
        ``repeats`` and ``dead_ends``.
    """
    inside = rows.place < rows.n_segments
    records = []
    for row, segment in enumerate(rows.segments):
        users = rows.members(row)
        here, others = moves.taken(users), moves.taken(inside & ~users)
        records.append({"cluster": segment, "name": titles[segment]} | _told(moves, here, others))
    return {"level": moves.places.level.value, "segments": records}


def _told(moves: Moves, here: StepCounts, others: StepCounts) -> dict[str, Any]:
    steps = step_table(moves, here, others)
    apart = differing_step_table(steps, here).head(_DIFFERING)
    apart = apart.assign(text=[step_sentence(step) for step in apart.to_dict("records")])
    steps_taken = steps[steps[Col.USERS] > 0]
    entries, exits, repeats = (
        table[table[Col.USERS] > 0]  # not what only the others do
        for which in (moves.left == moves.start, moves.reached == moves.end, moves.left == moves.reached)
        for table in [step_table(moves, here, others, which, _ENDS)]
    )
    return {
        "users": here.n_users, "sessions": here.n_sessions, "steps": here.n_steps,
        "top_steps": _records(steps_taken, _STEPS_KEPT), "differing": _records(apart, _DIFFERING),
        "entries": _records(entries, _ENDS), "exits": _records(exits, _ENDS),
        "returns": _records(return_table(moves, here, others, _ENDS), _ENDS),
        "repeats": _records(repeats, _ENDS), "dead_ends": _records(dead_ends(moves, here), _ENDS),
    }  # fmt: skip


def _records(table: pd.DataFrame, most: int) -> list[dict[str, Any]]:
    """The top rows of a table as plain data; absent numbers are None."""
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in table.head(most).to_dict("records")
    ]


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell of a table
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, _DIGITS)
    return value
