"""HDBSCAN: dense groups of any number, outliers, and who comes later."""

import numpy as np
import pytest

from core.base.errors import InputError
from core.base.schema import OUTLIER
from core.base.settings import Algorithm, ClusterSettings
from core.segments import density
from core.segments.clustering import assign, fit
from tests.core.segments.blobs import blobs

DENSE = ClusterSettings(algorithm=Algorithm.HDBSCAN, n_clusters=50, min_cluster_size=0.1)


def crowds_and_strays() -> tuple[np.ndarray, np.ndarray]:
    """Three crowds, and 30 users all over the place, who come last."""
    vectors, truth = blobs((100, 90, 80), noise=0.03)
    strays = np.random.default_rng(1).normal(size=(30, vectors.shape[1])).astype(np.float32)
    strays /= np.linalg.norm(strays, axis=1, keepdims=True)
    return np.vstack([vectors, strays]), np.append(truth, np.full(30, OUTLIER))


def test_crowds_are_found_whatever_number_is_asked_for_and_strays_are_outliers() -> None:
    vectors, truth = crowds_and_strays()
    found = fit(vectors, np.ones(len(vectors), dtype=bool), DENSE)
    assert len(found.ids) == 3
    assert (found.labels[truth == OUTLIER] == OUTLIER).mean() > 0.8
    assert (found.labels[truth != OUTLIER] != OUTLIER).mean() > 0.9


def test_who_comes_later_is_placed_beside_their_like_and_a_stranger_is_an_outlier(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vectors, truth = crowds_and_strays()
    monkeypatch.setattr(density, "SAMPLE", 200)  # 100 of them are placed by the others
    found = fit(vectors, np.ones(len(vectors), dtype=bool), DENSE)
    for segment in found.ids:
        assert len(set(truth[found.labels == segment].tolist()) - {OUTLIER}) == 1
    assert (found.labels[truth != OUTLIER] != OUTLIER).mean() > 0.9
    stranger = -vectors[:1]
    assert assign(stranger, found).tolist() == [OUTLIER]


def test_larger_groups_are_fewer() -> None:
    vectors, _ = blobs((100, 90, 40, 30), noise=0.03)
    many = fit(vectors, np.ones(len(vectors), dtype=bool), DENSE)
    few = DENSE.model_copy(update={"min_cluster_size": 0.2})
    assert (len(many.ids), len(fit(vectors, np.ones(len(vectors), dtype=bool), few).ids)) == (4, 2)


def test_where_there_is_no_crowd_it_says_so() -> None:
    cloud = np.random.default_rng(0).normal(size=(500, 64)).astype(np.float32)
    with pytest.raises(InputError, match="at least 50 of 500 users in each, everybody would be an outlier"):
        fit(cloud, np.ones(500, dtype=bool), DENSE)
