"""Compute a training step (slices of a batch of users in, gradients out), and plan the steps of a training.

In order: the device and how exact its arithmetic is; how many steps, of how many users, at which learning
rate, and how long that takes; the step itself.

Letters: B users, 2B slices (anchors, then positives), E embedding_dim.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
import torch.utils.deterministic
from torch import Tensor

from core.base.errors import SettingsError
from core.base.settings import Device, TrainSettings
from core.base.workers import Workers
from core.model.inputs import PaddedBatch, Spans, TokenStreams, joined, padded_batch
from core.model.network import UserBehaviorTransformer
from core.model.schedule import Schedule
from core.model.triplets import bag_signature, draw_slices, triplet_loss
from core.model.vocabulary import FIRST_VIEW, PADDING, Vocabulary


def pick_device(device: Device) -> torch.device:
    """The torch device of a setting.

    Raises:
        SettingsError: If a GPU is asked for and there is none.
    """
    there_is_one = torch.cuda.is_available()
    if device is Device.CUDA and not there_is_one:
        raise SettingsError(
            "device = 'cuda' is not possible: no CUDA device is visible to PyTorch",
            allowed="auto, cpu",
            remedy="Choose auto, or install a PyTorch built for the GPU of this machine",
        )
    return torch.device("cuda" if there_is_one and device is not Device.CPU else "cpu")


def fast_arithmetic(device: torch.device) -> AbstractContextManager[object]:
    """Mixed precision on a GPU; plain float32 on a CPU, where bfloat16 was measured to gain nothing."""
    return torch.autocast("cuda", dtype=torch.bfloat16) if device.type == "cuda" else nullcontext()


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Make PyTorch compute the same numbers every time on the same machine, with a separate random state.

    A few GPU kernels have no repeatable form; those are used with a warning. Filling all fresh memory, by
    which PyTorch shows reads of what was never written, is off: it is a twentieth of the time.
    """
    before = torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic  # type checkers do not see its attributes
    filled = memory.fill_uninitialized_memory
    memory.fill_uninitialized_memory = False
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=device.type == "cuda")
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)
        memory.fill_uninitialized_memory = filled


_CPU_PARTS: Final = 8
"""A batch is encoded in this many parts of similar lengths: a few long users do not pad all the others.
Fixed, whatever the number of cores, so that the same numbers are added in the same order."""


@dataclass(frozen=True, eq=False)
class PageTokens:
    """Tokens that the network trains from, and tables by their ids.

    Args:
        streams: Tokens of every page view.
        coarse: int64 of shape (n_items,), the id of each item when only its directory is known.
        items: int64 of shape (n_items,), a random number an item, 0 for padding.
        transitions: int64 of shape (n_transitions,), a random number a step, 0 where there is none.
    """

    streams: TokenStreams
    coarse: Tensor
    items: Tensor
    transitions: Tensor

    @classmethod
    def of(cls, streams: TokenStreams, pages: Vocabulary, device: torch.device) -> PageTokens:
        """Make the tables of a vocabulary on a device."""
        rng = np.random.default_rng(0)
        items, transitions = (
            rng.integers(-(2**62), 2**62, count) for count in (pages.n_items, pages.n_transitions)
        )
        items[PADDING] = transitions[FIRST_VIEW] = 0
        tables = (pages.coarse_ids().astype(np.int64), items, transitions)
        return cls(streams, *(torch.from_numpy(table).to(device) for table in tables))


@dataclass(frozen=True, eq=False)
class _MicroBatch:
    """Slices of similar length that are encoded together, with the seed of their randomness."""

    slices: Spans
    rows: Tensor
    """Positions of these slices among those of the step."""
    seed: int


