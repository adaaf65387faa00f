"""Does the model find a user again? Retrieval among held-out users, cut at random.

A falling triplet loss proves nothing, and neither does finding one half by the other: both can be had
from the length of a sequence alone.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from core.data.sequences import UserSequences
from core.model.inputs import Spans
from core.model.triplets import SHORTEST_SIDE, random_cut

MIN_VIEWS: Final = 6
MAX_CANDIDATES: Final = 1000
MIN_CANDIDATES: Final = 50
"""Finding one among fewer says nothing."""
TIE: Final = 1e-6
"""Similarities closer than this are the same; equal page sequences have equal vectors."""


def retrieval_pairs(
    sequences: UserSequences, held_out: np.ndarray, max_length: int
) -> tuple[Spans, Spans] | None:
    """Cut held-out users in two, the same way in every run.

    Args:
        sequences: Page views of all users.
        held_out: bool of shape (n_users,).
        max_length: Page views that the model reads, the last ones of the first part, the first ones of
            the second.

    Returns:
        Queries and answers in the same order; None when there are too few users.
    """
    users = np.flatnonzero(held_out & (sequences.lengths >= MIN_VIEWS))
    rng = np.random.default_rng(0)  # not the seed of the training: figures of two seeds must compare
    users = np.sort(rng.permutation(users)[:MAX_CANDIDATES])
    if len(users) < MIN_CANDIDATES:
        return None
    return _read(*random_cut(Spans(sequences.offsets[users], sequences.lengths[users]), rng), max_length)


def session_pairs(
    sequences: UserSequences, held_out: np.ndarray, max_length: int
) -> tuple[Spans, Spans] | None:
    """Held-out users cut between two sessions at random; see :func:`retrieval_pairs`."""
    rng = np.random.default_rng(0)
    place = np.arange(sequences.n_views) - np.repeat(sequences.offsets[:-1], sequences.lengths)
    left = sequences.lengths[sequences.user] - place
    begins = np.diff(sequences.session, prepend=sequences.session[:1]) != 0
    able = begins & (place >= SHORTEST_SIDE) & (left >= SHORTEST_SIDE) & held_out[sequences.user]
    borders = rng.permutation(np.flatnonzero(able))
    users, first = np.unique(sequences.user[borders], return_index=True)
    chosen = rng.permutation(len(users))[:MAX_CANDIDATES]
    if len(chosen) < MIN_CANDIDATES:
        return None
    users, cut = users[chosen], borders[first[chosen]]
    begin, end = sequences.offsets[users], sequences.offsets[users + 1]
    return _read(Spans(begin, cut - begin), Spans(cut, end - cut), max_length)


def _read(before: Spans, after: Spans, max_length: int) -> tuple[Spans, Spans]:
    kept = np.minimum(before.length, max_length)
    query = Spans(before.begin + before.length - kept, kept)
    return query, Spans(after.begin, np.minimum(after.length, max_length))


def mean_reciprocal_rank(query: np.ndarray, answer: np.ndarray) -> float:
    """Mean of :func:`reciprocal_ranks`."""
    return float(reciprocal_ranks(query, answer).mean())


def reciprocal_ranks(query: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """1 / rank of each query's own answer among all answers; ties count at their mean rank.

    Args:
        query: float of shape (n, embedding_dim), unit vectors.
        answer: float of shape (n, embedding_dim), unit vectors of the same users in the same order.

    Returns:
        float64 of shape (n,).
    """
    similarity = query @ answer.T  # (n, n)
    own = similarity.diagonal()[:, None]
    better = (similarity > own + TIE).sum(axis=1)
    ties = (np.abs(similarity - own) <= TIE).sum(axis=1) - 1
    ranks: np.ndarray = 1 / (1 + better + ties / 2)
    return ranks
