from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.model.feature_blocks import bag, normalised, positions, steps, truncated_svd
from core.model.inputs import Spans

PAGES = np.array([0, 1, 0, 2, 2, 1])
RUNS = Spans(np.array([0, 3]), np.array([3, 3]))  # pages 0 1 0, and 2 2 1


def test_positions_of_two_runs() -> None:
    rows, where, place = positions(Spans(np.array([4, 0]), np.array([2, 1])))
    assert rows.tolist() == [0, 0, 1]
    assert where.tolist() == [4, 5, 0]
    assert place.tolist() == [0, 1, 0]


def test_a_bag_counts_pages_and_steps_count_what_follows_what() -> None:
    assert bag(PAGES, 3, RUNS).toarray().tolist() == [[2, 1, 0], [0, 1, 2]]
    counted = steps(PAGES, 3, RUNS).toarray().reshape(2, 3, 3)
    assert counted[0].tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    assert counted[1].tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 1]]


@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=6), min_size=1, max_size=6))
def test_counts_are_those_of_a_loop_over_users(visits: list[list[int]]) -> None:
    length = np.array([len(visit) for visit in visits])
    runs = Spans(np.cumsum(length) - length, length)
    items = np.concatenate(visits)
    counted, stepped = bag(items, 5, runs).toarray(), steps(items, 5, runs).toarray()
    for row, visit in enumerate(visits):
        pages = Counter(visit)
        pairs = Counter(pairwise(visit))
        assert counted[row].tolist() == [pages[item] for item in range(5)]
        assert stepped[row].tolist() == [pairs[before, after] for before in range(5) for after in range(5)]


def test_few_features_are_not_reduced_and_many_are() -> None:
    assert truncated_svd(bag(PAGES, 3, RUNS), 3).tolist() == np.eye(3).tolist()
    many = bag(np.arange(40), 40, Spans(np.arange(0, 40, 4), np.full(10, 4)))
    assert truncated_svd(many, 5).shape == (40, 5)
    assert np.array_equal(truncated_svd(many, 5), truncated_svd(many, 5))


def test_rows_are_of_length_one_and_nothing_stays_nothing() -> None:
    rows = normalised(np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert rows.tolist() == [[np.float32(0.6), np.float32(0.8)], [0, 0]]
