"""Soft membership, checked by eye on a line."""

import numpy as np
import pytest

from core.base.schema import OUTSIDE, SET_ASIDE
from core.base.settings import ClusterSettings
from core.segments.membership import memberships
from core.segments.partition import Partition

LINE = np.array([[0.0], [1], [2], [3], [4], [9]], dtype=np.float32)


def on_a_line(labels: list[int]) -> Partition:
    """Middles at 0, 4 and 10, whose segments are 0, 1 and 5."""
    return Partition(
        labels=np.array(labels, dtype=np.int32), centroids=np.array([[0], [4], [10]], dtype=np.float32),
        ids=np.array([0, 1, 5], dtype=np.int32), inertia=0, n_iter=1, warm=False, settings=ClusterSettings(),
    )  # fmt: skip


def test_of_two_middles_the_nearer_counts_more_by_one_over_squared_distance() -> None:
    made = on_a_line([0, 0, 0, 1, 1, 5])
    found = memberships(LINE, made.labels, made)
    assert found.distance.tolist() == [0, 1, 2, 1, 0, 1]
    assert found.next_segment.tolist() == [1, 1, 1, 0, 0, 1]
    assert found.next_distance.tolist() == [4, 3, 2, 3, 4, 5]
    assert found.share == pytest.approx([1, 0.9, 0.5, 0.9, 1, 25 / 26])  # (1/1) / (1/1 + 1/9) = .9


def test_a_group_that_is_not_round_may_be_nearer_to_another_middle() -> None:
    made = on_a_line([0, 0, 0, 0, 1, 5])
    assert memberships(LINE, made.labels, made).share[3] == pytest.approx(0.1)


def test_users_set_aside_belong_nowhere_and_nothing_is_said_of_users_outside() -> None:
    made = on_a_line([0, SET_ASIDE, OUTSIDE, 1, 1, 5])
    found = memberships(LINE, made.labels, made)
    assert (found.share[1], found.next_segment[1], found.next_distance[1]) == (0, 0, 1)
    assert np.isnan([found.distance[1], found.share[2], found.distance[2], found.next_distance[2]]).all()
    assert found.next_segment[2] == OUTSIDE
