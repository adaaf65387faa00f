"""Find kinds of few users, which no level shows because they are merged into larger kinds.

A candidate is a kind, at any number of kinds, that both halves of the users lead to. It is kept where it
predicts sessions from other sessions of the same users surely better than the best prior does without it.
Within a session, what somebody does next follows from what they just did, which makes no kind of user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from core.segments.user_priors import USERS_A_KIND, Prior, TokenCounts

_MAX_SHARE: Final = 0.04
"""Largest share of the users in a small kind."""
_HALVES_AGREE: Final = 0.6
"""Least Jaccard index of the users whom two halves would put in a small kind."""
_SURELY: Final = 3.0
"""Standard errors by which a small kind must predict better: several candidates are tried."""
_CLEAR_GAIN: Final = 1.0
"""Nats by which a small kind must predict half of the page views of its users better."""
_CANDIDATES: Final = 5
_DISTINCT: Final = 0.3
"""Jaccard index of two kinds from which they are the same."""
_ROUNDS: Final = 5
"""Rounds of EM that fit a small kind to all users."""


@dataclass(frozen=True, eq=False)
class FoundKind:
    """A small kind with the prior that users are assigned to it by.

    Args:
        compared: Token counts of the users that it was found among.
        prior: Prior over these users, whose last atom is the kind.
        agreement: Jaccard index of the users whom two halves would put in it.
        gain: Nats by which it predicts half of the page views of its users better, on average.
    """

    compared: TokenCounts
    prior: Prior
    agreement: float
    gain: float

    def holds(self, counts: sparse.csr_array) -> np.ndarray:
        """Which users, given counts of the same tokens, are of this kind: bool of shape (n,)."""
        like = self.compared
        return _in_last(TokenCounts(counts, like.context, like.burstiness, like.background), self.prior)


def find_small_kinds(
    users: TokenCounts,
    fitted: Sequence[Mapping[int, Prior]],
    base: Sequence[Prior],
    score: Callable[[Iterable[Prior]], np.ndarray],
) -> tuple[FoundKind, ...]:
    """Find kinds of few users that both halves of the users lead to.

    Args:
        users: Token counts of all users.
        fitted: Of each half of the users: number of kinds → prior.
        base: The prior that predicts best, for each half.
        score: Takes a prior for each half and scores how well each user's sessions are predicted from other
            sessions by the prior of the other half: float of shape (n_users,), NaN where there are no others.
    """
    found: list[FoundKind] = []
    taken: list[np.ndarray] = []
    for members, kind in _candidates(users, fitted)[:_CANDIDATES]:
        without = [_without(users, prior, members) for prior in base]
        added = [_joined(*pair) for pair in zip(without, kind, strict=True)]
        agreement = float(_jaccard(*(_in_last(users, prior) for prior in added)))
        prior = _settled(users, added[0])
        theirs = _in_last(users, prior)
        small = USERS_A_KIND <= theirs.sum() < _MAX_SHARE * len(users)
        if (
            agreement < _HALVES_AGREE
            or not small
            or any(_jaccard(theirs, some) >= _DISTINCT for some in taken)
        ):
            continue
        gain = (score(added) - score(without)) / 2
        known = gain[~np.isnan(gain)]
        of_kind = gain[theirs & ~np.isnan(gain)]
        sure = len(of_kind) and known.mean() > _SURELY * known.std() / np.sqrt(len(known))
        if sure and of_kind.mean() > _CLEAR_GAIN:
            found.append(FoundKind(users, prior, agreement, float(of_kind.mean())))
            taken.append(theirs)
    return tuple(found)


def _candidates(
    users: TokenCounts, fitted: Sequence[Mapping[int, Prior]]
) -> list[tuple[np.ndarray, list[Prior]]]:
    """List small kinds that both halves of the users lead to, the most alike first, each once.

    Returns:
        The users whom both halves put in each, bool of shape (n_users,), and the kind of each half.
    """
    pairs: list[tuple[float, np.ndarray, list[Prior]]] = []
    most = 1.2 * _MAX_SHARE * len(users)
    for k in sorted(set(fitted[0]) & set(fitted[1]) - {1}):
        halves = [users.posterior(priors[k]) > 0.5 for priors in fitted]
        alike = _jaccard(*halves)
        for at in zip(range(len(alike)), alike.argmax(axis=1), strict=True):
            theirs = [half[:, one] for half, one in zip(halves, at, strict=True)]
            mutual = alike[:, at[1]].argmax() == at[0] and alike[at] > _DISTINCT
            if mutual and max(some.sum() for some in theirs) < most:
                kinds = [
                    Prior(priors[k].atoms[[one]], priors[k].weights[[one]])
                    for priors, one in zip(fitted, at, strict=True)
                ]
                pairs.append((alike[at], theirs[0] & theirs[1], kinds))
    kept: list[tuple[np.ndarray, list[Prior]]] = []
    for _, members, kind in sorted(pairs, key=lambda pair: -pair[0]):
        if all(_jaccard(members, others) < _DISTINCT for others, _ in kept):
            kept.append((members, kind))
    return kept


def _jaccard(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Jaccard index of each pair of groups: users in both by users in either.

    Args:
        some: bool of shape (n_users,) or (n_users, a).
        others: bool of shape (n_users,) or (n_users, b).

    Returns:
        float64 of the shape that is left without the users: (), (a,), (b,) or (a, b).
    """
    both = some.T.astype(np.float64) @ others
    share: np.ndarray = both / np.maximum(np.add.outer(some.sum(axis=0), others.sum(axis=0)) - both, 1)
    return share


def _in_last(users: TokenCounts, prior: Prior) -> np.ndarray:
    """Which users are likelier of the last atom than of all others together: bool of shape (n_users,)."""
    most: np.ndarray = users.posterior(prior)[:, -1] > 0.5
    return most


def _joined(prior: Prior, kind: Prior) -> Prior:
    """Add a kind to a prior as its last atom, with the weight of the kind unchanged."""
    rest = prior.weights / prior.weights.sum() * (1 - kind.weights.sum())
    return Prior(np.vstack([prior.atoms, kind.atoms]), np.concatenate([rest, kind.weights]))


def _without(users: TokenCounts, prior: Prior, members: np.ndarray) -> Prior:
    """Remove the atoms of a prior that are a kind of these users, if any others are left."""
    others = _jaccard(users.posterior(prior) > 0.5, members) < _DISTINCT
    others |= not others.any()
    return Prior(prior.atoms[others], prior.weights[others] / prior.weights[others].sum())


def _settled(users: TokenCounts, prior: Prior) -> Prior:
    """Run rounds of EM that move the last atom alone."""
    for _ in range(_ROUNDS):
        theirs, atom = users.posterior(prior)[:, -1:], prior.atoms[-1:]
        share = (theirs.sum(axis=0) + 1) / (len(users) + 1)
        kind = Prior(users.smoothed(users.expected(theirs, atom)), share)
        prior = _joined(Prior(prior.atoms[:-1], prior.weights[:-1]), kind)
    return prior