@dataclass(frozen=True, eq=False)
class TrainingStep:
    """Network, tokens, settings and workers, which all steps of a training share."""

    network: UserBehaviorTransformer
    tokens: PageTokens
    settings: TrainSettings
    device: torch.device
    workers: Workers

    def learn(self, anchor: Spans, positive: Spans, rng: np.random.Generator) -> Tensor:
        """Compute the loss of two disjoint slices of each user, and set the gradients.

        The parts of a batch are encoded, and later differentiated, independently of each other; only
        the loss, which compares all with all, needs every vector (Gao et al. 2021, gradient caching).

        Returns:
            The loss, a scalar, see :func:`core.model.triplets.triplet_loss`.
        """
        slices = joined([anchor, positive])
        seed = int(rng.integers(2**31))
        parts = self._parts(slices, seed)
        encoded = list(self.workers(self._encode, parts))
        vectors = torch.zeros((len(slices), self.settings.embedding_dim), device=self.device)
        bags = torch.zeros(len(slices), dtype=torch.int64, device=self.device)
        for (embedded, signatures), part in zip(encoded, parts, strict=True):
            vectors[part.rows], bags[part.rows] = embedded.detach(), signatures
        vectors.requires_grad_()
        generator = torch.Generator(self.device).manual_seed(seed)
        (anchors, positives), (anchor_bags, positive_bags) = vectors.chunk(2), bags.chunk(2)
        loss = triplet_loss(anchors, positives, anchor_bags, positive_bags, self.settings.margin, generator)
        (gradient,) = torch.autograd.grad(loss, vectors)
        self._backward([(one[0], gradient[part.rows]) for one, part in zip(encoded, parts, strict=True)])
        return loss.detach()

    def _parts(self, slices: Spans, seed: int) -> list[_MicroBatch]:
        """The slices, in parts of similar lengths."""
        count = _CPU_PARTS if self.device.type == "cpu" else 1
        order = np.argsort(slices.length, kind="stable")
        return [
            _MicroBatch(slices[rows], torch.from_numpy(rows).to(self.device), seed + number)
            for number, rows in enumerate(even_parts(order, slices.length, count))
        ]

    def _encode(self, part: _MicroBatch) -> tuple[Tensor, Tensor]:
        """Vectors and bag signatures of a part."""
        batch = padded_batch(self.tokens.streams, part.slices).to(self.device)
        generator = torch.Generator(self.device).manual_seed(part.seed)
        seen = drop_pages(batch, self.tokens.coarse, self.settings.page_dropout, generator)
        with fast_arithmetic(self.device):
            vectors = self.network(seen)
        return vectors.float(), bag_signature(batch, self.tokens.items, self.tokens.transitions)

    def _backward(self, parts: list[tuple[Tensor, Tensor]]) -> None:
        """Set the gradients of the parameters, given vectors and their gradients, part by part."""
        parameters = list(self.network.parameters())

        def differentiate(part: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
            return torch.autograd.grad(part[0], parameters, part[1])

        of_parts = list(self.workers(differentiate, parts))
        for number, parameter in enumerate(parameters):
            gradients = [found[number] for found in of_parts]
            parameter.grad = torch.stack(gradients).sum(dim=0)


def learn_batch(shared: TrainingStep, spans: Spans, schedule: Schedule, step: int) -> Tensor:
    """Set the gradients of a step; everything random in it depends on the seed and the step alone.

    Args:
        shared: Network, tokens and settings of the training.
        spans: All page views of each user that trains.
        schedule: How many users a step.
        step: Its number, from 0.

    Returns:
        The loss.
    """
    rng = np.random.default_rng([shared.settings.seed, step])
    users = _users_of(step, len(spans), schedule, shared.settings.seed)
    return shared.learn(*draw_slices(spans[users], shared.settings.max_length, rng), rng)


def _users_of(step: int, n_users: int, schedule: Schedule, seed: int) -> np.ndarray:
    """Places of the step's users; each epoch goes through all users in a separate random order."""
    epoch, number = divmod(step, schedule.steps_per_epoch)
    order = np.random.default_rng([seed, epoch, n_users]).permutation(n_users)
    return order[number * schedule.batch_size : (number + 1) * schedule.batch_size]


def even_parts(order: np.ndarray, lengths: np.ndarray, count: int) -> list[np.ndarray]:
    """Split ``order``, indices of slices, into at most ``count`` parts with about equally many page views."""
    views = np.cumsum(lengths[order])
    ends = np.searchsorted(views, views[-1] * np.arange(1, count) / count)
    return [part for part in np.split(order, ends) if len(part)]


def drop_pages(batch: PaddedBatch, coarse: Tensor, share: float, generator: torch.Generator) -> PaddedBatch:
    """Replace a random share of the items by their coarse ids, as if the pages were new to the model."""
    dropped = torch.rand(batch.items.shape, generator=generator, device=batch.items.device) < share
    return replace(batch, items=torch.where(dropped, coarse[batch.items], batch.items))
