"""How sure it is that one group does something more often than another."""

from __future__ import annotations

import numpy as np

from core.profiles.wilson import Z_95


def ratio(share: np.ndarray, rest_share: np.ndarray) -> np.ndarray:
    """How many times the rest's share; NaN where the rest's is 0 or absent."""
    whole = np.asarray(rest_share, dtype=np.float64)
    lift: np.ndarray = np.divide(share, whole, out=np.full(np.shape(share), np.nan), where=whole > 0)
    return lift


def user_lift_interval(
    users: np.ndarray, n: np.ndarray, rest: np.ndarray, rest_n: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of a ratio of two shares of users, on the log scale (Katz et al. 1978).

    Args:
        users: Who does it, of any shape.
        n: Of how many.
        rest: Who does it among the rest.
        rest_n: Of how many.

    Returns:
        Lower and upper end; NaN where one of the two shares is 0 or absent.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(1 / users - 1 / n + 1 / rest - 1 / rest_n)
        return _around((users / n) / (rest / rest_n), spread)


def views_lift_interval(
    share: np.ndarray, error: np.ndarray, rest_share: np.ndarray, rest_error: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The 95 % interval of a ratio of two shares of page views, on the log scale (delta method).

    Args:
        share: Share of page views, of any shape.
        error: Its standard error.
        rest_share: The same among the rest.
        rest_error: Its standard error.

    Returns:
        Lower and upper end; NaN where one of the two shares is 0 or absent.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt((error / share) ** 2 + (rest_error / rest_share) ** 2)
        return _around(share / rest_share, spread)


def _around(lift: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(lift) & np.isfinite(spread) & (lift > 0)
    low, high = lift * np.exp(-Z_95 * spread), lift * np.exp(Z_95 * spread)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)
