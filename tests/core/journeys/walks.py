"""Users written out as what they looked at in each session, and random ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from core.journeys.moves import Level, Places
from core.storage.sequences import UserSequences

Walks = Sequence[Sequence[str]]
"""Of each user the sessions, each a word: a letter is a page view."""


def laid_out(walks: Walks) -> tuple[UserSequences, Places]:
    """The users, and the letters as places."""
    letters = sorted({letter for sessions in walks for walk in sessions for letter in walk})
    flat = [(number, letter) for sessions in walks for number, walk in enumerate(sessions) for letter in walk]
    lengths = [sum(map(len, sessions)) for sessions in walks]
    sequences = UserSequences(
        user_id=pa.array([f"{number:04d}" for number in range(len(walks))]),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        page=np.array([letters.index(letter) for _, letter in flat], dtype=np.int32),
        timestamp=np.arange(len(flat), dtype=np.int64),
        session=np.array([number for number, _ in flat], dtype=np.int32),
    )
    return sequences, Places.from_names(Level.PAGE, letters, sequences)


def random_walks(seed: int) -> Walks:
    """Up to 12 users with up to 4 sessions of up to 6 views of up to 5 pages."""
    random = np.random.default_rng(seed)
    letters = list("abcde"[: random.integers(1, 6)])
    return [
        ["".join(random.choice(letters, random.integers(1, 7))) for _ in range(random.integers(1, 5))]
        for _ in range(random.integers(1, 13))
    ]


def some_of(walks: Walks, seed: int) -> np.ndarray:
    """Some of the users, perhaps none or all."""
    return np.random.default_rng(seed).random(len(walks)) < (seed % 5) / 4
