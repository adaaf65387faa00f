"""Users between two segments, and far from everybody."""

import numpy as np

from core.base.schema import OUTSIDE, SET_ASIDE
from core.people.membership_order import borderline_users, outlying_users
from core.segments.membership import Memberships

LABELS = np.array([0, 0, 0, 1, SET_ASIDE, SET_ASIDE, OUTSIDE])
NAN = np.nan
FOUND = Memberships(
    distance=np.array([0.1, 0.5, 0.9, 0.2, NAN, NAN, NAN]),
    next_segment=np.array([1, 1, 1, 0, 0, 0, OUTSIDE]),
    next_distance=np.array([0.2, 0.9, 0.95, 0.8, 1.1, 1.3, NAN]),
    share=np.full(7, NAN),
)


def test_between_segments_is_who_is_nearly_as_near_to_the_next() -> None:
    assert borderline_users(FOUND, LABELS, 0, 3).tolist() == [2, 0, 1]
    assert borderline_users(FOUND, LABELS, 0, 1).tolist() == [2]
    assert borderline_users(FOUND, LABELS, 1, 5).tolist() == [3]


def test_outlying_is_who_is_farthest_from_the_middle() -> None:
    assert outlying_users(FOUND, LABELS, 0, 2).tolist() == [2, 1]
