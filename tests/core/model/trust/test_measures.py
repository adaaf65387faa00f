"""Each question on arrays that can be checked by eye."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from core.model.inputs import Spans
from core.model.trust import measure
from core.model.trust.case import draw_users, shuffle_runs
from core.model.trust.measure import ngrams, reciprocal_ranks
from core.model.trust.result import Method


def test_ranks_by_hand_with_a_tie_and_a_stranger_among_the_candidates() -> None:
    query = np.eye(2, dtype=np.float32)
    answer = np.array([[1, 0], [0.6, 0.8], [0, 1], [0.6, 0.8]], dtype=np.float32)
    first, second = reciprocal_ranks(query, answer)
    assert first == 1.0
    assert second == 1 / 2.5  # one is nearer, and one is as near as the own answer


@given(st.integers(0, 999), st.integers(1, 12), st.integers(0, 8))
def test_ranks_are_those_of_a_sorted_list(seed: int, n: int, strangers: int) -> None:
    rng = np.random.default_rng(seed)
    query, answer = (np.eye(4)[rng.integers(0, 4, size)] for size in (n, n + strangers))  # many ties
    found = reciprocal_ranks(query, answer)
    for user in range(n):
        ranks = rankdata(-(answer @ query[user]))  # ties at their mean rank
        assert np.isclose(found[user], 1 / ranks[user])


def test_shuffling_keeps_the_pages_of_each_run_and_touches_nothing_else() -> None:
    page = np.arange(100)
    runs = Spans(np.array([10, 50]), np.array([20, 30]))
    mixed = shuffle_runs(page, runs, seed=0)
    assert sorted(mixed[10:30]) == list(range(10, 30))
    assert sorted(mixed[50:80]) == list(range(50, 80))
    assert not np.array_equal(mixed[10:30], page[10:30])
    outside = np.r_[0:10, 30:50, 80:100]
    assert np.array_equal(mixed[outside], page[outside])


def test_a_vector_that_is_length_is_read_and_one_that_is_not_is_not() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 50, 600)
    told = np.stack([np.log(lengths), np.ones(600)], axis=1)
    judged = np.arange(600) % 3 == 0
    found = measure.measure_length(
        {Method.LEARNED: told, Method.BAG: rng.normal(size=(600, 2))}, lengths, judged
    )
    learned, noise = found.of(Method.LEARNED), found.of(Method.BAG)
    assert learned is not None
    assert noise is not None
    assert learned.low > 0.99
    assert noise.high < 0.1
    assert found.n == 200


def test_nothing_held_out_judges_on_a_third() -> None:
    lengths = np.random.default_rng(0).integers(1, 50, 600)
    found = measure.measure_length({Method.LEARNED: lengths[:, None] % 2}, lengths, np.zeros(600, dtype=bool))
    assert (found.n, found.facts["learned on"]) == (200, 400)


def test_few_users_or_equal_lengths_are_not_measured() -> None:
    vectors = {Method.LEARNED: np.eye(400, 3)}
    few = measure.measure_length(
        {Method.LEARNED: vectors[Method.LEARNED][:20]}, np.ones(20), np.ones(20, bool)
    )
    assert "20 users are too few" in few.absent
    same = measure.measure_length(vectors, np.full(400, 3), np.arange(400) < 100)
    assert "the same number of page views" in same.absent


def test_a_sample_is_ascending_the_same_again_and_all_of_few() -> None:
    users = np.arange(100)
    chosen = draw_users(users, 10, seed=0)
    assert len(set(chosen.tolist())) == 10
    assert (np.diff(chosen) > 0).all()
    assert np.array_equal(chosen, draw_users(users, 10, seed=0))
    assert np.array_equal(draw_users(users, 100, seed=0), users)


def test_pages_and_pairs_are_counted_and_what_only_others_show_is_not() -> None:
    items = np.array([7, 8, 7, 7, 8, 9, 9, 9, 9])
    runs = Spans(np.array([0, 3, 6]), np.array([3, 3, 3]))
    found = ngrams(items, runs, np.array([True, True, False])).toarray()
    assert found.shape == (3, 6)  # 7, 8, 9, and 7→8, 8→7, 8→9; nobody who teaches goes from 9 to 9
    assert np.allclose(np.linalg.norm(found, axis=1), 1.0)
    assert (found[2] > 0).sum() == 1  # 9 alone
    assert not np.allclose(found[0], found[1])
