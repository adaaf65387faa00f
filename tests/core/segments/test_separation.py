"""The silhouette against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from core.segments import separation
from core.segments.separation import silhouettes


@pytest.mark.parametrize("block", [7, 1000])
def test_silhouettes_are_those_of_scikit_learn(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(separation, "BLOCK", block)
    rows = np.random.default_rng(0).normal(size=(80, 6)).astype(np.float32)
    labels = np.random.default_rng(1).integers(0, [2, 3, 5], size=(80, 3))
    found = silhouettes(rows, labels)
    assert found == pytest.approx([silhouette_score(rows, column) for column in labels.T], abs=1e-4)


def test_a_segment_of_one_user_and_an_empty_one_count_as_scikit_learn_counts_them() -> None:
    rows = np.array([[0, 0], [0, 1], [5, 5], [9, 9]], dtype=np.float32)
    labels = np.array([[0], [0], [1], [3]])  # segment 2 is empty
    expected = silhouette_score(rows, labels[:, 0])
    assert silhouettes(rows, labels) == pytest.approx([expected], abs=1e-5)
