"""Nearest users by vector, exact and by an inverted file."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from core.segments import neighbours
from tests.core.segments.blobs import blobs


@pytest.mark.parametrize("exact", [10, 1000])
def test_neighbours_are_found(exact: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = blobs((120, 100, 80), noise=0.3)
    monkeypatch.setattr(neighbours, "EXACT", exact)
    monkeypatch.setattr(neighbours, "PROBED", 17)  # every cell of the inverted file
    monkeypatch.setattr(neighbours, "ASKED_AT_ONCE", 70)
    told: list[float] = []
    found, distances = neighbours.neighbours(rows, rows[:200], 4, told.append)
    true = cdist(rows[:200], rows)
    np.testing.assert_array_equal(found, np.argsort(true, axis=1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(true, axis=1)[:, :4] ** 2, atol=1e-4)
    assert told == [0.0, 0.35, 0.7]


def test_a_cell_with_too_few_users_repeats_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "EXACT", 10)
    monkeypatch.setattr(neighbours, "PROBED", 1)
    rows, _ = blobs((200, 1), noise=0.01)
    found, distances = neighbours.neighbours(rows, rows, 150, lambda share: None)
    assert found.min() >= 0
    assert np.isfinite(distances).all()
    np.testing.assert_array_equal(found[:, 0], np.arange(len(rows)))
