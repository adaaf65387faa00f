from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.model.inputs import Spans, padded_batch
from core.model.triplets import (
    bag_signature,
    distances,
    draw_slices,
    random_cut,
    semi_hard_negatives,
    triplet_loss,
    triplet_margin,
)
from tests.core.model.toys import streams_of


def unit(rows: int, columns: int, seed: int = 0) -> torch.Tensor:
    made = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(made, dim=1)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


lengths = st.lists(st.integers(2, 200), min_size=1, max_size=40)


def spans_of(sizes: list[int]) -> Spans:
    ends = np.cumsum(sizes)
    return Spans(ends - sizes, np.array(sizes))


@given(lengths, st.integers(0, 1000))
def test_slices_are_disjoint_parts_of_their_user(sizes: list[int], seed: int) -> None:
    spans = spans_of(sizes)
    anchor, positive = draw_slices(spans, 64, np.random.default_rng(seed))
    for one in (anchor, positive):
        assert (one.begin >= spans.begin).all()
        assert (one.begin + one.length <= spans.begin + spans.length).all()
        assert ((one.length >= 1) & (one.length <= 64)).all()
    apart = (anchor.begin + anchor.length <= positive.begin) | (
        positive.begin + positive.length <= anchor.begin
    )
    assert apart.all()


