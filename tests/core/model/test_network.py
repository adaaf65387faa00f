from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.model.inputs import N_GAPS, PaddedBatch, Spans, padded_batch
from core.model.network import (
    Attention,
    UserBehaviorTransformer,
    masked_mean,
    rotary_turns,
    rotate,
)
from tests.core.model.toys import TINY, streams_of

SEQUENCES = Spans(np.array([0, 3, 4, 9]), np.array([3, 1, 5, 9]))


@pytest.fixture
def network() -> UserBehaviorTransformer:
    torch.manual_seed(0)
    return UserBehaviorTransformer(TINY, n_items=20, n_transitions=5).eval()


def batch_of(spans: Spans) -> PaddedBatch:
    rng = np.random.default_rng(0)
    return padded_batch(
        streams_of(rng.integers(2, 20, 18).tolist(), rng.integers(1, N_GAPS, 18).tolist()), spans
    )


def test_vectors_have_length_one(network: UserBehaviorTransformer) -> None:
    vectors = network(batch_of(SEQUENCES))
    assert vectors.shape == (4, TINY.embedding_dim)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(4))


def test_what_lies_in_the_padding_does_not_matter(network: UserBehaviorTransformer) -> None:
    batch = batch_of(SEQUENCES)
    junk = torch.where(batch.mask, batch.items, 7)
    dirty = replace(
        batch,
        items=junk,
        gaps=torch.where(batch.mask, batch.gaps, 5),
        transitions=torch.where(batch.mask, batch.transitions, 2),
        session_starts=torch.where(batch.mask, batch.session_starts, 1),
    )
    torch.testing.assert_close(network(dirty), network(batch), atol=1e-6, rtol=0)


def test_who_else_is_in_the_batch_does_not_matter(network: UserBehaviorTransformer) -> None:
    together = network(batch_of(SEQUENCES))
    for row in range(len(SEQUENCES)):
        alone = network(batch_of(SEQUENCES[row : row + 1]))
        torch.testing.assert_close(alone[0], together[row], atol=1e-5, rtol=0)


def test_a_step_into_a_new_session_stays_out_of_the_mean_of_steps(network: UserBehaviorTransformer) -> None:
    pooled: list[torch.Tensor] = []
    network.pooling.norm_transitions.register_forward_pre_hook(lambda _, given: pooled.append(given[0]))
    batch = batch_of(SEQUENCES[3:])
    steps = torch.tensor([[0, 1, 2, 3, 4, 1, 1, 1, 1]])
    border = torch.zeros_like(steps)
    border[0, 3] = 1  # the third step leads into a session
    network(replace(batch, transitions=steps, session_starts=border))
    table = network.transition.weight
    torch.testing.assert_close(pooled[0][0], table[[1, 2, 4, 1, 1, 1, 1]].mean(dim=0))


def test_gradients_never_reach_padding(network: UserBehaviorTransformer) -> None:
    network(batch_of(SEQUENCES)).sum().backward()
    for table in (network.item, network.transition, network.gap, network.session_start):
        assert table.weight.grad is not None
        assert (table.weight.grad[0] == 0).all()


@pytest.mark.parametrize("part", ["items", "transitions", "gaps", "session_starts"])
def test_each_part_of_a_token_counts(network: UserBehaviorTransformer, part: str) -> None:
    batch = batch_of(SEQUENCES[3:])
    changed = getattr(batch, part).clone()
    changed[0, 4] = 1 if changed[0, 4] != 1 else 2
    changed[0, 4] = min(int(changed[0, 4]), 1) if part == "session_starts" else changed[0, 4]
    other = network(replace(batch, **{part: changed}))
    assert (other - network(batch)).abs().max() > 1e-4


def test_order_counts_even_without_steps_and_tempo(network: UserBehaviorTransformer) -> None:
    streams = streams_of([2, 3, 4, 4, 3, 2], gaps=[3] * 6)
    there, back = network(padded_batch(streams, Spans(np.array([0, 3]), np.array([3, 3]))))
    assert (there - back).abs().max() > 1e-5


def test_attention_equals_a_loop_over_pairs() -> None:
    """Reference: softmax(q k / sqrt(d)) over the real views, one head and one pair at a time."""
    torch.manual_seed(0)
    attention = Attention(TINY)
    x, mask = torch.randn(2, 3, 16), torch.tensor([[True, True, True], [True, True, False]])
    turns = rotary_turns(3, 8)
    query, key, value = attention.to_qkv(x).split(16, dim=2)
    merged = torch.zeros(2, 3, 16)
    for row in range(2):
        n = int(mask[row].sum())
        for head in (slice(0, 8), slice(8, 16)):
            turned = [rotate(part[row, :n, head], turns[:, :n]) for part in (query, key)]
            weights = (turned[0] @ turned[1].T / 8**0.5).softmax(dim=1)
            merged[row, :n, head] = weights @ value[row, :n, head]
    expected = attention.to_out(merged)
    torch.testing.assert_close(attention(x, mask, turns)[mask], expected[mask], atol=1e-5, rtol=1e-4)


def test_rotation_sees_distances_not_places() -> None:
    turns = rotary_turns(10, 8)
    query, key = torch.randn(1, 8), torch.randn(1, 8)

    def dot(at: int, other: int) -> float:
        return float((rotate(query, turns[:, at, None]) * rotate(key, turns[:, other, None])).sum())

    assert dot(1, 3) == pytest.approx(dot(6, 8), abs=1e-5)
    assert dot(1, 3) != pytest.approx(dot(1, 4), abs=1e-3)
    torch.testing.assert_close(rotate(query, turns[:, 5, None]).norm(), query.norm())


def test_masked_mean_ignores_the_rest() -> None:
    x = torch.tensor([[[1.0], [3.0], [100.0]], [[5.0], [0.0], [0.0]]])
    mask = torch.tensor([[True, True, False], [False, False, False]])
    assert masked_mean(x, mask).tolist() == [[2.0], [0.0]]
