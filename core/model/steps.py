"""One training step: slices of a batch of users in, gradients out.

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
from core.model.workers import Workers
from core.schema import View
from core.settings import TrainSettings

LEAK_WEIGHT: Final = 3.0
"""Takes R² of log-length from .7 to .1; retrieval and ARI are as without, and suffer from 10 on."""
CPU_PARTS: Final = 8
"""A batch is encoded in this many parts of similar lengths: a few long users do not pad all the others.
Fixed, whatever the number of cores, so that the same numbers are added in the same order."""


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


@dataclass(frozen=True, eq=False)
class Part:
    """Slices of similar length, and all else that encoding them depends on."""

    view: View
    slices: Spans
    seed: int


@dataclass(frozen=True, eq=False)
class Step:
    """What every step of a training shares."""

    network: UserBehaviorTransformer
    sources: Mapping[View, ViewSource]
    settings: TrainSettings
    device: torch.device
    workers: Workers

    def learn(self, anchor: Spans, positive: Spans, rng: np.random.Generator) -> Tensor:
        """Compute the loss of two disjoint slices of each user, and set the gradients.

        The parts of a batch are encoded, and later differentiated, independently of each other; only
        the loss, which compares all with all, needs every vector (Gao et al. 2021, gradient caching).

        Returns:
            The loss, a scalar: the sum over the views of triplet margin loss and length leak.
        """
        slices = Spans(
            np.concatenate([anchor.begin, positive.begin]), np.concatenate([anchor.length, positive.length])
        )
        order = np.argsort(slices.length, kind="stable")
        total = torch.zeros((), device=self.device)
        for view in self.sources:
            total += self._learn_view(view, slices, order, rng)
        return total

    def _learn_view(self, view: View, slices: Spans, order: np.ndarray, rng: np.random.Generator) -> Tensor:
        seed = int(rng.integers(2**31))
        places = even_parts(order, slices.length, CPU_PARTS if self.device.type == "cpu" else 1)
        parts = [Part(view, slices[place], seed + number) for number, place in enumerate(places)]
        encoded = list(self.workers(self._encode, parts))
        back = torch.from_numpy(np.argsort(order, kind="stable")).to(self.device)
        vectors = torch.cat([part.detach() for part, _ in encoded])[back].requires_grad_()  # (2B, E)
        bags = torch.cat([part for _, part in encoded])[back]  # (2B,)
        log_lengths = torch.from_numpy(np.log(slices.length)).float().to(self.device)
        generator = torch.Generator(self.device).manual_seed(seed)
        loss = slices_loss(vectors, bags, log_lengths, self.settings.margin, generator)
        (gradient,) = torch.autograd.grad(loss, vectors)
        self._backward(view, [part for part, _ in encoded], gradient[torch.from_numpy(order)])
        return loss.detach()

    def _encode(self, part: Part) -> tuple[Tensor, Tensor]:
        """Vectors and bag signatures of a part."""
        source = self.sources[part.view]
        batch = padded_batch(source.streams, part.slices).to(self.device)
        generator = torch.Generator(self.device).manual_seed(part.seed)
        seen = drop_pages(batch, source.coarse, self.settings.page_dropout, generator)
        with fast_arithmetic(self.device):
            vectors = self.network.encoder(part.view)(seen)
        return vectors.float(), bag_signature(batch, source.signatures)

    def _backward(self, view: View, vectors: list[Tensor], gradient: Tensor) -> None:
        """Set the gradients of a view's parameters, given those of its vectors, part by part."""
        parameters = list(self.network.encoder(view).parameters())

        def differentiate(part: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
            return torch.autograd.grad(part[0], parameters, part[1])

        pieces = torch.split(gradient, [len(part) for part in vectors])
        of_parts = list(self.workers(differentiate, zip(vectors, pieces, strict=True)))
        for parameter, gradients in zip(parameters, zip(*of_parts, strict=True), strict=True):
            parameter.grad = torch.stack(gradients).sum(dim=0)


def even_parts(order: np.ndarray, lengths: np.ndarray, count: int) -> list[np.ndarray]:
    """Split an order of slices into at most ``count`` parts with about equally many page views."""
    views = np.cumsum(lengths[order])
    ends = np.searchsorted(views, views[-1] * np.arange(1, count) / count)
    return [part for part in np.split(order, ends) if len(part)]


def slices_loss(
    vectors: Tensor, bags: Tensor, log_lengths: Tensor, margin: float, generator: torch.Generator
) -> Tensor:
    """Triplet margin loss of the users, and how far the length can be read off their slices.

    Args:
        vectors: (2B, E) unit vectors, the anchors and then the positives of the same users.
        bags: (2B,) signatures of the slices' items.
        log_lengths: (2B,) of the slices.
        margin: Of the triplets.
        generator: Source of random negatives.
    """
    count = len(vectors) // 2
    triplets = triplet_loss(vectors[:count], vectors[count:], bags[:count], bags[count:], margin, generator)
    return triplets + LEAK_WEIGHT * length_leak(vectors, log_lengths)


def drop_pages(batch: PaddedBatch, coarse: Tensor, share: float, generator: torch.Generator) -> PaddedBatch:
    """Replace a random share of the items by their coarse ids, as if the pages were new to the model."""
    dropped = torch.rand(batch.items.shape, generator=generator, device=batch.items.device) < share
    return replace(batch, items=torch.where(dropped, coarse[batch.items], batch.items))
