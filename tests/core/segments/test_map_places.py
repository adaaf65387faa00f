"""Where numbers stand: on small maps whose places can be counted."""

import numpy as np
import pytest

from core.base.schema import OUTSIDE
from core.segments.layout import number_places

CORNERS = np.array([[-1.0, -1.0], [1.0, 1.0]])
SIZE = np.array([0.2, 0.1])


def test_a_number_stands_where_its_segment_is_among_itself() -> None:
    """Segment 2 has three users among as many of segment 0, in the middle, and three alone on the right."""
    mixed = [[0.02 * place, 0] for place in range(6)]
    xy = np.array([*mixed, [0.9, 0], [0.95, 0], [1, 0], [-1, 0], [-1, 0]], dtype=np.float32)
    labels = np.array([0, 2, 0, 2, 0, 2, 2, 2, 2, OUTSIDE, OUTSIDE])
    places = number_places(xy, labels, CORNERS, SIZE)
    assert list(places) == [0, 2]
    assert places[2] == pytest.approx([0.95, 0])
    assert places[0] == pytest.approx([0.04, 0])


def test_the_smaller_segment_keeps_its_place_and_the_larger_takes_another_user_of_its_own() -> None:
    xy = np.array([[0, 0], [0, 0.05], [0, 0.05], [0, 0.11]])
    places = number_places(xy, np.array([1, 0, 0, 0]), CORNERS, SIZE)
    assert places[1] == pytest.approx([0, 0])
    assert places[0] == pytest.approx([0, 0.11])  # the first that is a number's height away


def test_segments_of_one_place_stand_side_by_side() -> None:
    places = number_places(np.zeros((40, 2)), np.arange(40) % 20, CORNERS, SIZE)
    boxes = np.array(list(places.values()))
    apart = (np.abs(boxes[:, None] - boxes[None]) >= SIZE - 1e-9).any(axis=-1)
    assert apart[np.triu_indices(20, 1)].all()
    assert (np.abs(boxes) <= 1 - SIZE / 2 + 1e-9).all()


def test_nobody_in_segments_needs_no_number() -> None:
    assert number_places(np.zeros((2, 2)), np.array([OUTSIDE, OUTSIDE]), CORNERS, SIZE) == {}
