"""What each source says of the next page, so that their parts add up.

Every source is a row that sums to 1 over the pages that may come (or an empty one, where it says nothing), so
that a blend is a mixture of distributions (interpolation, Jelinek and Mercer 1980) and each source's part of
a score is its own term.

Letters: n users, n_columns pages that are known, S sources, c candidates of all users together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

import numpy as np

from core.recommend.page_tables import PageTables
from core.recommend.seen_pages import FADING, LAGS, SeenPages, Sparse
from core.segments.neighbours import look_up

NEAREST: Final = 100
"""Neighbours that are asked."""
WIDTH: Final = 0.2
"""By how much the squared distance of a neighbour must be above the nearest one's to count e times less."""
SAME: Final = 1e-5
"""Squared distance below which a neighbour viewed the same pages, and has none to add."""
CELLS: Final = 2_000_000
"""Users times pages worked on at a time: 16 MB a source."""


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
    step = max(1, CELLS // max(1, tables.n_columns))
    blocks = [slice(start, start + step) for start in range(0, max(1, len(seen)), step)]
    made = [_of_block(tables, seen.some(block), vectors[block], reach) for block in blocks]
    lengths, column, given = (np.concatenate(parts) for parts in zip(*made, strict=True))
    return PageCandidates(np.concatenate([[0], np.cumsum(lengths)]), column, given, SOURCES[reach])


def _of_block(
    tables: PageTables, seen: SeenPages, vectors: np.ndarray, reach: Reach
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How many candidates each user has, and which, and what each source gives them."""
    shape, last, recent = (len(seen), tables.n_columns), seen.back == 1, seen.back <= LAGS
    asking = {
        Source.BIGRAM: (tables.follows, seen.user[last], seen.column[last], np.ones(last.sum())),
        Source.LAG: (tables.lagged, seen.user[recent], seen.column[recent], 1 / seen.back[recent]),
        Source.NEIGHBOURS: (tables.viewed, *nearest(tables, vectors)),
    }
    said = {source: _summed(*asked, shape) for source, asked in asking.items()}
    said[Source.POPULARITY] = np.broadcast_to(tables.popular, shape)
    may = np.tile(tables.most_viewed[reach is Reach.NEW], (len(seen), 1))
    for source in asking:
        may |= said[source] > 0
    if reach is Reach.NEW:
        may &= tables.allowed
        may[seen.user, seen.column] = False
    else:
        fading = FADING ** np.minimum(seen.back, 500)
        own = np.bincount(seen.user * shape[1] + seen.column, fading, minlength=shape[0] * shape[1])
        said[Source.HISTORY] = own.reshape(shape)
        may |= said[Source.HISTORY] > 0
    row, column = np.nonzero(may)
    given = np.stack([said[source][row, column] for source in SOURCES[reach]], axis=1)
    for one in given.T:
        one /= np.maximum(np.bincount(row, one, minlength=len(seen)), 1e-30)[row]
    return may.sum(axis=1), column, given.astype(np.float32)


def nearest(tables: PageTables, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which of the kept users are neighbours, and how much each counts: user, kept user, weight."""
    count = min(NEAREST, len(tables.near))
    asking = np.flatnonzero(vectors.any(axis=1)) if count else np.zeros(0, dtype=np.int64)
    found, apart = look_up(tables.index, vectors[asking].astype(np.float32), count)
    other = apart > SAME
    least = np.where(other, apart, np.inf).min(axis=1, keepdims=True, initial=4.0)
    weight = np.where(other, np.exp(-(apart - least) / WIDTH), 0)
    return np.repeat(asking, count), found.ravel(), weight.ravel()


def _summed(
    table: Sparse, user: np.ndarray, row: np.ndarray, weight: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """Rows of a table, weighed and summed for each user: float64 of shape (n, n_columns).

    Args:
        table: Sparse of shape (any, n_columns).
        user: int64 of shape (a,), who asks.
        row: int64 of shape (a,), for which row.
        weight: float of shape (a,).
        shape: n and n_columns.
    """
    begin, length = table.indptr[row], table.indptr[row + 1] - table.indptr[row]
    ends = np.cumsum(length)
    where = np.arange(ends[-1] if len(ends) else 0) + np.repeat(begin - ends + length, length)
    code = np.repeat(user * shape[1], length) + table.indices[where]
    terms = np.repeat(weight, length) * table.data[where]
    return np.bincount(code, terms, minlength=shape[0] * shape[1]).reshape(shape)


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
