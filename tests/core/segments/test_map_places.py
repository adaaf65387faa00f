"""Where numbers stand: on small maps whose places can be counted."""

import numpy as np
import pytest

from core.base.schema import OUTSIDE
from core.segments.layout import number_places, without_outliers

CORNERS = np.array([[-1.0, -1.0], [1.0, 1.0]])
SIZE = np.array([0.2, 0.1])


def test_a_number_stands_beside_its_segment_where_nobody_lies_under_it() -> None:
    """Segment 2 has three users among as many of segment 0, in the middle, and three alone on the right."""
    mixed = [[0.02 * place, 0] for place in range(6)]
    xy = np.array([*mixed, [0.85, 0], [0.9, 0], [0.95, 0], [-1, 0], [-1, 0]], dtype=np.float32)
    labels = np.array([0, 2, 0, 2, 0, 2, 2, 2, 2, OUTSIDE, OUTSIDE])
    places = number_places(xy, labels, CORNERS, SIZE)
    assert list(places) == [0, 2]
    for segment, place in places.items():
        away = np.abs((xy - place) / SIZE).max(axis=1)
        assert away.min() >= 0.6 and labels[away.argmin()] == segment
    assert places[2][0] == pytest.approx(0.9, abs=SIZE[0]) and abs(places[0][0]) <= 0.4


def test_on_a_full_map_it_stands_at_a_user_of_its_own_and_on_no_other_number() -> None:
    xy = np.stack(np.meshgrid(np.linspace(-1, 1, 41), np.linspace(-1, 1, 81)), axis=-1).reshape(-1, 2)
    labels = (xy[:, 0] > 0).astype(int)
    places = number_places(xy, labels, CORNERS, SIZE)
    assert places[0][0] <= 0 < places[1][0]
    assert all(np.abs(xy - place).max(axis=1).min() < 0.05 for place in places.values())


def test_segments_of_one_place_stand_side_by_side() -> None:
    places = number_places(np.zeros((40, 2)), np.arange(40) % 20, CORNERS, SIZE)
    boxes = np.array(list(places.values()))
    apart = (np.abs(boxes[:, None] - boxes[None]) >= SIZE - 1e-9).any(axis=-1)
    assert apart[np.triu_indices(20, 1)].all()
    assert (np.abs(boxes) <= 1 - SIZE / 2 + 1e-9).all()


def test_nobody_in_segments_needs_no_number() -> None:
    assert number_places(np.zeros((2, 2)), np.array([OUTSIDE, OUTSIDE]), CORNERS, SIZE) == {}


def test_somebody_far_away_is_drawn_at_the_edge_and_leaves_half_to_the_others() -> None:
    crowd = np.random.default_rng(0).uniform(0, 1, (2000, 2)).astype(np.float32)
    xy = np.vstack([crowd, [[1000, 0.5]]]).astype(np.float32)
    drawn = without_outliers(xy)
    assert np.array_equal(drawn[:-1], crowd) and drawn.dtype == xy.dtype
    assert 1 < drawn[-1, 0] < 2 and drawn[-1, 1] == 0.5


def test_one_place_and_no_users_stay_as_they_are() -> None:
    for xy in (np.zeros((0, 2), np.float32), np.ones((5, 2), np.float32)):
        assert np.array_equal(without_outliers(xy), xy)
