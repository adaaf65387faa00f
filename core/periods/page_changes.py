"""Pages and ways of behaving that are new in a later export, and those that are gone."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.base.schema import HARDLY
from core.differences.table import Diff
from core.periods.placed_users import FEWEST_USERS, RARE, PlacedUsers, in_both
from core.periods.training_period import TrainingPeriod
from core.profiles.profile_columns import Col
from core.profiles.two_shares import ALONE, difference_interval
from core.segments.geometry import repeatable

CHANGE, PAGE, KNOWN = "change", "page", "known"


class PageChange(StrEnum):
    """What became of a page."""

    NEW = "new"
    """Fewer than :data:`HARDLY` saw it before."""
    MORE = "more"
    LESS = "less"
    GONE = "gone"
    """Nobody sees it any more."""


def page_changes(period: TrainingPeriod, after: PlacedUsers) -> pd.DataFrame:
    """Pages that a larger or smaller share of the users sees than before.

    Args:
        period: The training period.
        after: The users of the later export; their pages include all that are counted there.

    Returns:
        One row a page of :data:`FEWEST_USERS` or more, whose interval leaves out 0, the surest change first:
        ``change``, ``page``, whether it is ``known`` to the model, ``users`` of ``n`` who saw it and their
        ``share``, the same before (``rest_…``, at most: :meth:`TrainingPeriod.users_of`), the
        ``difference`` with its 95 % interval (Newcombe 1998). No row where the two do not cover about as many
        days (:attr:`TrainingPeriod.alike_days`).
    """
    users, rest = after.pages.users, period.users_of(after.pages.names)
    n, rest_n = len(after.place), int(period.sizes.sum())
    table = _compared(users, n, rest, rest_n, _of_the_same(period.placed, after, rest))
    more = users > rest * n / max(rest_n, 1)
    kinds = [rest < HARDLY, users == 0, more]
    change = np.select(kinds, [PageChange.NEW, PageChange.GONE, PageChange.MORE], PageChange.LESS)
    table.insert(0, CHANGE, change)
    table.insert(1, PAGE, after.pages.names)
    table.insert(2, KNOWN, after.pages.known)
    enough = (np.where(more, users, rest) >= FEWEST_USERS) & (after.days in period.alike_days)
    return _surest(table[table[Diff.DIFFERS] & enough])


def _of_the_same(before: PlacedUsers | None, after: PlacedUsers, rest: np.ndarray) -> np.ndarray:
    """Correlation of the two shares of each page, float of shape (n_pages,): who is in both counts in both.

    That of who is in both, as far as they make up the two exports.
    """
    if before is None:
        return np.zeros(len(rest))
    first, second = in_both(before.user_id, after.user_id)
    early, late = before.pages.seen[first] > 0, after.pages.seen[second] > 0
    one, other, each = (np.asarray(part.sum(axis=0)).ravel() for part in (early, late, early * late))
    shares = after.pages.users / max(len(after.place), 1), rest / max(len(before.place), 1)
    spread = np.sqrt(np.prod([share * (1 - share) for share in shares], axis=0))
    m, sizes = len(first), len(before.place) * len(after.place)
    together = (each - one * other / max(m, 1)) / np.sqrt(max(sizes, 1))
    found: np.ndarray = np.divide(together, spread, out=np.zeros(len(rest)), where=spread > 0)
    return found.clip(-1, 1)


def _compared(
    users: np.ndarray, n: int, rest: np.ndarray, rest_n: int, correlation: np.ndarray = ALONE
) -> pd.DataFrame:
    low, high = difference_interval(users, np.array(n), rest, np.array(rest_n), correlation)
    share, rest_share = users / max(n, 1), rest / max(rest_n, 1)
    return pd.DataFrame(
        {
            Col.USERS: users, Col.N: n, Col.SHARE: share, Col.REST_USERS: rest, Col.REST_N: rest_n,
            Col.REST_SHARE: rest_share, Col.DIFFERENCE: share - rest_share, Diff.DIFFERENCE_LOW: low,
            Diff.DIFFERENCE_HIGH: high, Diff.DIFFERS: (low > 0) | (high < 0),
        }
    )  # fmt: skip


def _surest(table: pd.DataFrame) -> pd.DataFrame:
    """The rows with the end of the interval that is nearer to 0 farthest from it first."""
    surely = table[[Diff.DIFFERENCE_LOW, Diff.DIFFERENCE_HIGH]].abs().min(axis=1)
    return table.iloc[np.argsort(-surely.to_numpy(), kind="stable")].reset_index(drop=True)


MOST_GROUPS: Final = 6
"""Groups that users far from every segment are cut into, at most; fewer where there are few users."""
FEWEST_FAR: Final = 20
"""Far users that a group has on average, at least."""
PAGES_OF: Final = 3
GROUP, TYPICAL = "group", "typical_pages"


def far_groups(before: PlacedUsers, after: PlacedUsers, limit: float, seed: int = 0) -> pd.DataFrame:
    """Groups of users who are far from every segment, and whether there are more of them than before.

    The far users of both exports are cut together, so that the cut knows nothing of the time: a group that
    makes up more of the far users of the later export is behaviour that is new. That there are more of them
    is not: segments lie nearest to the users they were fitted to.

    Args:
        before: The users of the training period.
        after: Those of the later export.
        limit: The distance called far (:func:`core.periods.placed_users.far_limit`).
        seed: Of K-Means.

    Returns:
        One row a group: ``group``, ``users`` of the ``n`` far ones and their ``share``, the same before
        (``rest_…``), ``difference`` with its interval, whether it ``differs``, and ``typical_pages``: those
        that most more of its users see than of all clustered users. The largest difference first.
    """
    far = [np.flatnonzero(side.far(limit)) for side in (before, after)]
    rows = np.concatenate([before.vectors[far[0]], after.vectors[far[1]]])
    k = min(MOST_GROUPS, len(rows) // FEWEST_FAR)
    if k == 0:
        return pd.DataFrame(columns=[GROUP, Col.USERS, Col.SHARE, Diff.DIFFERS, TYPICAL])
    group = _cut(rows, k, seed)
    parts = group[: len(far[0])], group[len(far[0]) :]
    rest, users = (np.bincount(part, minlength=k) for part in parts)
    table = _compared(users, len(far[1]), rest, len(far[0]))
    table.insert(0, GROUP, np.arange(k))
    seen = [_seen_share([(before, far[0][parts[0] == g]), (after, far[1][parts[1] == g])]) for g in range(k)]
    everybody = _seen_share([(side, np.flatnonzero(side.clustered)) for side in (before, after)])
    table[TYPICAL] = [_typical(share - everybody, after.pages.names) for share in seen]
    return table.sort_values(Col.DIFFERENCE, ascending=False, kind="stable").reset_index(drop=True)


def _cut(rows: np.ndarray, k: int, seed: int) -> np.ndarray:
    from sklearn.cluster import KMeans

    with repeatable():
        found: np.ndarray = KMeans(k, n_init=5, random_state=seed).fit_predict(rows)
    return found


def _seen_share(sides: list[tuple[PlacedUsers, np.ndarray]]) -> np.ndarray:
    """Share of some users of both exports who saw each page: float of shape (n_pages,)."""
    n_pages = len(sides[0][0].pages.names)
    seen = [np.bincount(side.pages.seen[users].indices, minlength=n_pages) for side, users in sides]
    found: np.ndarray = np.sum(seen, axis=0) / max(1, sum(len(users) for _, users in sides))
    return found


def _typical(apart: np.ndarray, names: tuple[str, ...]) -> tuple[str, ...]:
    most = np.argsort(-apart, kind="stable")[:PAGES_OF]
    return tuple(names[page] for page in most if apart[page] > 0 and names[page] != RARE)
