"""The rows of every profile table, and sums, medians and tallies of the users of each row.

* :class:`Rows`: segments, groups and segments made by rule, and totals; which row each user is in.
* :class:`Numbers`: how often each number occurs in each row, for exact means, medians and quantiles, also of
  parts that are added up.
* :class:`Tally`: how often each user did each thing, built once a data set, so that new segments cost only
  sums; :class:`LabelData` has the tallies of page views by theme and type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress, pairwise
from types import MappingProxyType
from typing import Any, Final, Self

import numpy as np
import pandas as pd

from core.base.errors import ArtifactError
from core.base.schema import OUTSIDE, SET_ASIDE, Group, View
from core.profiles.data import GROUPS, ProfileData, encode_column
from core.profiles.profile_columns import ROW, MetricRole, RowKind
from core.segments.one_page import OnePageSegments
from core.storage.sequences import UserSequences

GROUP_LABELS: Final = {
    Group.ONE_PAGE: "One-page users", Group.BOT_LIKE: "Bot-like users",
    Group.SET_ASIDE: "Set aside by hand",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of profile tables, and which row each user is in.

    Row r < n_segments is the segment with id ``segments[r]``; then come the groups that have users, and the
    one-page segments. Each user is in exactly one of these rows. Totals follow: the one-page users, where
    they are in segments and so no group, and all users.

    Args:
        place: intp of shape (n_users,), the row of each user, never a total; empty after adding up counts of
            parts of the users.
        segments: Ids, ascending.
        groups: Groups that have users outside the segments.
        one_page: Name of each one-page segment; empty where the one-page users are a group.
        called: Key and label of each segment, where the outcome made these and no model.
    """

    place: np.ndarray
    segments: tuple[int, ...]
    groups: tuple[Group, ...]
    one_page: tuple[str, ...] = ()
    called: tuple[tuple[str, str], ...] = ()

    @property
    def by_outcome(self) -> bool:
        """Whether the rows in place of segments are the users with the outcome and those without."""
        return bool(self.called)

    def role_of(self, role: MetricRole) -> MetricRole:
        """Role of a figure, not the outcome: ``role``, or held out where the outcome made the rows."""
        return MetricRole.HELD_OUT if self.by_outcome else role

    @property
    def n_segments(self) -> int:
        """Number of rows that are segments."""
        return len(self.segments)

    @property
    def n_rows(self) -> int:
        """Number of rows without the totals."""
        return len(self.segments) + len(self.groups) + len(self.one_page)

    @property
    def n_totals(self) -> int:
        """Number of rows that are sums of others."""
        return 1 + bool(self.one_page)

    @cached_property
    def head(self) -> pd.DataFrame:
        """Columns that say what a row is, one row each, the totals last."""
        groups = [*self.groups, *([Group.ONE_PAGE] if self.one_page else [])]
        rows = [(f"group:{g}", RowKind.GROUP.value, OUTSIDE, GROUP_LABELS[g]) for g in groups]
        called = self.called or [(f"segment:{s}", f"Segment {s + 1}") for s in self.segments]
        described = [
            *(
                (key, RowKind.SEGMENT.value, s, label)
                for (key, label), s in zip(called, self.segments, strict=True)
            ),
            *rows[: len(self.groups)],
            *(
                (f"one_page:{n}", RowKind.ONE_PAGE.value, OUTSIDE, name)
                for n, name in enumerate(self.one_page)
            ),
            *rows[len(self.groups) :],
            ("all", RowKind.ALL.value, OUTSIDE, "All users"),
        ]
        return pd.DataFrame(described, columns=list(ROW))

    def frame(
        self, columns: Mapping[str, Any], order: Sequence[str], row: np.ndarray | None = None
    ) -> pd.DataFrame:
        """Build a table with the columns of the head, which say what each row is about.

        All columns are set at once, since adding them one by one takes longer than all the counting.

        Args:
            columns: Name → values.
            order: The columns in order, including those of the head.
            row: int of shape (n,), the row that each table row is about; every row once when None.
        """
        head = {name: self.head[name].array for name in self.head}
        about = head if row is None else {name: values.take(row) for name, values in head.items()}
        columns_of = about | dict(columns)
        return pd.DataFrame({name: columns_of[name] for name in order})

    def count(self, users: np.ndarray | None = None, weights: np.ndarray | None = None) -> np.ndarray:
        """Count users, or sum weights, of each row.

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
        """Count users, or sum weights, of each row by a second code.

        Args:
            users: int of shape (m,), user indices.
            column: int of shape (m,), the second code, 0 to n_columns − 1.
            n_columns: Number of codes.
            weights: float of shape (m,); 1 each when None.

        Returns:
            float64 of shape (n_rows, n_columns).
        """
        code = self.place[users] * n_columns + column
        sums = np.bincount(code, weights, minlength=self.n_rows * n_columns)
        return sums.reshape(self.n_rows, n_columns).astype(np.float64)

    def used(self, sizes: np.ndarray) -> np.ndarray:
        """Which rows are shown: those that have users, and all one-page segments.

        Args:
            sizes: Users of each row, of shape (n_rows,).

        Returns:
            bool of shape (n_rows,).
        """
        return (sizes > 0) | (np.arange(self.n_rows) >= self._first_one_page)

    def only(self, users: np.ndarray) -> Rows:
        """Keep the rows where ``users`` (bool of shape (n_rows,)) is true; the others must have no users."""
        inside, rest = users[: self.n_segments], users[self.n_segments : self._first_one_page]
        return replace(
            self,
            place=(np.cumsum(users) - 1)[self.place],
            segments=tuple(compress(self.segments, inside)),
            groups=tuple(compress(self.groups, rest)),
        )

    def members(self, row: int) -> np.ndarray:
        """Which users are in a row, which may be a total: bool of shape (n_users,)."""
        if row == self.n_rows + self.n_totals - 1:
            return np.ones(len(self.place), dtype=bool)
        return self.place >= self._first_one_page if row == self.n_rows else self.place == row

    @property
    def _first_one_page(self) -> int:
        return self.n_rows - len(self.one_page)

    def with_all(self, counts: np.ndarray) -> np.ndarray:
        """Append the sums of the one-page segments (if any) and of all rows: to (n_rows + n_totals, …)."""
        one_page = [counts[self._first_one_page :].sum(axis=0, keepdims=True)] if self.one_page else []
        return np.concatenate([counts, *one_page, counts.sum(axis=0, keepdims=True)])

    def clustered(self, counts: np.ndarray) -> np.ndarray:
        """Sum over the clustered users: shape (n_rows, …) to (…)."""
        total: np.ndarray = counts[: self.n_segments].sum(axis=0)
        return total

    def rest(self, counts: np.ndarray) -> np.ndarray:
        """Sum over the users that each row is compared with: shape (n_rows, …) to (n_rows + n_totals, …).

        These are the (other) clustered users: compared with users of a single page view, every segment would
        see every page more often. For all users there is no rest: NaN.
        """
        shape = self.with_all(counts).shape
        rest = np.broadcast_to(self.clustered(counts).astype(np.float64), shape).copy()
        rest[: self.n_segments] -= counts[: self.n_segments]
        rest[-1] = np.nan
        return rest


def make_rows(data: ProfileData, labels: np.ndarray, one_page: OnePageSegments | None = None) -> Rows:
    """Make the rows that have users, and the one-page segments, and sort users into them.

    Args:
        data: The users.
        labels: int of shape (n_users,), the segment of each, ``SET_ASIDE``, or ``OUTSIDE`` for users
            outside clustering.
        one_page: Segments of the one-page users; None makes these users one group.

    Raises:
        ArtifactError: If the labels are not of these users.
    """
    rows = all_rows(data, labels, np.unique(labels[labels > OUTSIDE]).tolist(), one_page)
    return rows.only(rows.used(rows.count()))


def all_rows(
    data: ProfileData, labels: np.ndarray, segments: Sequence[int], one_page: OnePageSegments | None = None
) -> Rows:
    """Make a row for each segment and group, with users or not, and sort users into them.

    Args:
        data: The users.
        labels: As in :func:`make_rows`.
        segments: Ids of all segments, ascending.
        one_page: As in :func:`make_rows`.

    Raises:
        ArtifactError: If the labels are not of these users, or of other segments.
    """
    if len(labels) != data.n_users:
        raise ArtifactError(
            f"Segments of {len(labels)} users do not fit a data set of {data.n_users}", remedy="Cluster again"
        )
    outside, parts = labels <= OUTSIDE, one_page.labels if one_page else ()
    group_of = data.group.copy()
    group_of[labels == SET_ASIDE] = GROUPS.index(Group.SET_ASIDE)
    lost = int((outside & (group_of == GROUPS.index(Group.SEGMENT))).sum())
    if lost:
        raise ArtifactError(f"{lost} users to be clustered have no segment", remedy="Cluster again")
    if not np.isin(labels[~outside], segments).all():
        raise ArtifactError("Users are in segments that the model does not have", remedy="Cluster again")
    left_out = {Group.SEGMENT, *([Group.ONE_PAGE] if parts else [])}
    groups = tuple(group for group in GROUPS if group not in left_out)
    rows = np.searchsorted(segments, labels)
    for row, group in enumerate(groups, start=len(segments)):
        rows[outside & (group_of == GROUPS.index(group))] = row
    if one_page and parts:
        inside = outside & (one_page.codes >= 0)
        rows[inside] = len(segments) + len(groups) + one_page.codes[inside]
    return Rows(rows, tuple(segments), groups, parts)


@dataclass(frozen=True, eq=False)
class Numbers:
    """Values of a metric by row, sorted; users without a value are left out.

    Args:
        row: int of shape (m,), the row of the users.
        value: float64 of shape (m,), ascending.
        users: float64 of shape (m,): number of users of the row with the value; 1 before merging.
        weight: float64 of shape (m,): weight in a mean, the number of users, or of their sessions for a
            metric per session.
    """

    row: np.ndarray
    value: np.ndarray
    users: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, row: np.ndarray, value: np.ndarray) -> Self:
        """Numbers from a row and value for each user, both of shape (n,); NaN is left out."""
        order = np.argsort(value, kind="stable")[: len(value) - int(np.isnan(value).sum())]  # NaN comes last
        once = np.ones(len(order))
        return cls(row[order], value[order], once, once)

    def only(self, which: np.ndarray | slice) -> Numbers:
        """The entries selected by a bool mask of shape (m,), indices, or a slice."""
        return Numbers(self.row[which], self.value[which], self.users[which], self.weight[which])

    def known(self, n_rows: int) -> np.ndarray:
        """Total weight of each row: float64 of shape (n_rows,)."""
        return np.bincount(self.row, self.weight, minlength=n_rows)

    def sums(self, n_rows: int) -> np.ndarray:
        """Weighted sum of each row's values: float64 of shape (n_rows,)."""
        return np.bincount(self.row, self.value * self.weight, minlength=n_rows)

    def at(self, place: float) -> float:
        """Value of the user who is number ``place``, from 0, in the ascending order of values."""
        return float(self.value[np.searchsorted(np.cumsum(self.users), place, side="right")])

    @property
    def median(self) -> float:
        """Median over all users with a value; NaN without any."""
        n = self.users.sum()
        return (self.at((n - 1) // 2) + self.at(n // 2)) / 2 if n else np.nan

    @property
    def spread(self) -> float:
        """Standard deviation over all users with a value; 0 without any."""
        n = max(1.0, self.users.sum())
        mean = (self.users * self.value).sum() / n
        return float(np.sqrt((self.users * (self.value - mean) ** 2).sum() / n))

    def above(self, share: float) -> float:
        """Quantile: the least value that at least this share of users do not exceed (NumPy's "higher")."""
        n = self.users.sum()
        return self.at(np.ceil(n * share + (1 - share) - 1))


def merge_numbers(parts: Sequence[Numbers]) -> Numbers:
    """Merge numbers of parts of the users into an entry for each row and value, independent of the parts."""
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
    """Convert rows to the smallest integer type, which saves memory and sorts faster."""
    return row.astype(np.min_scalar_type(int(row.max(initial=0))))


def medians(rows: Rows, numbers: Numbers) -> np.ndarray:
    """The median of each row, totals last: float64 of (n_rows + n_totals,), NaN without any value."""
    by_row = numbers.only(np.argsort(_small(numbers.row), kind="stable"))
    ends = np.searchsorted(by_row.row, np.arange(rows.n_rows + 1))
    each = [by_row.only(slice(*pair)) for pair in pairwise(ends.tolist())]
    totals = [numbers.only(numbers.row >= rows.n_rows - len(rows.one_page))] if rows.one_page else []
    return np.array([part.median for part in (*each, *totals, numbers)])


DENSE: Final = 50_000_000
"""Most cells of a full table for counting, which is quicker than sorting (and takes at most 400 MB)."""


@dataclass(frozen=True, eq=False)
class Tally:
    """How often each user occurs with each value, such as a theme; pairs that never occur are absent.

    Args:
        user: int32 of shape (m,), user indices, ascending.
        code: int32 of shape (m,), places in ``values``.
        times: int32 of shape (m,), number of occurrences, at least 1.
        values: The values.
    """

    user: np.ndarray
    code: np.ndarray
    times: np.ndarray
    values: tuple[str, ...]

    def users(self, rows: Rows) -> np.ndarray:
        """Number of users of each row with each value: float64 of shape (n_rows, n_values)."""
        return rows.table(self.user, self.code, len(self.values))

    def sums(self, rows: Rows) -> np.ndarray:
        """Number of occurrences of each value in each row: float64 of shape (n_rows, n_values)."""
        return rows.table(self.user, self.code, len(self.values), self.times)


def tally(user: np.ndarray, code: np.ndarray, values: Sequence[str], n_users: int) -> Tally:
    """Count how often each user occurs with each value.

    Args:
        user: int of shape (m,), user index of each occurrence.
        code: int of shape (m,), places in ``values``.
        values: The values.
        n_users: Number of users of the data set.
    """
    width = max(1, len(values))
    pairs = user.astype(np.int64) * width + code
    if n_users * width <= DENSE:
        counts = np.bincount(pairs, minlength=1)
        different = np.flatnonzero(counts)
        times = counts[different]
    else:
        different, times = np.unique(pairs, return_counts=True)
    users, codes = np.divmod(different, width)
    return Tally(users.astype(np.int32), codes.astype(np.int32), times.astype(np.int32), tuple(values))


@dataclass(frozen=True, eq=False)
class LabelData:
    """Page views of users by the theme and type of the pages.

    Args:
        views: Theme and type → page views of each user by label; labels most viewed first.
        page_of: Theme and type → place of each page's label in the tally's values, int32 of (n_pages,).
        n_users: Number of users of the data set.
    """

    views: Mapping[View, Tally]
    page_of: Mapping[View, np.ndarray]
    n_users: int

    @classmethod
    def from_names(cls, sequences: UserSequences, names: Mapping[str, Sequence[str]]) -> LabelData:
        """Tally page views by label.

        Args:
            sequences: Page views of all users.
            names: Theme and type → label of each page, by page index; other keys are ignored.
        """
        tallies, places = {}, {}
        for view in (View.THEME, View.TYPE):
            if view in names:
                labels = encode_column(pd.Series(list(names[view]), dtype="str").iloc[sequences.page])
                place = {value: number for number, value in enumerate(labels.values)}
                places[view] = np.array([place.get(name, -1) for name in names[view]], dtype=np.int32)
                tallies[view] = tally(sequences.user, labels.codes, labels.values, sequences.n_users)
        return cls(MappingProxyType(tallies), MappingProxyType(places), sequences.n_users)

    def times(self, view: View, value: str) -> np.ndarray:
        """Number of each user's page views of a theme or type: float64 of shape (n_users,).

        Raises:
            KeyError: If pages have no themes, or no types.
            ValueError: If nobody viewed a page of this one.
        """
        tallied = self.views[view]
        has_value = tallied.code == tallied.values.index(value)
        return np.bincount(tallied.user[has_value], tallied.times[has_value], minlength=self.n_users).astype(
            np.float64
        )
