"""The container of segments, and its files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.base.errors import ArtifactError
from core.base.settings import ClusterSettings
from core.segments.partition import CENTROIDS, FACTS, LABELS, Partition


def toy() -> Partition:
    return Partition(
        labels=np.array([0, 2, -1, 2], dtype=np.int32),
        centroids=np.array([[1, 0], [0, 1]], dtype=np.float32),
        ids=np.array([0, 2], dtype=np.int32),
        inertia=0.5, n_iter=3, warm=True, settings=ClusterSettings(n_clusters=2, seed=7),
    )  # fmt: skip


def test_sizes_are_by_id() -> None:
    assert toy().sizes == {0: 1, 2: 2}


def test_a_digest_names_who_is_where_and_how_far_apart_they_are(tmp_path: Path) -> None:
    toy().to_files(tmp_path)
    assert toy().digest == Partition.from_files(tmp_path).digest
    others = (
        replace(toy(), labels=np.array([2, 2, -1, 2], dtype=np.int32)),
        replace(toy(), centroids=np.array([[1, 0], [0, 2]], dtype=np.float32)),  # other weights of the views
        replace(toy(), ids=np.array([0, 2], dtype=np.int32), labels=np.array([0, 2, 0, 2], dtype=np.int32)),
        replace(toy(), settings=ClusterSettings(n_clusters=2, seed=8)),  # of another certainty
    )
    assert len({toy().digest, *(other.digest for other in others)}) == 5


def test_files_give_back_what_was_written(tmp_path: Path) -> None:
    toy().to_files(tmp_path / "new" / "folder")
    back = Partition.from_files(tmp_path / "new" / "folder")
    for name in ("labels", "centroids", "ids"):
        np.testing.assert_array_equal(getattr(back, name), getattr(toy(), name))
        assert getattr(back, name).dtype == getattr(toy(), name).dtype
    assert (back.inertia, back.n_iter, back.warm, back.settings) == (0.5, 3, True, toy().settings)


@pytest.mark.parametrize("way", ["kmeans", "gaussian_mixture"])
def test_of_an_earlier_release_those_of_kmeans_can_be_read(tmp_path: Path, way: str) -> None:
    toy().to_files(tmp_path)
    facts = json.loads((tmp_path / FACTS).read_text())
    facts["settings"] |= {"algorithm": way, "min_cluster_size": 0.02}
    (tmp_path / FACTS).write_text(json.dumps(facts))
    if way == "kmeans":
        assert Partition.from_files(tmp_path).digest == toy().digest
    else:
        with pytest.raises(ArtifactError, match=r"made by gaussian_mixture.*Cluster again"):
            Partition.from_files(tmp_path)


@pytest.mark.parametrize("name", [LABELS, CENTROIDS, FACTS])
def test_a_missing_or_broken_file_is_an_artifact_error(tmp_path: Path, name: str) -> None:
    toy().to_files(tmp_path)
    (tmp_path / name).write_bytes(b"{")
    with pytest.raises(ArtifactError, match="holds no segments"):
        Partition.from_files(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ArtifactError, match="holds no segments"):
        Partition.from_files(tmp_path)


def test_objects_in_a_file_are_never_loaded(tmp_path: Path) -> None:
    toy().to_files(tmp_path)
    np.save(tmp_path / LABELS, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ArtifactError, match="holds no segments"):
        Partition.from_files(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"labels": np.array([0, 1], dtype=np.int32)},  # 1 is no segment
        {"ids": np.array([2, 0], dtype=np.int32)},
        {"ids": np.array([0, 1, 2], dtype=np.int32)},
        {"labels": np.array([[0, 2]], dtype=np.int32)},
    ],
)
def test_parts_that_do_not_fit_together_are_refused(wrong: dict[str, np.ndarray]) -> None:
    with pytest.raises(ArtifactError, match="do not fit together"):
        replace(toy(), **wrong)
