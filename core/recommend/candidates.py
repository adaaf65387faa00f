"""What each source says of the next page, so that their parts add up.

Every source is a row that sums to 1 over the pages that may come (or an empty one, where it says nothing), so
that a blend is a mixture of distributions (interpolation, Jelinek and Mercer 1980) and each source's part of
a score is its own term.

Letters: n users, n_columns pages that are known, S sources, c candidates of all users together.

How much each source counts: few weights, fitted on users that no table was counted from.

The blend is a mixture, so its weights are those under which the pages that came are the most likely, found
by expectation maximisation (deleted interpolation, Jelinek and Mercer 1980). They are held against the last
page's followers with the user's own pages, each half of the users judged by weights of the other half; where
the blend does not find the next page more often, it is not used.

Letters: n moments of m users, S sources, B resamples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

import numpy as np

from core.recommend.page_tables import FADING, LAGS, PageTables, SeenPages, Sparse
from core.segments.neighbours import look_up

NEAREST: Final = 100
"""Neighbours that are asked."""
_WIDTH: Final = 0.2
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
    weight = np.where(other, np.exp(-(apart - least) / _WIDTH), 0)
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


TOP: Final = 10
"""A page that comes is found where it is among so many."""
FEWEST_JUDGED: Final = 50
"""Users that weights are fitted on; with fewer, they are stated."""
STATED: Final = {Source.BIGRAM: 0.6, Source.HISTORY: 0.1, Source.POPULARITY: 0.3}
"""Weights of the plain way where nothing can be fitted."""
ROUNDS, RESAMPLES, SEED = 200, 200, 0
NOTHING: Final = 1e-6
"""A weight below this is none."""
LEAST: Final = 0.001
"""Weight of popularity at least, so that there is an answer where all others are silent."""
TAILS: Final = (2.5, 97.5)


@dataclass(frozen=True)
class Measured:
    """A figure with its 95 % interval (bootstrap over users)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SourcePart:
    """What one source is worth.

    Args:
        source: Which.
        weight: Its share of the blend.
        gain: How much more often the next page is among ten than by the others alone, fitted again.
    """

    source: Source
    weight: Measured
    gain: Measured


@dataclass(frozen=True)
class Judged:
    """How often the next page was among the ten suggested, on users that none of it was learned from.

    Args:
        users: How many; each counts the same, however many moments they have.
        moments: Page views that were to be told.
        hits: Of the blend.
        plain: Of the last page's followers with the user's own pages (and popularity where those are silent).
        gain: The blend less the plain way, user by user.
    """

    users: int
    moments: int
    hits: Measured
    plain: Measured
    gain: Measured
    parts: tuple[SourcePart, ...]


@dataclass(frozen=True)
class Head:
    """The weights of the sources, adding up to 1.

    Args:
        weights: Source → weight, 0 for one that does not count.
        blended: Whether the blend found more than the plain way; else the weights are those of the plain way.
        judged: The figures; None where there were too few users to fit anything.
    """

    weights: Mapping[Source, float]
    blended: bool
    judged: Judged | None


@dataclass(frozen=True, eq=False)
class Asked:
    """Moments whose next page is known.

    Args:
        found: What each source says of the pages that may come.
        target: int64 of shape (n,), the page that came; −1 where the tables do not know it.
        user: int64 of shape (n,), whose moment it is, 0 to m − 1.
    """

    found: PageCandidates
    target: np.ndarray
    user: np.ndarray

    @cached_property
    def places(self) -> np.ndarray:
        """Where the page that came is among the candidates, −1 where it is not: int64 of shape (n,)."""
        return self.found.places(self.target)

    @cached_property
    def given(self) -> np.ndarray:
        """What each source gave to the page that came: float64 of shape (n, S)."""
        there = self.places >= 0
        given = np.zeros((len(there), len(self.found.sources)))
        given[there] = self.found.given[self.places[there]]
        return given

    def hits(self, weights: Mapping[Source, float]) -> np.ndarray:
        """Whether the page that came is among the first ten: float64 of shape (n,)."""
        return (ranks(self.found, self.found.scores(weights), self.places) < TOP).astype(float)


def _plain_sources(reach: Reach) -> tuple[Source, ...]:
    """The plain way: the last page's followers, the user's own pages where they may come, popularity."""
    return tuple(source for source in STATED if reach is Reach.ANY or source is not Source.HISTORY)


