"""Each user's sessions in two random parts: what moves between them moves without any change."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from core.data.sequences import UserSequences
from core.periods.training_period import drawn_users

EVEN: Final = np.array([0.5])


def halves_of(
    sequences: UserSequences, which: np.ndarray, first: np.ndarray = EVEN, seed: int = 0
) -> tuple[np.ndarray, UserSequences]:
    """Deal the sessions of users who have several into two parts, as if they were two users.

    Args:
        sequences: Page views of all users.
        which: Who may be dealt, bool of shape (n_users,).
        first: Shares of the sessions that the first part may have, float in (0, 1); each user has one of
            them at random. Nobody's part is empty.
        seed: Of the draw of users (:func:`drawn_users`), and of the parts.

    Returns:
        The users who were dealt, int64 of shape (m,), ascending, and page views of 2 m users: the first
        parts of all of them, then the second ones. Where half is asked for, they are at most one apart.
    """
    rng = np.random.default_rng(seed)
    starts = sequences.session_starts
    owner = sequences.user[starts]
    several = np.flatnonzero(which & (np.bincount(owner, minlength=sequences.n_users) > 1))
    users = several[drawn_users(len(several), rng)]
    side = _dealt(owner, rng.choice(first, sequences.n_users), rng)
    session = np.repeat(side, np.diff(starts, append=sequences.n_views))
    mine = np.full(sequences.n_users, -1)
    mine[users] = np.arange(len(users))
    row = mine[sequences.user]
    order = np.flatnonzero(row >= 0)
    half = row[order] + len(users) * session[order]
    order = order[np.argsort(half, kind="stable")]
    return users, _sequences(sequences, order, np.sort(half), 2 * len(users))


def _dealt(owner: np.ndarray, first: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """0 or 1 for each session: as many of each user's as are asked for, rounded at random, are 0."""
    n = len(owner)
    order = np.lexsort((rng.random(n), owner))
    begin = np.flatnonzero(np.diff(owner[order], prepend=-1))
    sessions = np.diff(begin, append=n)
    wanted = np.floor(first[owner[order][begin]] * sessions + rng.random(len(begin)))
    rank = np.arange(n) - np.repeat(begin, sessions)
    side = np.empty(n, dtype=np.int64)
    side[order] = rank >= np.repeat(np.clip(wanted, 1, np.maximum(sessions - 1, 1)), sessions)
    return side


def _sequences(source: UserSequences, views: np.ndarray, row: np.ndarray, n: int) -> UserSequences:
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))])
    return UserSequences(
        pa.array([str(number) for number in range(n)], pa.string()), offsets, source.page[views],
        source.timestamp[views], source.session[views],
    )  # fmt: skip
