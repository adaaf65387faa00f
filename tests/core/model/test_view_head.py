from __future__ import annotations

import numpy as np
import pytest
import torch

from core.base.schema import View
from core.model.feature_blocks import FeatureBlock, ViewHead, head_tensors, read_heads
from core.model.inputs import Spans
from tests.core.model.toys import streams_of

STREAMS, RUNS = streams_of([2, 3, 2, 2]), Spans(np.array([0, 2, 3]), np.array([2, 1, 1]))
EMBEDDED = np.array([[1, 0], [0, 1], [0, 1]], np.float32)
HEAD = ViewHead(
    {
        FeatureBlock.PAGES: np.array([[0, 0], [0, 0], [1, 0], [0, 1]], np.float32),
        FeatureBlock.NETWORK: np.array([[2, 0], [0, 2]], np.float32),
    },
    np.array([0.5, 0.5], np.float32),
)


def test_blocks_times_their_matrices_are_added_up() -> None:
    # halves of pages 2 and 3 and (2, 0) of the network, less a half each; then page 2 alone and (0, 2)
    expected = np.array([[2.0, 0.0], [0.5, 1.5], [0.5, 1.5]])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = HEAD.vectors(EMBEDDED, STREAMS, RUNS)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_array_equal(found[1], found[2])


def test_without_blocks_all_users_are_alike() -> None:
    alike = ViewHead({}, -np.ones(1, np.float32)).vectors(EMBEDDED, STREAMS, RUNS)
    np.testing.assert_array_equal(alike, np.ones((3, 1)))


def test_a_trait_that_is_removed_varies_with_nothing() -> None:
    rng = np.random.default_rng(0)
    trait = rng.normal(size=500)
    vectors = (rng.normal(size=(500, 3)) + trait[:, None] * np.array([1.0, -2.0, 0.0])).astype(np.float32)
    plain = ViewHead({FeatureBlock.NETWORK: np.eye(3, dtype=np.float32)}, np.zeros(3, np.float32))
    projection = plain.without(trait, vectors, 1.0).projections[FeatureBlock.NETWORK]
    correlations = np.corrcoef(trait, (vectors @ projection).T)[0, 1:]
    assert np.abs(correlations).max() < 1e-5
    assert np.linalg.matrix_rank(projection, tol=1e-4) == 2  # and no other direction goes
    alike = plain.without(trait, np.ones((500, 3), np.float32), 1.0)
    assert alike is plain


def test_what_is_saved_is_what_is_read() -> None:
    read = read_heads(head_tensors({View.URL: HEAD}))
    np.testing.assert_array_equal(
        read[View.URL].vectors(EMBEDDED, STREAMS, RUNS), HEAD.vectors(EMBEDDED, STREAMS, RUNS)
    )


@pytest.mark.parametrize(
    ("name", "tensor", "said"),
    [
        ("else.bias", torch.zeros(2), "else"),
        ("plain", torch.zeros(2), "plain"),
        ("url.nothing", torch.zeros((2, 2)), "nothing"),
        ("url.bias", torch.tensor(1.0), r"url\.bias is missing, or no row of numbers"),
        ("url.bias", torch.zeros((2, 1)), r"url\.bias is missing, or no row of numbers"),
        ("theme.shares", torch.zeros((2, 2)), r"theme\.bias is missing"),
        ("url.pages", torch.zeros((4, 3)), r"url\.pages has the shape \(4, 3\) beside a bias of 2"),
        ("url.pages", torch.zeros((4, 2), dtype=torch.bfloat16), r"url\.pages is torch\.bfloat16"),
    ],
)
def test_parts_that_do_not_fit_are_named(name: str, tensor: torch.Tensor, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_heads(head_tensors({View.URL: HEAD}) | {name: tensor})
