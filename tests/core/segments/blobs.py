"""Unit vectors in well-separated groups: what K-Means must find."""

import hashlib

import numpy as np

from core.base.settings import ClusterSettings
from core.segments.clustering import fit


def blobs(
    sizes: tuple[int, ...] = (50, 40, 30), noise: float = 0.1, seed: int = 0, dims: int = 8
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors around axes of their own, shuffled, and the group of each."""
    random = np.random.default_rng(seed)
    truth = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    vectors = np.eye(dims)[truth] + noise * random.normal(size=(len(truth), dims))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


def digest() -> str:
    """A fingerprint of the segments of 4,000 users who form no groups, where rounding would show first."""
    vectors = np.random.default_rng(0).normal(size=(4000, 16)).astype(np.float32)
    made = fit(vectors, np.ones(len(vectors), dtype=bool), ClusterSettings(n_clusters=7))
    return hashlib.sha256(made.labels.tobytes() + made.centroids.tobytes()).hexdigest()
