"""Users that do not fit in memory: the same segments, a chunk at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from core.base.schema import OUTSIDE
from core.base.settings import ClusterSettings
from core.segments import clustering
from core.segments.clustering import ChunkedRows, assign, fit
from core.segments.partition import Partition
from tests.core.segments.blobs import blobs

THREE = ClusterSettings(n_clusters=3)


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, number in {"MAX_USERS": 300, "BLOCK": 256, "TAUGHT": 200, "RUN": 8, "BATCH": 64}.items():
        monkeypatch.setattr(clustering, name, number)


@dataclass(frozen=True)
class Watched:
    """Vectors that know how many of them were read at once."""

    rows: np.ndarray
    read: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        found: np.ndarray = self.rows[places]
        self.read.append(len(found))
        return found


def by_lloyd(vectors: np.ndarray, wanted: ClusterSettings) -> Partition:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clustering, "MAX_USERS", len(vectors))
        return fit(vectors, np.ones(len(vectors), dtype=bool), wanted)


def test_groups_on_disk_are_found_though_they_lie_in_order(tmp_path: Path) -> None:
    vectors, truth = blobs((900, 600, 300))
    order = np.argsort(truth, kind="stable")
    np.save(tmp_path / "vectors.npy", vectors[order])
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    found = fit(mapped, np.ones(len(mapped), dtype=bool), THREE)
    assert found.sizes == {0: 900, 1: 600, 2: 300}
    np.testing.assert_array_equal(found.labels, truth[order])
    np.testing.assert_array_equal(assign(mapped, found), found.labels)


def test_no_more_than_a_chunk_is_read_at_once() -> None:
    watched = Watched(blobs((900, 600, 300))[0])
    inside = np.arange(1800) % 5 > 0
    found = fit(watched, inside, THREE)  # type: ignore[arg-type]
    assert 0 < max(watched.read) <= clustering.BLOCK
    assert (found.labels[~inside] == OUTSIDE).all()
    assert (found.labels[inside] >= 0).all()


@settings(max_examples=20)
@given(
    sizes=st.lists(st.integers(100, 500), min_size=2, max_size=6),
    noise=st.floats(0.05, 0.25),
    seed=st.integers(0, 1000),
)
def test_inertia_is_that_of_lloyd(sizes: list[int], noise: float, seed: int) -> None:
    vectors, _ = blobs((301, *sizes), noise, seed)
    wanted = ClusterSettings(n_clusters=len(sizes) + 1, seed=seed)
    ours, lloyd = fit(vectors, np.ones(len(vectors), dtype=bool), wanted), by_lloyd(vectors, wanted)
    assert ours.inertia <= 1.01 * lloyd.inertia
    own = vectors - ours.centroids[ours.labels]
    assert ours.inertia == pytest.approx(float((own.astype(np.float64) ** 2).sum()), rel=1e-5)


def test_all_users_count_not_a_sample_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no groups, a sample misleads."""
    vectors = np.random.default_rng(0).normal(size=(4000, 8)).astype(np.float32)
    everybody, seven = np.ones(len(vectors), dtype=bool), ClusterSettings(n_clusters=7)
    ours, lloyd = fit(vectors, everybody, seven), by_lloyd(vectors, seven)
    monkeypatch.setattr(clustering, "mini_batch", lambda rows, start, seed: start)
    sampled = fit(vectors, everybody, seven)
    assert ours.inertia < 1.02 * lloyd.inertia < 1.05 * lloyd.inertia < sampled.inertia


def test_same_seed_gives_the_same_segments_and_a_warm_fit_keeps_their_numbers() -> None:
    vectors, _ = blobs((900, 600, 300), noise=0.2)
    everybody = np.ones(len(vectors), dtype=bool)
    first, again = fit(vectors, everybody, THREE), fit(vectors, everybody, THREE)
    np.testing.assert_array_equal(first.centroids, again.centroids)
    turned = fit(vectors, everybody, THREE, first.centroids[[2, 0, 1]])
    assert turned.warm
    assert adjusted_rand_score(turned.labels, first.labels) > 0.99
    assert np.mean(turned.labels == np.array([1, 2, 0])[first.labels]) > 0.99


def test_a_pass_reads_everybody_once_in_an_order_of_its_own() -> None:
    users = np.arange(0, 2000, 2)
    rows = ChunkedRows(np.arange(2000, dtype=np.float32)[:, None], users)
    first, second = (np.concatenate(list(rows.batches([0, number])))[:, 0] for number in range(2))
    assert not np.array_equal(first, second)
    for read in (first, second):
        np.testing.assert_array_equal(np.sort(read), users)