@given(lengths, st.integers(0, 1000))
def test_cut_leaves_two_views_on_each_side_where_there_are_four(sizes: list[int], seed: int) -> None:
    spans = spans_of(sizes)
    before, after = random_cut(spans, np.random.default_rng(seed))
    assert (before.length + after.length == spans.length).all()
    fewest = np.minimum(2, spans.length // 2)
    assert (before.length >= fewest).all()
    assert (after.length >= fewest).all()


def test_slices_keep_at_least_forty_percent_of_their_side() -> None:
    spans = spans_of([100] * 500)
    anchor, positive = draw_slices(spans, 1000, np.random.default_rng(0))
    assert (anchor.length + positive.length >= 40).all()
    assert (anchor.length + positive.length).max() > 90


@pytest.mark.parametrize("size", [6, 20, 60])
def test_length_of_a_slice_does_not_tell_the_length_of_the_other(size: int) -> None:
    """With halves the correlation over users of all lengths is 1, and a network learns to compare lengths."""
    anchor, positive = draw_slices(spans_of([size] * 4000), 64, np.random.default_rng(0))
    assert np.corrcoef(anchor.length, positive.length)[0, 1] < 0


def test_lengths_of_the_slices_of_mixed_users_correlate_far_from_one() -> None:
    sizes = (4 + np.random.default_rng(1).geometric(0.15, 5000)).tolist()
    anchor, positive = draw_slices(spans_of(sizes), 64, np.random.default_rng(0))
    assert np.corrcoef(np.log(anchor.length), np.log(positive.length))[0, 1] < 0.3


def test_anchor_is_as_often_the_earlier_slice_as_the_later_one() -> None:
    anchor, positive = draw_slices(spans_of([10] * 2000), 64, np.random.default_rng(0))
    assert 0.45 < np.mean(anchor.begin < positive.begin) < 0.55


def test_bag_signature_is_blind_to_order_and_padding_but_not_to_counts() -> None:
    streams = streams_of([2, 3, 3, 3, 2, 3, 2, 3, 3])
    batch = padded_batch(streams, Spans(np.array([0, 3, 6, 1]), np.array([3, 3, 3, 2])))
    numbers = torch.tensor([0, 11, 2**61, 2**60 + 7])
    no_steps = torch.zeros(2, dtype=torch.int64)
    first, second, third, fourth = bag_signature(batch, numbers, no_steps).tolist()
    assert first == third  # 2 3 3 and 2 3 3
    assert first == second  # 3 2 3
    assert first != fourth  # 3 3


def test_bag_signature_knows_the_steps_where_a_view_has_them() -> None:
    streams = replace(streams_of([2, 3, 2, 3]), transitions=np.array([0, 1, 0, 2], np.int32))
    batch = padded_batch(streams, Spans(np.array([0, 2]), np.array([2, 2])))
    one, other = bag_signature(batch, torch.tensor([0, 0, 5, 6]), torch.tensor([0, 11, 12])).tolist()
    assert (one, other) == (22, 23)


def test_distances_are_euclidean() -> None:
    a, b = unit(5, 8), unit(7, 8, seed=1)
    torch.testing.assert_close(distances(a, b), torch.cdist(a, b), atol=1e-5, rtol=1e-4)


def test_semi_hard_negative_is_the_nearest_beyond_the_positive() -> None:
    apart = torch.tensor(
        [[0.5, 0.4, 0.7, 0.6], [0.9, 0.1, 0.2, 0.3], [0.0, 0.0, 1.0, 0.0], [1.0, 2.0, 3.0, 0.5]]
    )
    allowed = ~torch.eye(4, dtype=torch.bool)
    chosen = semi_hard_negatives(apart, allowed, generator())
    assert chosen[[0, 1, 3]].tolist() == [3, 2, 0]
    assert chosen[2] != 2  # nobody is farther: a random one, never the positive itself


@given(st.integers(2, 12), st.integers(0, 100))
def test_a_negative_is_always_an_allowed_one(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    allowed = torch.from_numpy(rng.random((count, count)) < 0.5)
    allowed[:, 0] = True
    chosen = semi_hard_negatives(torch.from_numpy(rng.random((count, count))), allowed, generator())
    assert allowed[torch.arange(count), chosen].all()


def test_triplet_margin_equals_pytorch() -> None:
    anchor, positive, negative = unit(6, 8), unit(6, 8, seed=1), unit(6, 8, seed=2)
    reference = torch.nn.TripletMarginLoss(margin=0.3, reduction="none")(anchor, positive, negative)
    ours = triplet_margin((anchor - positive).norm(dim=1), (anchor - negative).norm(dim=1), 0.3)
    torch.testing.assert_close(ours, reference, atol=1e-5, rtol=1e-4)


def test_triplet_loss_equals_pytorch_with_the_mined_negatives() -> None:
    anchor, positive = unit(6, 8), unit(6, 8, seed=1)
    bags = torch.arange(6)
    loss = triplet_loss(anchor, positive, bags, bags + 10, 0.3, generator())
    allowed = ~torch.eye(6, dtype=torch.bool)
    negative = semi_hard_negatives(torch.cdist(anchor, positive), allowed, generator())
    reference = torch.nn.TripletMarginLoss(margin=0.3)(anchor, positive, positive[negative])
    torch.testing.assert_close(loss, reference, atol=1e-5, rtol=1e-4)


def test_slices_with_the_same_pages_are_no_negatives() -> None:
    anchor, positive = unit(3, 8), unit(3, 8, seed=1)
    same = torch.tensor([5, 5, 5])
    assert triplet_loss(anchor, positive, same, same, 0.3, generator()) == 0


def test_triplet_loss_is_zero_when_every_negative_is_far() -> None:
    vectors = torch.eye(4)
    assert triplet_loss(vectors, vectors, torch.arange(4), torch.arange(4), 0.3, generator()) == 0


def test_triplet_loss_does_not_depend_on_the_order_of_the_users() -> None:
    anchor, positive, bags = unit(8, 4), anchor_near(unit(8, 4)), torch.arange(8)
    order = torch.tensor([3, 1, 0, 2, 7, 6, 5, 4])
    straight = triplet_loss(anchor, positive, bags, bags + 10, 0.3, generator())
    turned = triplet_loss(anchor[order], positive[order], bags[order], bags[order] + 10, 0.3, generator())
    torch.testing.assert_close(straight, turned)


def anchor_near(vectors: torch.Tensor) -> torch.Tensor:
    """Positives so near that a farther negative always exists, and none is drawn at random."""
    return torch.nn.functional.normalize(vectors + 0.01, dim=1)
