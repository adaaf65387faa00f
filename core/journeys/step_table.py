"""What users step to, come back to and end at, as shares of the users who were there, beside others.

Steps of one user resemble each other, so an interval is one of users (Wilson 1927; of a difference Newcombe
1998): of those who were at a place, who ever took the step from there. Two groups *differ* where that
interval leaves out 0 and the share of the steps that leave the place leans the same way: whoever comes back
more often has more occasions, which is no other way of moving.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from core.differences.table import Diff
from core.journeys.moves import FROM, SESSIONS, STEPS, TO, Moves, Taken, Tallied
from core.profiles import two_shares
from core.profiles.profile_columns import Col
from core.profiles.wilson import wilson

MOST: Final = 1_000
"""Rows of a table, the most frequent ones."""
FAR: Final = 1.5
"""Times the mean from which on sessions end far more often than usual."""
LEAST: Final = 0.01
"""Of the users, that a step must differ by at least to be told of …"""
FEWEST: Final = 5
"""… and users on each side who could have taken it."""


class MoveCol:
    """Columns that only these tables have; the others: :class:`core.profiles.profile_columns.Col`."""

    STEP_SHARE: Final = "step_share"  # of the steps that leave the place
    REST_STEPS: Final = "rest_steps"
    REST_STEP_SHARE: Final = "rest_step_share"
    AT_LEAST: Final = "at_least"  # users by whom it differs, at the end of the interval that is nearer to 0


def step_table(
    moves: Moves, here: Taken, there: Taken | None = None, which: np.ndarray | None = None, most: int = MOST
) -> pd.DataFrame:
    """The steps that users take most, by their share of all steps, here or there.

    Args:
        moves: All steps.
        here: Those of the users in question.
        there: Those of the users that they are held against; None for nobody.
        which: Only these steps, bool of shape (n_steps,); None for all.
        most: Rows at most.

    Returns:
        One row a step: ``from``, ``to``, ``steps``, ``step_share`` (of the steps that leave the place),
        ``sessions`` with it, ``users`` who took it, ``n`` who were at the place (a start: all), ``share`` of
        these with ``low`` and ``high``; where there are others, the same of them as ``rest_…``, the
        ``difference`` of the shares of users with ``difference_low`` and ``difference_high``, whether it
        ``differs``, and then how many users ``at_least`` take the step more (or less) than at the others'
        share, else 0.
    """
    sides = [one for one in (here, there) if one is not None]
    strength = np.max([one.steps.times / max(1, one.n_steps) for one in sides], axis=0)
    wanted = strength > 0 if which is None else which & (strength > 0)
    chosen = _strongest(strength, wanted, most)
    left, reached = moves.left[chosen], moves.reached[chosen]
    return _table(moves, left, reached, [_side(one.steps, chosen, one.left, left) for one in sides])


def return_table(moves: Moves, here: Taken, there: Taken | None = None, most: int = MOST) -> pd.DataFrame:
    """Where users turn back, most frequent first: to a place over one other in between.

    Args:
        moves: All steps.
        here: Those of the users in question.
        there: Those of the users that they are held against; None for nobody.
        most: Rows at most.

    Returns:
        The columns of :func:`step_table`, about who took the step to ``to`` and came straight back: ``steps``
        of ``step_share`` of these steps, ``users`` of the ``n`` who took it.
    """
    different = moves.returns.different
    step = np.searchsorted(moves.steps.different, different)  # a return is a step, too
    sides = [one for one in (here, there) if one is not None]
    strength = np.max([one.returns.times / max(1, one.n_steps) for one in sides], axis=0)
    chosen = _strongest(strength, strength > 0, most)
    columns = [_side(one.returns, chosen, one.steps, step[chosen]) for one in sides]
    left, reached = np.divmod(different[chosen], moves.width)
    return _table(moves, left, reached, columns)


def dead_ends(moves: Moves, here: Taken) -> pd.DataFrame:
    """Places where sessions end far more often than the mean: by sessions that came there.

    Args:
        moves: All steps.
        here: Those of the users in question.

    Returns:
        ``place``, ``sessions`` that ended there, ``n`` that came there, ``share`` with ``low`` and ``high``,
        and ``mean`` (over all places), those with most ended sessions first.
    """
    ends = np.flatnonzero(moves.reached == moves.end)
    place, ended = moves.left[ends], here.steps.sessions[ends]
    came = here.left.sessions[place]
    mean = here.n_sessions / max(1, int(here.left.sessions[: moves.start].sum()))
    low, high = wilson(ended, came)
    far = np.flatnonzero(low > FAR * mean)
    far = far[np.argsort(-ended[far], kind="stable")]
    return pd.DataFrame(
        {
            "place": moves.called(place[far]), SESSIONS: ended[far], Col.N: came[far],
            Col.SHARE: ended[far] / came[far], Col.LOW: low[far], Col.HIGH: high[far], "mean": mean,
        }
    )  # fmt: skip


def edges_within(table: pd.DataFrame, nodes: int) -> int:
    """How many of the first steps of a table lie between so few places; at least one where there are any."""
    ends = table[[FROM, TO]].to_numpy().ravel()  # from and to of each step in turn
    first_seen = ~pd.Series(ends).duplicated().to_numpy()
    places = np.cumsum(first_seen)[1::2]
    return max(min(1, len(table)), int((places <= nodes).sum()))


def differing(steps: pd.DataFrame, here: Taken) -> pd.DataFrame:
    """The steps by which most users differ from the others, those first.

    Of many steps, one in twenty would differ by chance; hardly any of these by a hundredth of the users.
    """
    worth_telling = steps[MoveCol.AT_LEAST] >= LEAST * here.n_users
    enough = steps[[Col.N, Col.REST_N]].min(axis=1) >= FEWEST
    found = steps[steps[Diff.DIFFERS] & worth_telling & enough]
    return found.sort_values(MoveCol.AT_LEAST, ascending=False, kind="stable")


def _strongest(strength: np.ndarray, wanted: np.ndarray, most: int) -> np.ndarray:
    found = np.flatnonzero(wanted)
    order: np.ndarray = found[np.argsort(-strength[found], kind="stable")][:most]
    return order


_Columns = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _side(done: Tallied, which: np.ndarray, of: Tallied, of_which: np.ndarray) -> _Columns:
    """Steps, of how many; users, of how many; sessions."""
    return (
        done.times[which], of.times[of_which], done.users[which], of.users[of_which], done.sessions[which]
    )  # fmt: skip


def _table(moves: Moves, left: np.ndarray, reached: np.ndarray, sides: list[_Columns]) -> pd.DataFrame:
    (steps, of_steps, users, n, sessions), *others = sides
    low, high = wilson(users, n)
    with np.errstate(invalid="ignore"):
        step_share, share = steps / of_steps, users / n
    made = {
        FROM: moves.called(left), TO: moves.called(reached), STEPS: steps,
        MoveCol.STEP_SHARE: step_share, SESSIONS: sessions, Col.USERS: users, Col.N: n, Col.SHARE: share,
        Col.LOW: low, Col.HIGH: high,
    }  # fmt: skip
    for rest_steps, rest_of, rest, rest_n, _ in others:
        with np.errstate(invalid="ignore"):
            rest_step_share = rest_steps / rest_of
        made |= {MoveCol.REST_STEPS: rest_steps, MoveCol.REST_STEP_SHARE: rest_step_share}
        made |= compared(users, n, rest, rest_n, step_share - rest_step_share)
    return pd.DataFrame(made)


def compared(
    users: np.ndarray, n: np.ndarray, rest: np.ndarray, rest_n: np.ndarray, leaning: np.ndarray
) -> dict[str, np.ndarray]:
    """What the rule says of two shares of users.

    Args:
        users: Who does it.
        n: Of how many.
        rest: Who does it among the others.
        rest_n: Of how many.
        leaning: Positive where it is done more often here, by occasion.

    Returns:
        Columns of the others, of the difference and of whether they differ.
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
