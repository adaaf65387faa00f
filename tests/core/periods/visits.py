"""A few users by the days on which they came, and the same as a plain table for pandas."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from core.base.local_clock import DAY, HOUR, MINUTE, LocalClock
from core.base.schema import OUTSIDE, Group
from core.periods.calendar import day_number
from core.profiles.rows import Rows
from core.storage.sequences import UserSequences

CASES = int(os.environ.get("BEHA2VEC_CASES", "40"))
"""Random cases that are held against pandas."""
MONDAY = day_number(date(2016, 2, 29))


def visits(
    users: Sequence[Sequence[float]], start: int = MONDAY, joined: Sequence[bool] = ()
) -> UserSequences:
    """Page views of users: each at a day since ``start``, a fraction for the time; a session a view.

    Args:
        users: Days of each user.
        start: The day 0.
        joined: Of each page view, whether it goes on with the session before; none does when empty.
    """
    views = [sorted(own) for own in users]
    offsets = np.cumsum([0, *map(len, views)])
    days = np.array([day for own in views for day in own])
    begins = ~np.array(joined or np.zeros(len(days)), dtype=bool)
    begins[offsets[:-1]] = True
    upto = np.cumsum(begins)
    numbers = (upto - np.repeat(upto[offsets[:-1]], np.diff(offsets))).astype(np.int32)
    return UserSequences(
        pa.array([f"user {number}" for number in range(len(users))]), offsets,
        np.zeros(len(days), dtype=np.int32), start * DAY + np.round(days * DAY).astype(np.int64), numbers,
    )  # fmt: skip


def rows_of(labels: Sequence[int]) -> Rows:
    """Segments of users, −1 for one who is outside."""
    own = np.array(labels)
    segments, place = np.unique(own[own > OUTSIDE], return_inverse=True)
    whole = np.full(len(own), len(segments), dtype=np.intp)
    whole[own > OUTSIDE] = place
    groups = (Group.BOT_LIKE,) if (own <= OUTSIDE).any() else ()
    return Rows(whole, tuple(int(one) for one in segments), groups)


def random_case(random: np.random.Generator) -> tuple[UserSequences, np.ndarray, LocalClock]:
    """Some users over some weeks, the segment of each, and a clock, which may be put forward meanwhile."""
    n_users, span = int(random.integers(3, 40)), int(random.integers(3, 60))
    users = [
        (random.random() * span + random.exponential(span / 4, random.integers(1, 9)) % span).tolist()
        for _ in range(n_users)
    ]
    labels = random.integers(-1, int(random.integers(1, 5)), n_users)
    labels[:2] = 0, min(1, int(labels.max()))
    joined = (random.random(sum(map(len, users))) < 0.5).tolist()
    sequences = visits(users, MONDAY + int(random.integers(0, 7)), joined)
    offset, day = 60 * int(random.integers(-11, 12)), int(random.choice(sequences.timestamp)) // DAY
    turn = day * DAY + 3 * HOUR - offset * MINUTE  # at night, as clocks are
    return sequences, labels, LocalClock(((0, offset), (turn, offset + int(random.choice([-60, 30, 60])))))


def frame(sequences: UserSequences, labels: np.ndarray, clock: LocalClock) -> pd.DataFrame:
    """A row a page view: user, segment, local time, session and whether it begins it."""
    table = pd.DataFrame({"user": sequences.user, "ts": sequences.timestamp, "session": sequences.session})
    (_, before), (turn, after) = clock.changes
    minutes = np.where(table["ts"] < turn, before, after)
    table["local"] = pd.to_datetime(table["ts"], unit="us") + pd.to_timedelta(minutes, unit="min")
    table["segment"] = np.asarray(labels)[table["user"]]
    table["begins"] = ~table.duplicated(["user", "session"])
    return table
