"""Cuts over numbers of segments."""

import numpy as np
from sklearn.metrics import adjusted_rand_score

from core.segments.agreement import labels_over_k
from tests.core.segments.blobs import blobs


def test_each_number_of_segments_has_a_column() -> None:
    rows, truth = blobs((30, 20, 10), noise=0.05)
    labels = labels_over_k(rows, rows, [2, 3])
    assert [len(np.unique(column)) for column in labels.T] == [2, 3]
    assert adjusted_rand_score(truth, labels[:, 1]) == 1.0


def test_fewer_different_users_make_fewer_segments() -> None:
    rows = np.repeat(np.eye(2, 4, dtype=np.float32), 10, axis=0)
    assert len(np.unique(labels_over_k(rows, rows, [5]))) == 2
    assert not labels_over_k(rows[:5], rows, [2]).any()
