"""K-Means: what it finds, how segments are numbered, warm starts, limits, determinism."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from core.base.errors import ArtifactError, InputError, SettingsError
from core.base.schema import OUTSIDE
from core.base.settings import ClusterSettings
from core.segments import clustering, kmeans
from core.segments.clustering import assign, fit
from core.segments.kmeans import cold_centroids, labels_by, warm_start
from tests.core.segments.blobs import blobs, digest

THREE = ClusterSettings(n_clusters=3)
ROOT = Path(__file__).resolve().parents[3]


def everybody(vectors: np.ndarray) -> np.ndarray:
    return np.ones(len(vectors), dtype=bool)


def test_finds_the_groups_and_numbers_them_by_size() -> None:
    vectors, truth = blobs((30, 50, 40))
    found = fit(vectors, everybody(vectors), THREE)
    assert found.sizes == {0: 50, 1: 40, 2: 30}
    for segment, group in enumerate((1, 2, 0)):
        np.testing.assert_array_equal(found.labels == segment, truth == group)
    assert (found.warm, found.settings) == (False, THREE)


def test_centroids_and_inertia_are_those_of_the_labels() -> None:
    vectors, _ = blobs()
    found = fit(vectors, everybody(vectors), THREE)
    means = np.stack([vectors[found.labels == segment].mean(axis=0) for segment in found.ids])
    np.testing.assert_allclose(found.centroids, means, atol=1e-5)
    assert found.inertia == pytest.approx(((vectors - means[found.labels]) ** 2).sum(), rel=1e-4)


def test_users_outside_get_no_segment_and_change_nothing() -> None:
    vectors, _ = blobs()
    inside = np.arange(len(vectors)) % 4 != 0
    found = fit(vectors, inside, THREE)
    assert (found.labels[~inside] == OUTSIDE).all()
    alone = fit(vectors[inside], everybody(vectors[inside]), THREE)
    np.testing.assert_array_equal(found.labels[inside], alone.labels)


def test_assigning_the_same_users_gives_the_same_segments() -> None:
    vectors, _ = blobs(noise=0.6)
    found = fit(vectors, everybody(vectors), ClusterSettings(n_clusters=5))
    np.testing.assert_array_equal(assign(vectors, found), found.labels)


def test_assign_takes_the_nearest_centroid_under_the_segments_own_ids() -> None:
    vectors, _ = blobs()
    found = fit(vectors, everybody(vectors), THREE)
    renamed = clustering.Partition(
        labels=found.labels + 4, centroids=found.centroids, ids=found.ids + 4,
        inertia=found.inertia, n_iter=found.n_iter, warm=False, settings=THREE,
    )  # fmt: skip
    distances = np.linalg.norm(vectors[:, None] - renamed.centroids[None], axis=2)
    np.testing.assert_array_equal(assign(vectors, renamed), distances.argmin(axis=1) + 4)


def test_assign_refuses_vectors_of_another_model() -> None:
    vectors, _ = blobs()
    with pytest.raises(ArtifactError, match="Vectors of 5 numbers do not fit segments of 8"):
        assign(vectors[:, :5], fit(vectors, everybody(vectors), THREE))


def test_a_warm_fit_goes_on_where_the_earlier_one_was() -> None:
    vectors, _ = blobs(noise=0.4)
    first = fit(vectors, everybody(vectors), THREE)
    again = fit(vectors, everybody(vectors), THREE, warm_start(first, vectors, 3))
    np.testing.assert_array_equal(again.labels, first.labels)
    assert (again.warm, again.n_iter <= 2) == (True, True)


def test_a_warm_fit_keeps_the_order_of_its_start() -> None:
    vectors, truth = blobs((30, 50, 40))
    start = np.stack([vectors[truth == group].mean(axis=0) for group in range(3)])
    found = fit(vectors, everybody(vectors), THREE, start)
    np.testing.assert_array_equal(found.labels, truth)


def test_a_start_of_another_size_is_refused() -> None:
    vectors, _ = blobs()
    with pytest.raises(SettingsError, match=r"shape \(2, 8\) cannot start n_clusters = 3"):
        fit(vectors, everybody(vectors), THREE, vectors[:2])


def test_warm_start_is_the_means_among_the_vectors_as_they_are_now() -> None:
    vectors, _ = blobs()
    first = fit(vectors, everybody(vectors), THREE)
    moved = np.roll(vectors, 1, axis=1)
    np.testing.assert_allclose(warm_start(first, moved, 3), np.roll(first.centroids, 1, axis=1), atol=1e-6)


def test_one_segment_more_splits_what_is_spread_most() -> None:
    vectors, truth = blobs((40, 40, 40, 40))
    two_in_one = np.where(truth == 3, 0, truth).astype(np.int32)
    coarse = fit(
        vectors, everybody(vectors), THREE, np.stack([vectors[two_in_one == g].mean(0) for g in range(3)])
    )
    finer = fit(vectors, everybody(vectors), ClusterSettings(n_clusters=4), warm_start(coarse, vectors, 4))
    assert len(set(zip(truth.tolist(), finer.labels.tolist(), strict=True))) == 4


def test_one_segment_less_merges_the_two_that_are_closest() -> None:
    vectors, truth = blobs((40, 40, 40))
    near = vectors.copy()
    near[truth == 2] = near[truth == 1] + 0.05  # groups 1 and 2 now lie side by side
    fine = fit(near, everybody(near), THREE, np.stack([near[truth == g].mean(0) for g in range(3)]))
    coarse = fit(near, everybody(near), ClusterSettings(n_clusters=2), warm_start(fine, near, 2))
    np.testing.assert_array_equal(coarse.labels == coarse.labels[truth == 0][0], truth == 0)


def test_merged_centroids_are_the_means_of_the_merged_users() -> None:
    vectors, _ = blobs(noise=0.5)
    fine = fit(vectors, everybody(vectors), ClusterSettings(n_clusters=5))
    start = warm_start(fine, vectors, 1)
    np.testing.assert_allclose(start[0], vectors.mean(axis=0), atol=1e-5)


@pytest.mark.parametrize("k", [4, 5, 50])
def test_more_segments_than_different_users_are_refused_with_the_most_possible(k: int) -> None:
    different, _ = blobs((1, 1, 1))
    with pytest.raises(SettingsError, match=rf"n_clusters = {k} is more than the 3 different.*2 to 3"):
        fit(np.repeat(different, 100, axis=0), np.ones(300, dtype=bool), ClusterSettings(n_clusters=k))


def test_as_many_segments_as_different_users_is_possible() -> None:
    different, _ = blobs((1, 1, 1))
    found = fit(np.repeat(different, 100, axis=0), np.ones(300, dtype=bool), THREE)
    assert found.sizes == {0: 100, 1: 100, 2: 100}
    assert found.inertia == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("n_inside", "why"), [(0, "nobody has two"), (1, "only one user"), (6, "the 6 users .* the same vector")]
)
def test_nobody_to_tell_apart_is_bad_input(n_inside: int, why: str) -> None:
    vectors = np.tile(blobs((1,))[0], (8, 1))
    with pytest.raises(InputError, match=f"nothing to cluster: {why}"):
        fit(vectors, np.arange(8) < n_inside, ClusterSettings(n_clusters=2))


def test_starts_are_tried_on_a_sample_and_finished_on_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, truth = blobs((300, 200, 100), noise=0.2)
    monkeypatch.setattr(kmeans, "SAMPLE", 90)
    found = fit(vectors, everybody(vectors), THREE)
    for segment in range(3):
        np.testing.assert_array_equal(found.labels == segment, truth == segment)
    whole = np.stack([vectors[truth == group].mean(axis=0) for group in range(3)])
    np.testing.assert_allclose(found.centroids, whole, atol=1e-5)


def test_starts_on_principal_components_end_as_well_as_on_all_coordinates() -> None:
    vectors, _ = blobs((150, 130, 110, 90, 70, 50, 30), noise=0.2, dims=40)  # more than are kept
    everywhere = KMeans(7, n_init=40, random_state=0).fit(vectors).inertia_
    settings = ClusterSettings(n_clusters=7)
    assert fit(vectors, everybody(vectors), settings).inertia <= 1.001 * everywhere
    apart = ((vectors[:, None] - cold_centroids(vectors, settings)) ** 2).sum(axis=2)
    assert apart.min(axis=1).sum() <= 1.001 * everywhere  # what numbers of segments are compared by


def test_the_sample_is_seeded() -> None:
    vectors, _ = blobs(noise=0.8)
    again = [cold_centroids(vectors, ClusterSettings(n_clusters=4, seed=seed)) for seed in (1, 1)]
    np.testing.assert_array_equal(*again)


def test_another_process_with_more_threads_and_another_hash_seed_finds_the_very_same() -> None:
    elsewhere = subprocess.run(
        [sys.executable, "-c", "from tests.core.segments.blobs import digest; print(digest())"],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "12345", "OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert elsewhere.stdout.strip() == digest()


@given(seed=st.integers(0, 10_000), k=st.integers(2, 6), n_users=st.integers(12, 60))
def test_every_clustered_user_has_one_segment_and_sizes_add_up(seed: int, k: int, n_users: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(n_users, 4)).astype(np.float32)
    inside = random.random(n_users) < 0.8
    inside[:10] = True
    found = fit(vectors, inside, ClusterSettings(n_clusters=k, n_init=1))
    assert sum(found.sizes.values()) == inside.sum()
    assert list(found.sizes.values()) == sorted(found.sizes.values(), reverse=True)
    assert ((found.labels == OUTSIDE) == ~inside).all()


def test_users_are_cut_by_what_others_teach() -> None:
    rows, truth = blobs((30, 20, 10), noise=0.05)
    assert adjusted_rand_score(truth, labels_by(rows[::2], rows, 3)) == 1.0


def test_fewer_different_users_make_fewer_segments() -> None:
    rows = np.repeat(np.eye(2, 4, dtype=np.float32), 10, axis=0)
    assert len(np.unique(labels_by(rows, rows, 5))) == 2
    assert not labels_by(rows[:5], rows, 2).any()
