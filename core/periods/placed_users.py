"""The users of an export in the frozen segments of a model, to be compared with another export.

On sites whose pages live for days, sections take the place of pages: news has other pages in every export.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from core.base.local_clock import DAY
from core.base.schema import OUTSIDE
from core.labels.page_address import after_host
from core.labels.templates import is_locale
from core.periods.calendar import covered
from core.segments.geometry import nearest
from core.segments.partition import Partition
from core.storage.sequences import UserSequences

_LIVING: Final = 0.5
"""Overlap of pages between days, as part of that between users, below which pages live for days only."""
BY_SECTION: Final = (
    "Pages live for days only here, so that sections of the site (first folders) are compared. Segments are "
    "not: the model has seen next to none of the later pages. Train a model on the later export."
)


def by_section(sequences: UserSequences, pages: Sequence[str]) -> bool:
    """Whether to compare sections instead of pages: pages live for days and sections live longer.

    Args:
        sequences: Page views.
        pages: Address of each page.
    """
    found = sections(pages)
    return len(set(found)) > 1 and are_short_lived(sequences, pages) and not are_short_lived(sequences, found)


def are_short_lived(sequences: UserSequences, names: Sequence[str]) -> bool:
    """Whether the later half of the days hardly has a page of the earlier half.

    Of few users any two parts share few pages. So the share of page views of the later days on pages of the
    earlier ones is held against that of half of the users on pages of the other half.

    Args:
        sequences: Page views.
        names: Names of the pages.
    """
    first, last = covered(sequences.timestamp)
    is_later = sequences.timestamp >= (first + last + 1) * DAY // 2
    if is_later.all() or not is_later.any():
        return False
    _, name = np.unique(np.asarray(names, dtype=object), return_inverse=True)
    page = name[sequences.page]
    half = np.random.default_rng(0).permutation(sequences.n_users) % 2 == 0
    return _shared(page, ~is_later) < _LIVING * _shared(page, half[sequences.user])


def _shared(page: np.ndarray, of_first: np.ndarray) -> float:
    """Share of the other page views that are on pages of the first page views."""
    seen = np.zeros(page.max() + 1, dtype=bool)
    seen[page[of_first]] = True
    return float(seen[page[~of_first]].mean()) if not of_first.all() else 0.0


def sections(pages: Iterable[str]) -> list[str]:
    """The section of each page: its first folder that is no date and no language; without, its site.

    >>> sections(["https://news.example/2026/11/politics/budget", "/en/politics/", "/about"])
    ['https://news.example/politics/', '/politics/', '/']
    """
    return [_section(page) for page in pages]


def _section(page: str) -> str:
    path = after_host(page)
    host = page.removesuffix(path) if path else page
    if not host and not path.startswith("/"):
        return page  # a screen of an app, or a name that stands for several pages
    folders = path.partition("?")[0].split("/")[1:-1]
    folder = next((part for part in folders if not (any(map(str.isdigit, part)) or is_locale(part))), "")
    return f"{host}/{folder}/" if folder else f"{host}/"


FAR_SHARE: Final = 0.05
"""Share of the clustered users of the training period that the limit of "far" leaves beyond it."""
RARE: Final = "(pages of very few users)"
"""Name that replaces pages of very few users, whose address may name a person."""
MIN_USERS: Final = 5
"""Users who must have seen a page, at least, for it to be named."""
Sparse: TypeAlias = Any
"""Type of scipy's sparse matrices, which have no type hints."""


@dataclass(frozen=True, eq=False)
class ViewedPages:
    """Pages that the users of an export saw.

    Args:
        names: The pages of both exports, those of the first one first.
        seen: Sparse int64 of shape (n_users, n_names), page views; a later export has the same columns.
        known: bool of shape (n_names,), pages that the model knows.
    """

    names: tuple[str, ...]
    seen: Sparse
    known: np.ndarray

    def in_sections(self) -> ViewedPages:
        """Merge pages into their sections; a section is known where the model knows a page of it."""
        code, names = pd.factorize(np.array(sections(self.names), dtype=object))
        places = np.ones(len(code), dtype=np.int64), (np.arange(len(code)), code)
        onto = sparse.csr_array(places, shape=(len(code), len(names)))
        known = np.bincount(code, self.known, minlength=len(names)) > 0
        return ViewedPages(tuple(names), sparse.csr_array(self.seen @ onto), known)

    @property
    def views(self) -> np.ndarray:
        """Number of page views of each user: int64 of shape (n_users,)."""
        return np.asarray(self.seen.sum(axis=1)).ravel()

    @property
    def unknown(self) -> np.ndarray:
        """Page views of each user on pages that the model does not know: int64 of shape (n_users,)."""
        found: np.ndarray = self.seen @ (~self.known).astype(np.int64)
        return found

    @property
    def users(self) -> np.ndarray:
        """Number of users who saw each page: int64 of shape (n_names,); 0 for the merged rare pages."""
        found = np.bincount(self.seen.indices, minlength=len(self.names))
        found[[place for place, name in enumerate(self.names) if name == RARE]] = 0
        return found

    def unknown_to_others(self, min_count: int) -> np.ndarray:
        """Page views of each user that a model of all other users would not know: int64, (n_users,).

        What users of the same kind who come later see that is new, as a leave-one-out estimate (the idea of
        Good 1953): the pages of a training are known because its own users saw them.

        Args:
            min_count: Page views from which on a page is known to a model.
        """
        views = np.asarray(self.seen.sum(axis=0)).ravel()
        user = np.repeat(np.arange(self.seen.shape[0]), np.diff(self.seen.indptr))
        rare = views[self.seen.indices] - self.seen.data < min_count
        found = np.bincount(user[rare], self.seen.data[rare], minlength=self.seen.shape[0])
        return found.astype(np.int64)


