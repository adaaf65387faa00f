"""Small sites whose next pages can be told by eye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.people.next_page_tables import PageTables, count_tables
from core.storage.sequences import UserSequences
from tests.core.model.toys import sequences_of

A, B, C, D, CART = range(5)
NAMES = ["/a", "/b", "/c", "/d", "/cart"]
FUNCTIONAL = np.array([False, False, False, False, True])


def tables_of(
    users: Mapping[str, Sequence[int]], vectors: np.ndarray | None = None, names: Sequence[str] = NAMES
) -> PageTables:
    """Counted from all of these users, who are all neighbours."""
    sequences = sequences_of(users)
    everybody = np.ones(sequences.n_users, dtype=bool)
    known = np.eye(sequences.n_users, 4, dtype=np.float32) if vectors is None else vectors
    functional = np.array(["cart" in name for name in names], dtype=bool)
    return count_tables(sequences, names, functional, known, everybody, everybody)


def chained(n_users: int, seed: int = 0, pages: int = 24) -> tuple[UserSequences, np.ndarray]:
    """Users of a site of two chains of pages, whose next page is mostly the one after; and their vectors."""
    rng = np.random.default_rng(seed)
    half = pages // 2
    users = {}
    for number in range(n_users):
        place, chain, views = int(rng.integers(half)), number % 2, []
        for _ in range(int(rng.integers(3, 9))):
            views.append(chain * half + place)
            place = (place + 1) % half if rng.random() < 0.7 else int(rng.integers(half))
        users[f"u{number:05d}"] = views
    made = sequences_of(users)
    return made, which_chain(made, pages)


def which_chain(sequences: UserSequences, pages: int = 24) -> np.ndarray:
    """Vectors that tell the chain, about (1, 0) and (0, 1), and a little of where on it."""
    mean = np.bincount(sequences.user, sequences.page) / sequences.lengths
    angle = np.pi / 2 * (mean >= pages / 2) + 0.3 * (mean % (pages / 2)) / pages
    return np.column_stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
