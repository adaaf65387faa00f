"""Unit vectors in well-separated groups: what K-Means must find."""

import numpy as np


def blobs(sizes: tuple[int, ...] = (50, 40, 30), noise: float = 0.1, seed: int = 0, dims: int = 8) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Vectors around axes of their own, shuffled, and the group of each."""
    random = np.random.default_rng(seed)
    truth = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    vectors = np.eye(dims)[truth] + noise * random.normal(size=(len(truth), dims))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth
