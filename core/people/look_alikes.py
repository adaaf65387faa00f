"""Look-alikes: rank all other users by how much they are like some seeds, and estimate how far to go down.

A logistic regression on the combined vectors separates the seeds from a sample of the others, as in learning
from positive and unlabelled examples (Elkan and Noto 2008): among the others are many like the seeds, which
lowers all scores and changes their order little. With strong regularisation few seeds make it the direction
from the middle of all to theirs, and many teach it which directions matter: as good as the cosine to the
middle of the seeds with few, better with half of a kind, much better with seeds of two kinds
(docs/method.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from core.base.errors import InputError
from core.base.wording import pluralise
from core.profiles.profile_columns import Col
from core.profiles.two_shares import wilson
from core.segments.geometry import repeatable, seeded_sample

_REGULARISATION: Final = 0.1
"""``C`` of scikit-learn's logistic regression; .1, 1 and 10 were measured."""
_SEEDS_READ: Final = 2_000
_OTHERS_READ: Final = 5_000
"""Most seeds and most others that are learned from; more change nothing but the time."""
_PARTS: Final = 5
"""Parts that the seeds are hidden in, one after the other."""
MIN_SEEDS: Final = 10
"""Seeds needed to hide some of them; with fewer, the share recovered would say nothing."""
_NEARER: Final = 0.5
"""Score from which on a user is nearer to the seeds than to the others."""
_STEPS: Final = 60
"""Points of the curve over the reach, at most."""
REACH, SCORE = "reach", "score"
FOUND, BY_CHANCE = "found", "by_chance"


@dataclass(frozen=True, eq=False)
class LookAlikes:
    """All users but the seeds, those most like the seeds first.

    Args:
        users: int64 of shape (n,), user indices.
        score: float64 of shape (n,), descending, 0 to 1: ½ is as near to the seeds as to the others.
        seeds: int64 of shape (m,), the clustered users that they are like.
        ranks: int64 of shape (m,), ascending: how many of the others score higher than each seed while it was
            hidden; empty where none was hidden.
    """

    users: np.ndarray
    score: np.ndarray
    seeds: np.ndarray
    ranks: np.ndarray

    @property
    def usual_reach(self) -> int:
        """Number of first users at which the share of hidden seeds recovered is furthest above chance.

        The greatest difference of two cumulative shares is the statistic of Kolmogorov and Smirnov. Where no
        seed was hidden, as many as are nearer to the seeds than to the others.
        """
        if not len(self.ranks):
            return max(1, int((self.score >= _NEARER).sum()))
        found = np.arange(1, len(self.ranks) + 1) / len(self.ranks)
        return int(self.ranks[np.argmax(found - self.ranks / len(self.users))]) + 1

    def found(self, reach: int) -> int:
        """Number of hidden seeds among the first ``reach`` users."""
        return int(np.searchsorted(self.ranks, reach))

    def curve(self, reach: int) -> pd.DataFrame:
        """Score and share of hidden seeds recovered by reach, from a single user to everybody.

        Args:
            reach: Number of first users, which is on the curve in any case.

        Returns:
            ``reach``, ``score`` (of the last user within), ``found`` (share of the hidden seeds within) with
            ``low`` and ``high`` (its 95 % interval), ``by_chance``.
        """
        n = len(self.users)
        reaches = np.unique(np.append(np.geomspace(1, n, _STEPS).astype(np.int64), min(max(1, reach), n)))
        counts = np.searchsorted(self.ranks, reaches).astype(np.float64)
        hidden = np.full(len(reaches), float(len(self.ranks)))
        with np.errstate(invalid="ignore"):
            share, (low, high) = counts / hidden, wilson(counts, hidden)
        score = self.score[reaches - 1]
        found = {FOUND: share, Col.LOW: low, Col.HIGH: high}
        return pd.DataFrame({REACH: reaches, SCORE: score} | found | {BY_CHANCE: reaches / n})


def look_alikes(
    vectors: np.ndarray, inside: np.ndarray, seeds: np.ndarray, *, hide: bool = True, seed: int = 0
) -> LookAlikes:
    """Rank every other clustered user by how much they are like the seeds.

    Args:
        vectors: float32 of shape (n_users, d), combined.
        inside: bool of shape (n_users,), the clustered users.
        seeds: int of shape (m,), user indices; seeds outside clustering are left out.
        hide: Whether to hide seeds in turn and look for them, if there are :data:`MIN_SEEDS`; not for the
            users of a segment, which was cut from the same vectors.
        seed: Random seed of the samples that are learned from.

    Raises:
        InputError: If no seed is clustered, or nobody else is.
    """
    chosen = np.unique(seeds[inside[seeds]])
    is_seed = np.zeros(len(inside), dtype=bool)
    is_seed[chosen] = True
    others = np.flatnonzero(inside & ~is_seed)
    _check(len(chosen), len(others), len(seeds))
    with repeatable():
        score = _scores(vectors, chosen, others, seed)[others]
        able = hide and len(chosen) >= MIN_SEEDS
        ranks = _hidden_ranks(vectors, chosen, others, seed) if able else np.empty(0, dtype=np.int64)
    order = np.argsort(-score, kind="stable")
    return LookAlikes(others[order], expit(score[order]), chosen, ranks)


def _check(clustered: int, others: int, asked: int) -> None:
    if not clustered:
        raise InputError(
            f"None of {pluralise(asked, 'user')} to be like is clustered",
            allowed="at least one user with two page views or more who is not bot-like",
        )
    if not others:
        raise InputError("Every clustered user is on the list", remedy="Nobody is left to be like them")


def _hidden_ranks(vectors: np.ndarray, seeds: np.ndarray, others: np.ndarray, seed: int) -> np.ndarray:
    """Count the others that score higher than each seed, learned without that seed and its fifth.

    Half of the others with an equal score count as higher.
    """
    shuffled = np.random.default_rng(seed).permutation(seeds)
    higher = []
    for part in range(_PARTS):
        hidden = shuffled[part::_PARTS]
        score = _scores(vectors, np.setdiff1d(seeds, hidden), others, seed)
        theirs = np.sort(score[others])
        below = [np.searchsorted(theirs, score[hidden], side) for side in ("left", "right")]
        higher.append(len(theirs) - (below[0] + below[1] + 1) // 2)
    return np.sort(np.concatenate(higher))


def _scores(vectors: np.ndarray, seeds: np.ndarray, others: np.ndarray, seed: int) -> np.ndarray:
    """Log-odds of being one of the seeds, both sides counting the same: float64 of shape (n_users,)."""
    ours, theirs = seeded_sample(seeds, _SEEDS_READ, seed), seeded_sample(others, _OTHERS_READ, seed)
    rows = vectors[np.concatenate([ours, theirs])]
    is_seed = np.arange(len(rows)) < len(ours)
    learned = LogisticRegression(C=_REGULARISATION, class_weight="balanced").fit(rows, is_seed)
    score: np.ndarray = vectors @ learned.coef_[0].astype(np.float32) + learned.intercept_
    return score.astype(np.float64)
