"""What each source says of the next page, so that their parts add up.

Every source is a row that sums to 1 over the pages that may come (or an empty one, where it says nothing), so
that a blend is a mixture of distributions (interpolation, Jelinek and Mercer 1980) and each source's part of
a score is its own term.

Letters: n users, n_columns pages that are known, S sources, c candidates of all users together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

import numpy as np
from scipy import sparse

from core.recommend.page_tables import PageTables
from core.recommend.seen_pages import SeenPages, Sparse, shares

NEAREST: Final = 100
"""Neighbours that are asked."""
WIDTH: Final = 0.2
"""By how much the squared distance of a neighbour must be above the nearest one's to count e times less."""
SAME: Final = 1e-5
"""Squared distance below which a neighbour viewed the same pages, and has none to add."""
POPULAR: Final = 200
"""Most viewed pages that may come whatever the other sources say."""


class Source(StrEnum):
    """Where a suggestion comes from."""

    BIGRAM = "bigram"
    """What came after the last page."""
    LAG = "lag"
    """What came within five views of the last five pages."""
    NEIGHBOURS = "neighbours"
    """What the users with the nearest vectors viewed."""
    HISTORY = "history"
    """What the user viewed before, the latest most; only where pages seen before may come."""
    POPULARITY = "popularity"
    """What everybody views."""


class Reach(StrEnum):
    """Which pages may come."""

    NEW = "new"
    """Pages that the user has not seen and that are not functional: what is suggested."""
    ANY = "any"
    """Any page: what the next page view will be."""


SOURCES: Final[Mapping[Reach, tuple[Source, ...]]] = {
    Reach.NEW: tuple(source for source in Source if source is not Source.HISTORY),
    Reach.ANY: tuple(Source),
}


@dataclass(frozen=True, eq=False)
class PageCandidates:
    """The pages that may come for each of n users, and what each source says of them.

    Args:
        offsets: int64 of shape (n + 1,), where the candidates of each user begin.
        column: int64 of shape (c,), the page of each, ascending within a user.
        given: float32 of shape (c, S), what each source gives; sums to 1 over a user's, or is 0 throughout.
        sources: Which.
    """

    offsets: np.ndarray
    column: np.ndarray
    given: np.ndarray
    sources: tuple[Source, ...]

    @cached_property
    def row(self) -> np.ndarray:
        """Whose each candidate is: int64 of shape (c,)."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def scores(self, weights: Mapping[Source, float]) -> np.ndarray:
        """The blend: float64 of shape (c,); sums to 1 over a user's candidates, if there are any."""
        mixed = self.given @ np.array([weights.get(source, 0.0) for source in self.sources], np.float32)
        totals = np.bincount(self.row, mixed, minlength=len(self.offsets) - 1)
        scores: np.ndarray = mixed / np.maximum(totals, 1e-30)[self.row]
        return scores

    def places(self, column: np.ndarray) -> np.ndarray:
        """Where one page of each user is among the candidates: int64 of shape (n,), −1 where it is not.

        Args:
            column: int64 of shape (n,); below 0 for a page that is not known.
        """
        wanted = self.column == column[self.row]
        places = np.full(len(column), -1)
        places[self.row[wanted]] = np.flatnonzero(wanted)
        return places


def candidates(tables: PageTables, seen: SeenPages, vectors: np.ndarray, reach: Reach) -> PageCandidates:
    """What each source says.

    Args:
        tables: What was counted.
        seen: What each user saw so far.
        vectors: float32 of shape (n, d), their combined vectors; zeros where there is none.
        reach: Which pages may come.
    """
    said = {
        Source.BIGRAM: seen.last @ tables.follows,
        Source.LAG: seen.recent @ tables.lagged,
        Source.NEIGHBOURS: nearest(tables, vectors) @ tables.viewed,
    }
    if reach is Reach.ANY:
        said[Source.HISTORY] = seen.fading
    for rows in said.values():
        rows.eliminate_zeros()
    may = _that_may_come(tables, seen, list(said.values()), reach)
    given = np.zeros((may.nnz, len(SOURCES[reach])), dtype=np.float32)
    numbered = sparse.csr_array((np.arange(1.0, may.nnz + 1), may.indices, may.indptr), shape=may.shape)
    row = np.repeat(np.arange(len(seen)), np.diff(may.indptr))
    for number, source in enumerate(SOURCES[reach]):
        if source is Source.POPULARITY:
            given[:, number] = tables.popular[may.indices]
        else:
            place = numbered.multiply(said[source] > 0).data.astype(np.int64) - 1
            given[place, number] = said[source].multiply(may).data
        totals = np.bincount(row, given[:, number], minlength=len(seen))
        given[:, number] /= np.maximum(totals, 1e-30)[row]
    return PageCandidates(may.indptr.astype(np.int64), may.indices.astype(np.int64), given, SOURCES[reach])


