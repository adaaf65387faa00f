"""Activity as a view: counted from page views, placed by frozen ranks, and nothing at weight 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from core.base.errors import ArtifactError
from core.base.local_clock import DAY
from core.base.schema import View
from core.base.settings import ClusterSettings, ViewWeights
from core.segments.activity import activity_ranks, with_activity
from core.segments.clustering import fit
from core.segments.combination import FrozenMix, blend, calibrate, combine
from core.storage.sequences import UserSequences


def users(*days: Sequence[int]) -> UserSequences:
    """Users by the days of their page views; each day is a visit."""
    offsets = np.concatenate([[0], np.cumsum([len(own) for own in days])])
    session = np.concatenate([np.unique(own, return_inverse=True)[1] for own in days]).astype(np.int32)
    stamps = np.concatenate([np.asarray(own, dtype=np.int64) for own in days]) * DAY
    names = pa.array([f"u{number}" for number in range(len(days))])
    return UserSequences(names, offsets, np.zeros(offsets[-1], dtype=np.int32), stamps, session)


LIGHT, HEAVY = [0, 0], [0, 0, 3, 3, 9]
SITE = users(*[LIGHT] * 4, *[HEAVY] * 4)
EVERYBODY = np.ones(8, dtype=bool)
RANKS = activity_ranks(SITE, EVERYBODY)


def test_half_of_the_users_who_do_the_same_are_below_a_user() -> None:
    """The light half is at rank 1/4, the heavy half at 3/4: 45° and 135°, in each of three numbers."""
    found = with_activity({}, SITE, RANKS)[View.ACTIVITY]
    root = np.sqrt(0.5 / 3)
    np.testing.assert_allclose(found[0], [root] * 6, atol=0.01)
    np.testing.assert_allclose(found[-1], [-root] * 3 + [root] * 3, atol=0.01)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_users_who_differ_in_activity_alone_are_told_apart_by_its_weight_alone() -> None:
    """Two kinds look at the same pages, one more of them: even users like one page, odd ones another."""
    pages = np.eye(2, dtype=np.float32)[np.arange(8) % 2]
    views = with_activity({View.URL: pages}, SITE, RANKS)
    cut = {
        weight: fit(
            combine(views, ViewWeights(url=1 - weight, theme=0, type=0, activity=weight)).vectors, EVERYBODY,
            ClusterSettings(n_clusters=2),
        ).labels
        for weight in (0.0, 1.0)
    }  # fmt: skip
    assert len(set(zip(np.arange(8) % 2, cut[0.0], strict=True))) == 2
    assert len(set(zip(np.arange(8) >= 4, cut[1.0], strict=True))) == 2


def test_users_who_come_later_are_placed_as_those_who_do_the_same() -> None:
    """Alone or among others, and whenever: of what is read nothing depends on who else is there."""
    views = {View.URL: np.eye(8, dtype=np.float32)}
    all_of_them = with_activity(views, SITE, RANKS)[View.ACTIVITY]
    later = users([100, 100, 103, 103, 109])
    np.testing.assert_array_equal(with_activity({}, later, RANKS)[View.ACTIVITY], all_of_them[-1:])
    made = replace(calibrate(with_activity(views, SITE, RANKS)), activity=RANKS)
    mix = FrozenMix(lambda *_: views, Path(), {View.URL: ["/"]}, blend(made, ViewWeights(activity=0.3)))
    np.testing.assert_allclose(mix.vectors(SITE), mix.combined.vectors, atol=1e-6)
    beyond = with_activity({}, users(range(50)), RANKS)[View.ACTIVITY]
    np.testing.assert_allclose(beyond[0], [-(3**-0.5)] * 3 + [0] * 3, atol=1e-6)


def test_segments_with_activity_are_not_placed_without_it() -> None:
    views = {View.URL: np.eye(8, dtype=np.float32)}
    assert with_activity(views, SITE, None) is views
    with pytest.raises(ArtifactError, match="made with the activity of users, which is missing"):
        blend(calibrate(views), ViewWeights(activity=0.3))
