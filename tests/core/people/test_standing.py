"""Users between two segments, and far from everybody."""

import numpy as np

from core.base.schema import OUTLIER, OUTSIDE
from core.people.standing import between, outliers, outlying
from core.segments.membership import Memberships

LABELS = np.array([0, 0, 0, 1, OUTLIER, OUTLIER, OUTSIDE])
NAN = np.nan
FOUND = Memberships(
    distance=np.array([0.1, 0.5, 0.9, 0.2, NAN, NAN, NAN]),
    next_segment=np.array([1, 1, 1, 0, 0, 0, OUTSIDE]),
    next_distance=np.array([0.2, 0.9, 0.95, 0.8, 1.1, 1.3, NAN]),
    share=np.full(7, NAN),
)


def test_between_segments_is_who_is_nearly_as_near_to_the_next() -> None:
    assert between(FOUND, LABELS, 0, 3).tolist() == [2, 0, 1]
    assert between(FOUND, LABELS, 0, 1).tolist() == [2]
    assert between(FOUND, LABELS, 1, 5).tolist() == [3]


def test_outlying_is_who_is_farthest_from_the_middle() -> None:
    assert outlying(FOUND, LABELS, 0, 2).tolist() == [2, 1]


def test_outliers_are_listed_with_their_nearest_segment() -> None:
    assert outliers(FOUND, LABELS, 0, 5).tolist() == [5, 4]
    assert outliers(FOUND, LABELS, 1, 5).tolist() == []
