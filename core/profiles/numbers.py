"""How often each number occurs in each row: exact means, medians, quantiles, also of parts added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from core.profiles.rows import Rows


@dataclass(frozen=True, eq=False)
class Numbers:
    """A number of users, with the row of each; who has none is left out.

    Args:
        row: int of shape (m,).
        value: float64 of shape (m,), ascending.
        users: float64 of shape (m,): 1, or how many of the row have it where these are put together.
        weight: float64 of shape (m,), how much that counts in a mean: as often as there are users, or as
            they have sessions where the number is one a session.
    """

    row: np.ndarray
    value: np.ndarray
    users: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, row: np.ndarray, value: np.ndarray) -> Self:
        """One entry a user, of shape (n,); NaN is none."""
        order = np.argsort(value, kind="stable")[: len(value) - int(np.isnan(value).sum())]  # NaN comes last
        once = np.ones(len(order))
        return cls(row[order], value[order], once, once)

    def only(self, which: np.ndarray | slice) -> Numbers:
        """Some of them: bool of shape (m,), or places."""
        return Numbers(self.row[which], self.value[which], self.users[which], self.weight[which])

    def known(self, n_rows: int) -> np.ndarray:
        """What counts in each row: float64 of shape (n_rows,)."""
        return np.bincount(self.row, self.weight, minlength=n_rows)

    def sums(self, n_rows: int) -> np.ndarray:
        """Sum of each row: float64 of shape (n_rows,)."""
        return np.bincount(self.row, self.value * self.weight, minlength=n_rows)

    def at(self, place: float) -> float:
        """The number of whom so many users stand before when they stand in order."""
        return float(self.value[np.searchsorted(np.cumsum(self.users), place, side="right")])

    @property
    def median(self) -> float:
        """Of all of them; NaN of nobody."""
        n = self.users.sum()
        return (self.at((n - 1) // 2) + self.at(n // 2)) / 2 if n else np.nan

    @property
    def spread(self) -> float:
        """Standard deviation of a user; 0 of nobody."""
        n = max(1.0, self.users.sum())
        mean = (self.users * self.value).sum() / n
        return float(np.sqrt((self.users * (self.value - mean) ** 2).sum() / n))

    def above(self, share: float) -> float:
        """The least number that at least this share of them do not exceed (NumPy's "higher")."""
        n = self.users.sum()
        return self.at(np.ceil(n * share + (1 - share) - 1))


def put_together(parts: Sequence[Numbers]) -> Numbers:
    """One entry for each row and number: the same for the same users, in however many parts they come."""
    row, value, users, weight = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("row", "value", "users", "weight")
    )
    row = _small(row)
    order = np.lexsort((row, value))
    row, value = row[order], value[order]
    new = np.ones(len(row), dtype=bool)
    new[1:] = (row[1:] != row[:-1]) | (value[1:] != value[:-1])
    first = np.flatnonzero(new)
    sums = (np.add.reduceat(column[order], first) for column in (users, weight))
    return Numbers(row[first], value[first], *sums)


def _small(row: np.ndarray) -> np.ndarray:
    """Rows in as few bytes as hold them: an eighth of the memory, and sorted by their digits."""
    return row.astype(np.min_scalar_type(int(row.max(initial=0))))


def medians(rows: Rows, numbers: Numbers) -> np.ndarray:
    """The median of each row, totals last: float64 of (n_rows + n_totals,), NaN where nobody has a value."""
    by_row = numbers.only(np.argsort(_small(numbers.row), kind="stable"))
    ends = np.searchsorted(by_row.row, np.arange(rows.n_rows + 1))
    each = [by_row.only(slice(*pair)) for pair in pairwise(ends.tolist())]
    totals = [numbers.only(numbers.row >= rows.n_rows - len(rows.one_page))] if rows.one_page else []
    return np.array([part.median for part in (*each, *totals, numbers)])
