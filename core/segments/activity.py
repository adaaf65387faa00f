"""The activity view: how much, how often and how long users come, counted and not learned.

Page views, visits and whole days between the first and the last page view: all read from a user's own page
views, so that whoever comes later, alone or among others, is placed by the same rule. (Days since the last
one would depend on where an export ends.) Each number counts by its rank u among the clustered users, half
of equal ones below, as a point on half a circle, (cos πu, sin πu): a vector has length 1, and the farther
apart two ranks are, the farther apart are the points.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from core.base.local_clock import DAY
from core.base.schema import View
from core.storage.sequences import UserSequences

_STEPS: Final = np.linspace(0, 1, 201)
"""Ranks, as shares of the users, whose numbers are kept."""


def activity_ranks(sequences: UserSequences, inside: np.ndarray) -> np.ndarray:
    """Quantiles of page views, visits and days among the clustered users: int64 of shape (3, 201), ascending.

    Args:
        sequences: Page views of all users.
        inside: bool of shape (n_users,), the clustered users; all users count where nobody is.
    """
    numbers = _numbers(sequences)
    ranks: np.ndarray = np.quantile(
        numbers[inside] if inside.any() else numbers, _STEPS, axis=0, method="inverted_cdf"
    ).T
    return ranks


def with_activity(
    views: Mapping[View, np.ndarray], sequences: UserSequences, ranks: np.ndarray | None
) -> Mapping[View, np.ndarray]:
    """Add the activity view to the others: float32 of shape (n_users, 6), rows of length 1.

    Args:
        views: The other views, of the same users.
        sequences: Page views of the users.
        ranks: From :func:`activity_ranks`; None where activity does not count: no view is added.
    """
    if ranks is None:
        return views
    pairs = zip(ranks, _numbers(sequences).T, strict=True)
    angles = np.pi * np.column_stack([_rank(known, number) for known, number in pairs])
    points = np.hstack([np.cos(angles), np.sin(angles)]) / np.sqrt(len(ranks))
    return {**views, View.ACTIVITY: points.astype(np.float32)}


def _numbers(sequences: UserSequences) -> np.ndarray:
    """Page views, visits, whole days from the first page view to the last: int64 of shape (n_users, 3)."""
    first, last = sequences.offsets[:-1], sequences.offsets[1:] - 1
    visits = np.bincount(sequences.user[sequences.session_starts], minlength=sequences.n_users)
    days = (sequences.timestamp[last] - sequences.timestamp[first]) // DAY
    return np.column_stack([sequences.lengths, visits, days])


def _rank(known: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Rank of each number, 0 to 1: the middle of the ranks that it equals."""
    below, up_to = (np.searchsorted(known, number, side) for side in ("left", "right"))
    ranks: np.ndarray = (below + up_to) / (2 * len(known))
    return ranks
