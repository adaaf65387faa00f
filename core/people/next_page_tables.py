"""Tables of next pages, counted from earlier users: which page follows which, and what some users viewed.

The tables go wherever the model goes. They hold no id, no time and no page that fewer than three users saw.
Vectors and shares of pages of some users are in them, without an order: each of these rows is of a single
user, so pairs of pages are all counted (docs/threats.md).

Functional pages (login, cart, checkout, search, help, errors) are never suggested. Where pages are labelled,
these are of a functional type of the taxonomy, which has no theme; otherwise rules for addresses and titles
give them such a type. Error pages are among them either way.

Letters: n users, n_columns pages that the tables know.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from scipy import sparse

from core.base.schema import NO_THEME, RARE_BELOW_USERS, PageLabels, Pages, View
from core.labels.label_settings import default_taxonomy
from core.segments.neighbours import searchable
from core.storage.page_labels import LabelledPages
from core.storage.sequences import UserSequences

UNKNOWN_PAGE: Final = -1
LAGS: Final = 5
"""Page views back that followers are counted from; a page l back counts 1 / l (Ludewig and Jannach 2018)."""
FADING: Final = 0.8
"""Weight of a page view in the user's history, relative to the next one."""
Sparse: TypeAlias = Any
"""A sparse matrix of scipy, which ships without types."""


@dataclass(frozen=True, eq=False)
class SeenPages:
    """Page views of n users in order; those of pages that the tables do not know are left out.

    Args:
        offsets: int64 of shape (n + 1,), where each user's page views begin; users may have none.
        column: int64 of shape (n_views,), the page of each view, 0 to n_columns − 1.
        n_columns: Pages that the tables know.
    """

    offsets: np.ndarray
    column: np.ndarray
    n_columns: int

    @classmethod
    def of(cls, sequences: UserSequences, columns: np.ndarray, n_columns: int) -> SeenPages:
        """Look up the page views of all users of a data set.

        Args:
            sequences: Page views of the users.
            columns: int of shape (n_pages,), the column of each page of the data set, or ``UNKNOWN_PAGE``.
            n_columns: Pages that the tables know.
        """
        column = columns[sequences.page].astype(np.int64)
        known = np.concatenate([[0], np.cumsum(column != UNKNOWN_PAGE)])
        return cls(known[sequences.offsets], column[column != UNKNOWN_PAGE], n_columns)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def some(self, users: np.ndarray | slice) -> SeenPages:
        """Select the page views of some of these users.

        Args:
            users: Numbers of the users, in any order.
        """
        begin, length = self.offsets[:-1][users], self.lengths[users]
        offsets = np.concatenate([[0], np.cumsum(length)])
        where = np.arange(offsets[-1]) + np.repeat(begin - offsets[:-1], length)
        return SeenPages(offsets, self.column[where], self.n_columns)

    @property
    def lengths(self) -> np.ndarray:
        """Number of known page views of each user: int64 of shape (n,)."""
        return np.diff(self.offsets)

    @cached_property
    def user(self) -> np.ndarray:
        """User of each page view: int64 of shape (n_views,)."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @cached_property
    def back(self) -> np.ndarray:
        """Number of page views back that each lies, 1 for the last: int64 of shape (n_views,)."""
        back: np.ndarray = self.offsets[1:][self.user] - np.arange(len(self.column))
        return back

    @property
    def evenly(self) -> Sparse:
        """Share of each page in a user's views: sparse float32 of shape (n, n_columns)."""
        ones = np.ones(len(self.column), dtype=np.float32)
        return _shares(sparse.csr_array((ones, (self.user, self.column)), shape=(len(self), self.n_columns)))


def _shares(counts: Sparse) -> Sparse:
    """Scale the rows of a sparse matrix to sum to 1; empty rows stay empty."""
    counts = sparse.csr_array(counts)
    counts.sum_duplicates()
    totals = np.asarray(counts.sum(axis=1)).ravel()
    counts.data = (counts.data / np.repeat(np.maximum(totals, 1e-30), np.diff(counts.indptr))).astype(
        np.float32
    )
    return counts


