"""Random slices of users for the triplet margin loss, the loss itself, and retrieval among held-out users.

Two slices of a user never overlap and never have related lengths. With halves (same length, one behind
the other) a network learns to compare lengths: the loss falls and nothing about behaviour is learnt. For
the same reason retrieval, which says whether the model recognises a user, cuts held-out users at random.

Letters: B anchors, each with its positive; N candidates for negatives; E embedding_dim.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.model.inputs import PaddedBatch, Spans
from core.storage.sequences import UserSequences

_SHORTEST_SHARE: Final = 0.4
"""Smallest share of its side of the cut that a slice keeps; the largest is 1."""
_MIN_SIDE_LENGTH: Final = 2
"""Fewest page views on each side of a cut, where the user has enough."""


def random_cut(spans: Spans, rng: np.random.Generator) -> tuple[Spans, Spans]:
    """Cut every run in two at random: the views before the cut, and those after it.

    Args:
        spans: Runs of at least 2 page views.
        rng: Source of the cuts.
    """
    margin = np.minimum(_MIN_SIDE_LENGTH, spans.length // 2)
    cut = margin + _random_below(spans.length - 2 * margin + 1, rng)
    return Spans(spans.begin, cut), Spans(spans.begin + cut, spans.length - cut)


def _random_part(spans: Spans, max_length: int, rng: np.random.Generator) -> Spans:
    """Draw a contiguous 40 to 100 % of every run, of at most ``max_length`` page views."""
    share = _SHORTEST_SHARE + (1 - _SHORTEST_SHARE) * rng.random(len(spans))
    length = np.minimum(np.ceil(share * spans.length).astype(np.int64), max_length)
    return Spans(spans.begin + _random_below(spans.length - length + 1, rng), length)


def draw_slices(spans: Spans, max_length: int, rng: np.random.Generator) -> tuple[Spans, Spans]:
    """Draw an anchor and a positive slice of every user, disjoint, in either order.

    Args:
        spans: All page views of each user, at least 2.
        max_length: Longest slice.
        rng: Source of the cuts.

    Returns:
        Anchor and positive, each with one slice a user.
    """
    before, after = (_random_part(side, max_length, rng) for side in random_cut(spans, rng))
    swap = rng.random(len(spans)) < 0.5
    anchor = Spans(np.where(swap, after.begin, before.begin), np.where(swap, after.length, before.length))
    positive = Spans(np.where(swap, before.begin, after.begin), np.where(swap, before.length, after.length))
    return anchor, positive


def _random_below(limits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a whole number from 0 to below each limit."""
    below: np.ndarray = (rng.random(len(limits)) * limits).astype(np.int64)
    return below


def bag_signature(batch: PaddedBatch, items: Tensor, transitions: Tensor) -> Tensor:
    """Hash each sequence to a number that is equal for equal multisets of items and of steps.

    Args:
        batch: B sequences.
        items: int64 of shape (n_items,), a random number an item, 0 for padding. Two different multisets
            agree with a chance of about 2**-63, which would cost one negative.
        transitions: int64 of shape (n_transitions,), a random number a step, 0 where there is none.

    Returns:
        int64 of shape (B,).
    """
    return items[batch.items].sum(dim=1) + transitions[batch.transitions].sum(dim=1)


def distances(anchor: Tensor, other: Tensor) -> Tensor:
    """L2 distances between unit vectors: (B, E), (N, E) → (B, N)."""
    return (2 - 2 * anchor @ other.T).clamp_min(1e-8).sqrt()


