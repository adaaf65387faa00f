"""Whether it is time to train again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.base.schema import OUTSIDE
from core.periods.placed_users import far_limit
from core.periods.retraining import Wear, Worn, wear
from core.segments.clustering import assign
from tests.core.periods.two_exports import partition, two_exports

GOOD = Wear(0.05, 0.04, 0.06, {2: 0.8, 4: 0.9}, {2: 0.85, 4: 0.9})


@pytest.mark.parametrize(
    ("change", "by"),
    [
        ({}, ()),
        ({"unknown": 0.15}, (Worn.UNKNOWN,)),
        ({"far": 0.1}, (Worn.FAR,)),
        ({"found": {2: 0.5, 4: 0.9}}, (Worn.LOST,)),
        ({"found": {2: 0.3, 4: 0.9}, "found_before": {2: 0.4, 4: 0.9}}, ()),  # never was found again
        ({"found": {}}, ()),
        ({"far": float("nan")}, ()),
    ],
)
def test_what_speaks_for_another_training(change: dict[str, object], by: tuple[Worn, ...]) -> None:
    assert replace(GOOD, **change).by == by


def grouped(seed: int, axes: int, n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Users around three axes, from one of them on, and their segments."""
    rng = np.random.default_rng(seed)
    rows = np.eye(4)[(np.arange(n) % 3 + axes) % 4] + 0.15 * rng.normal(size=(n, 4))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return rows, assign(rows, partition(n))


def test_segments_that_later_users_are_not_cut_into_are_lost() -> None:
    before, _, _ = two_exports(1, n=600)
    rows, labels = grouped(1, 0)
    made = replace(partition(600), labels=labels)
    first = replace(before, vectors=rows, place=np.searchsorted(made.ids, labels), distance=np.full(600, 0.2))
    limit = far_limit(first)
    same, _ = grouped(2, 0)
    still = replace(first, vectors=same, place=np.searchsorted(made.ids, assign(same, made)))
    found = wear(first, still, made, limit)
    assert min(found.found.values()) > 0.9
    assert found.by == ()
    rng = np.random.default_rng(3)
    other = rng.normal(size=(600, 4)).astype(np.float32)
    other[:, 0] += 3 * (rng.random(600) < 0.5)  # two kinds where three were, across the borders
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    moved = replace(first, vectors=other, place=np.searchsorted(made.ids, assign(other, made)))
    assert wear(first, moved, made, limit).lost


def test_shares_are_those_of_page_views_and_of_clustered_users() -> None:
    before, after, _ = two_exports(4, n=300)
    limit = far_limit(before)
    found = wear(before, after, replace(partition(300), labels=np.full(300, OUTSIDE, np.int32)), limit)
    assert found.unknown == pytest.approx(after.unknown.sum() / after.pages.views.sum())
    assert found.unknown_before == pytest.approx(before.unknown.sum() / before.pages.views.sum())
    inside = after.distance[after.clustered]
    assert found.far == pytest.approx((inside > limit).mean())


def test_of_a_handful_of_users_nothing_is_said_about_segments() -> None:
    before, after, _ = two_exports(4)
    assert wear(before, after, partition(60), far_limit(before)).found == {}
