"""The neighbour-preserving layout of different users (PaCMAP; Wang, Huang, Rudin, Shaposhnik, JMLR 2021).

pacmap compiles itself when it is first imported and keeps its seed in a global: call this from a background
task, never from the server of the app.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

_ATTRACTED: Final = 10
"""Neighbours that attract a user, PaCMAP's default; it takes half as many mid-near and twice as many far
pairs, so it needs more than 35 users."""
_ROUNDS: Final = (100, 100, 250)
"""Rounds of PaCMAP's three phases, its default."""
_BETWEEN: Final = 3
"""Landmarks that a further user is placed between; 5 and 10 keep fewer neighbours."""
EXACT: Final = 20_000
"""Most users among whom neighbours are looked up exactly; above by an inverted file (93 % recall)."""
PROBED: Final = 8
"""Cells of the inverted file that are searched."""
ASKED_AT_ONCE: Final = 10_000
"""Users whose neighbours are looked up between two reports."""
_TRAINED_ON: Final = 40_000
"""Users that the cells are made from."""

Tell = Callable[[float, str], None]
"""Callback with the share that is done and a message; may raise to stop."""


def place(columns: np.ndarray, seed: int, tell: Tell, most: int) -> np.ndarray:
    """Lay out different users so that neighbours stay neighbours.

    Args:
        columns: float32 of shape (n, d), all different, n at least 50.
        seed: Chooses landmarks and pairs.
        tell: Where to report.
        most: Most users that PaCMAP lays out; others are placed between their nearest ones.

    Returns:
        float32 of shape (n, 2).
    """
    n_users = len(columns)
    landmarks = np.arange(n_users)
    if n_users > most:
        landmarks = np.sort(np.random.default_rng(seed).choice(n_users, most, replace=False))
    flat = np.empty((n_users, 2), dtype=np.float32)
    flat[landmarks] = _pacmap(columns[landmarks], seed, tell)
    others = np.setdiff1d(np.arange(n_users), landmarks, assume_unique=True)
    if len(others):
        flat[others] = _between(columns[landmarks], flat[landmarks], columns[others], tell)
    return flat


class _Watched(tuple[int, int, int]):
    """Numbers of rounds that report progress when iterated, which PaCMAP does once a round.

    It is the only way to see how far PaCMAP is, and to stop it, without using its private parts.
    """

    tell: Tell
    seen: int

    def __iter__(self) -> Iterator[int]:
        self.seen += 1
        done = min(1.0, self.seen / sum(_ROUNDS))
        self.tell(0.2 + 0.7 * done, f"Pulling neighbours together, {done:.0%}")
        return super().__iter__()


def _pacmap(columns: np.ndarray, seed: int, tell: Tell) -> np.ndarray:
    message = f"Looking up the neighbours of {len(columns):,} different users"
    found, _ = neighbours(columns, columns, _ATTRACTED + 1, lambda share: tell(0.2 * share, message))
    near = found[:, 1:]  # the first is the user itself
    pairs = np.column_stack([np.repeat(np.arange(len(columns)), _ATTRACTED), near.ravel()]).astype(np.int32)
    tell(0.2, "Choosing pairs of users")
    import pacmap

    logging.getLogger("pacmap").setLevel(logging.ERROR)  # it warns that a seed is set
    rounds = _Watched(_ROUNDS)
    rounds.tell, rounds.seen = tell, 0
    reducer = pacmap.PaCMAP(
        n_neighbors=_ATTRACTED, pair_neighbors=pairs, num_iters=rounds, random_state=seed % 2**20
    )
    flat: np.ndarray = reducer.fit_transform(columns, init="pca", save_pairs=False)
    return flat


def neighbours(
    known: np.ndarray, asked: np.ndarray, count: int, tell: Callable[[float], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest rows by Euclidean distance, nearest first; above :data:`EXACT` rows, almost exactly.

    Args:
        known: float32 of shape (n, d), rows to search in; n at least ``count``.
        asked: float32 of shape (m, d), rows whose neighbours are wanted.
        count: Neighbours wanted a row.
        tell: Called with the share that is done; may raise to stop.

    Returns:
        Their indices, int64 of shape (m, count), and squared distances, float32 of the same shape.
    """
    return look_up(searchable(known), asked, count, tell)


def look_up(
    index: Any,  # noqa: ANN401 - faiss has no useful types
    asked: np.ndarray,
    count: int,
    tell: Callable[[float], None] = lambda share: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the rows of a :func:`searchable` index nearest to each row of ``asked``, as :func:`neighbours`.

    Where fewer than ``count`` are found, the nearest is repeated.
    """
    found = np.empty((len(asked), count), dtype=np.int64)
    distances = np.empty((len(asked), count), dtype=np.float32)
    for start in range(0, len(asked), ASKED_AT_ONCE):
        tell(start / len(asked))
        block = slice(start, start + ASKED_AT_ONCE)
        distances[block], found[block] = index.search(np.ascontiguousarray(asked[block]), count)
    # where the searched cells hold too few users, the nearest neighbour replaces the missing ones
    missing = found < 0
    return np.where(missing, found[:, :1], found), np.where(missing, distances[:, :1], distances)


def searchable(known: np.ndarray) -> Any:  # noqa: ANN401
    """Build an index of rows, float32 of shape (n, d), in which :func:`look_up` finds the nearest."""
    import faiss

    exact = faiss.IndexFlatL2(known.shape[1])
    if len(known) <= EXACT:
        exact.add(known)
        return exact
    index = faiss.IndexIVFFlat(exact, known.shape[1], int(np.sqrt(len(known))))
    index.train(known[:: max(1, len(known) // _TRAINED_ON)])
    index.add(known)
    index.nprobe = PROBED
    return index


def _between(landmarks: np.ndarray, flat: np.ndarray, others: np.ndarray, tell: Tell) -> np.ndarray:
    """Place users at the mean of their nearest landmarks' places, weighted by 1 / squared distance."""
    message = f"Placing {len(others):,} more users between their neighbours"
    near, distances = neighbours(landmarks, others, _BETWEEN, lambda share: tell(0.9 + 0.1 * share, message))
    weight = 1 / np.maximum(distances, np.finfo(np.float32).tiny * 1e6)
    weight /= weight.sum(axis=1, keepdims=True)
    placed: np.ndarray = np.einsum("nk,nkc->nc", weight, flat[near])
    return placed
