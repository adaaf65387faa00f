"""The lasso against a slow reference, point by point."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import InputError
from core.segments.layout import inside_polygon

SQUARE = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)]


def inside_by_winding_of_a_ray(polygon: list[tuple[float, float]], x: float, y: float) -> bool:
    """Count the edges that a ray to the right crosses, one edge at a time."""
    odd = False
    for index in range(len(polygon)):
        (x1, y1), (x2, y2) = polygon[index], polygon[(index + 1) % len(polygon)]
        if (y1 > y) != (y2 > y):
            where = x1 + (y - y1) / (y2 - y1) * (x2 - x1)
            odd = odd != (where > x)
    return odd


def test_a_square_by_eye() -> None:
    xy = np.array([[1, 1], [3, 1], [-1, 1], [1, 3], [1.9, 0.1]], dtype=np.float32)
    assert inside_polygon(SQUARE, xy).tolist() == [0, 4]


def test_a_hole_where_the_line_goes_round_twice() -> None:
    star = [(0, 3), (2, -3), (-3, 1), (3, 1), (-2, -3)]
    xy = np.array([[0, 0], [0, 2.5], [1.5, -2], [5, 5]])
    assert inside_polygon(star, xy).tolist() == [1, 2]


def test_the_direction_and_the_first_corner_do_not_matter() -> None:
    xy = np.random.default_rng(0).uniform(-1, 3, size=(200, 2))
    expected = inside_polygon(SQUARE, xy).tolist()
    assert inside_polygon(SQUARE[::-1], xy).tolist() == expected
    assert inside_polygon(SQUARE[2:] + SQUARE[:2], xy).tolist() == expected
    assert inside_polygon([*SQUARE, SQUARE[0]], xy).tolist() == expected


@pytest.mark.parametrize("polygon", [[], [(0, 0)], [(0, 0), (1, 1)]])
def test_a_line_encloses_nobody(polygon: list[tuple[float, float]]) -> None:
    assert inside_polygon(polygon, np.zeros((3, 2))).tolist() == []


@pytest.mark.parametrize(
    "polygon", [[(0, 0), (1, float("nan")), (1, 1)], [(0,), (1,), (2,)], [("a", "b")] * 3, 7]
)
def test_what_is_no_list_of_points_is_bad_input(polygon: object) -> None:
    with pytest.raises(InputError, match="lasso"):
        inside_polygon(polygon, np.zeros((3, 2)))  # type: ignore[arg-type]


COORDINATE = st.floats(-5, 5, allow_nan=False, width=32)
POINT = st.tuples(COORDINATE, COORDINATE)


@given(st.lists(POINT, min_size=3, max_size=9), st.lists(POINT, min_size=1, max_size=20))
def test_it_agrees_with_the_reference(
    polygon: list[tuple[float, float]], points: list[tuple[float, float]]
) -> None:
    expected = [index for index, (x, y) in enumerate(points) if inside_by_winding_of_a_ray(polygon, x, y)]
    found = inside_polygon(polygon, np.array(points)).tolist()
    # the two write the same crossing in another order, so only points within rounding of an edge may differ
    for index in set(found) ^ set(expected):
        assert distance_to_outline(polygon, points[index]) < 1e-9


def distance_to_outline(polygon: list[tuple[float, float]], point: tuple[float, float]) -> float:
    nearest = np.inf
    p = np.array(point)
    for a, b in zip(np.array(polygon), np.roll(np.array(polygon), -1, axis=0), strict=True):
        length = ((b - a) ** 2).sum()
        along = np.clip((p - a) @ (b - a) / length, 0, 1) if length else 0.0
        nearest = min(nearest, float(np.linalg.norm(p - (a + along * (b - a)))))
    return nearest
