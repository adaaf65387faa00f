"""What a slice must tell of the same user's other slice, besides being near it.

These side losses give a direction to vectors that the triplets only pull and push. Letters: B slices,
T views of the longest, E embedding_dim, V classes of a target.
"""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.model.inputs import N_GAPS, PaddedBatch
from core.model.network import ViewConfig


def mean_log_likelihood(log_probability: Tensor, targets: Tensor, counts: Tensor) -> Tensor:
    """Mean over the counted targets of each sequence: (B, V), (B, T), (B, T) → (B,)."""
    picked = log_probability.gather(1, targets)
    return (picked * counts).sum(dim=1) / counts.sum(dim=1).clamp_min(1)


class SideHeads(nn.Module):
    def __init__(self, config: ViewConfig) -> None:
        super().__init__()
        self.item = nn.Linear(config.embedding_dim, config.n_items)
        self.transition = nn.Linear(config.embedding_dim, max(config.n_transitions, 1))
        self.gap = nn.Linear(config.embedding_dim, N_GAPS)

    def forward(self, vectors: Tensor, other: PaddedBatch) -> dict[str, Tensor]:
        counts = other.mask.float()
        follows = counts.clone()
        follows[:, 0] = 0
        def loss(head: nn.Linear, t: Tensor, c: Tensor) -> Tensor:
            has = c.sum(1) > 0
            ll = mean_log_likelihood(head(vectors).log_softmax(1), t, c)
            return -(ll * has).sum() / has.sum().clamp_min(1)
        return {
            "item": loss(self.item, other.items, counts),
            "transition": loss(self.transition, other.transitions, follows),
            "gap": loss(self.gap, other.gaps, follows),
        }