def nearest(tables: PageTables, vectors: np.ndarray) -> Sparse:
    """How much each of the m kept users counts as a neighbour: sparse float32 of shape (n, m)."""
    from core.segments.neighbours import neighbours

    count, shape = min(NEAREST, len(tables.near)), (len(vectors), len(tables.near))
    asking = np.flatnonzero(vectors.any(axis=1))
    if not count or not len(asking):
        return sparse.csr_array(shape, dtype=np.float32)
    found, apart = neighbours(tables.vectors, vectors[asking].astype(np.float32), count, lambda share: None)
    other = apart > SAME
    least = np.where(other, apart, np.inf).min(axis=1, keepdims=True, initial=4.0)
    weight = np.where(other, np.exp(-(apart - least) / WIDTH), 0)
    entries = weight.ravel(), (np.repeat(asking, count), found.ravel())
    return shares(sparse.csr_array(entries, shape=shape))


def _that_may_come(tables: PageTables, seen: SeenPages, said: Sequence[Sparse], reach: Reach) -> Sparse:
    """A 1 for every page that a source names or that is among the most popular ones, and that may come."""
    allowed = tables.allowed if reach is Reach.NEW else np.ones(tables.n_columns, dtype=bool)
    shown = np.where(allowed, tables.popular, 0)
    most = np.argsort(-shown, kind="stable")[:POPULAR]
    most = most[shown[most] > 0]
    ends = np.arange(len(seen) + 1) * len(most)
    everywhere = np.ones(ends[-1], dtype=np.float32), np.tile(np.sort(most), len(seen)), ends
    named = sum(said, start=sparse.csr_array(everywhere, shape=(len(seen), tables.n_columns)))
    named.data[:] = allowed[named.indices]
    may = sparse.csr_array(named - named.multiply(seen.evenly > 0) if reach is Reach.NEW else named)
    may.eliminate_zeros()
    may.sort_indices()
    return may


def ranks(found: PageCandidates, scores: np.ndarray, places: np.ndarray) -> np.ndarray:
    """How many pages score higher than the right one, of equal ones half: float64 of shape (n,).

    Args:
        found: The candidates.
        scores: float64 of shape (c,).
        places: int64 of shape (n,), the right page among them; below 0 where it is not, which is never found.

    Returns:
        Infinite where the right page has no score.
    """
    n, there = len(places), places >= 0
    own = np.where(there, scores[places] if len(scores) else 0, 0)
    higher = np.bincount(found.row, scores > own[found.row], minlength=n)
    equal = np.bincount(found.row, scores == own[found.row], minlength=n) - 1
    return np.where(there & (own > 0), higher + equal / 2, np.inf)


def best(found: PageCandidates, scores: np.ndarray, most: int) -> np.ndarray:
    """Where the best candidates of every user are, best first; of equal ones the more viewed pages.

    Args:
        found: The candidates.
        scores: float64 of shape (c,).
        most: How many.

    Returns:
        int64 of shape (n, most), −1 where a user has fewer.
    """
    lengths = np.diff(found.offsets)
    width = max(int(lengths.max(initial=0)), most)
    filled = np.arange(width) < lengths[:, None]  # (n, width)
    padded, place = np.full(filled.shape, -np.inf), np.full(filled.shape, -1, dtype=np.int64)
    padded[filled] = scores - 1e-15 * found.column
    place[filled] = np.arange(len(scores))
    place[filled] = np.where(scores > 0, place[filled], -1)
    first = np.argpartition(-padded, most - 1, axis=1)[:, :most]
    order = np.argsort(-np.take_along_axis(padded, first, axis=1), axis=1, kind="stable")
    return np.take_along_axis(place, np.take_along_axis(first, order, axis=1), axis=1)
