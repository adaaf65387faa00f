"""Who moved from which segment to which between two exports, beside what moves without any change.

Users of the same behaviour land in other segments when other visits of theirs are seen. How often, is
measured in the training period: each user's sessions are dealt into two random parts, as unequal as the two
exports (:mod:`core.periods.session_halves`), and the model places both. Fewer page views make a place less
sure, so the parts count by how many page views the users in question have in each export
(post-stratification, Holt and Smith 1979).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.differences.table import Diff
from core.periods.placed_users import Pairs
from core.profiles.profile_columns import Col
from core.profiles.two_shares import difference_interval

BEFORE, AFTER = "before", "after"
"""Columns of places."""


@dataclass(frozen=True, eq=False)
class Migration:
    """Moves between two periods.

    Args:
        table: One row a pair of places: ``before``, ``after``, ``users``, of ``n`` that were there before,
            their ``share``; the same of the halves (``rest_…``, users as they count); ``difference`` with its
            95 % interval (Newcombe 1998), and whether it ``differs``.
        users: Users in both.
        halves: Users whose sessions were dealt.
        told: Users in both who came from a place that halves tell of.
        stayed: Share of those who are in the same place; of all in both where no halves tell.
        expected: The same if nobody had changed, at the places they came from; NaN where no halves tell.
    """

    table: pd.DataFrame
    users: int
    halves: int
    told: int
    stayed: float
    expected: float


def migration(pairs: Pairs, halves: Pairs, k: int) -> Migration:
    """Count who moved, and hold it against the halves.

    Args:
        pairs: The users in both exports.
        halves: The same of users of the training period, by the halves of their sessions.
        k: Number of segments; place k is "in none".
    """
    side, weight = k + 1, _weights(pairs.views, halves.views)
    counts = _counted(pairs, np.ones(len(pairs.views)), side)
    base, squares = _counted(halves, weight, side), _counted(halves, weight**2, side)
    n = counts.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = base.sum(axis=1, keepdims=True) ** 2 / squares.sum(axis=1, keepdims=True)  # Kish 1965
        expected = base / base.sum(axis=1, keepdims=True)
        share = counts / n
    effective = np.nan_to_num(effective)
    rest = np.nan_to_num(expected * effective)
    low, high = difference_interval(counts, n, rest, effective)
    cells = {
        Col.USERS: counts.astype(np.int64), Col.N: n.astype(np.int64), Col.SHARE: share, Col.REST_USERS: rest,
        Col.REST_N: effective, Col.REST_SHARE: expected, Col.DIFFERENCE: share - expected,
        Diff.DIFFERENCE_LOW: low, Diff.DIFFERENCE_HIGH: high, Diff.DIFFERS: (low > 0) | (high < 0),
    }  # fmt: skip
    before, after = np.divmod(np.arange(side * side), side)
    columns = {name: np.broadcast_to(part, (side, side)).ravel() for name, part in cells.items()}
    users = len(pairs.views)
    came, tells = counts.sum(axis=1), effective[:, 0] > 0
    some = tells if came[tells].any() else np.ones(side, dtype=bool)
    told, stayed = came[some].sum(), np.diag(counts)[some].sum()
    stays = (came * np.diag(expected))[some & (came > 0)].sum()
    return Migration(
        pd.DataFrame({BEFORE: before, AFTER: after, **columns}), users, len(halves.views),
        int(came[tells].sum()), float(stayed / told) if told else float("nan"),
        float(stays / told) if told else float("nan"),
    )  # fmt: skip


def _counted(pairs: Pairs, weight: np.ndarray, side: int) -> np.ndarray:
    code = pairs.before * side + pairs.after
    return np.bincount(code, weight, minlength=side * side).reshape(side, side)


MOST_BIN: Final = 6
"""From 64 page views on, more of them make a place no surer."""


def _weights(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    """What each half counts, so that they have as many page views in both parts as the users in question.

    Bins are 1, 2–3, 4–7 … page views of each part; who has two numbers that no halves have counts for the
    nearest bins that some have, the one of fewer page views of several.
    """
    if not len(found) or not len(wanted):
        return np.ones(len(found))
    (mine, users), (bins, have) = (_binned(views) for views in (wanted, found))
    apart = np.abs(mine[:, None] - bins).sum(axis=2) + bins.sum(axis=1) / 100
    own = apart.argmin(axis=1)[users]
    ratio = np.bincount(own, minlength=len(bins)) / np.bincount(have, minlength=len(bins))
    weight: np.ndarray = ratio[have] * len(found) / len(wanted)
    return weight


def _binned(views: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bins that there are, and which each row is in."""
    bins = np.minimum(np.log2(np.maximum(views, 1)).astype(int), MOST_BIN)
    found, which = np.unique(bins, axis=0, return_inverse=True)
    return found, which.ravel()
