"""How busy the machine is: a ratio of times, so that no machine has to be known."""

from __future__ import annotations

import pytest

from core.contention import slowdown, stretch


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


def test_no_machine_is_faster_than_free() -> None:
    assert 1.0 <= slowdown() < 1_000
