"""UserBehaviorTransformer: one small transformer encoder a view, each with its own embedding.

Views share nothing, so that each stays pure: the theme vector of a user cannot know the pages.

Letters: B sequences, T the longest of them, D hidden_dim, H heads, E embedding_dim.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from core.model.inputs import N_GAPS, PaddedBatch
from core.model.vocabulary import PADDING
from core.schema import View
from core.settings import Settings, TrainSettings


class ViewConfig(Settings):
    """Shape of one view's encoder."""

    n_items: int = Field(ge=2)
    n_transitions: int = Field(ge=0)
    """0: the view has no steps of its own."""
    hidden_dim: int
    layers: int
    heads: int
    feedforward_dim: int
    embedding_dim: int
    dropout: float
    max_length: int

    @classmethod
    def of(cls, settings: TrainSettings, n_items: int, n_transitions: int) -> ViewConfig:
        """The encoder that the settings ask for."""
        names = cls.model_fields.keys() - {"n_items", "n_transitions"}
        shape = {name: getattr(settings, name) for name in names}
        return cls(n_items=n_items, n_transitions=n_transitions, **shape)


class Attention(nn.Module):
    """Multi-head self-attention that never looks at padding."""

    def __init__(self, config: ViewConfig) -> None:
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        self.to_qkv = nn.Linear(config.hidden_dim, 3 * config.hidden_dim)
        self.to_out = nn.Linear(config.hidden_dim, config.hidden_dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, D), (B, T) → (B, T, D)."""
        batch, length, dim = x.shape
        qkv = self.to_qkv(x).view(batch, length, 3, self.heads, dim // self.heads)  # (B, T, 3, H, D/H)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # each (B, H, T, D/H)
        attended = F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask[:, None, None, :], dropout_p=self.dropout if self.training else 0.0
        )  # (B, H, T, D/H)
        merged: Tensor = self.to_out(attended.transpose(1, 2).reshape(batch, length, dim))  # (B, T, D)
        return merged


class Block(nn.Module):
    """Pre-LN transformer layer (Xiong et al. 2020): it trains without a long warm-up."""

    def __init__(self, config: ViewConfig) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(config.hidden_dim)
        self.attention = Attention(config)
        self.norm_forward = nn.LayerNorm(config.hidden_dim)
        self.forward_in = nn.Linear(config.hidden_dim, config.feedforward_dim)
        self.forward_out = nn.Linear(config.feedforward_dim, config.hidden_dim)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, D), (B, T) → (B, T, D)."""
        x = x + self.drop(self.attention(self.norm_attention(x), mask))
        inner = F.gelu(self.forward_in(self.norm_forward(x)))  # (B, T, feedforward_dim)
        return x + self.drop(self.forward_out(inner))


class Pooling(nn.Module):
    """One vector a sequence: attention per head, mean, and the mean of the raw items.

    The last part skips the encoder: it keeps *which* pages were seen, which finds a user again.
    """

    def __init__(self, config: ViewConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.score = nn.Linear(config.hidden_dim, config.heads)
        self.norm_raw = nn.LayerNorm(config.hidden_dim)
        self.project = nn.Linear(3 * config.hidden_dim, config.embedding_dim)

    def forward(self, encoded: Tensor, raw: Tensor, batch: PaddedBatch) -> Tensor:
        """(B, T, D), (B, T, D) → (B, E), of length 1."""
        count, length, dim = encoded.shape
        scores = self.score(encoded).masked_fill(~batch.mask[:, :, None], float("-inf"))  # (B, T, H)
        values = encoded.view(count, length, self.heads, dim // self.heads)  # (B, T, H, D/H)
        attended = torch.einsum("bth,bthd->bhd", scores.softmax(dim=1), values)  # (B, H, D/H)
        parts = [
            attended.reshape(count, dim),  # (B, D)
            masked_mean(encoded, batch),
            self.norm_raw(masked_mean(raw, batch)),
        ]
        return F.normalize(self.project(torch.cat(parts, dim=1)), dim=1)


def masked_mean(x: Tensor, batch: PaddedBatch) -> Tensor:
    """Mean over the page views of each sequence: (B, T, D) → (B, D)."""
    return (x * batch.mask[:, :, None]).sum(dim=1) / batch.lengths[:, None]


class ViewEncoder(nn.Module):
    """Tokens of one view → encoder → one vector a sequence.

    A token is the sum of its item, the step that led to it, the time since the view before, whether a
    session starts, and its place in the sequence.
    """

    def __init__(self, config: ViewConfig) -> None:
        super().__init__()
        dim = config.hidden_dim
        self.item = nn.Embedding(config.n_items, dim, padding_idx=PADDING)
        self.transition = nn.Embedding(config.n_transitions, dim) if config.n_transitions else None
        self.gap = nn.Embedding(N_GAPS, dim)
        self.session_start = nn.Embedding(2, dim)
        self.position = nn.Embedding(config.max_length, dim)
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(dim)
        self.pooling = Pooling(config)

    def forward(self, batch: PaddedBatch) -> Tensor:
        """One vector of length 1 a sequence: (B, E)."""
        raw = self.item(batch.items)  # (B, T, D)
        x = raw + self.gap(batch.gaps) + self.session_start(batch.session_starts)
        if self.transition is not None:
            x = x + self.transition(batch.transitions)
        x = self.drop(x + self.position.weight[: batch.items.shape[1]])
        for block in self.blocks:
            x = block(x, batch.mask)
        pooled: Tensor = self.pooling(self.norm(x), raw, batch)
        return pooled


class UserBehaviorTransformer(nn.Module):
    """One encoder a present view.

    Args:
        views: The shape of each present view.
    """

    def __init__(self, views: Mapping[View, ViewConfig]) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict({view.value: ViewEncoder(config) for view, config in views.items()})

    def encoder(self, view: View) -> ViewEncoder:
        """The encoder of one view."""
        encoder = self.encoders[view.value]
        assert isinstance(encoder, ViewEncoder)  # for the type checker: ModuleDict forgets
        return encoder

    def forward(self, batches: Mapping[View, PaddedBatch]) -> dict[View, Tensor]:
        """One vector of length 1 a sequence and view: (B, E) each."""
        return {view: self.encoder(view)(batch) for view, batch in batches.items()}
