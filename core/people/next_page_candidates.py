"""Candidates for the next page: the distribution that each source gives them, and the weights of the sources.

Every source is a row that sums to 1 over the candidates (or an empty one, where it says nothing), so that a
blend is a mixture of distributions (interpolation, Jelinek and Mercer 1980) and each source's part of a score
is a term of it.

Weights are fitted on users that no table was counted from: they maximise the likelihood of the pages that
came, by expectation maximisation (deleted interpolation, Jelinek and Mercer 1980). The blend is compared with
the plain way, the last page's followers with the pages that the user viewed before; each half of the users is
judged by weights of the other half. Where the blend finds the next page less often, it is not used.

Letters: n users or moments, m users of the moments, n_columns pages that are known, S sources, c candidates
of all users together, B resamples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

import numpy as np

from core.people.next_page_tables import FADING, LAGS, PageTables, SeenPages, Sparse
from core.segments.neighbours import look_up

_NEAREST: Final = 100
"""Nearest users whose pages are counted as those of neighbours, at most."""
_WIDTH: Final = 0.2
"""Squared distance beyond that of the nearest neighbour at which a neighbour counts e times less."""
_SAME: Final = 1e-5
"""Squared distance below which a neighbour viewed the same pages, and has none to add."""
CELLS: Final = 2_000_000
"""Users times pages worked on at a time: 16 MB a source."""


class Source(StrEnum):
    """Source of a suggested next page."""

    BIGRAM = "bigram"
    """Pages that followed the last page."""
    LAG = "lag"
    """Pages that came within five views of the last five pages."""
    NEIGHBOURS = "neighbours"
    """Pages that the users with the nearest vectors viewed."""
    HISTORY = "history"
    """Pages that the user viewed before, the latest most; only where pages seen before may come."""
    POPULARITY = "popularity"
    """Pages that all users view most."""


class Reach(StrEnum):
    """Which pages may be candidates for the next page."""

    NEW = "new"
    """Pages that the user has not seen and that are not functional, which are suggested."""
    ANY = "any"
    """Any page that the next page view may be of."""


SOURCES: Final[Mapping[Reach, tuple[Source, ...]]] = {
    Reach.NEW: tuple(source for source in Source if source is not Source.HISTORY),
    Reach.ANY: tuple(Source),
}


@dataclass(frozen=True, eq=False)
class PageCandidates:
    """Candidates for the next page of each of n users, with their probability by each source.

    Args:
        offsets: int64 of shape (n + 1,), where the candidates of each user begin.
        column: int64 of shape (c,), column of each candidate's page in the tables, ascending within a user.
        given: float32 of shape (c, S), probability by each source; sums to 1 over a user, or is 0 throughout.
        sources: The sources, in the order of the columns of ``given``.
    """

    offsets: np.ndarray
    column: np.ndarray
    given: np.ndarray
    sources: tuple[Source, ...]

    @cached_property
    def row(self) -> np.ndarray:
        """User of each candidate: int64 of shape (c,)."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def scores(self, weights: Mapping[Source, float]) -> np.ndarray:
        """Blend the sources by weights: float64 of shape (c,), summing to 1 over a user's candidates."""
        mixed = self.given @ np.array([weights.get(source, 0.0) for source in self.sources], np.float32)
        totals = np.bincount(self.row, mixed, minlength=len(self.offsets) - 1)
        scores: np.ndarray = mixed / np.maximum(totals, 1e-30)[self.row]
        return scores

    def places(self, column: np.ndarray) -> np.ndarray:
        """Index, among all candidates, of a page of each user: int64 of shape (n,), −1 where it is none.

        Args:
            column: int64 of shape (n,), the page of each user; below 0 for a page that is not known.
        """
        wanted = self.column == column[self.row]
        places = np.full(len(column), -1)
        places[self.row[wanted]] = np.flatnonzero(wanted)
        return places


