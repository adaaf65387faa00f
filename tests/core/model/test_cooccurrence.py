from __future__ import annotations

import numpy as np
import pytest

from core.model.network import START_STD, cooccurrences, item_vectors, positive_pmi

ITEMS, USERS = np.array([2, 3, 2, 4, 4]), np.array([0, 0, 0, 1, 1])


def test_nearer_views_count_more_and_users_do_not_mix() -> None:
    counts = cooccurrences(ITEMS, USERS, 6, 5).toarray()
    assert counts[2, 3] == counts[3, 2] == pytest.approx(2.0)  # twice side by side
    assert counts[2, 2] == pytest.approx(2 * 0.8)  # two apart, from both ends
    assert counts[4, 4] == pytest.approx(2.0)
    assert counts[2, 4] == counts[3, 4] == 0


def test_positive_pmi_equals_the_formula() -> None:
    counts = cooccurrences(ITEMS, USERS, 6, 5)
    dense = counts.toarray()
    rows = dense.sum(axis=1)
    context = rows**0.75 / (rows**0.75).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.maximum(0, np.log(dense / rows[:, None] / context[None, :]))
    np.testing.assert_allclose(positive_pmi(counts).toarray(), np.nan_to_num(expected), atol=1e-12)


def test_pages_seen_together_start_near_each_other() -> None:
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(300), 6)
    items = 2 + rng.integers(0, 8, users.size) + 8 * (users % 2)
    vectors = item_vectors(items, users, 18, 8)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    similarity = unit @ unit.T
    assert similarity[2:10, 2:10].mean() > similarity[2:10, 10:].mean() + 0.3


def test_vectors_are_the_same_every_time_and_padding_is_nothing() -> None:
    vectors = item_vectors(ITEMS, USERS, 6, 4)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, item_vectors(ITEMS, USERS, 6, 4))
    assert (vectors[0] == 0).all()
    assert (np.abs(vectors[1:]).sum(axis=1) > 0).all()
    assert vectors[1:].std() < 3 * START_STD


@pytest.mark.parametrize(("items", "users"), [([2], [0]), ([2, 3], [0, 1])])
def test_nothing_seen_together_still_gives_vectors(items: list[int], users: list[int]) -> None:
    vectors = item_vectors(np.array(items), np.array(users), 4, 16)
    assert vectors.shape == (4, 16)
    assert np.isfinite(vectors).all()
