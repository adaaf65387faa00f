"""Page views in short: a user a line, sessions of pages, a minute a step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from core.journeys.moves import Level, Places
from core.profiles.outcomes import OutcomeRecord
from core.storage.sequences import UserSequences

START = 1_762_000_000_000_000
MINUTE = 60_000_000


def walks(users: Sequence[Sequence[Sequence[int]]], begins: Sequence[int] | None = None) -> UserSequences:
    """Sessions of page views.

    Args:
        users: Pages of each session of each user.
        begins: Minute of each user's first page view; 0 each when None.
    """
    views = [[page for session in user for page in session] for user in users]
    offsets = np.cumsum([0, *map(len, views)])
    late = begins or [0] * len(users)
    minutes = [late[user] + step for user, own in enumerate(views) for step, _ in enumerate(own)]
    sessions = [number for user in users for number, session in enumerate(user) for _ in session]
    return UserSequences(
        pa.array([f"user {number}" for number in range(len(users))]), offsets,
        np.array([page for own in views for page in own], dtype=np.int32),
        START + MINUTE * np.array(minutes), np.array(sessions, dtype=np.int32),
    )  # fmt: skip


def random_walks(random: np.random.Generator, pages: int = 4) -> UserSequences:
    """A few users with a few short sessions."""
    return walks(
        [
            [random.integers(0, pages, random.integers(1, 7)).tolist() for _ in range(random.integers(1, 4))]
            for _ in range(random.integers(1, 12))
        ],
        begins=random.integers(0, 60, 12).tolist(),
    )


def pages_of(sequences: UserSequences, names: Sequence[str] = tuple("ABCDEFGH")) -> Places:
    """Each page a place of its own, called by a letter."""
    return Places.from_names(Level.PAGE, names, sequences)


def had(minutes: dict[int, float]) -> OutcomeRecord:
    """Who had the outcome, and how many minutes after :data:`START`."""
    users = sorted(minutes)
    first = np.array([START + int(minutes[user] * MINUTE) for user in users], dtype=np.int64)
    return OutcomeRecord(np.array(users, dtype=np.int64), np.ones(len(users)), first, {})