def candidates(tables: PageTables, seen: SeenPages, vectors: np.ndarray, reach: Reach) -> PageCandidates:
    """List the candidates of each user, with their probability by each source.

    Args:
        tables: Counts of earlier users.
        seen: Pages that each user saw so far.
        vectors: float32 of shape (n, d), combined vectors of the users; zeros where there is none.
        reach: Which pages may come.
    """
    step = max(1, CELLS // max(1, tables.n_columns))
    blocks = [slice(start, start + step) for start in range(0, max(1, len(seen)), step)]
    block_candidates = [_of_block(tables, seen.some(block), vectors[block], reach) for block in blocks]
    lengths, column, given = (np.concatenate(parts) for parts in zip(*block_candidates, strict=True))
    return PageCandidates(np.concatenate([[0], np.cumsum(lengths)]), column, given, SOURCES[reach])


def _of_block(
    tables: PageTables, seen: SeenPages, vectors: np.ndarray, reach: Reach
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of candidates of each user, their pages, and their probability by each source."""
    shape, last, recent = (len(seen), tables.n_columns), seen.back == 1, seen.back <= LAGS
    asking = {
        Source.BIGRAM: (tables.follows, seen.user[last], seen.column[last], np.ones(last.sum())),
        Source.LAG: (tables.lagged, seen.user[recent], seen.column[recent], 1 / seen.back[recent]),
        Source.NEIGHBOURS: (tables.viewed, *nearest(tables, vectors)),
    }
    probabilities = {source: _summed(*asked, shape) for source, asked in asking.items()}
    probabilities[Source.POPULARITY] = np.broadcast_to(tables.popular, shape)
    may = np.tile(tables.most_viewed[reach is Reach.NEW], (len(seen), 1))
    for source in asking:
        may |= probabilities[source] > 0
    if reach is Reach.NEW:
        may &= tables.allowed
        may[seen.user, seen.column] = False
    else:
        fading = FADING ** np.minimum(seen.back, 500)
        viewed = np.bincount(seen.user * shape[1] + seen.column, fading, minlength=shape[0] * shape[1])
        probabilities[Source.HISTORY] = viewed.reshape(shape)
        may |= probabilities[Source.HISTORY] > 0
    row, column = np.nonzero(may)
    given = np.stack([probabilities[source][row, column] for source in SOURCES[reach]], axis=1)
    for one in given.T:
        one /= np.maximum(np.bincount(row, one, minlength=len(seen)), 1e-30)[row]
    return may.sum(axis=1), column, given.astype(np.float32)


def nearest(tables: PageTables, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the nearest kept users of each user with a vector, and how much each counts.

    Returns:
        Index of the user, of the kept user (:attr:`PageTables.near`), and the weight: three arrays with up to
        :data:`_NEAREST` entries a user. The weight is 0 where both viewed the same pages.
    """
    count = min(_NEAREST, len(tables.near))
    asking = np.flatnonzero(vectors.any(axis=1)) if count else np.zeros(0, dtype=np.int64)
    neighbours, apart = look_up(tables.index, vectors[asking].astype(np.float32), count)
    other = apart > _SAME
    least = np.where(other, apart, np.inf).min(axis=1, keepdims=True, initial=4.0)
    weight = np.where(other, np.exp(-(apart - least) / _WIDTH), 0)
    return np.repeat(asking, count), neighbours.ravel(), weight.ravel()


def _summed(
    table: Sparse, user: np.ndarray, row: np.ndarray, weight: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """Sum weighted rows of a table for each user: float64 of shape (n, n_columns).

    Args:
        table: Sparse of shape (any, n_columns).
        user: int64 of shape (a,), user whose sum a row is added to.
        row: int64 of shape (a,), row of the table.
        weight: float of shape (a,), weight of the row.
        shape: n and n_columns.
    """
    begin, length = table.indptr[row], table.indptr[row + 1] - table.indptr[row]
    ends = np.cumsum(length)
    where = np.arange(ends[-1] if len(ends) else 0) + np.repeat(begin - ends + length, length)
    code = np.repeat(user * shape[1], length) + table.indices[where]
    terms = np.repeat(weight, length) * table.data[where]
    return np.bincount(code, terms, minlength=shape[0] * shape[1]).reshape(shape)


def ranks(listed: PageCandidates, scores: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Count the pages that score higher than the right one, half of equal ones: float64 of shape (n,).

    Args:
        listed: The candidates.
        scores: float64 of shape (c,), score of each candidate.
        places: int64 of shape (n,), index of the right page among all candidates; below 0 where it is none.

    Returns:
        Ranks from 0; infinite where the right page is no candidate or has no score.
    """
    n, there = len(places), places >= 0
    own = np.where(there, scores[places] if len(scores) else 0, 0)
    higher = np.bincount(listed.row, scores > own[listed.row], minlength=n)
    equal = np.bincount(listed.row, scores == own[listed.row], minlength=n) - 1
    return np.where(there & (own > 0), higher + equal / 2, np.inf)


def top_candidates(listed: PageCandidates, scores: np.ndarray, most: int) -> np.ndarray:
    """Find the best candidates of every user, best first; of equal ones the more viewed pages.

    Args:
        listed: The candidates.
        scores: float64 of shape (c,), score of each candidate.
        most: How many a user, at most.

    Returns:
        int64 of shape (n, most), indices among all candidates, −1 where a user has fewer above 0.
    """
    lengths = np.diff(listed.offsets)
    width = max(int(lengths.max(initial=0)), most)
    filled = np.arange(width) < lengths[:, None]  # (n, width)
    padded, place = np.full(filled.shape, -np.inf), np.full(filled.shape, -1, dtype=np.int64)
    padded[filled] = scores - 1e-15 * listed.column
    place[filled] = np.arange(len(scores))
    place[filled] = np.where(scores > 0, place[filled], -1)
    first = np.argpartition(-padded, most - 1, axis=1)[:, :most]
    order = np.argsort(-np.take_along_axis(padded, first, axis=1), axis=1, kind="stable")
    return np.take_along_axis(place, np.take_along_axis(first, order, axis=1), axis=1)


_TOP: Final = 10
"""Number of suggestions among which the page that came counts as a hit."""
MIN_JUDGED: Final = 50
"""Fewest users that weights are fitted on; with fewer they are :data:`STATED`."""
STATED: Final = {Source.BIGRAM: 0.6, Source.HISTORY: 0.1, Source.POPULARITY: 0.3}
"""Weights of the plain way where no weights can be fitted."""
_ROUNDS, _RESAMPLES, _SEED = 200, 200, 0
_NOTHING: Final = 1e-6
"""Weight below which a source is left out."""
_LEAST: Final = 0.001
"""Least weight of popularity, so that there is a suggestion where all other sources give none."""
_TAILS: Final = (2.5, 97.5)


@dataclass(frozen=True)
class Measured:
    """A figure with its 95 % interval (bootstrap over users)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SourcePart:
    """Weight of a source in the blend, and the hits that it adds.

    Args:
        source: The source.
        weight: Its share of the blend.
        gain: Hit rate of the blend less that of the other sources alone, fitted again.
    """

    source: Source
    weight: Measured
    gain: Measured


@dataclass(frozen=True)
class HitRates:
    """Hit rates, the share of next pages among ten suggestions, on users that nothing was learned from.

    Args:
        users: Number of users; each counts the same, however many moments they have.
        moments: Number of page views that were predicted.
        hits: Hit rate of the blend.
        plain: Hit rate of the plain way: the last page's followers, pages viewed before, and popularity.
        gain: Difference of the two, user by user.
        parts: Weight and gain of each source.
    """

    users: int
    moments: int
    hits: Measured
    plain: Measured
    gain: Measured
    parts: tuple[SourcePart, ...]


@dataclass(frozen=True)
class Head:
    """The weights of the sources, adding up to 1, and how well they predict.

    Args:
        weights: Source → weight, 0 for a source that does not count.
        blended: Whether the blend hits no less than the plain way, whose weights these are otherwise.
        judged: Hit rates; None where there were too few users to fit weights.
    """

    weights: Mapping[Source, float]
    blended: bool
    judged: HitRates | None


@dataclass(frozen=True, eq=False)
class KnownMoments:
    """Candidates at moments whose next page is known, to fit weights by.

    Args:
        found: Candidates of each moment, with their probability by each source.
        target: int64 of shape (n,), the page that came (column of the tables); −1 where they do not know it.
        user: int64 of shape (n,), whose moment it is, 0 to m − 1.
    """

    found: PageCandidates
    target: np.ndarray
    user: np.ndarray

    @cached_property
    def places(self) -> np.ndarray:
        """Index, among all candidates, of the page that came; −1 where it is none: int64 of shape (n,)."""
        return self.found.places(self.target)

    @cached_property
    def given(self) -> np.ndarray:
        """Probability of the page that came by each source: float64 of shape (n, S)."""
        there = self.places >= 0
        given = np.zeros((len(there), len(self.found.sources)))
        given[there] = self.found.given[self.places[there]]
        return given

    def hits(self, weights: Mapping[Source, float]) -> np.ndarray:
        """Whether the page that came is among the ten best candidates: float64 of shape (n,)."""
        return (ranks(self.found, self.found.scores(weights), self.places) < _TOP).astype(float)


def _plain_sources(reach: Reach) -> tuple[Source, ...]:
    """Sources of the plain way: the last page's followers, pages seen before if they may come, popularity."""
    return tuple(source for source in STATED if reach is Reach.ANY or source is not Source.HISTORY)


def fit_head(moments: KnownMoments, reach: Reach) -> Head:
    """Fit the weights of the sources, and judge them against the plain way.

    With fewer than :data:`MIN_JUDGED` users, :data:`STATED` weights of the plain sources stand, unjudged.

    Args:
        moments: Moments of users that no table was counted from.
        reach: Which pages may come.
    """
    plain, every = _plain_sources(reach), moments.found.sources
    n_users = int(moments.user.max(initial=-1)) + 1
    if n_users < MIN_JUDGED or not moments.given.any():
        total = sum(STATED[source] for source in plain)
        return Head({source: STATED[source] / total for source in plain}, blended=False, judged=None)
    judge = _Judge(moments)
    hits, simple = judge.crossed(every), judge.crossed(plain)
    blended = bool(hits.mean() >= simple.mean())
    used = every if blended else plain
    weights = judge.fitted(used)
    parts = tuple(
        SourcePart(source, weight, judge.measured((hits if blended else simple) - judge.crossed(others)))
        for source, weight in zip(used, judge.weights_measured(used), strict=True)
        for others in [[one for one in used if one is not source]]
    )
    judged = HitRates(
        n_users, len(moments.target), judge.measured(hits), judge.measured(simple),
        judge.measured(hits - simple), parts,
    )  # fmt: skip
    return Head(weights, blended, judged)


class _Judge:
    """Fits weights to moments, and judges them on moments of other users."""

    def __init__(self, moments: KnownMoments) -> None:
        self._asked = moments
        self._n_users = int(moments.user.max()) + 1
        self._moments = np.bincount(moments.user, minlength=self._n_users)
        rng = np.random.default_rng(_SEED)
        self._half = rng.permutation(self._n_users) % 2
        draws = rng.integers(0, self._n_users, (_RESAMPLES, self._n_users))
        self._drawn = np.stack([np.bincount(one, minlength=self._n_users) for one in draws])  # (B, m)

    def measured(self, of_users: np.ndarray) -> Measured:
        """Mean over users with its bootstrap interval."""
        low, high = np.percentile(self._drawn @ of_users / self._n_users, _TAILS)
        return Measured(float(of_users.mean()), float(low), float(high))

    def fitted(self, sources: Sequence[Source], users: np.ndarray | None = None) -> dict[Source, float]:
        """Fit weights to some users, or to all when None."""
        counts = np.ones((1, self._n_users)) if users is None else users[None].astype(float)
        weights = dict(zip(sources, self._fit(sources, counts)[0].tolist(), strict=True))
        if Source.POPULARITY in weights:
            weights[Source.POPULARITY] = max(_LEAST, weights[Source.POPULARITY])
        total = sum(weights.values())
        return {source: weight / total for source, weight in weights.items()}

    def weights_measured(self, sources: Sequence[Source]) -> list[Measured]:
        """Fit weights to all users, with intervals from weights fitted to resampled users."""
        whole = self._fit(sources, np.ones((1, self._n_users)))[0]
        low, high = np.percentile(self._fit(sources, self._drawn), _TAILS, axis=0)
        return [Measured(*map(float, ends)) for ends in zip(whole, low, high, strict=True)]

    def crossed(self, sources: Sequence[Source]) -> np.ndarray:
        """Hit rate of each user by weights fitted to the other half of the users: float64 of shape (m,)."""
        scores = np.zeros(len(self._asked.target))
        for half in (0, 1):
            here = self._half[self._asked.user] == half
            scores[here] = self._asked.hits(self.fitted(sources, self._half != half))[here]
        return np.bincount(self._asked.user, scores, self._n_users) / np.maximum(self._moments, 1)

    def _fit(self, sources: Sequence[Source], counts: np.ndarray) -> np.ndarray:
        """Fit weights to each resample of the users, equal if no source says anything: float64 (B, S)."""
        given = self._asked.given[:, [self._asked.found.sources.index(source) for source in sources]]
        has_candidates = given.any(axis=1)
        given, user = given[has_candidates], self._asked.user[has_candidates]
        counted = (counts / np.maximum(self._moments, 1))[:, user].T  # (n, B)
        weights = np.full((len(counts), len(sources)), 1 / len(sources))
        for _ in range(_ROUNDS):
            share = counted / np.maximum(given @ weights.T, 1e-300)  # (n, B)
            likelier = weights * (share.T @ given)
            totals = likelier.sum(axis=1, keepdims=True)
            weights = np.where(totals > 0, likelier / np.maximum(totals, 1e-300), weights)
            weights[weights < _NOTHING] = 0
        return weights
