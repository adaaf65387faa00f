"""UserBehaviorTransformer: a small transformer that turns the page views of a user into a vector.

Its vectors are a block of the URL view beside counts (``feature_blocks.py``). Its page vectors start from
which pages are seen near each other, by linear algebra alone: shifted positive pointwise mutual information,
factorised, is what word2vec approximates (Levy, Goldberg 2014, "Neural word embedding as implicit matrix
factorization"), without its randomness and its epochs.

Letters: B sequences, T the longest of them, D hidden_dim, H heads, E embedding_dim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from core.base.settings import TrainSettings
from core.model.inputs import N_GAPS, NO_GAP, PaddedBatch
from core.model.vocabulary import FIRST_VIEW, PADDING

_START_WINDOW: Final = 5
_CONTEXT_POWER: Final = 0.75
"""Flattens the context counts, so that rare pages do not look special (Levy, Goldberg, Dagan 2015)."""
START_STD: Final = 0.1
"""Spread of the page table at the start; the other tables of a token have about the same."""


def item_vectors(items: np.ndarray, users: np.ndarray, n_items: int, dim: int) -> np.ndarray:
    """Start vectors of all items, near each other for items that are seen together.

    Args:
        items: int of shape (n_views,), item of each page view, users one after the other.
        users: int of shape (n_views,), whose page view it is.
        n_items: Number of item ids.
        dim: Length of a vector.

    Returns:
        float32 of shape (n_items, dim), of standard deviation :data:`START_STD`; padding is 0.
    """
    rng = np.random.default_rng(0)  # not the seed of the training: the start is the same for all seeds
    vectors = rng.standard_normal((n_items, dim))
    rank = min(dim, n_items - 1)
    factors = page_factors(items, users, n_items, _START_WINDOW, rank)
    seen = np.abs(factors).sum(axis=1) > 0
    if seen.any():
        vectors[seen, :rank] = factors[seen] / factors[seen].std()
    vectors[PADDING] = 0.0
    return (START_STD * vectors).astype(np.float32)


def page_factors(items: np.ndarray, users: np.ndarray, n_items: int, window: int, rank: int) -> np.ndarray:
    """Vectors of items, near each other where items are seen near the same others.

    Args:
        items: int of shape (n_views,), item of each page view.
        users: int of shape (n_views,), user of each page view.
        n_items: Number of item ids.
        window: Page views that two may lie apart.
        rank: Length of a vector, below the number of items.

    Returns:
        float64 of shape (n_items, rank); zeros for an item that was seen near no other.
    """
    return _factors(positive_pmi(cooccurrences(items, users, n_items, window)), rank)


def cooccurrences(items: np.ndarray, users: np.ndarray, n_items: int, window: int) -> sparse.csr_array:
    """Count how often two items lie at most ``window`` views of a user apart.

    Neighbours count 1, falling evenly to 1 / ``window``; an item near itself counts twice.

    Returns:
        Symmetric, of shape (n_items, n_items).
    """
    total = sparse.csr_array((n_items, n_items))
    for apart in range(1, window + 1):
        same = users[apart:] == users[:-apart]
        pairs = (items[:-apart][same], items[apart:][same])
        weight = np.full(len(pairs[0]), (window - apart + 1) / window)
        total = total + sparse.coo_array((weight, pairs), shape=total.shape).tocsr()
    return (total + total.T).tocsr()


def positive_pmi(counts: sparse.csr_array) -> sparse.csr_array:
    """Positive PMI max(0, log(p(a, b) / (p(a) p'(b)))) of each pair seen together, p' flattened."""
    pairs = counts.tocoo()
    rows = counts.sum(axis=1)
    context = rows**_CONTEXT_POWER
    expected = rows[pairs.row] * context[pairs.col] / max(context.sum(), 1.0)
    pmi = np.log(pairs.data / expected)
    positive = pmi > 0
    kept = (pmi[positive], (pairs.row[positive], pairs.col[positive]))
    return sparse.coo_array(kept, shape=counts.shape).tocsr()


def _factors(matrix: sparse.csr_array, rank: int) -> np.ndarray:
    with threadpool_limits(1):  # several threads would sum in another order
        left, strength, _ = randomized_svd(matrix, rank, random_state=0)
    factors: np.ndarray = left * np.sqrt(strength)
    return factors


def rotary_turns(length: int, dim: int) -> Tensor:
    """Cosine and sine of the angle of each position and pair of channels: (2, T, dim / 2).

    The angle grows with the position, and more slowly from pair to pair.
    """
    speed = 10_000.0 ** (-torch.arange(0, dim, 2) / dim)  # (dim / 2,)
    angles = torch.arange(length)[:, None] * speed
    return torch.stack([angles.cos(), angles.sin()])


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """Turn each pair of channels by its angle: (..., T, dim), (2, T, dim / 2) → (..., T, dim).

    The dot product of two turned vectors depends on how far apart they are, not on where they are
    (Su et al. 2021, RoFormer). Learned absolute positions let the length of a sequence be read off its
    vector (R² of log-length .75 instead of .2) and helped nothing else.
    """
    left, right = x.chunk(2, dim=-1)
    cos, sin = turns.to(x.dtype)
    return torch.cat([left * cos - right * sin, left * sin + right * cos], dim=-1)


class Attention(nn.Module):
    """Multi-head self-attention over relative positions that never looks at padding."""

    def __init__(self, settings: TrainSettings) -> None:
        super().__init__()
        self.heads = settings.heads
        self.to_qkv = nn.Linear(settings.hidden_dim, 3 * settings.hidden_dim)
        self.to_out = nn.Linear(settings.hidden_dim, settings.hidden_dim)

    def forward(self, x: Tensor, mask: Tensor, turns: Tensor) -> Tensor:
        """Attend to all page views of a sequence: (B, T, D), (B, T), (2, T, D/H/2) → (B, T, D)."""
        batch, length, dim = x.shape
        qkv = self.to_qkv(x).view(batch, length, 3, self.heads, dim // self.heads)  # (B, T, 3, H, D/H)
        parts = qkv.permute(2, 0, 3, 1, 4)  # (3, B, H, T, D/H)
        query, key = rotate(parts[:2], turns)
        attended = F.scaled_dot_product_attention(
            query, key, parts[2], attn_mask=mask[:, None, None, :]
        )  # (B, H, T, D/H)
        merged: Tensor = self.to_out(attended.transpose(1, 2).reshape(batch, length, dim))  # (B, T, D)
        return merged


class _TransformerBlock(nn.Module):
    """Pre-LN transformer layer (Xiong et al. 2020): it trains without a long warm-up.

    No dropout: random slices and page dropout regularise enough, it cost a third of the time, and every
    score was better without.
    """

    def __init__(self, settings: TrainSettings) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(settings.hidden_dim)
        self.attention = Attention(settings)
        self.norm_forward = nn.LayerNorm(settings.hidden_dim)
        self.forward_in = nn.Linear(settings.hidden_dim, settings.feedforward_dim)
        self.forward_out = nn.Linear(settings.feedforward_dim, settings.hidden_dim)

    def forward(self, x: Tensor, mask: Tensor, turns: Tensor) -> Tensor:
        """Apply attention and feed-forward layer: (B, T, D), (B, T), (2, T, D/H/2) → (B, T, D)."""
        attended = x + self.attention(self.norm_attention(x), mask, turns)
        inner = F.gelu(self.forward_in(self.norm_forward(attended)))  # (B, T, feedforward_dim)
        out: Tensor = attended + self.forward_out(inner)
        return out


@dataclass(frozen=True, eq=False)
class Tokens:
    """The parts of each token before they are summed, each (B, T, D)."""

    items: Tensor
    transitions: Tensor
    tempo: Tensor


class _Pooling(nn.Module):
    """One vector a sequence: attention per head, mean, and the means of the raw parts of the tokens.

    The raw means skip the encoder. They keep *which* pages were seen (which finds a user again), *which
    steps* were taken and *how fast*, from the first training step on: without the last two the order of
    pages stays nearly invisible at these training lengths (AUC of order twins .58 instead of .82).
    """

    def __init__(self, settings: TrainSettings) -> None:
        super().__init__()
        self.heads = settings.heads
        self.score = nn.Linear(settings.hidden_dim, settings.heads)
        self.norm_items = nn.LayerNorm(settings.hidden_dim)
        self.norm_transitions = nn.LayerNorm(settings.hidden_dim)
        self.norm_tempo = nn.LayerNorm(settings.hidden_dim)
        self.project = nn.Linear(5 * settings.hidden_dim, settings.embedding_dim)

    def forward(self, encoded: Tensor, tokens: Tokens, mask: Tensor, starts: Tensor) -> Tensor:
        """Pool into unit vectors: (B, T, D), three times (B, T, D), (B, T), (B, T) → (B, E).

        ``starts`` are 1 where a later session begins.
        """
        # the first view has no step and no gap: with it, 1 / length could be read off these means
        follows = mask[:, 1:]  # (B, T-1)
        within = follows & (starts[:, 1:] == 0)  # from one session's end to the next one's start is no step
        parts = [
            self.attend(encoded, mask),
            masked_mean(encoded, mask),
            self.norm_items(masked_mean(tokens.items, mask)),
            self.norm_transitions(masked_mean(tokens.transitions[:, 1:], within)),
            self.norm_tempo(masked_mean(tokens.tempo[:, 1:], follows)),
        ]  # each (B, D)
        return F.normalize(self.project(torch.cat(parts, dim=1)), dim=1)

    def attend(self, encoded: Tensor, mask: Tensor) -> Tensor:
        """Weighted mean, with separate weights for each head: (B, T, D), (B, T) → (B, D)."""
        count, length, dim = encoded.shape
        scores = self.score(encoded).masked_fill(~mask[:, :, None], float("-inf"))  # (B, T, H)
        values = encoded.view(count, length, self.heads, dim // self.heads)  # (B, T, H, D/H)
        attended = torch.einsum(
            "bth,bthd->bhd", scores.softmax(dim=1).to(values.dtype), values
        )  # (B, H, D/H)
        return attended.reshape(count, dim)  # (B, D)


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean where the mask is true, 0 where it never is: (B, T, D), (B, T) → (B, D)."""
    shares = mask / mask.sum(dim=1).clamp_min(1)[:, None]  # (B, T)
    return torch.bmm(shares[:, None].to(x.dtype), x).squeeze(1)  # a product keeps no (B, T, D) for later


class UserBehaviorTransformer(nn.Module):
    """Encode the tokens of page views, and pool them into a vector a sequence.

    A token is the sum of its item, the step that led to it, the time since the view before, and whether
    a session starts. Its place in the sequence is seen by the attention only.

    Args:
        settings: The dimensions, ``layers``, ``heads`` and ``max_length`` are used.
        n_items: Number of token ids.
        n_transitions: Number of transition ids.
    """

    turns: Tensor

    def __init__(self, settings: TrainSettings, n_items: int, n_transitions: int) -> None:
        super().__init__()
        dim = settings.hidden_dim
        self.item = _table(n_items, dim, PADDING)
        self.transition = _table(n_transitions, dim, FIRST_VIEW)
        self.gap = _table(N_GAPS, dim, NO_GAP)
        self.session_start = _table(2, dim, 0)
        turns = rotary_turns(settings.max_length, dim // settings.heads)
        self.register_buffer("turns", turns, persistent=False)
        self.blocks = nn.ModuleList(_TransformerBlock(settings) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(dim)
        self.pooling = _Pooling(settings)

    def forward(self, batch: PaddedBatch) -> Tensor:
        """Embed each sequence as a vector of length 1: (B, E)."""
        tokens = Tokens(
            items=self.item(batch.items),
            transitions=self.transition(batch.transitions),
            tempo=self.gap(batch.gaps) + self.session_start(batch.session_starts),
        )  # each (B, T, D)
        turns = self.turns[:, : batch.items.shape[1]]
        x = tokens.items + tokens.transitions + tokens.tempo
        for block in self.blocks:
            x = block(x, batch.mask, turns)
        pooled: Tensor = self.pooling(self.norm(x), tokens, batch.mask, batch.session_starts)
        return pooled


def _table(count: int, dim: int, nothing: int) -> nn.Embedding:
    """A table of small random vectors, 0 for the id that means "nothing here"."""
    table = nn.Embedding(count, dim, padding_idx=nothing)
    with torch.no_grad():
        table.weight.mul_(START_STD)
    return table