_MAX_FOLLOWERS: Final = 200
"""Most followers of a page that are kept, the most frequent ones."""
_MAX_NEIGHBOURS: Final = 5_000
"""Most users whose vectors and pages are kept, drawn at random."""
_POPULAR: Final = 200
"""Number of most viewed pages that are candidates whatever the sources say."""
_SEED: Final = 0


@dataclass(frozen=True, eq=False)
class PageTables:
    """Counts of earlier users that next pages are suggested from.

    Args:
        pages: Canonical pages that :data:`RARE_BELOW_USERS` users or more saw; the column of each is its
            place.
        allowed: bool of shape (n_columns,), pages that may be suggested: those that are not functional.
        follows: Sparse float32 of shape (n_columns, n_columns): how often each page was the next one, as a
            share. Rows sum to 1, or to less where there are more than :data:`_MAX_FOLLOWERS`.
        lagged: As ``follows``, for the next :data:`LAGS` pages, where the l-th counts 1 / l.
        popular: float32 of shape (n_columns,), share of all page views.
        near: float16 of shape (m, d), vectors of some users.
        viewed: Sparse float32 of shape (m, n_columns), share of each page in what these users viewed.
    """

    pages: tuple[str, ...]
    allowed: np.ndarray
    follows: Sparse
    lagged: Sparse
    popular: np.ndarray
    near: np.ndarray
    viewed: Sparse

    @property
    def n_columns(self) -> int:
        """Number of pages that the tables know."""
        return len(self.pages)

    @cached_property
    def column_of(self) -> dict[str, int]:
        """Map each page to its column."""
        return {page: column for column, page in enumerate(self.pages)}

    @cached_property
    def index(self) -> Any:  # noqa: ANN401 - faiss has no useful types
        """Search index of the vectors in :attr:`near`."""
        return searchable(self.near.astype(np.float32))

    @cached_property
    def most_viewed(self) -> tuple[np.ndarray, np.ndarray]:
        """Which pages are the :data:`_POPULAR` most viewed of all, and of the allowed: two bool arrays."""
        everywhere, suggested = (np.where(may, self.popular, 0) for may in (True, self.allowed))
        return _largest(everywhere, _POPULAR), _largest(suggested, _POPULAR)

    def columns(self, names: Sequence[str]) -> np.ndarray:
        """Look up the column of each page, or ``UNKNOWN_PAGE``: int64 of shape (n_pages,)."""
        return np.array([self.column_of.get(name, UNKNOWN_PAGE) for name in names], dtype=np.int64)


def count_tables(
    sequences: UserSequences,
    names: Sequence[str],
    functional: np.ndarray,
    vectors: np.ndarray,
    counted: np.ndarray,
    neighbours: np.ndarray,
) -> PageTables:
    """Count the tables of next pages from some users of a data set.

    Args:
        sequences: Page views of all users.
        names: Canonical page of each page index.
        functional: bool of shape (n_pages,), pages that are never suggested.
        vectors: float32 of shape (n_users, d), combined.
        counted: bool of shape (n_users,), users that are counted.
        neighbours: bool of shape (n_users,), users who may be neighbours, if they are counted.
    """
    kept = np.flatnonzero(_users_of_pages(sequences, len(names), counted) >= RARE_BELOW_USERS)
    columns = np.full(len(names), UNKNOWN_PAGE)
    columns[kept] = np.arange(len(kept))
    seen = SeenPages.of(sequences, columns, len(kept))
    some = seen.some(np.flatnonzero(counted))
    steps = [_followers(some, lag) for lag in range(1, LAGS + 1)]
    lagged = sum((step / lag for lag, step in enumerate(steps[1:], start=2)), start=steps[0])
    popular = np.bincount(some.column, minlength=len(kept)).astype(np.float32)
    pool = _drawn(neighbours & counted & vectors.any(axis=1) & (seen.lengths > 0))
    return PageTables(
        pages=tuple(names[page] for page in kept.tolist()),
        allowed=~functional[kept],
        follows=most_frequent(_shares(steps[0])),
        lagged=most_frequent(_shares(lagged)),
        popular=popular / max(1.0, float(popular.sum())),
        near=vectors[pool].astype(np.float16),
        viewed=seen.some(pool).evenly,
    )


