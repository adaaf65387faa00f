"""Counts of segments by period or by hour, each beside the other clustered users."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from core.differences.table import Diff
from core.profiles.profile_columns import ROW, Col
from core.profiles.rows import Rows
from core.profiles.two_shares import difference_interval
from core.profiles.wilson import Z_95, wilson

PART, VALUE = "part", "value"
REST_PART, REST_VALUE = "rest_part", "rest_value"
HELD: Final = (PART, Col.N, VALUE, Col.LOW, Col.HIGH, REST_PART, Col.REST_N, REST_VALUE, Diff.DIFFERS)


def distinct(codes: np.ndarray) -> np.ndarray:
    """The different codes, none below 0, ascending; many times as fast as ``np.unique``, which hashes."""
    ordered = np.sort(codes, kind="stable")  # they mostly are
    return ordered[np.flatnonzero(np.diff(ordered, prepend=-1))]


def sums(
    rows: Rows, user: np.ndarray, code: np.ndarray, width: int, of: np.ndarray | None = None
) -> np.ndarray:
    """Sum over the users of each segment, apart for each value of a code; groups made by rule are left out.

    Args:
        rows: Who belongs where.
        user: int of shape (m,), user indices.
        code: int of shape (m,), 0 to width − 1.
        width: Number of values.
        of: float of shape (m,); 1 each when None.

    Returns:
        float64 of shape (n_segments, width).
    """
    return rows.table(user, code, width, of)[: rows.n_segments]


def others(counts: np.ndarray) -> np.ndarray:
    """The sum over all other segments, of the same shape: the first axis are the segments."""
    rest: np.ndarray = counts.sum(axis=0, keepdims=True) - counts
    return rest


def shares(part: np.ndarray, n: np.ndarray) -> dict[str, np.ndarray]:
    """Shares of users with Wilson's interval beside the other segments'; arrays of shape (n_segments, …).

    They differ where the interval of the difference (Newcombe 1998) leaves out 0, as everywhere; what users
    do over time is what the model has read, so that no p value is told.

    Args:
        part: Who does it.
        n: Of how many.
    """
    part, n = np.broadcast_arrays(part, n)
    rest, rest_n = others(part), others(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        value, rest_value = part / n, rest / rest_n
    (low, high), (below, above) = wilson(part, n), difference_interval(part, n, rest, rest_n)
    return dict(
        zip(
            HELD,
            (part, n, value, low, high, rest, rest_n, rest_value, (below > 0) | (above < 0)),
            strict=True,
        )
    )


def means(total: np.ndarray, squares: np.ndarray, n: np.ndarray) -> dict[str, np.ndarray]:
    """Means a user with their 95 % intervals beside the other segments'; arrays of shape (n_segments, …).

    The intervals are Welch's (1947) by the normal approximation; those of fewer than two users are NaN.

    Args:
        total: Sum over the users.
        squares: Sum of squares.
        n: Users.
    """
    rest, rest_squares, rest_n = others(total), others(squares), others(n)
    (value, error), (rest_value, rest_error) = _mean(total, squares, n), _mean(rest, rest_squares, rest_n)
    reach, differs = Z_95 * error, np.abs(value - rest_value) > Z_95 * np.hypot(error, rest_error)
    held = (total, n, value, value - reach, value + reach, rest, rest_n, rest_value, differs)
    return dict(zip(HELD, held, strict=True))


def _mean(total: np.ndarray, squares: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(divide="ignore", invalid="ignore"):
        value = total / n
        spread = np.maximum(squares - n * value**2, 0) / np.where(n > 1, n - 1, np.nan)
        return value, np.sqrt(spread / n)


def table(rows: Rows, along: pd.DataFrame, held: dict[str, np.ndarray]) -> pd.DataFrame:
    """A row a segment and place along the second axis.

    Args:
        rows: What the segments are.
        along: A row a place: its own columns.
        held: Column → array of shape (n_segments, n_places).
    """
    row = np.repeat(np.arange(rows.n_segments), len(along))
    repeated = pd.concat([along] * rows.n_segments, ignore_index=True)
    columns = {name: repeated[name].array for name in along} | {
        name: np.asarray(values).reshape(-1) for name, values in held.items()
    }
    return rows.frame(columns, [*ROW, *columns], row)
