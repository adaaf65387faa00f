"""What holds for every way of clustering: groups are found, placed by one rule, kept, renamed, refused."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from core.base.errors import ArtifactError, Beha2VecError, InputError
from core.base.schema import OUTLIER, OUTSIDE
from core.base.settings import Algorithm, ClusterSettings
from core.segments.clustering import assign, fit, placed_by
from core.segments.geometry import repeatable
from core.segments.identity import match
from core.segments.kmeans import warm_start
from core.segments.membership import memberships
from core.segments.partition import LEARNED, Partition
from tests.core.segments.blobs import blobs

every_way = pytest.mark.parametrize("way", list(Algorithm))


def asked(way: Algorithm, k: int = 3) -> ClusterSettings:
    return ClusterSettings(algorithm=way, n_clusters=k)


def everybody(vectors: np.ndarray) -> np.ndarray:
    return np.ones(len(vectors), dtype=bool)


@every_way
def test_groups_that_are_there_are_found_and_numbered_by_size(way: Algorithm) -> None:
    vectors, truth = blobs((60, 100, 80))
    inside = np.arange(len(vectors)) % 7 != 0
    found = fit(vectors, inside, asked(way))
    assert ((found.labels == OUTSIDE) == ~inside).all()
    assert adjusted_rand_score(truth[inside], found.labels[inside]) > 0.9
    assert list(found.sizes.values()) == sorted(found.sizes.values(), reverse=True)
    means = [vectors[found.labels == segment].mean(axis=0) for segment in found.ids]
    np.testing.assert_allclose(found.centroids, means, atol=1e-5)


@every_way
def test_the_same_users_are_placed_the_same_also_from_disk_and_under_other_ids(
    way: Algorithm, tmp_path: Path
) -> None:
    vectors, _ = blobs((60, 100, 80), noise=0.2)
    found = fit(vectors, everybody(vectors), asked(way))
    np.testing.assert_array_equal(assign(vectors, found), found.labels)
    before = fit(vectors, everybody(vectors), asked(Algorithm.KMEANS, k=2))
    renamed = match(before, found).partition
    assert set(renamed.sizes.values()) == set(found.sizes.values())
    renamed.to_files(tmp_path)
    assert (tmp_path / LEARNED).exists() == (way is not Algorithm.KMEANS)
    np.testing.assert_array_equal(assign(vectors, Partition.from_files(tmp_path)), renamed.labels)
    with repeatable():
        others = placed_by(vectors, vectors, asked(way))
    assert adjusted_rand_score(found.labels, others) == 1


@every_way
def test_a_warm_fit_goes_on_where_the_earlier_one_was(way: Algorithm) -> None:
    vectors, _ = blobs((60, 100, 80), noise=0.2)
    first = fit(vectors, everybody(vectors), asked(way))
    again = fit(vectors, everybody(vectors), asked(way), warm_start(first, vectors, 3))
    assert match(first, again).moved == 0
    assert again.warm == (way is not Algorithm.HDBSCAN)


@every_way
def test_two_kinds_of_identical_users_are_two_segments(way: Algorithm) -> None:
    vectors = np.repeat(np.eye(2, 16, dtype=np.float32), (40, 30), axis=0)
    found = fit(vectors, everybody(vectors), asked(way, k=2))
    assert found.sizes == {0: 40, 1: 30}
    assert (memberships(vectors, found.labels, found).share == 1).all()


@every_way
@pytest.mark.parametrize("users", [0, 1, 50])
def test_identical_users_are_bad_input(way: Algorithm, users: int) -> None:
    vectors = np.tile(np.eye(1, 16, dtype=np.float32), (users, 1))
    with pytest.raises(InputError, match="nothing to cluster"):
        fit(vectors, everybody(vectors), asked(way, k=2))
    with repeatable():
        assert (placed_by(vectors, vectors, asked(Algorithm.HDBSCAN)) == OUTLIER).all()


@every_way
def test_ten_users_are_two_segments_or_a_sentence(way: Algorithm) -> None:
    vectors = np.random.default_rng(0).normal(size=(10, 128)).astype(np.float32)
    try:
        found = fit(vectors, everybody(vectors), asked(way, k=2))
    except Beha2VecError as error:
        assert way is Algorithm.HDBSCAN
        assert "at least 5 of 10 users in each, everybody would be an outlier" in str(error)
    else:
        assert len(found.ids) == 2


def test_a_damaged_file_of_what_was_learned_is_noticed(tmp_path: Path) -> None:
    vectors, _ = blobs()
    fit(vectors, everybody(vectors), asked(Algorithm.GAUSSIAN_MIXTURE)).to_files(tmp_path)
    (tmp_path / LEARNED).write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(ArtifactError, match="holds no segments"):
        Partition.from_files(tmp_path)
