"""How much each source counts: few weights, fitted on users that no table was counted from.

The blend is a mixture, so its weights are those under which the pages that came are the most likely, found
by expectation maximisation (deleted interpolation, Jelinek and Mercer 1980). They are held against the last
page's followers with the user's own pages, each half of the users judged by weights of the other half; where
the blend does not find the next page more often, it is not used.

Letters: n moments of m users, S sources, B resamples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from core.recommend.candidates import PageCandidates, Reach, Source, ranks

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


def plain_sources(reach: Reach) -> tuple[Source, ...]:
    """The plain way: the last page's followers, the user's own pages where they may come, popularity."""
    return tuple(source for source in STATED if reach is Reach.ANY or source is not Source.HISTORY)


def fit_head(asked: Asked, reach: Reach) -> Head:
    """Fit the weights, and judge them.

    Args:
        asked: Moments of users that no table was counted from.
        reach: Which pages may come.
    """
    plain, every = plain_sources(reach), asked.found.sources
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
