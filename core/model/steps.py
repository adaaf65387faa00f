"""One training step: slices of a batch of users in, a loss out.

Letters: B users, 2B slices (anchors, then positives), E embedding_dim.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from core.model.devices import fast_arithmetic
from core.model.inputs import PaddedBatch, Spans, TokenStreams, padded_batch
from core.model.network import UserBehaviorTransformer
from core.model.triplets import bag_signature, length_leak, triplet_loss
from core.model.vocabulary import PADDING
from core.schema import View
from core.settings import TrainSettings

LEAK_WEIGHT: Final = 3.0
"""Takes R² of log-length from .79 to .2; retrieval and ARI do not change up to three times as much."""
CPU_CHUNKS: Final = 8
"""A batch is encoded in this many parts of similar lengths: a few long users do not pad all the others."""


@dataclass(frozen=True, eq=False)
class ViewSource:
    """What one view trains from.

    Args:
        streams: Tokens of every page view.
        coarse: int64 of shape (n_items,), the id an item has when only its directory is known.
        signatures: int64 of shape (n_items,), a random number an item, 0 for padding.
    """

    streams: TokenStreams
    coarse: Tensor
    signatures: Tensor

    @classmethod
    def of(cls, streams: TokenStreams, coarse: np.ndarray, device: torch.device) -> ViewSource:
        """Put the tables of a view on a device."""
        numbers = np.random.default_rng(0).integers(-(2**62), 2**62, len(coarse))
        numbers[PADDING] = 0
        tables = (torch.from_numpy(table.astype(np.int64)).to(device) for table in (coarse, numbers))
        return cls(streams, *tables)


def step_loss(
    network: UserBehaviorTransformer,
    sources: Mapping[View, ViewSource],
    anchor: Spans,
    positive: Spans,
    settings: TrainSettings,
    generator: torch.Generator,
) -> Tensor:
    """Sum over the views of triplet margin loss and length leak.

    Args:
        network: The network in training.
        sources: The data of each present view.
        anchor: A slice of each user.
        positive: Another, disjoint slice of each user.
        settings: Margin and page dropout.
        generator: Source of random negatives and dropped pages, on the network's device.
    """
    count = len(anchor)
    slices = Spans(
        np.concatenate([anchor.begin, positive.begin]), np.concatenate([anchor.length, positive.length])
    )
    log_lengths = torch.from_numpy(np.log(slices.length)).float().to(generator.device)
    losses = []
    for view, source in sources.items():
        vectors, bags = _encode(network, view, source, slices, settings.page_dropout, generator)
        triplets = triplet_loss(
            vectors[:count], vectors[count:], bags[:count], bags[count:], settings.margin, generator
        )
        losses.append(triplets + LEAK_WEIGHT * length_leak(vectors, log_lengths))
    return torch.stack(losses).sum()


def _encode(
    network: UserBehaviorTransformer,
    view: View,
    source: ViewSource,
    slices: Spans,
    page_dropout: float,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Vectors (2B, E) and bag signatures (2B,) of slices, encoded in parts of similar length."""
    device = generator.device
    order = np.argsort(slices.length, kind="stable")
    vectors, bags = [], []
    for part in np.array_split(order, CPU_CHUNKS if device.type == "cpu" else 1):
        batch = padded_batch(source.streams, slices[part]).to(device)
        bags.append(bag_signature(batch, source.signatures))
        with fast_arithmetic(device):
            vectors.append(network.encoder(view)(drop_pages(batch, source.coarse, page_dropout, generator)))
    back = torch.from_numpy(np.argsort(order, kind="stable")).to(device)
    return torch.cat(vectors).float()[back], torch.cat(bags)[back]


def drop_pages(batch: PaddedBatch, coarse: Tensor, share: float, generator: torch.Generator) -> PaddedBatch:
    """Replace a random share of the items by their coarse ids, as if the pages were new to the model."""
    dropped = torch.rand(batch.items.shape, generator=generator, device=batch.items.device) < share
    return replace(batch, items=torch.where(dropped, coarse[batch.items], batch.items))
