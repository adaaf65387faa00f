"""Search for the numbers of segments that users support: whether there are kinds of users, and how many.

The question is asked as a prediction: which prior over users (``user_priors.py``), learned on half of them,
best predicts half of the page views of each other user from the other half? Coarser levels merge kinds while
halves of the users lead to the same groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from scipy import sparse
from scipy.stats import norm
from sklearn.metrics import adjusted_rand_score

from core.base.progress import Progress, silent
from core.segments.geometry import repeatable, threads
from core.segments.levels import (
    MAX_DESCRIBED,
    MIN_USERS,
    AspectStructure,
    SegmentLevel,
    SegmentLevels,
    SmallKind,
    Structure,
)
from core.segments.small_kinds import FoundKind, find_small_kinds
from core.segments.user_priors import (
    CROSSED_ATOMS,
    MAX_KINDS,
    Prior,
    TokenCounts,
    cheapest_pair,
    crossed,
    curve,
    improved,
    kinds,
    poles,
    predictive,
    traits,
)
from core.segments.visit_tokens import HalfCounts, half_counts
from core.storage.sequences import UserSequences

_STAGE: Final = "choose_k"
USERS: Final = 5_000
"""Most users that are compared at first."""
MORE_USERS: Final = 20_000
"""Most users that are compared again where kinds predict best, but halves of the first users make others."""
_BURSTINESS: Final = (0.02, 0.0, 0.05, 0.15)
"""Burstiness that is tried with the best number of kinds; another replaces the first if surely better."""
POLES: Final = (2, 3, 6)
CONCENTRATIONS: Final = (0.3, 1.0)
TRAITS: Final = (1, 2, 4)
MAX_CROSSED: Final = 12
_SURE: Final = 2.33
"""Standard errors by which kinds must be better than a continuum and than everybody alike: 1 % of error."""
_LIKELY: Final = 1.64
"""Standard errors for another split of the kinds, or for anything to differ between users: 5 %."""
_COME_AGAIN: Final = 0.7
"""Least adjusted Rand index of the groups of two halves of the users, for segments or a description."""
_ALIKE: Final = 0.85
"""Least adjusted Rand index of the groups of two halves of the users, for a coarser level."""
_MAX_COARSER: Final = 2
_TINY: Final = 1e-9


def measure_levels(
    sequences: UserSequences,
    users: np.ndarray,
    urls: Sequence[str],
    labels: Mapping[str, Sequence[str]],
    progress: Progress = silent,
) -> SegmentLevels:
    """Measure which numbers of segments users support, if any.

    Args:
        sequences: Page views of all users.
        users: int of shape (n,), ascending: clustered users, who have two page views or more;
            :data:`USERS` of them are drawn, then :data:`MORE_USERS` where more are needed, and fewer than
            :data:`MIN_USERS` support no number.
        urls: Address of each page.
        labels: Theme and type of each page, "" where it is not known; empty where pages are not labelled.
        progress: Where to report; may stop the work.

    Raises:
        Cancelled: If ``progress`` says so.
    """
    if len(users) < MIN_USERS:
        return SegmentLevels(users=len(users), verdict=Structure.NONE)
    order = np.random.default_rng(0).permutation(len(users))
    drawn = np.sort(order[:USERS])
    sample = sequences.of_users(users[drawn])
    together, counts = half_counts(sample, urls, labels)
    by_session, _ = half_counts(sample, urls, {}, by_session=True)
    compared = {aspect: half.of_comparable_users() for aspect, half in counts.items()}
    counts = {aspect: half for aspect, half in compared.items() if len(half) >= MIN_USERS}
    message = "Comparing kinds of users with gradients"
    progress(_STAGE, 0.0, message)
    with repeatable(), threads() as pool:
        jobs = [pool.submit(_judge, together, by_session)]
        jobs += [pool.submit(_judge, half) for half in counts.values()]
        for done, _ in enumerate(as_completed(jobs), start=1):
            progress(_STAGE, done / len(jobs), message)
        whole, *single = (job.result() for job in jobs)
        small = _placed(whole.small_kinds, sequences, users, urls, sample)
        if whole.needs_more_users and len(users) > len(drawn):
            drawn = np.sort(order[:MORE_USERS])
            progress(_STAGE, 0.0, "Comparing more users, as kinds lead but few users do not tell which")
            more = _judge(half_counts(sequences.of_users(users[drawn]), urls, {})[0])
            whole = more if more.levels else replace(more, described_k=whole.described_k)
    return SegmentLevels(
        users=len(drawn), verdict=whole.verdict, levels=whole.levels, described_k=whole.described_k,
        gains=whole.gains, gradient_gain=whole.gradient_gain, small_kinds=small,
        aspects={
            aspect: AspectStructure(verdict=one.verdict, k=one.levels[-1].k if one.levels else None)
            for aspect, one in zip(counts, single, strict=True)
        },
    )  # fmt: skip


def _placed(
    small_kinds: Sequence[FoundKind],
    sequences: UserSequences,
    users: np.ndarray,
    urls: Sequence[str],
    sample: UserSequences,
) -> tuple[SmallKind, ...]:
    """Assign all users, not only the sample that was compared, to the small kinds."""
    members: list[list[int]] = [[] for _ in small_kinds]
    for start in range(0, len(users) if small_kinds else 0, USERS):
        block = users[start : start + USERS]
        counts, _ = half_counts(sequences.of_users(block), urls, {}, like=sample)
        for kind, theirs in zip(small_kinds, members, strict=True):
            theirs += block[kind.holds(counts.both)].tolist()
    return tuple(
        SmallKind(
            users=tuple(theirs), share=len(theirs) / len(users), agreement=kind.agreement, gain=kind.gain
        )
        for kind, theirs in zip(small_kinds, members, strict=True)
    )


@dataclass(frozen=True)
class _Judged:
    verdict: Structure
    levels: tuple[SegmentLevel, ...]
    gains: tuple[float, ...]
    gradient_gain: float
    described_k: int = 2
    small_kinds: tuple[FoundKind, ...] = ()

    @property
    def needs_more_users(self) -> bool:
        """Whether kinds predict better than any continuum, but halves of the users lead to other kinds."""
        return self.verdict is Structure.GRADIENT and max(self.gains) > self.gradient_gain


_Continuum = tuple[Callable[..., Prior], int, tuple[float, ...]]
"""What fits a continuum, from how many kinds it starts, and its size."""


class _CrossFit:
    """Kinds fitted to each half of the users, and scores of priors on the users of the other half."""

    def __init__(self, counts: HalfCounts, burstiness: float) -> None:
        self.counts, self.burstiness = counts, burstiness
        self.whole = self._tokens(counts.both, np.arange(len(counts)))
        half = np.random.default_rng(0).permutation(len(counts)) % 2
        self.judged = [np.flatnonzero(half == side) for side in (0, 1)]
        learning = [self._tokens(counts.both, np.flatnonzero(half != side)) for side in (0, 1)]
        most = min(MAX_KINDS, len(counts.context))
        self.sides = [(tokens, kinds(tokens, most)) for tokens in learning]
        """Counts of the users that learn, and the kinds that were fitted to them."""
        self.numbers = sorted(set(self.sides[0][1]) & set(self.sides[1][1]))
        self._parts = self._judged_parts(burstiness, counts)
        self.scores = {k: self.score(fitted[k] for _, fitted in self.sides) for k in self.numbers}

    def _tokens(self, counts: sparse.csr_array, users: np.ndarray) -> TokenCounts:
        return TokenCounts(counts[users], self.counts.context, self.burstiness)

    def _judged_parts(self, burstiness: float, counts: HalfCounts) -> list[list[TokenCounts]]:
        """Count, for each side, the first half, the second half and all page views of its judged users."""
        halves = (counts.first, counts.second, counts.both)
        return [
            [TokenCounts(half[users], counts.context, burstiness, tokens.background) for half in halves]
            for users, (tokens, _) in zip(self.judged, self.sides, strict=True)
        ]

    def score(
        self, priors: Iterable[Prior], parts: Sequence[Sequence[TokenCounts]] | None = None
    ) -> np.ndarray:
        """Score how well each user is predicted by the prior that was fitted to the other half of the users.

        Args:
            priors: A prior a side.
            parts: From :meth:`_judged_parts`; if None, of the counts that kinds were fitted to.

        Returns:
            float64 of shape (n_users,).
        """
        scores = np.zeros(len(self.counts))
        for users, (first, second, both), prior in zip(
            self.judged, parts or self._parts, priors, strict=True
        ):
            scores[users] = predictive(first, second, both, prior)
        return scores

    @cached_property
    def of_all(self) -> dict[int, Prior]:
        """Kinds that are fitted to all users."""
        return kinds(self.whole, max(self.numbers))

    @property
    def best_k(self) -> int:
        """The number of kinds that predicts best."""
        return max(self.scores, key=lambda k: self.scores[k].mean())

    def surest_burstiness(self) -> float:
        """The current burstiness, or another that is surely better with the best number of kinds."""
        k = self.best_k
        scores = {
            tried: self.score((fitted[k] for _, fitted in self.sides), self._judged_parts(tried, self.counts))
            for tried in _BURSTINESS
            if tried != self.burstiness
        }
        best = max(scores, key=lambda tried: scores[tried].mean())
        return best if _z(scores[best] - self.scores[k]) > _LIKELY else self.burstiness

    @cached_property
    def best_continuum(self) -> tuple[list[Prior], np.ndarray]:
        """The continuum that predicts best, a prior a side, and how well it predicts each user."""
        with threads() as pool:
            return max(pool.map(self._scored, self._continua()), key=lambda one: float(one[1].mean()))

    def _scored(self, continuum: _Continuum) -> tuple[list[Prior], np.ndarray]:
        fit, start, size = continuum
        priors = [fit(tokens, fitted[min(start, max(fitted))], *size) for tokens, fitted in self.sides]
        return priors, self.score(priors)

    def _continua(self) -> Iterator[_Continuum]:
        k = self.best_k
        for number in sorted({*(number for number in POLES if number < k), max(k, 2)}):
            for concentration in CONCENTRATIONS:
                yield poles, number, (concentration,)
        for number in sorted({*(number for number in TRAITS if number < k), max(k - 1, 1)}):
            yield traits, max(number + 1, min(k, number + 4)), (number,)
        yield curve, max(2, min(k, 5)), ()

    def small_kinds(self, by_session: HalfCounts) -> tuple[FoundKind, ...]:
        """Find kinds of few users beside the prior that predicts best, be it kinds or a continuum.

        Args:
            by_session: The same users, counted in halves of their sessions.
        """
        parts, fitted = self._judged_parts(self.burstiness, by_session), [priors for _, priors in self.sides]
        continuum, scores = self.best_continuum
        k = self.best_k
        base = [priors[k] for priors in fitted] if self.scores[k].mean() > scores.mean() else continuum

        def score(priors: Iterable[Prior]) -> np.ndarray:
            return np.where(by_session.comparable, self.score(priors, parts), np.nan)

        return find_small_kinds(self.whole, fitted, base, score)

    def crossed_scores(self) -> dict[int, np.ndarray]:
        """Score each user by kinds that are crossed with a trait: number of kinds → scores."""
        numbers = range(1, min(self.best_k, MAX_CROSSED) + 1)

        def scored(k: int) -> np.ndarray:
            return self.score(crossed(tokens, fitted, k) for tokens, fitted in self.sides)

        with threads() as pool:
            return dict(zip(numbers, pool.map(scored, numbers), strict=True))


def _judge(counts: HalfCounts, by_session: HalfCounts | None = None) -> _Judged:
    """Compare kinds with continua and with users all alike.

    Args:
        counts: What is compared.
        by_session: The same users, counted in halves of their sessions: small kinds are found, and how many
            groups describe a gradient. None if neither is asked for.
    """
    fit = _CrossFit(counts, _BURSTINESS[0])
    if len(fit.numbers) < 2:  # all users do the same
        return _Judged(Structure.NONE, (), (0.0,), 0.0)
    burstiness = fit.surest_burstiness()
    if burstiness != fit.burstiness:
        fit = _CrossFit(counts, burstiness)
    judged = _levels(fit)
    if by_session is None:
        return judged
    described_k = _described(fit) if judged.verdict is Structure.GRADIENT else judged.described_k
    return replace(judged, described_k=described_k, small_kinds=fit.small_kinds(by_session))


def _levels(fit: _CrossFit) -> _Judged:
    alike, (_, continuum) = fit.scores[1], fit.best_continuum
    k, scores, with_trait = _best_kinds(fit)
    gains = tuple(float((scores[number] - alike).mean()) / 2 for number in sorted(scores))
    gradient_gain = float((continuum - alike).mean()) / 2
    if max(_z(score - alike) for score in (continuum, fit.scores[fit.best_k], scores[k])) < _LIKELY:
        return _Judged(Structure.NONE, (), gains, gradient_gain)
    lead = {number: min(_z(score - continuum), _z(score - alike)) for number, score in scores.items()}
    while k > 2 and _z(scores[k] - scores[k - 1]) < _LIKELY:
        k -= 1
    better = {
        number
        for number in range(2, k + 1)
        if lead[number] > _SURE and _z(scores[number] - scores[number - 1]) > _LIKELY
    }
    groups = _group(fit, k, with_trait) if better else {}
    k = max((number for number in better if groups[number].agreement >= _COME_AGAIN), default=1)
    if k == 1:
        return _Judged(Structure.GRADIENT, (), gains, gradient_gain)
    levels = tuple(
        SegmentLevel(
            k=number, error_rate=float(norm.sf(_z(scores[number] - scores[number - 1]))),
            agreement=groups[number].agreement, shares=groups[number].shares,
        )
        for number in (*_coarser(groups, k), k)
    )  # fmt: skip
    return _Judged(Structure.SEGMENTS, levels, gains, gradient_gain, k)


def _best_kinds(fit: _CrossFit) -> tuple[int, Mapping[int, np.ndarray], bool]:
    """Choose the best number of kinds; return it, scores by number, and whether a trait crosses the kinds."""
    k, crossed_scores = fit.best_k, fit.crossed_scores()
    best = max(crossed_scores, key=lambda number: crossed_scores[number].mean())
    ahead = _z(crossed_scores[best] - fit.scores[k])
    if k > 1 and (ahead > _LIKELY or (best < k and ahead > -_LIKELY)):
        return best, crossed_scores, True
    return k, fit.scores, False


def _coarser(groups: Mapping[int, _Groups], finest: int) -> list[int]:
    """Choose coarser levels: halves of the users agree on their groups, and their next merge costs most."""
    alike = [k for k in groups if k <= finest / 2 and groups[k].agreement >= _ALIKE]
    return sorted(
        sorted(alike, key=lambda k: -groups[k].cost / max(groups[k + 1].cost, _TINY))[:_MAX_COARSER]
    )


def _described(fit: _CrossFit) -> int:
    """Choose the most groups that halves agree on, up to the best number; else those most agreed on."""
    groups = _group(fit, max(2, fit.best_k), with_trait=False)
    few = [k for k in groups if k <= MAX_DESCRIBED]
    alike = [k for k in few if groups[k].agreement >= _COME_AGAIN]
    return max(alike, default=max(few, key=lambda k: groups[k].agreement))


def _z(gain: np.ndarray) -> float:
    """Mean gain divided by its standard error over the users."""
    return float(gain.mean() / max(gain.std() / np.sqrt(len(gain)), 1e-12))


def _group(fit: _CrossFit, finest: int, with_trait: bool) -> dict[int, _Groups]:
    """Merge the kinds of all users, and those of each half, step by step: number of groups → groups."""
    whole = fit.whole
    halves = [_merged(tokens, improved(tokens, fitted[finest], 10), whole) for tokens, fitted in fit.sides]
    fitted = fit.of_all
    prior = improved(whole, fitted[finest], 30)
    if with_trait:
        spread = crossed(whole, fitted, finest)
        posterior = whole.posterior(spread).reshape(len(whole), finest, CROSSED_ATOMS).sum(axis=2)
        means = spread.atoms.reshape(finest, CROSSED_ATOMS, -1).mean(axis=1)
        prior = Prior(whole.smoothed(whole.expected(posterior, means)), posterior.mean(axis=0))
    return {
        k: _Groups(
            tuple(sorted((np.bincount(labels, minlength=k) / len(whole)).tolist(), reverse=True)), cost,
            float(adjusted_rand_score(*(half[k][0] for half in halves))),
        )
        for k, (labels, cost) in _merged(whole, prior, whole).items()
    }  # fmt: skip


@dataclass(frozen=True)
class _Groups:
    shares: tuple[float, ...]
    cost: float
    """Log likelihood lost by the next merge."""
    agreement: float
    """Adjusted Rand index of all users as kinds of either half group them."""


def _merged(tokens: TokenCounts, prior: Prior, users: TokenCounts) -> dict[int, tuple[np.ndarray, float]]:
    """Merge the cheapest pair of kinds again and again, down to two.

    Returns:
        Number of groups → the group of each user, and the log likelihood lost by the next merge.
    """
    expected = tokens.expected(tokens.posterior(prior), prior.atoms)
    posterior, priors = users.posterior(prior), {}
    while len(expected) > 1:
        first_kind, lost, cost = cheapest_pair(tokens, expected)
        priors[len(expected)] = posterior.argmax(axis=1), cost
        expected[first_kind] += expected[lost]
        posterior[:, first_kind] += posterior[:, lost]
        expected, posterior = np.delete(expected, lost, 0), np.delete(posterior, lost, 1)
    return priors
