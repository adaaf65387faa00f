"""How busy the machine is: a ratio of times, so that no machine has to be known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import threadpool_info

from core.base.contention import CORES, available_cores, slowdown, stretch
from core.segments.geometry import THREADS, repeatable


@pytest.mark.parametrize(
    ("seconds", "times"),
    [
        ([2.0] * 20, 1.0),  # nothing interrupted
        ([2.0] * 10 + [6.0] * 10, 2.0),  # every other burst waited for two others
        ([2.0] * 19 + [42.0], 2.0),  # one long wait
    ],
)
def test_the_mean_beside_what_nothing_interrupted(seconds: list[float], times: float) -> None:
    assert stretch(seconds) == pytest.approx(times)


def test_threads_of_matrix_products_are_left_as_they_are() -> None:
    """K-Means counts on their number (core.segments.geometry), whoever measures meanwhile."""
    with repeatable(), ThreadPoolExecutor(1) as pool:
        measured = pool.submit(slowdown)
        while not measured.done():
            assert all(one["num_threads"] == THREADS for one in threadpool_info())
        assert measured.result() >= 1.0


@pytest.mark.parametrize(("said", "cores"), [("1", 1), ("3", 3), ("0", 1)])
def test_whoever_shares_cores_out_says_how_many_there_are(
    said: str, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CORES, said)
    assert available_cores() == cores


def test_without_a_word_or_with_none_that_is_a_number_the_system_says_how_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(CORES, raising=False)
    of_system = available_cores()
    monkeypatch.setenv(CORES, "many")
    assert available_cores() == of_system
