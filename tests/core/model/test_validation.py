from __future__ import annotations

import numpy as np
import pytest

from core.model.triplets import mean_reciprocal_rank, retrieval_pairs, session_pairs
from tests.core.model.toys import sequences_of, shop


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


def test_session_pairs_cut_between_sessions_with_two_views_on_each_side() -> None:
    names = [f"u{number:03d}" for number in range(60)]
    users = {name: [0, 1, 2, 3, 4, 5, 6] for name in names}
    sessions = {name: [0, 1, 1, 2, 2, 2, 3] for name in names}  # borders after 1, 3 and 6 views
    sequences = sequences_of(users, sessions=sessions)
    held_out = np.arange(60) < 55
    pairs = session_pairs(sequences, held_out, max_length=3)
    assert pairs is not None
    query, answer = pairs
    assert sorted(answer.begin.tolist()) == [7 * user + 3 for user in range(55)]
    assert (query.begin + query.length == answer.begin).all()
    assert set(query.length) == {3}
    assert set(answer.length) == {3}
    assert session_pairs(sequences, held_out & (np.arange(60) < 49), 3) is None
    assert session_pairs(sequences_of(users), held_out, 3) is None


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
