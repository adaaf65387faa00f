"""Principal components: where users differ most, in a few numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.decomposition import PCA


def principal_axes(rows: np.ndarray, most: int) -> dict[str, np.ndarray]:
    """Principal components of rows: ``mean`` (d,) and ``axes`` (at most ``most``, d), float32."""
    made = PCA(min(most, *rows.shape), svd_solver="covariance_eigh").fit(rows)
    return {"mean": made.mean_.astype(np.float32), "axes": made.components_.astype(np.float32)}


def project(rows: np.ndarray, axes: Mapping[str, np.ndarray]) -> np.ndarray:
    """Coordinates of rows on :func:`principal_axes`: float32 of shape (n, n_axes)."""
    narrow: np.ndarray = (rows - axes["mean"]) @ axes["axes"].T
    return narrow
