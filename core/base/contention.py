"""CPU cores of this process, and how busy they are: arithmetic in two threads, timed as training feels it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

CORES: Final = "BEHA2VEC_CORES"
"""Environment variable with the number of cores of a process, set by ``core/scoring/`` to share them out."""
_THREADS: Final = 2
"""Threads of the measurement, as many as :func:`core.model.schedule.estimate_seconds` counts on."""
_BURSTS: Final = 30
"""Timed bursts per thread: 30 milliseconds on a free core, several turns of the system's scheduler."""
_ROUNDS: Final = 8
"""Rounds of arithmetic per burst: rarely interrupted, yet long enough to be timed. No matrix products: how
many threads those use is a setting of the whole process, which other threads rely on."""
_VALUES: Final = 100_000
"""Hyperbolic tangents computed per round."""


def available_cores() -> int:
    """Cores this process may use: fewer than the machine has in a container, or beside other processes."""
    if os.environ.get(CORES, "").isdecimal():
        return max(1, int(os.environ[CORES]))
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def slowdown() -> float:
    """How many times longer two threads take now than on free cores; 1 on a free machine.

    It compares the time of all bursts with the shortest ones, which nothing interrupted. That takes some
    hundredths of a second, longer the busier the machine is.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        timed = list(pool.map(lambda _: _bursts(), range(_THREADS)))
    return stretch(np.concatenate(timed))


def stretch(seconds: Sequence[float] | np.ndarray) -> float:
    """Ratio of the mean burst time to that of an undisturbed burst, at least 1.

    Args:
        seconds: The time of each burst. The tenth part that was fastest counts as undisturbed.
    """
    return max(1.0, float(np.mean(seconds) / np.quantile(seconds, 0.1)))


def _bursts() -> np.ndarray:
    """Seconds of each burst, float64 of shape (BURSTS,)."""
    values, out = np.linspace(-1, 1, _VALUES), np.empty(_VALUES)
    stamps = [time.perf_counter()]
    for _ in range(_BURSTS):
        for _ in range(_ROUNDS):
            np.tanh(values, out=out)
        stamps.append(time.perf_counter())
    return np.diff(stamps)
