"""Whose journeys are on screen, beside whose, and how finely pages are told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.journeys.places import Places


@dataclass(frozen=True, eq=False)
class Choice:
    """What the top of the page says; every part of it draws this.

    Args:
        key: Row of the profiles, such as ``segment:3``.
        title: What it is called.
        users: Who belongs to it, bool of shape (n_users,).
        other: Row that it is held against, ``others`` for the other clustered users; None for no difference.
        other_title: What that is called; empty where there is none.
        others: Who belongs to that; nobody where there is none.
        places: What a step goes from and to.
    """

    key: str
    title: str
    users: np.ndarray
    other: str | None
    other_title: str
    others: np.ndarray
    places: Places
