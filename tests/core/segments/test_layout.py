"""The map: every user has a place, groups stay apart, identical users stay together."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA

from core.base.errors import Cancelled
from core.base.progress import silent
from core.segments import layout
from core.segments.layout import fidelity, neighbour_layout, pca_layout, principal_components
from tests.core.segments.blobs import blobs


def test_pca_is_that_of_scikit_learn_up_to_the_sign() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32) * [6, 5, 4, 3, 2, 1]
    found = principal_components(rows.astype(np.float32), 3)
    expected = PCA(3).fit_transform(rows)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-3)


def test_pca_of_one_column_has_a_second_one_of_zeros() -> None:
    found = principal_components(np.array([[1.0], [2.0], [6.0]], dtype=np.float32), 2)
    np.testing.assert_allclose(found, [[-2, 0], [-1, 0], [3, 0]], atol=1e-6)


def test_everybody_has_a_place_within_the_frame() -> None:
    vectors, _ = blobs((50, 40, 30))
    found = pca_layout(vectors)
    assert (found.xy.shape, found.xy.dtype, found.method) == ((120, 2), np.float32, "PCA")
    assert np.ptp(found.xy, axis=0).max() == pytest.approx(2)
    assert np.abs(found.xy).max() == pytest.approx(1)


def test_identical_users_form_a_disc_and_nobody_else_is_moved_by_it() -> None:
    different, _ = blobs((50, 40, 30))
    vectors = np.concatenate([different, np.tile(different[:1], (400, 1))])
    alone, crowded = pca_layout(different), pca_layout(vectors)
    np.testing.assert_array_equal(alone.xy, crowded.xy[:120])
    disc = crowded.xy[120:] - crowded.xy[0]
    radius = np.linalg.norm(disc, axis=1)
    assert len(np.unique(disc, axis=0)) == 400
    assert np.abs(disc.mean(axis=0)).max() < 0.01
    assert (np.diff(radius) > 0).all()
    share_of_map = np.pi * radius.max() ** 2 / 4
    assert share_of_map == pytest.approx(layout.DISC_SHARE * 400 / 520, rel=0.01)


def test_all_users_the_same_is_one_disc() -> None:
    found = pca_layout(np.tile(blobs((1,))[0], (30, 1)))
    assert np.isfinite(found.xy).all()
    assert found.fidelity == 0.0


def test_fidelity_is_the_share_of_true_neighbours_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    rows, flat = (
        random.normal(size=(90, 5)).astype(np.float32),
        random.normal(size=(90, 2)).astype(np.float32),
    )
    monkeypatch.setattr(layout, "BLOCK", 7)
    by_vector, by_place = (np.argsort(cdist(x, x), axis=1)[:, 1:16] for x in (rows, flat))
    kept = [len(set(a) & set(b)) for a, b in zip(by_vector.tolist(), by_place.tolist(), strict=True)]
    assert fidelity(rows, flat, seed=0) == pytest.approx(np.mean(kept) / 15)
    plane = rows[:, :2].copy()
    assert fidelity(plane, plane * 3, seed=0) == 1.0


def test_few_different_users_are_laid_out_by_pca() -> None:
    vectors, _ = blobs((20, 20))
    assert neighbour_layout(vectors, 0, silent).method == "PCA"


@pytest.mark.slow
@pytest.mark.parametrize(("most", "method"), [(1000, "PaCMAP"), (150, "PaCMAP with landmarks")])
def test_neighbours_stay_neighbours(most: int, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, truth = blobs((120, 100, 80), noise=0.2, dims=16)
    monkeypatch.setattr(layout, "LANDMARKS", most)
    told: list[float] = []
    found = neighbour_layout(vectors, 0, lambda stage, fraction, message="", **figures: told.append(fraction))
    assert found.method == method
    nearest = np.argsort(cdist(found.xy, found.xy), axis=1)[:, 1]
    assert (truth[nearest] == truth).mean() > 0.97
    assert found.fidelity > pca_layout(vectors).fidelity
    assert (len(told) > 400, told == sorted(told)) == (True, True)
    np.testing.assert_array_equal(found.xy, neighbour_layout(vectors, 0, silent).xy)
    assert not np.array_equal(found.xy, neighbour_layout(vectors, 1, silent).xy)


@pytest.mark.slow
@pytest.mark.parametrize("when", [0.0, 0.5])
def test_a_layout_can_be_stopped_on_the_way(when: float) -> None:
    vectors, _ = blobs((120, 100, 80), noise=0.3)

    def stop(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        if fraction >= when:
            raise Cancelled

    with pytest.raises(Cancelled):
        neighbour_layout(vectors, 0, stop)
