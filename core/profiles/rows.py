"""The rows that every profile table has: the segments, the groups made by rule, and all users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from core.base.errors import ArtifactError
from core.base.schema import OUTSIDE, Group
from core.profiles.data import GROUPS, ProfileData
from core.profiles.profile_columns import ROW, RowKind

GROUP_LABELS: Final = {Group.ONE_PAGE: "One-page users", Group.BOT_LIKE: "Bot-like users"}


@dataclass(frozen=True, eq=False)
class Rows:
    """Which row each user belongs to.

    Row r < n_segments is the segment with id ``segments[r]``; then come the groups that have users. Counts
    of all users are the sum of these rows, which share no user and leave none out.

    Args:
        place: intp of shape (n_users,), the row of each user.
        segments: Ids, ascending.
        groups: Groups that have users outside the segments.
    """

    place: np.ndarray
    segments: tuple[int, ...]
    groups: tuple[Group, ...]

    @property
    def n_segments(self) -> int:
        """Rows that are segments."""
        return len(self.segments)

    @property
    def n_rows(self) -> int:
        """Rows without the one of all users."""
        return len(self.segments) + len(self.groups)

    @cached_property
    def head(self) -> pd.DataFrame:
        """Columns that say what a row is, one row each, all users last."""
        described = [
            *((f"segment:{s}", RowKind.SEGMENT.value, s, f"Segment {s + 1}") for s in self.segments),
            *((f"group:{g}", RowKind.GROUP.value, OUTSIDE, GROUP_LABELS[g]) for g in self.groups),
            ("all", RowKind.ALL.value, OUTSIDE, "All users"),
        ]
        return pd.DataFrame(described, columns=list(ROW))

    def frame(
        self, columns: Mapping[str, Any], order: Sequence[str], row: np.ndarray | None = None
    ) -> pd.DataFrame:
        """A table whose rows say what they are about.

        It is made at once: put in one by one, columns cost more than all that is counted for them.

        Args:
            columns: Name → values.
            order: The columns, in order; those of the head among them.
            row: int of shape (n,), what each row of the table is about; every row once when None.
        """
        head = {name: self.head[name].array for name in self.head}
        about = head if row is None else {name: values.take(row) for name, values in head.items()}
        made = about | dict(columns)
        return pd.DataFrame({name: made[name] for name in order})

    def count(self, users: np.ndarray | None = None, weights: np.ndarray | None = None) -> np.ndarray:
        """Sum over the users of each row.

        Args:
            users: int of shape (m,), user indices, repeated as often as they count; None for every user once.
            weights: float of shape (m,); 1 each when None.

        Returns:
            float64 of shape (n_rows,).
        """
        place = self.place if users is None else self.place[users]
        return np.bincount(place, weights, minlength=self.n_rows).astype(np.float64)

    def table(
        self, users: np.ndarray, column: np.ndarray, n_columns: int, weights: np.ndarray | None = None
    ) -> np.ndarray:
        """Sum over the users of each row, apart for each value of a second code.

        Args:
            users: int of shape (m,), user indices.
            column: int of shape (m,), 0 to n_columns − 1.
            n_columns: Number of values.
            weights: float of shape (m,); 1 each when None.

        Returns:
            float64 of shape (n_rows, n_columns).
        """
        code = self.place[users] * n_columns + column
        sums = np.bincount(code, weights, minlength=self.n_rows * n_columns)
        return sums.reshape(self.n_rows, n_columns).astype(np.float64)

    def with_all(self, counts: np.ndarray) -> np.ndarray:
        """Add the row of all users: shape (n_rows, …) to (n_rows + 1, …)."""
        return np.concatenate([counts, counts.sum(axis=0, keepdims=True)])

    def clustered(self, counts: np.ndarray) -> np.ndarray:
        """Sum over the clustered users: shape (n_rows, …) to (…)."""
        total: np.ndarray = counts[: self.n_segments].sum(axis=0)
        return total

    def rest(self, counts: np.ndarray) -> np.ndarray:
        """Sum over whom a row is compared with.

        That are the (other) clustered users: beside users with a single page view, every page would be seen
        more often in every segment.

        Args:
            counts: Of shape (n_rows, …).
        """
        rest = np.broadcast_to(self.clustered(counts), counts.shape).copy()
        rest[: self.n_segments] -= counts[: self.n_segments]
        return rest


def make_rows(data: ProfileData, labels: np.ndarray) -> Rows:
    """Sort users into rows.

    Args:
        data: The users.
        labels: int of shape (n_users,), the segment of each, ``OUTSIDE`` for users outside clustering.

    Raises:
        ArtifactError: If the labels are not of these users.
    """
    if len(labels) != data.n_users:
        raise ArtifactError(
            f"Segments of {len(labels)} users do not fit a data set of {data.n_users}", remedy="Cluster again"
        )
    outside = labels == OUTSIDE
    lost = int((outside & (data.group == GROUPS.index(Group.SEGMENT))).sum())
    if lost:
        raise ArtifactError(f"{lost} users to be clustered have no segment", remedy="Cluster again")
    segments, place = np.unique(labels[~outside], return_inverse=True)
    groups = tuple(group for code, group in enumerate(GROUPS) if (outside & (data.group == code)).any())
    rows = np.empty(data.n_users, dtype=np.intp)
    rows[~outside] = place
    for row, group in enumerate(groups, start=len(segments)):
        rows[outside & (data.group == GROUPS.index(group))] = row
    return Rows(rows, tuple(int(segment) for segment in segments), groups)


def with_absent(counts: np.ndarray) -> np.ndarray:
    """Add the row of all users, who have no rest: shape (n_rows, n) to (n_rows + 1, n)."""
    return np.vstack([counts, np.full((1, counts.shape[1]), np.nan)])


def medians(rows: Rows, values: np.ndarray) -> np.ndarray:
    """The median of each row and of all users: float64 of shape (n_rows + 1,), NaN where nobody has a value.

    Args:
        rows: Who belongs where.
        values: float of shape (n_users,), NaN where a user has none.
    """
    has = ~np.isnan(values)
    place, known = rows.place[has], values[has]
    order = np.lexsort((known, place))
    ends = np.cumsum(np.bincount(place, minlength=rows.n_rows))
    parts = [*np.split(known[order], ends[:-1]), known]
    return np.array([np.median(part) if len(part) else np.nan for part in parts])
