"""Segments keep their ids; who moved is counted by users."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import ArtifactError
from core.base.schema import OUTSIDE, SET_ASIDE
from core.base.settings import ClusterSettings
from core.segments import editing
from core.segments.clustering import fit
from core.segments.identity import continued, match, moved, overlap, recovery
from core.segments.partition import Partition
from tests.core.segments.blobs import blobs


def partition(labels: list[int], ids: list[int] | None = None) -> Partition:
    """Segments of these users; the centroid of segment s is (s, s)."""
    known = sorted({label for label in labels if label != OUTSIDE}) if ids is None else ids
    return Partition(
        labels=np.array(labels, dtype=np.int32),
        centroids=np.array([[s, s] for s in known], dtype=np.float32),
        ids=np.array(known, dtype=np.int32),
        inertia=1.0, n_iter=1, warm=True, settings=ClusterSettings(n_clusters=max(2, len(known))),
    )  # fmt: skip


def test_ids_follow_the_users() -> None:
    before = partition([0, 0, 0, 1, 1, 2, 2, -1])
    after = partition([2, 2, 2, 0, 0, 1, 0, -1])
    found = match(before, after)
    assert found.partition.labels.tolist() == [0, 0, 0, 1, 1, 2, 1, -1]
    assert (found.moved, found.new, found.gone) == (1, (), ())
    np.testing.assert_array_equal(found.partition.centroids, [[2, 2], [0, 0], [1, 1]])


def test_one_segment_more_takes_the_lowest_number_that_was_not_used() -> None:
    before = partition([0, 0, 0, 0, 2, 2])
    after = partition([0, 0, 1, 1, 2, 2])
    found = match(before, after)
    assert found.partition.labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert (found.moved, found.new, found.gone) == (2, (1,), ())


def test_a_new_segment_never_takes_the_number_of_one_that_went_away_with_it() -> None:
    before = partition([0, 0, 1, 1, -1, -1])
    after = partition([0, 0, -1, -1, 1, 1])
    found = match(before, after)
    assert found.partition.labels.tolist() == [0, 0, -1, -1, 2, 2]
    assert (found.moved, found.new, found.gone) == (0, (2,), (1,))


def test_one_segment_less_says_which_is_gone() -> None:
    found = match(partition([0, 0, 1, 1, 1, 2]), partition([0, 0, 1, 1, 1, 0]))
    assert found.partition.labels.tolist() == [0, 0, 1, 1, 1, 0]
    assert (found.moved, found.new, found.gone) == (1, (), (2,))


def test_the_pairing_is_the_best_in_all_not_greedy() -> None:
    before = partition([0] * 10 + [1] * 9)
    after = partition([0] * 6 + [1] * 4 + [0] * 9)  # segment 0 shares 6 with 0, 1 shares 9 with 0
    assert match(before, after).moved == 6


def test_counting_is_over_users_clustered_both_times() -> None:
    assert moved(partition([0, 0, -1, 1]), partition([0, 1, 0, -1])) == 1


def test_other_users_are_refused() -> None:
    with pytest.raises(ArtifactError, match="3 users cannot be matched with segments of 2"):
        match(partition([0, 1, 1]), partition([0, 1]))


def test_after_a_training_only_a_segment_that_is_the_same_keeps_its_number() -> None:
    """Of 0, four of five users are in what is 1 now; 2 is cut in two halves, neither of which is it."""
    before = partition([0, 0, 0, 0, 0, 2, 2, 2, 2, -1])
    after = partition([1, 1, 1, 1, 0, 0, 0, 2, 2, 2])
    found = continued(before, after)
    assert found.quality == {0: 4 / 5}
    assert found.partition.labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert found.partition.centroids.tolist() == [[1, 1], [0, 0], [2, 2]]


LABELS = st.lists(st.integers(-1, 3), min_size=4, max_size=40).filter(lambda labels: max(labels) >= 0)


@given(LABELS, st.permutations(range(4)))
def test_renaming_segments_moves_nobody(labels: list[int], names: list[int]) -> None:
    before = partition(labels)
    after = partition([OUTSIDE if label == OUTSIDE else names[label] for label in labels])
    found = match(before, after)
    assert (found.moved, found.new, found.gone) == (0, (), ())
    np.testing.assert_array_equal(found.partition.labels, before.labels)


@given(LABELS, LABELS)
def test_no_other_naming_moves_fewer_users(one: list[int], other: list[int]) -> None:
    size = min(len(one), len(other))
    if max(one[:size]) < 0 or max(other[:size]) < 0:
        return
    before, after = partition(one[:size]), partition(other[:size])
    found = match(before, after)
    shared = overlap(before, after)
    square = np.zeros((4, 4), dtype=int)
    square[: shared.shape[0], : shared.shape[1]] = shared
    best = max(
        sum(square[row, column] for row, column in enumerate(order)) for order in permutations(range(4))
    )
    assert found.moved == shared.sum() - best
    assert found.moved == moved(before, found.partition)
    assert sorted(found.partition.sizes.values()) == sorted(after.sizes.values())
    assert set(found.new).isdisjoint(before.ids.tolist())
    assert set(found.gone).isdisjoint(found.partition.ids.tolist())


@given(LABELS, st.permutations(range(4)))
def test_the_same_segments_under_other_numbers_all_continue(labels: list[int], names: list[int]) -> None:
    before = partition(labels)
    after = partition([label if label == OUTSIDE else names[label] for label in labels])
    found = continued(before, after)
    assert found.quality == dict.fromkeys(before.ids.tolist(), 1.0)
    np.testing.assert_array_equal(found.partition.labels, before.labels)


def test_who_is_set_aside_has_not_moved_but_the_segment_is_less_the_same() -> None:
    before = partition([0, 0, 0, 0, 1, 1, -1], ids=[0, 1])
    after = partition([0, 0, 0, SET_ASIDE, 1, 1, -1], ids=[0, 1])
    assert moved(before, after) == 0
    assert overlap(before, after).tolist() == [[3, 0], [0, 2]]
    assert continued(before, after).quality == {0: 0.75, 1: 1.0}


def test_another_training_is_not_asked_for_segments_made_by_hand() -> None:
    vectors, _ = blobs((40, 30, 20), noise=0.05)
    cut = fit(vectors, np.ones(len(vectors), dtype=bool), ClusterSettings(n_clusters=3))
    changed = editing.set_aside(editing.split(cut, vectors, 1), vectors, [2])
    assert recovery(changed, vectors) == {0: 1.0}
