"""How sure a share is."""

from __future__ import annotations

from typing import Final

import numpy as np

Z_95: Final = 1.959963984540054
"""Standard normal quantile that leaves 2.5 % on each side."""


def wilson(successes: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % Wilson score interval of a share (Wilson 1927), which also holds for few users and for 0 %.

    Args:
        successes: Counts, of any shape.
        trials: Counts of the same or a broadcastable shape.

    Returns:
        Lower and upper end, float64; NaN where there are no trials.
    """
    n = np.asarray(trials, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = successes / n
        spread = Z_95 * np.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
        middle, scale = share + Z_95**2 / (2 * n), 1 + Z_95**2 / n
        low, high = (middle - spread) / scale, (middle + spread) / scale
    # rounding must not push the end of 0 % and 100 % beyond them
    return np.where(share == 0, 0.0, low), np.where(share == 1, 1.0, high)
