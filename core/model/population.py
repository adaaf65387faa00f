"""Split users into those that the model learns from and those held out to validate it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from core.base.errors import InputError
from core.storage.sequences import UserSequences

_MIN_VIEWS: Final = 4
"""Page views that a user needs to train, so that two slices say something."""
_MIN_VIEWS_OF_FEW: Final = 2
"""Page views that are enough, for two slices at all, when there are few users."""
_ENOUGH_USERS: Final = 200
"""With fewer users of :data:`_MIN_VIEWS` page views, those of :data:`_MIN_VIEWS_OF_FEW` train as well."""
_MIN_USERS: Final = 2
"""Users that training needs at least: an anchor and a negative."""
_ENOUGH_TO_HOLD_OUT: Final = 500
"""With fewer users that can train, all of them do, and nothing is validated."""
_HELD_OUT_ONE_IN: Final = 10


@dataclass(frozen=True, eq=False)
class Population:
    """Users by their part in the training.

    Args:
        min_views: Page views that a user needed to take part.
        training: int64, indices of the users that train, ascending.
        held_out: bool of shape (n_users,), users the model must not see before it is judged on them.
    """

    min_views: int
    training: np.ndarray
    held_out: np.ndarray

    @property
    def counts(self) -> dict[str, Any]:
        """``users``, ``min_views``, ``trained_users``, ``held_out_users``, as ``training.json`` has them."""
        return {
            "users": len(self.held_out),
            "min_views": self.min_views,
            "trained_users": len(self.training),
            "held_out_users": int(self.held_out.sum()),
        }


def choose_users(sequences: UserSequences) -> Population:
    """Split users into those that train and those held out.

    Raises:
        InputError: If there are too few users or pages to learn from.
    """
    lengths = sequences.lengths
    min_views = _MIN_VIEWS if np.sum(lengths >= _MIN_VIEWS) >= _ENOUGH_USERS else _MIN_VIEWS_OF_FEW
    able = lengths >= min_views
    _check(sequences, able)
    held_out = np.zeros(len(able), dtype=bool)
    if able.sum() >= _ENOUGH_TO_HOLD_OUT:
        held_out = is_held_out(sequences)
    return Population(min_views, np.flatnonzero(able & ~held_out), held_out)


def is_held_out(sequences: UserSequences) -> np.ndarray:
    """Which users are held out: one in ten by a stable hash of the id, the same in every run and process."""
    ids = sequences.user_id.to_pylist()
    digests = (hashlib.blake2b(text.encode(), digest_size=8).digest() for text in ids)
    numbers = np.frombuffer(b"".join(digests), dtype="<u8")
    held_out: np.ndarray = numbers % _HELD_OUT_ONE_IN == 0
    return held_out


def _check(sequences: UserSequences, able: np.ndarray) -> None:
    n_pages = len(np.unique(sequences.page))
    if able.sum() < _MIN_USERS:
        full = int(np.sum(sequences.lengths >= _MIN_VIEWS))
        raise InputError(
            f"There is too little to train on: {full} users have {_MIN_VIEWS} or more page views, "
            f"and {int(able.sum())} have {_MIN_VIEWS_OF_FEW} or more",
            allowed=f"at least {_MIN_USERS} users with {_MIN_VIEWS_OF_FEW} or more page views; "
            f"a few thousand with {_MIN_VIEWS} or more make a useful model",
            remedy="Take a longer period, or check the user key and what is left out on import",
        )
    if n_pages < 2:
        raise InputError(
            f"There is too little to train on: {n_pages} distinct page",
            allowed="at least 2 distinct pages",
            remedy="Check the URL rules: they may merge every page into one",
        )
