"""Distances, means and identical users against plain loops."""

import sys
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import ThreadpoolController, threadpool_info

from core.segments import geometry
from core.segments.geometry import (
    count_different,
    nearest,
    repeatable,
    segment_means,
    squared_distances,
    unique_rows,
)


def some(n: int, seed: int = 0, dims: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dims)).astype(np.float32)


def test_squared_distances() -> None:
    rows, centroids = some(7), some(3, seed=1)
    plain = [[((row - centroid) ** 2).sum() for centroid in centroids] for row in rows]
    np.testing.assert_allclose(squared_distances(rows, centroids), plain, rtol=1e-4)


def test_nearest_is_the_same_in_blocks_and_takes_the_first_on_a_tie(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, centroids = some(25), np.vstack([some(3, seed=1), some(3, seed=1)])
    whole = nearest(rows, centroids)
    monkeypatch.setattr(geometry, "BLOCK", 4)
    place, distance = nearest(rows, centroids)
    np.testing.assert_array_equal(place, whole[0])
    np.testing.assert_allclose(distance, whole[1], rtol=1e-5)
    assert place.max() < 3


def test_segment_means_with_an_empty_segment() -> None:
    rows = np.array([[1, 1], [3, 5], [10, 0]], dtype=np.float32)
    means, sizes = segment_means(rows, np.array([0, 0, 2]), 3)
    np.testing.assert_array_equal(means, [[2, 3], [0, 0], [10, 0]])
    np.testing.assert_array_equal(sizes, [2, 0, 1])


def test_unique_rows_by_eye() -> None:
    a, b, c = ([1.0, 2.0], [0.0, 9.0], [5.0, 5.0])
    first, place = unique_rows(np.array([b, a, b, c, a], dtype=np.float32))
    np.testing.assert_array_equal(first, [0, 1, 3])
    np.testing.assert_array_equal(place, [0, 1, 0, 2, 1])


@given(st.lists(st.integers(0, 6), max_size=30))
def test_unique_rows_give_back_every_row(values: list[int]) -> None:
    rows = np.array([[value, 7 - value] for value in values], dtype=np.float32).reshape(-1, 2)
    first, place = unique_rows(rows)
    np.testing.assert_array_equal(rows[first][place], rows)
    assert len(first) == len(set(values)) == count_different(rows)
    assert (np.diff(first) > 0).all()


@pytest.mark.parametrize(("enough", "at_least"), [(2, 2), (3, 3), (4, 3)])
def test_counting_stops_early_but_never_short(enough: int, at_least: int) -> None:
    rows = np.repeat(some(3), 40, axis=0)
    assert count_different(rows, enough) >= at_least
    assert count_different(rows, enough) <= 3


def test_libraries_run_on_one_thread_and_get_theirs_back() -> None:
    before = {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}
    with repeatable(), repeatable():
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
    assert {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()} == before


def test_libraries_are_looked_for_once_until_something_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[ThreadpoolController] = []

    def look() -> ThreadpoolController:
        looked.append(ThreadpoolController())
        return looked[-1]

    monkeypatch.setattr(geometry, "ThreadpoolController", look)
    geometry._libraries.cache_clear()
    for _ in range(3):
        with repeatable():
            pass
    assert len(looked) == 1
    monkeypatch.setitem(sys.modules, "imported_meanwhile", ModuleType("imported_meanwhile"))
    with repeatable():
        pass
    assert len(looked) == 2