def seen_pages(
    sides: Sequence[tuple[UserSequences, Sequence[str]]], known: Collection[str], first: Sequence[str] = ()
) -> list[ViewedPages]:
    """Lay out the pages of several exports in the same columns.

    Args:
        sides: Of each export, its page views and what the model calls each page, by page index.
        known: Pages that it knows.
        first: Pages that have the first columns, even if nobody sees them.

    Returns:
        The pages of each export, in the order of ``sides``.
    """
    column = {name: place for place, name in enumerate(first)}
    for _, names in sides:
        for name in names:
            column.setdefault(name, len(column))
    is_known = np.fromiter((name in known for name in column), bool, len(column))
    made = []
    for sequences, names in sides:
        page = np.fromiter((column[name] for name in names), np.int64, len(names))[sequences.page]
        shape = sequences.n_users, len(column)
        ones = np.ones(len(page), dtype=np.int64)
        counted = sparse.csr_array((ones, (sequences.user, page)), shape=shape)
        counted.sum_duplicates()
        made.append(ViewedPages(tuple(column), counted, is_known))
    return made


@dataclass(frozen=True, eq=False)
class PlacedUsers:
    """Users of an export, placed in the frozen segments of a model.

    Args:
        user_id: n texts.
        vectors: float32 of shape (n, d).
        place: int64 of shape (n,), the position of the segment among the ids; the number of segments for
            users in none.
        distance: float32 of shape (n,), to the nearest centroid; NaN of users outside clustering.
        pages: What they saw.
        unknown: int64 of shape (n,), page views on pages that the model does not know; of the export it was
            trained on those that it would not know without the user.
        days: From the first to the last page view of any of them, UTC.
    """

    user_id: pa.StringArray
    vectors: np.ndarray
    place: np.ndarray
    distance: np.ndarray
    pages: ViewedPages
    unknown: np.ndarray
    days: int

    @classmethod
    def of(
        cls,
        sequences: UserSequences,
        vectors: np.ndarray,
        labels: np.ndarray,
        partition: Partition,
        pages: ViewedPages,
        min_count: int | None = None,
    ) -> PlacedUsers:
        """Measure users who have been assigned to segments.

        Args:
            sequences: Their page views.
            vectors: float32 of shape (n, d), mixed as those of the partition.
            labels: int32 of shape (n,), as of :func:`core.segments.clustering.assign`; ``OUTSIDE`` of users
                who are not clustered.
            partition: The frozen segments.
            pages: What they saw.
            min_count: Page views from which on a page was known, where these users trained the model.
        """
        distance = np.full(len(labels), np.nan, dtype=np.float32)
        inside = np.flatnonzero(labels != OUTSIDE)
        distance[inside] = np.sqrt(nearest(vectors[inside], partition.centroids)[1])
        unknown = pages.unknown if min_count is None else pages.unknown_to_others(min_count)
        first, last = covered(sequences.timestamp)
        place, days = places(labels, partition), last - first + 1
        return cls(sequences.user_id, vectors, place, distance, pages, unknown, days)

    @property
    def clustered(self) -> np.ndarray:
        """Which users take part in clustering: bool of shape (n,)."""
        inside: np.ndarray = ~np.isnan(self.distance)
        return inside

    def sizes(self, k: int) -> np.ndarray:
        """Number of users in each of k segments and, last, in none: int64 of shape (k + 1,)."""
        return np.bincount(self.place, minlength=k + 1)

    def far(self, limit: float) -> np.ndarray:
        """Which users lie farther than a limit from every centroid: bool of shape (n,)."""
        with np.errstate(invalid="ignore"):
            found: np.ndarray = self.distance > limit
        return found


@dataclass(frozen=True, eq=False)
class Pairs:
    """The segments of some users in two exports or halves.

    Args:
        before: int64 of shape (m,), position of the first segment; the number of segments for none.
        after: int64 of shape (m,), the second.
        views: int64 of shape (m, 2), page views that each place was made of.
    """

    before: np.ndarray
    after: np.ndarray
    views: np.ndarray


def in_both(before: pa.StringArray, after: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers, in each export, of the users who are in both by id: two int64 of shape (m,)."""
    there = pc.index_in(after, value_set=before)
    later = np.flatnonzero(pc.is_valid(there).to_numpy(zero_copy_only=False))
    return np.asarray(there.drop_null(), dtype=np.int64), later


def places(labels: np.ndarray, partition: Partition) -> np.ndarray:
    """The position of each user's segment among the ids, int64; the number of segments for users in none."""
    k = len(partition.ids)
    return np.where(labels > OUTSIDE, np.searchsorted(partition.ids, labels), k).astype(np.int64)


def distance_limit(before: PlacedUsers) -> float:
    """The distance beyond which :data:`FAR_SHARE` of the clustered users of the training period lie."""
    inside = before.distance[before.clustered]
    return float(np.quantile(inside, 1 - FAR_SHARE)) if len(inside) else float("nan")
