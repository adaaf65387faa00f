from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.base.workers import sequential, workers
from core.model.inputs import Spans, padded_batch, token_streams
from core.model.network import UserBehaviorTransformer
from core.model.steps import (
    PageTokens,
    TrainingStep,
    drop_pages,
    even_parts,
)
from core.model.triplets import bag_signature, draw_slices, triplet_loss
from core.model.vocabulary import build_vocabulary
from tests.core.model.toys import SHOP_URLS, TINY, shop

CPU = torch.device("cpu")


@pytest.fixture
def step() -> TrainingStep:
    sequences = shop(30)
    vocabulary = build_vocabulary(SHOP_URLS, sequences.page, sequences.offsets[:-1], min_count=1)
    streams = token_streams(sequences, SHOP_URLS, vocabulary)
    torch.manual_seed(0)
    network = UserBehaviorTransformer(TINY, vocabulary.n_items, vocabulary.n_transitions)
    tokens = PageTokens.of(streams, vocabulary, CPU)
    return TrainingStep(network, tokens, TINY.model_copy(update={"page_dropout": 0.0}), CPU, sequential)


def slices() -> tuple[Spans, Spans]:
    sequences = shop(30)
    return draw_slices(Spans(sequences.offsets[:-1], sequences.lengths), 64, np.random.default_rng(0))


def gradients(step: TrainingStep) -> list[torch.Tensor]:
    return [one.grad.clone() for one in step.network.parameters() if one.grad is not None]


def test_parts_give_the_gradients_of_the_whole(step: TrainingStep) -> None:
    anchor, positive = slices()
    loss = step.learn(anchor, positive, np.random.default_rng(7))
    in_parts = gradients(step)

    tokens = step.tokens
    both = Spans(np.append(anchor.begin, positive.begin), np.append(anchor.length, positive.length))
    batch = padded_batch(tokens.streams, both)
    generator = torch.Generator().manual_seed(int(np.random.default_rng(7).integers(2**31)))
    bags = bag_signature(batch, tokens.items, tokens.transitions)
    whole = triplet_loss(*step.network(batch).chunk(2), *bags.chunk(2), TINY.margin, generator)
    step.network.zero_grad()
    whole.backward()
    torch.testing.assert_close(loss, whole.detach(), atol=1e-5, rtol=1e-4)
    assert len(in_parts) == len(list(step.network.parameters()))
    for ours, expected in zip(in_parts, gradients(step), strict=True):
        torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-3)


def test_the_number_of_workers_changes_nothing(step: TrainingStep, monkeypatch: pytest.MonkeyPatch) -> None:
    anchor, positive = slices()
    found = []
    for cores in (1, 4):
        monkeypatch.setattr("core.base.workers.available_cores", lambda cores=cores: cores)
        with workers(CPU) as threads:
            replace(step, workers=threads).learn(anchor, positive, np.random.default_rng(7))
        found.append(gradients(step))
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))


@given(st.lists(st.integers(1, 64), min_size=1, max_size=60), st.integers(1, 8))
def test_even_parts_are_the_whole_order_in_few_pieces(lengths: list[int], count: int) -> None:
    sizes = np.array(lengths)
    order = np.argsort(sizes, kind="stable")
    parts = even_parts(order, sizes, count)
    assert np.concatenate(parts).tolist() == order.tolist()
    assert len(parts) <= count
    assert max(sizes[part].sum() for part in parts) <= sizes.sum() / count + sizes.max()


def test_dropped_pages_are_seen_as_their_directory(step: TrainingStep) -> None:
    coarse, batch = step.tokens.coarse, padded_batch(step.tokens.streams, slices()[0])
    generator = torch.Generator().manual_seed(0)
    all_dropped = drop_pages(batch, coarse, 1.0, generator).items
    assert torch.equal(all_dropped, coarse[batch.items])
    assert torch.equal(all_dropped == 0, ~batch.mask)
    assert torch.equal(drop_pages(batch, coarse, 0.0, generator).items, batch.items)
    some = drop_pages(batch, coarse, 0.5, generator).items != batch.items
    assert 0.3 < some[batch.mask].float().mean() < 0.7
