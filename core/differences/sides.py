"""Who is held against whom: each row of users against the baseline without them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from core.profiles.rows import Rows


@dataclass(frozen=True, eq=False)
class Sides:
    """Rows of users, and those of them that are the baseline.

    A row is held against the users of the baseline that are not its own: a segment against the other
    clustered users, a group made by rule against all clustered users, one of two rows against the other.

    Args:
        place: intp of shape (n_users,), the row of each user, −1 of users on no side.
        n_rows: Rows.
        n_base: The first so many rows are the baseline.
    """

    place: np.ndarray
    n_rows: int
    n_base: int

    @classmethod
    def of_rows(cls, rows: Rows) -> Sides:
        """Every segment and group against the (other) clustered users."""
        return cls(rows.place, rows.n_rows, rows.n_segments)

    @classmethod
    def of_one(cls, rows: Rows, row: int) -> Sides:
        """One row against the (other) clustered users."""
        place = np.where(rows.place < rows.n_segments, 1, -1)
        place[rows.members(row)] = 0
        return cls(place, 2, 2)

    @classmethod
    def of_pair(cls, rows: Rows, first: int, second: int) -> Sides:
        """Two rows against each other; of one that holds the other, only its other users."""
        place = np.full(len(rows.place), -1, dtype=np.intp)
        members = [rows.members(row) for row in (first, second)]
        for side in sorted((0, 1), key=lambda side: -int(members[side].sum())):
            place[members[side]] = side
        return cls(place, 2, 2)

    @property
    def others_of_first(self) -> np.ndarray:
        """Whom the first row is held against: bool of shape (n_users,)."""
        others: np.ndarray = (self.place > 0) & (self.place < self.n_base)
        return others

    @cached_property
    def one_hot(self) -> sparse.csr_array:
        """float64 of shape (n_rows, n_users)."""
        user = np.flatnonzero(self.place >= 0)
        shape = (self.n_rows, len(self.place))
        return sparse.csr_array((np.ones(len(user)), (self.place[user], user)), shape)

    def both(self, values: np.ndarray | sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
        """Sums over the users of each row, and over those that it is held against.

        Args:
            values: Of shape (n_users, m).

        Returns:
            Two float64 of shape (n_rows, m).
        """
        sums = self.one_hot @ values
        own = np.asarray(sums.toarray() if sparse.issparse(sums) else sums)
        rest = np.tile(own[: self.n_base].sum(axis=0), (self.n_rows, 1))
        rest[: self.n_base] -= own[: self.n_base]
        return own, rest
