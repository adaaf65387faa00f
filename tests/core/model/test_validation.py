from __future__ import annotations

import numpy as np
import pytest

from core.model.validation import mean_reciprocal_rank, retrieval_pairs
from tests.core.model.toys import shop


def reference_mrr(query: np.ndarray, answer: np.ndarray) -> float:
    """One query at a time, by sorting."""
    total = 0.0
    for row, own in zip(query, answer, strict=True):
        scores = np.round(answer @ row, 5)
        mine = np.round(own @ row, 5)
        places = np.flatnonzero(np.sort(scores)[::-1] == mine) + 1
        total += 1 / places.mean()
    return total / len(query)


def test_a_perfect_match_is_one() -> None:
    assert mean_reciprocal_rank(np.eye(4), np.eye(4)) == 1.0


def test_when_all_are_equal_the_rank_is_the_middle() -> None:
    same = np.tile([1.0, 0.0], (9, 1))
    assert mean_reciprocal_rank(same, same) == pytest.approx(1 / 5)


def test_equals_a_loop_over_queries() -> None:
    rng = np.random.default_rng(0)
    query, answer = np.round(rng.normal(size=(2, 30, 3)), 1)
    assert mean_reciprocal_rank(query, answer) == pytest.approx(reference_mrr(query, answer))


def test_pairs_are_disjoint_parts_of_held_out_users_and_the_same_every_time() -> None:
    sequences = shop(200, shortest=4, longest=20)
    held_out = np.arange(200) % 2 == 0
    pairs = retrieval_pairs(sequences, held_out, max_length=5)
    again = retrieval_pairs(sequences, held_out, max_length=5)
    assert pairs is not None
    assert again is not None
    query, answer = pairs
    owner = sequences.user[query.begin]
    assert (owner == sequences.user[answer.begin + answer.length - 1]).all()
    assert held_out[owner].all()
    assert (sequences.lengths[owner] >= 6).all()
    assert (query.begin + query.length <= answer.begin).all()
    assert max(query.length.max(), answer.length.max()) <= 5
    assert min(query.length.min(), answer.length.min()) >= 2
    np.testing.assert_array_equal(query.begin, again[0].begin)


def test_too_few_held_out_users_give_no_figure() -> None:
    sequences = shop(60, shortest=6)
    assert retrieval_pairs(sequences, np.arange(60) < 49, 64) is None
