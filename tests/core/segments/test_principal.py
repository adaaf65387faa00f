"""Principal components of toy rows, checked by eye."""

import numpy as np

from core.segments.principal import principal_axes, project


def test_the_axis_is_where_rows_differ_and_distances_on_it_stay() -> None:
    rows = np.array([[1, 5, 0], [2, 5, 0], [4, 5, 0]], dtype=np.float32)
    axes = principal_axes(rows, most=1)
    np.testing.assert_allclose(axes["mean"], [7 / 3, 5, 0], rtol=1e-6)
    np.testing.assert_allclose(np.abs(axes["axes"]), [[1, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(np.abs(np.diff(project(rows, axes)[:, 0])), [1, 2], rtol=1e-6)
    assert principal_axes(rows, most=10)["axes"].shape == (3, 3)
