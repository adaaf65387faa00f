"""Whether it is time to train again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.periods.drift import RetrainingReason, Wear, drift, wear
from core.periods.placed_users import PlacedUsers
from core.periods.training_period import TrainingPeriod
from tests.core.periods.two_exports import two_exports

GOOD = Wear(0.05, 0.04, 0.06, enough=True)


@pytest.mark.parametrize(
    ("change", "by"),
    [
        ({}, ()),
        ({"unknown": 0.15}, (RetrainingReason.UNKNOWN,)),
        ({"far": 0.1}, (RetrainingReason.FAR,)),
        ({"far": 0.3, "enough": False}, ()),
        ({"far": float("nan")}, ()),
    ],
)
def test_what_speaks_for_another_training(
    change: dict[str, object], by: tuple[RetrainingReason, ...]
) -> None:
    assert replace(GOOD, **change).by == by


def test_shares_are_those_of_users_and_of_clustered_users() -> None:
    before, after, _ = two_exports(4, n=300, k=2)
    period = TrainingPeriod.of(before, 2)
    found = wear(period, drift(period, after, permutations=1))
    for side, told in ((after, found.unknown), (before, found.unknown_before)):
        assert told == pytest.approx((side.unknown / side.pages.views).mean())
    inside = after.distance[after.clustered]
    assert found.far == pytest.approx((inside > period.limit).mean())
    assert found.enough
    assert not _of_three(before, after).enough  # 3 segments of 300 users, less those of one page view


def _of_three(before: PlacedUsers, after: PlacedUsers) -> Wear:
    period = TrainingPeriod.of(before, 3)
    return wear(period, drift(period, after, permutations=1))