def semi_hard_negatives(apart: Tensor, allowed: Tensor, generator: torch.Generator) -> Tensor:
    """Choose for each anchor the nearest negative that is farther than its positive, else a random one.

    The hardest negatives of all let the embedding collapse (Schroff et al. 2015, FaceNet).

    Args:
        apart: Distances of shape (B, B); the diagonal holds each anchor's positive.
        allowed: bool of shape (B, B): who may be a negative of whom.
        generator: Source of the random ones.

    Returns:
        int64 of shape (B,): index of the negative; meaningless where no negative is allowed.
    """
    farther = allowed & (apart > apart.diagonal()[:, None])
    nearest, chosen = apart.masked_fill(~farther, float("inf")).min(dim=1)
    none = nearest.isinf().nonzero().squeeze(1)
    chance = torch.rand((len(none), apart.shape[1]), generator=generator, device=apart.device)
    chosen[none] = chance.masked_fill(~allowed[none], -1.0).argmax(dim=1)
    return chosen


def triplet_margin(to_positive: Tensor, to_negative: Tensor, margin: float) -> Tensor:
    """Margin loss max(0, d(a, p) - d(a, n) + margin) of each triplet: (B,), (B,) → (B,)."""
    return F.relu(to_positive - to_negative + margin)


def triplet_loss(
    anchor: Tensor,
    positive: Tensor,
    anchor_bags: Tensor,
    positive_bags: Tensor,
    margin: float,
    generator: torch.Generator,
) -> Tensor:
    """Mean triplet margin loss with negatives mined among the other users' positives.

    A slice with the very pages of the anchor, or of its positive, is no negative: nothing tells them apart.

    Args:
        anchor: (B, E) unit vectors.
        positive: (B, E) unit vectors of the same users.
        anchor_bags: (B,) signatures of the anchors' items.
        positive_bags: (B,) signatures of the positives' items.
        margin: How much farther a negative should be than the positive.
        generator: Source of the random negatives.

    Returns:
        A scalar; 0 when nobody has a negative.
    """
    apart = distances(anchor, positive)  # (B, B)
    candidates = positive_bags[None, :]
    allowed = (candidates != anchor_bags[:, None]) & (candidates != positive_bags[:, None])
    negative = semi_hard_negatives(apart.detach(), allowed, generator)
    each = triplet_margin(apart.diagonal(), apart.gather(1, negative[:, None]).squeeze(1), margin)
    has_negative = allowed.any(dim=1)
    return (each * has_negative).sum() / has_negative.sum().clamp_min(1)


_MIN_VIEWS: Final = 6
_MAX_CANDIDATES: Final = 1000
_MIN_CANDIDATES: Final = 50
"""Fewest users to search among: a hit among fewer says nothing."""
TIE: Final = 1e-6
"""Cosine similarities closer than this count as equal, as those of equal page sequences are."""


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
    users = np.flatnonzero(held_out & (sequences.lengths >= _MIN_VIEWS))
    rng = np.random.default_rng(0)  # not the seed of the training: figures of two seeds must compare
    users = np.sort(rng.permutation(users)[:_MAX_CANDIDATES])
    if len(users) < _MIN_CANDIDATES:
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
    able = begins & (place >= _MIN_SIDE_LENGTH) & (left >= _MIN_SIDE_LENGTH) & held_out[sequences.user]
    borders = rng.permutation(np.flatnonzero(able))
    users, first = np.unique(sequences.user[borders], return_index=True)
    chosen = rng.permutation(len(users))[:_MAX_CANDIDATES]
    if len(chosen) < _MIN_CANDIDATES:
        return None
    users, cut = users[chosen], borders[first[chosen]]
    begin, end = sequences.offsets[users], sequences.offsets[users + 1]
    return _read(Spans(begin, cut - begin), Spans(cut, end - cut), max_length)


def _read(before: Spans, after: Spans, max_length: int) -> tuple[Spans, Spans]:
    kept = np.minimum(before.length, max_length)
    query = Spans(before.begin + before.length - kept, kept)
    return query, Spans(after.begin, np.minimum(after.length, max_length))


def mean_reciprocal_rank(query: np.ndarray, answer: np.ndarray) -> float:
    """Mean reciprocal rank of the right answers; see :func:`reciprocal_ranks`."""
    return float(reciprocal_ranks(query, answer).mean())


def reciprocal_ranks(query: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """1 / rank of each query's right answer among all answers; ties count at their mean rank.

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