def fit_head(asked: Asked, reach: Reach) -> Head:
    """Fit the weights, and judge them.

    Args:
        asked: Moments of users that no table was counted from.
        reach: Which pages may come.
    """
    plain, every = _plain_sources(reach), asked.found.sources
    n_users = int(asked.user.max(initial=-1)) + 1
    if n_users < FEWEST_JUDGED or not asked.given.any():
        total = sum(STATED[source] for source in plain)
        return Head({source: STATED[source] / total for source in plain}, blended=False, judged=None)
    judge = _Judge(asked)
    hits, simple = judge.crossed(every), judge.crossed(plain)
    blended = bool(hits.mean() >= simple.mean())
    used = every if blended else plain
    weights = judge.fitted(used)
    parts = tuple(
        SourcePart(source, weight, judge.measured((hits if blended else simple) - judge.crossed(others)))
        for source, weight in zip(used, judge.weights_measured(used), strict=True)
        for others in [[one for one in used if one is not source]]
    )
    judged = Judged(
        n_users, len(asked.target), judge.measured(hits), judge.measured(simple),
        judge.measured(hits - simple), parts,
    )  # fmt: skip
    return Head(weights, blended, judged)


class _Judge:
    """Fits and judges weights on the same moments."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._n_users = int(asked.user.max()) + 1
        self._moments = np.bincount(asked.user, minlength=self._n_users)
        rng = np.random.default_rng(SEED)
        self._half = rng.permutation(self._n_users) % 2
        draws = rng.integers(0, self._n_users, (RESAMPLES, self._n_users))
        self._drawn = np.stack([np.bincount(one, minlength=self._n_users) for one in draws])  # (B, m)

    def measured(self, of_users: np.ndarray) -> Measured:
        """The mean over users with its interval."""
        low, high = np.percentile(self._drawn @ of_users / self._n_users, TAILS)
        return Measured(float(of_users.mean()), float(low), float(high))

    def fitted(self, sources: Sequence[Source], users: np.ndarray | None = None) -> dict[Source, float]:
        """The weights that fit some users best; all when None."""
        counts = np.ones((1, self._n_users)) if users is None else users[None].astype(float)
        weights = dict(zip(sources, self._fit(sources, counts)[0].tolist(), strict=True))
        if Source.POPULARITY in weights:
            weights[Source.POPULARITY] = max(LEAST, weights[Source.POPULARITY])
        total = sum(weights.values())
        return {source: weight / total for source, weight in weights.items()}

    def weights_measured(self, sources: Sequence[Source]) -> list[Measured]:
        """The weights, with intervals of weights fitted to resampled users."""
        whole = self._fit(sources, np.ones((1, self._n_users)))[0]
        low, high = np.percentile(self._fit(sources, self._drawn), TAILS, axis=0)
        return [Measured(*map(float, ends)) for ends in zip(whole, low, high, strict=True)]

    def crossed(self, sources: Sequence[Source]) -> np.ndarray:
        """Hit rate of each user, each half by weights of the other: float64 of shape (m,)."""
        found = np.zeros(len(self._asked.target))
        for half in (0, 1):
            here = self._half[self._asked.user] == half
            found[here] = self._asked.hits(self.fitted(sources, self._half != half))[here]
        return np.bincount(self._asked.user, found, self._n_users) / np.maximum(self._moments, 1)

    def _fit(self, sources: Sequence[Source], counts: np.ndarray) -> np.ndarray:
        """Weights for each count of the users, equal where none says anything: float64 of shape (B, S)."""
        given = self._asked.given[:, [self._asked.found.sources.index(source) for source in sources]]
        told = given.any(axis=1)
        given, user = given[told], self._asked.user[told]
        counted = (counts / np.maximum(self._moments, 1))[:, user].T  # (n, B)
        weights = np.full((len(counts), len(sources)), 1 / len(sources))
        for _ in range(ROUNDS):
            share = counted / np.maximum(given @ weights.T, 1e-300)  # (n, B)
            likelier = weights * (share.T @ given)
            totals = likelier.sum(axis=1, keepdims=True)
            weights = np.where(totals > 0, likelier / np.maximum(totals, 1e-300), weights)
            weights[weights < NOTHING] = 0
        return weights
