"""Typical users, random users, and what one of them did."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.base.errors import InputError
from core.base.settings import ClusterSettings
from core.profiles.samples import medoids, random_sample, timeline
from core.segments.clustering import fit
from core.segments.partition import Partition
from tests.core.profiles.toy import toy_dataset

SAME_LENGTH = np.full(200, 3)


def partition(labels: list[int], centroids: list[list[float]]) -> Partition:
    return Partition(
        labels=np.array(labels, dtype=np.int32), centroids=np.array(centroids, dtype=np.float32),
        ids=np.arange(len(centroids), dtype=np.int32), inertia=0.0, n_iter=1, warm=False,
        settings=ClusterSettings(n_clusters=2),
    )  # fmt: skip


def test_medoids_are_the_nearest_to_the_centroid() -> None:
    vectors = np.array([[0, 0], [3, 0], [1, 0], [2, 0], [9, 9], [8, 9]], dtype=np.float32)
    found = medoids(vectors, partition([0, 0, 0, 0, 1, -1], [[0, 0], [8, 9]]), SAME_LENGTH[:6], 3)
    assert found[0].tolist() == [0, 2, 3]
    assert found[1].tolist() == [4]  # the nearest user of all is not in the segment


def test_users_who_did_the_same_stand_for_each_other() -> None:
    vectors = np.array([[2, 0], [1, 0], [1, 0], [1, 0], [3, 0]], dtype=np.float32)
    same = partition([0] * 5, [[0, 0]])
    assert medoids(vectors, same, SAME_LENGTH[:5], 3)[0].tolist() == [1, 0, 4]
    assert medoids(vectors, same, SAME_LENGTH[:5], 5)[0].tolist() == [1, 0, 4, 2, 3]


def test_typical_users_are_of_ordinary_length() -> None:
    """Of 2 to 90 page views, the middle half has 4 to 8; the two nearest have more, or less."""
    vectors = np.array([[5, 0], [0, 0], [1, 0], [2, 0], [3, 0]], dtype=np.float32)
    views = np.array([4, 90, 2, 8, 6])
    assert medoids(vectors, partition([0] * 5, [[0, 0]]), views, 5)[0].tolist() == [3, 4, 0]
    assert medoids(vectors[:2], partition([0] * 2, [[0, 0]]), views[:2], 5)[0].tolist() == [1, 0]


def test_medoids_of_a_real_fit_are_members_in_order_of_distance() -> None:
    vectors = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)
    made = fit(vectors, np.ones(200, dtype=bool), ClusterSettings(n_clusters=4))
    for segment, users in medoids(vectors, made, SAME_LENGTH, 6).items():
        members = np.flatnonzero(made.labels == segment)
        distance = np.linalg.norm(vectors[members] - made.centroids[segment], axis=1)
        assert users.tolist() == members[np.argsort(distance)[:6]].tolist()


def test_a_random_sample_is_seeded_within_the_segment_and_without_repeats() -> None:
    labels = np.random.default_rng(0).integers(-1, 3, 300)
    found = random_sample(labels, 5, seed=1)
    assert list(found) == [0, 1, 2]
    for segment, users in found.items():
        assert (labels[users] == segment).all()
        assert len(set(users.tolist())) == 5
    again, other = random_sample(labels, 5, seed=1), random_sample(labels, 5, seed=2)
    assert all((found[segment] == again[segment]).all() for segment in found)
    assert any((found[segment] != other[segment]).any() for segment in found)


def test_a_small_segment_is_taken_whole() -> None:
    assert random_sample(np.array([0, 1, 0, -1]), 5, seed=0)[0].tolist() == [0, 2]


def test_the_draw_of_one_segment_does_not_depend_on_the_others() -> None:
    labels = np.random.default_rng(0).integers(0, 3, 300)
    merged = np.where(labels == 2, 1, labels)
    np.testing.assert_array_equal(random_sample(labels, 5, 0)[0], random_sample(merged, 5, 0)[0])


def test_a_timeline_by_eye(tmp_path: Path) -> None:
    found = timeline(toy_dataset(tmp_path), 0)
    assert found["session"].tolist() == [1, 1, 2, 2]
    assert found["view"].tolist() == [1, 2, 1, 2]
    assert found["page_location"].tolist() == [
        "shop.example/", "shop.example/sale", "shop.example/sale", "shop.example/cart",
    ]  # fmt: skip
    assert found["page_title"].isna().tolist() == [True, False, False, False]
    assert found["time"].iloc[1] == pd.Timestamp("1970-01-01 00:01", tz="UTC")
    np.testing.assert_array_equal(found["seconds_to_next"], [60, np.nan, 60, np.nan])


def test_a_single_page_view_has_no_next(tmp_path: Path) -> None:
    found = timeline(toy_dataset(tmp_path), 5)
    assert (len(found), found["session"].tolist(), found["view"].tolist()) == (1, [1], [1])
    assert found["seconds_to_next"].isna().all()


@pytest.mark.parametrize("user", [-1, 8])
def test_a_user_who_is_not_there(tmp_path: Path, user: int) -> None:
    with pytest.raises(InputError, match=rf"There is no user {user}.*0 to 7"):
        timeline(toy_dataset(tmp_path), user)
