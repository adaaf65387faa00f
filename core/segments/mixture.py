"""A mixture of Gaussians (scikit-learn's): groups of different width, shape and size that may overlap.

It is learned on principal components of at most :data:`SAMPLE` users, from the groups that K-Means starts
with; everybody then belongs to the component that is likeliest for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from sklearn.mixture import GaussianMixture

from core.base.errors import InputError
from core.base.settings import ClusterSettings
from core.segments.geometry import nearest, seeded_sample
from core.segments.kmeans import cold_centroids
from core.segments.principal import along, principal_axes

SAMPLE: Final = 20_000
"""Users that it is learned on."""
DIMENSIONS: Final = 10
"""Principal components: a full covariance matrix of more needs more users than a segment has."""
FLOOR: Final = 0.01
"""Share of the mean variance added to each direction: many users did the very same, and a component that
shrinks onto them would be infinitely likely."""
LEAST: Final = 1e-6
"""The same where all users nearly are alike."""


def learn(
    rows: np.ndarray, settings: ClusterSettings, init: np.ndarray | None
) -> tuple[dict[str, np.ndarray], int]:
    """Components of the mixture that are the likeliest for somebody, and the rounds it took.

    Args:
        rows: float32 of shape (n, d), all of them to be clustered.
        settings: Number of components, seed, starts of K-Means.
        init: Centroids to start from, of shape (n_clusters, d); None for those of a cold K-Means.

    Raises:
        InputError: If one component is the likeliest for everybody.
    """
    start = cold_centroids(rows, settings) if init is None else init
    k = len(start)
    sample = seeded_sample(rows, SAMPLE, settings.seed)
    axes = principal_axes(sample, DIMENSIONS)
    narrow = along(sample, axes).astype(np.float64)
    floor = max(LEAST, FLOOR * narrow.var(axis=0).mean())
    means = along(start, axes).astype(np.float64)
    within = np.atleast_2d(np.cov((narrow - means[nearest(sample, start)[0]]).T))
    precision = np.linalg.inv(within + floor * np.eye(len(within)))  # K-Means' own: all as wide
    made = GaussianMixture(
        k, weights_init=np.full(k, 1 / k), means_init=means, precisions_init=np.tile(precision, (k, 1, 1)),
        reg_covar=floor, random_state=settings.seed,
    ).fit(narrow)  # fmt: skip
    found = {"weights": made.weights_, "means": made.means_, "precisions": made.precisions_cholesky_}
    kept = np.unique(place(rows, axes | found))
    if len(kept) < 2:
        raise InputError(
            "A mixture finds one group that holds everybody",
            remedy="Choose another number of segments, or K-Means",
        )
    return axes | {name: values[kept] for name, values in found.items()}, int(made.n_iter_)


def place(rows: np.ndarray, learned: Mapping[str, np.ndarray]) -> np.ndarray:
    """The likeliest component of each row: intp of shape (n,)."""
    likeliest: np.ndarray = posterior(rows, learned).argmax(axis=1)
    return likeliest


def posterior(rows: np.ndarray, learned: Mapping[str, np.ndarray]) -> np.ndarray:
    """How likely each component is for each row: float64 of shape (n, k), each row adds up to 1."""
    made = GaussianMixture(len(learned["weights"]))
    made.weights_, made.means_ = learned["weights"] / learned["weights"].sum(), learned["means"]
    made.precisions_cholesky_ = learned["precisions"]
    likely: np.ndarray = made.predict_proba(along(rows, learned).astype(np.float64))
    return likely
