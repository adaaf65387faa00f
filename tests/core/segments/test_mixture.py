"""A mixture: groups of different width, shares that add up, components that nobody needs."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from core.base.errors import InputError
from core.base.settings import Algorithm, ClusterSettings
from core.segments import mixture
from core.segments.clustering import fit

TWO = ClusterSettings(algorithm=Algorithm.GAUSSIAN_MIXTURE, n_clusters=2)


def wide_and_narrow() -> tuple[np.ndarray, np.ndarray]:
    """A wide cloud around 0 and a narrow one beside it: K-Means cuts the wide one in two."""
    random = np.random.default_rng(0)
    wide = random.normal(size=(400, 2)) * 2
    narrow = random.normal(size=(400, 2)) * 0.2 + [3, 0]
    return np.vstack([wide, narrow]).astype(np.float32), np.repeat([0, 1], 400)


def test_a_narrow_group_beside_a_wide_one_is_found_where_k_means_cuts_the_wide_one() -> None:
    vectors, truth = wide_and_narrow()
    everybody = np.ones(len(vectors), dtype=bool)
    means = fit(vectors, everybody, ClusterSettings(n_clusters=2))
    found = fit(vectors, everybody, TWO)
    assert adjusted_rand_score(truth, found.labels) > 0.85 > adjusted_rand_score(truth, means.labels)


def test_shares_add_up_and_the_largest_is_the_place() -> None:
    vectors, _ = wide_and_narrow()
    learned, rounds = mixture.learn(vectors, TWO, None)
    likely = mixture.posterior(vectors, learned)
    np.testing.assert_allclose(likely.sum(axis=1), 1)
    np.testing.assert_array_equal(mixture.place(vectors, learned), likely.argmax(axis=1))
    assert rounds > 0
    assert 0.1 < likely[0].max() <= 1


def test_it_is_learned_on_a_sample_and_places_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, truth = wide_and_narrow()
    monkeypatch.setattr(mixture, "SAMPLE", 200)
    learned, _ = mixture.learn(vectors, TWO, None)
    assert adjusted_rand_score(truth, mixture.place(vectors, learned)) > 0.8


def test_a_component_that_is_the_likeliest_for_nobody_is_no_segment(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = wide_and_narrow()
    monkeypatch.setattr(mixture, "place", lambda rows, learned: np.zeros(len(rows), dtype=np.intp))
    with pytest.raises(InputError, match="one group that holds everybody"):
        mixture.learn(vectors, TWO, None)
