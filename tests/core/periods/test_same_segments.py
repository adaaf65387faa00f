"""Segments of a later training beside those of the earlier model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.base.schema import OUTSIDE
from core.periods.migration import EARLIER, LATER, OVERLAP, PAGES_ALIKE, SAME, STAYED, same_segments
from core.periods.placed_users import PlacedUsers
from core.segments.identity import DISSOLVED, chance
from core.segments.partition import Partition
from tests.core.periods.test_page_changes import seen
from tests.core.periods.two_exports import partition, two_exports


def later(labels: np.ndarray, ids: list[int]) -> Partition:
    middles = np.zeros((len(ids), 7), dtype=np.float32)  # of another model: other numbers
    return replace(
        partition(len(labels)), labels=labels.astype(np.int32), ids=np.array(ids, dtype=np.int32),
        centroids=middles,
    )  # fmt: skip


def typical(side: PlacedUsers, page: np.ndarray) -> PlacedUsers:
    """Users who see one page each."""
    return seen(side, np.eye(len(side.pages.names), dtype=int)[page].tolist())


def test_segments_of_other_pages_are_others_however_their_users_overlap() -> None:
    before, after, _ = two_exports(0, n=300)
    frozen, same = partition(300), later(np.array([0, 1, 2, OUTSIDE])[after.place], [0, 1, 2])
    early, late = typical(before, before.place), typical(after, after.place)
    assert same_segments(early, late, frozen, same).table[SAME].all()
    moved = typical(after, np.array([4, 1, 2, 3])[after.place])  # what one of them sees is new
    found = same_segments(early, moved, frozen, same)
    told = found.table.set_index(EARLIER)
    assert told[OVERLAP].tolist() == [1, 1, 1]
    assert told[SAME].tolist() == [False, True, True]
    assert found.quality == {4: 1, 6: 1}
    assert 2 not in found.partition.ids


def test_the_same_users_under_other_numbers_are_the_same_segments() -> None:
    before, after, _ = two_exports(0, n=300)
    before, after = (typical(side, side.place) for side in (before, after))
    frozen = partition(300)
    swapped = np.array([1, 2, 0, OUTSIDE])[after.place]
    found = same_segments(before, after, frozen, later(swapped, [0, 1, 2]))
    told = found.table.set_index(EARLIER)
    assert told[LATER].to_dict() == {2: 1, 4: 2, 6: 0}
    assert told[STAYED].to_dict() == {2: 2, 4: 4, 6: 6}
    assert told[OVERLAP].tolist() == [1, 1, 1]
    assert told[SAME].all()
    assert found.quality == {2: 1, 4: 1, 6: 1}
    assert (found.partition.labels[after.place < 3] == frozen.ids[after.place[after.place < 3]]).all()


def test_a_segment_that_was_split_is_gone_and_its_parts_are_new() -> None:
    before, after, _ = two_exports(0, n=400)
    before, after = (typical(side, side.place) for side in (before, after))
    parts = np.where(after.place == 0, np.arange(400) % 3, np.array([0, 3, 4, OUTSIDE])[after.place])
    found = same_segments(before, after, partition(400), later(parts, [0, 1, 2, 3, 4]))
    told = found.table
    assert told[told[SAME]][EARLIER].tolist() == [4, 6]
    alone = told[told[EARLIER].isna()]
    assert len(alone) == 2
    assert not told[told[EARLIER] == 2][SAME].any()
    assert len(set(found.partition.ids.tolist())) == 5
    assert {4, 6} < set(found.partition.ids.tolist())
    assert 2 not in found.partition.ids  # its number, and colour, is nobody else's


def test_chance_alone_makes_no_segment_the_same() -> None:
    before, after, _ = two_exports(0, n=400)
    place = after.place.copy()
    place[place < 3] = np.where(np.random.default_rng(0).random((place < 3).sum()) < 0.9, 0, 1)
    large = replace(after, place=place)  # nine users in ten are in one segment
    labels = np.where(np.random.default_rng(1).random(400) < 0.9, 0, 1)
    labels[place == 3] = OUTSIDE
    found = same_segments(before, large, partition(400), later(labels, [0, 1]))
    assert found.table[OVERLAP].max() > DISSOLVED  # as large ones overlap anyway
    assert found.least > DISSOLVED
    assert not found.table[SAME].any()


def test_chance_is_that_of_drawn_labels() -> None:
    labels = np.repeat([0, 1], [90, 10])
    one = later(labels, [0, 1])
    assert chance(one, one) == pytest.approx(81 / 99, abs=0.06)
    assert chance(one, one, seed=1, draws=200) == pytest.approx(81 / 99, abs=0.06)


def test_pages_are_alike_where_the_same_ones_set_a_segment_apart() -> None:
    before, _, _ = two_exports(0, n=300)
    same = same_segments(before, before, partition(300), later(before.place % 3, [0, 1, 2]))
    assert same.table[PAGES_ALIKE].max() <= 1 + 1e-9
    mine = np.where(before.place == 3, OUTSIDE, before.place)
    exact = same_segments(before, before, partition(300), later(mine, [0, 1, 2]))
    assert exact.table[PAGES_ALIKE].tolist() == pytest.approx([1, 1, 1])
