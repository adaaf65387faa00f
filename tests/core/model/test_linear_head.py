from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from core.model import head_fitting as head
from core.model.head_fitting import PairCovariances, directions_beyond_chance


def parts(n: int, *stays: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two parts of each user; a feature for each share of its variance that stays the same."""
    rng = np.random.default_rng(seed)
    same = np.sqrt(stays) * rng.normal(size=(n, len(stays)))
    first, second = (same + np.sqrt(1 - np.array(stays)) * rng.normal(size=same.shape) for _ in range(2))
    return first, second


def test_reliability_is_what_stays_beside_what_does_not() -> None:
    found = PairCovariances.of(*parts(200_000, 0.5, 0.2, 0.0)).head()
    # W is .5, .8, 1, shrunk by .7 to its mean of .767; C is .5, .2, 0
    np.testing.assert_allclose(found.reliability[:2], [0.5 / 0.687, 0.2 / 0.777], atol=0.01)
    assert np.abs(found.projection[:, 0]).argmax() == 0


def test_what_does_not_stay_counts_little() -> None:
    first, second = parts(50_000, 0.9, 0.1)
    found = PairCovariances.of(first, second).head()
    spread = ((first - found.mean) @ found.projection).std(axis=0)
    assert spread[0] > spread[1] * (0.9 / 0.1) ** (head.POWER / 2)


def test_without_shrinkage_it_is_linear_discriminant_analysis_with_a_class_a_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(head, "SHRINKAGE", 0.0)
    first, second = parts(400, 0.8, 0.3, 0.1)
    mixing = np.array([[1, 0.5, 0], [0, 1, 0.5], [0.2, 0, 1]])
    first, second = first @ mixing, second @ mixing
    ours = PairCovariances.of(first, second).head().projection[:, 0]
    users = np.tile(np.arange(400), 2)
    theirs = LinearDiscriminantAnalysis(solver="eigen").fit(np.vstack([first, second]), users).scalings_[:, 0]
    cosine = abs(ours @ theirs) / np.linalg.norm(ours) / np.linalg.norm(theirs)
    assert cosine == pytest.approx(1, abs=1e-3)


@given(st.integers(0, 2**31))
def test_features_times_factors_are_measured_as_if_they_had_been_so(seed: int) -> None:
    first, second = parts(50, 0.5, 0.5, 0.1, seed=seed)
    factors = np.array([2.0, 0.0, 0.3])
    scaled, kept = PairCovariances.of(first, second).scaled(factors), factors > 0
    direct = PairCovariances.of((first * factors)[:, kept], (second * factors)[:, kept])
    for ours, theirs in (
        (scaled.mean, direct.mean),
        (scaled.between, direct.between),
        (scaled.total, direct.total),
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_where_nothing_stays_one_direction_is_left() -> None:
    first, _ = parts(30, 0.0, 0.0)
    assert PairCovariances.of(first, -first).head().projection.shape == (2, 1)


def test_directions_that_come_again_are_those_that_were_made_to() -> None:
    assert directions_beyond_chance(*parts(2000, 0.6, 0.3, 0.0, 0.0, 0.0)) == (2, 5)


@pytest.mark.parametrize("seed", range(3))
def test_of_parts_that_share_nothing_hardly_a_direction_comes_again(seed: int) -> None:
    beyond, of = directions_beyond_chance(*parts(500, *[0.0] * 20, seed=seed))
    assert of == 20
    assert beyond <= 1
