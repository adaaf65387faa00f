"""Whether it is time to train again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.periods.placed_users import far_limit
from core.periods.retraining import Wear, Worn, wear
from tests.core.periods.two_exports import two_exports

GOOD = Wear(0.05, 0.04, 0.06, enough=True)


@pytest.mark.parametrize(
    ("change", "by"),
    [
        ({}, ()),
        ({"unknown": 0.15}, (Worn.UNKNOWN,)),
        ({"far": 0.1}, (Worn.FAR,)),
        ({"far": 0.3, "enough": False}, ()),
        ({"far": float("nan")}, ()),
    ],
)
def test_what_speaks_for_another_training(change: dict[str, object], by: tuple[Worn, ...]) -> None:
    assert replace(GOOD, **change).by == by


def test_shares_are_those_of_page_views_and_of_clustered_users() -> None:
    before, after, _ = two_exports(4, n=300)
    limit = far_limit(before)
    found = wear(before, after, 2, limit)
    assert found.unknown == pytest.approx(after.unknown.sum() / after.pages.views.sum())
    assert found.unknown_before == pytest.approx(before.unknown.sum() / before.pages.views.sum())
    inside = after.distance[after.clustered]
    assert found.far == pytest.approx((inside > limit).mean())
    assert found.enough
    assert not wear(before, after, 3, limit).enough  # 3 segments of 300 users, less those of one page view
