from __future__ import annotations

import numpy as np
from sklearn.linear_model import LinearRegression

from core.model.counts import normalised
from core.model.length_eraser import LengthEraser


def leaking(n: int, dims: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    lengths = rng.normal(size=n)
    vectors = rng.normal(size=(n, dims))
    vectors[:, 0] += 2 * lengths
    vectors[:, 1] -= lengths
    return normalised(vectors.astype(np.float32)), lengths


def r2(vectors: np.ndarray, lengths: np.ndarray) -> float:
    half = len(vectors) // 2
    read = LinearRegression().fit(vectors[:half], lengths[:half])
    return float(read.score(vectors[half:], lengths[half:]))


def test_what_a_line_could_read_is_gone_and_the_rest_stays() -> None:
    vectors, lengths = leaking(4000)
    erased = LengthEraser.fit(vectors[:2000], lengths[:2000]).erase(vectors)
    assert r2(vectors, lengths) > 0.6
    assert r2(erased, lengths) < 0.1
    np.testing.assert_allclose(np.linalg.norm(erased, axis=1), 1, atol=1e-5)
    assert np.corrcoef(vectors[:, 5], erased[:, 5])[0, 1] > 0.9


def test_it_is_the_smallest_change_that_leaves_no_covariance() -> None:
    """Reference: I − Σ_xz Σ_xz⁺-projection of LEACE (its theorem 4.3) for a single z, without the ridge."""
    vectors, lengths = leaking(500)
    made = LengthEraser.fit(vectors, lengths)
    raw = vectors - np.outer((vectors - made.mean) @ made.read, made.along)
    centred = lengths - lengths.mean()
    assert np.abs((raw - raw.mean(axis=0)).T @ centred).max() / 500 < 1e-3
    spread = np.cov(vectors.T, bias=True)
    together = vectors.T @ centred / 500
    expected = np.linalg.solve(spread, together) / (together @ np.linalg.solve(spread, together))
    np.testing.assert_allclose(made.read, expected, rtol=0.05, atol=0.02)


def test_equal_users_equal_lengths_and_users_without_a_vector() -> None:
    same = np.tile(leaking(1)[0], (10, 1))
    made = LengthEraser.fit(same, np.ones(10))
    np.testing.assert_allclose(made.erase(same), same, atol=1e-6)
    nothing = np.zeros((3, 8), np.float32)
    assert not LengthEraser.fit(*leaking(50)).erase(nothing).any()
    assert np.isfinite(LengthEraser.fit(nothing, np.arange(3.0)).erase(same)).all()