def _users_of_pages(sequences: UserSequences, n_pages: int, counted: np.ndarray) -> np.ndarray:
    """Count the users, of those counted, who saw each page: int64 of shape (n_pages,)."""
    user, inside = sequences.user, counted[sequences.user]
    pairs = np.unique(user[inside].astype(np.int64) * n_pages + sequences.page[inside])
    return np.bincount(pairs % n_pages, minlength=n_pages)


def _followers(seen: SeenPages, lag: int) -> Sparse:
    """Count how often pages came ``lag`` views after pages: sparse float32 (n_columns, n_columns)."""
    later = np.flatnonzero(seen.user[lag:] == seen.user[:-lag]) + lag
    ones = np.ones(len(later), dtype=np.float32)
    shape = (seen.n_columns, seen.n_columns)
    return sparse.csr_array((ones, (seen.column[later - lag], seen.column[later])), shape=shape)


def most_frequent(table: Sparse, most: int = _MAX_FOLLOWERS) -> Sparse:
    """Keep the ``most`` largest entries of each row of a table; of equal ones those of more viewed pages."""
    rows = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    order = np.lexsort((table.indices, -table.data, rows))
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.arange(len(rows)) - table.indptr[rows]
    few = place < most
    entries = table.data[few], (rows[few], table.indices[few])
    return sparse.csr_array(entries, shape=table.shape, dtype=np.float32)


def _largest(values: np.ndarray, most: int) -> np.ndarray:
    """Which values are the ``most`` largest and above 0; of equal ones the first."""
    found = np.zeros(len(values), dtype=bool)
    found[np.argsort(-values, kind="stable")[:most]] = True
    return found & (values > 0)


def _drawn(able: np.ndarray) -> np.ndarray:
    """Draw users in a random order, which says nothing of their ids."""
    return np.random.default_rng(_SEED).permutation(np.flatnonzero(able))[:_MAX_NEIGHBOURS]


MEANING: Final = (
    "Functional pages (home page, search, cart and checkout, account, service, company, policy: the types "
    "that have no theme) and error pages are left out."
)
_ERROR_ADDRESS: Final = re.compile(
    r"/(?:40[0-9]|50[0-9]|errors?|not-?found|page-?not-?found)(?:\.\w+)?/?(?:\?|$)", re.IGNORECASE
)
_ERROR_TITLE: Final = re.compile(
    r"^\W*(?:(?:error )?(?:40[34]|50[0234])\b|page not found|not found$)",
    re.IGNORECASE,
)


def functional_pages(pages: pd.DataFrame, labels: LabelledPages | None) -> np.ndarray:
    """Find functional pages, which are never suggested: bool of shape (n_pages,).

    Args:
        pages: The page table of a data set.
        labels: Labels of the pages; None where they have none.

    Raises:
        ArtifactError: If the labels are damaged.
    """
    addresses = pages[Pages.PAGE_LOCATION].tolist()
    titles = pages[Pages.PAGE_TITLE].fillna("").tolist()
    found = (
        _by_rule(addresses, titles)
        if labels is None
        else (labels.table[PageLabels.THEME] == NO_THEME).to_numpy(dtype=bool, copy=True)
    )
    for page, (address, title) in enumerate(zip(addresses, titles, strict=True)):
        found[page] |= bool(_ERROR_ADDRESS.search(address) or _ERROR_TITLE.search(title))
    return found


def _by_rule(addresses: list[str], titles: list[str]) -> np.ndarray:
    from core.labels.label_types import Subject
    from core.labels.rule_classifier import RuleClassifier

    taxonomy = default_taxonomy()
    functional = {one.name for one in taxonomy.types if one.functional}
    subjects = [
        Subject(address, urls=(address,), titles=(title,) if title else ())
        for address, title in zip(addresses, titles, strict=True)
    ]
    found = RuleClassifier(taxonomy).classify(subjects, View.TYPE)
    return np.array([one is not None and one.value in functional for one in found], dtype=bool)
