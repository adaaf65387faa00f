"""Priors over users: probabilities of the token counts of a user, fitted to other users.

All are finite mixtures of atoms, an atom being a probability of every token within its context:

- *kinds*: a few atoms that are free to move. K-Means makes too many of them, EM moves them (Dempster, Laird,
  Rubin 1977), and the pair whose merging costs least likelihood is merged, down to one: a prior a number.
- *poles*: everybody is a mix of some poles, drawn from a Dirichlet distribution.
- *traits*: everybody is a point in a few normal traits that tilt the logarithms of all probabilities.
- *curve*: everybody is a point on a curve, with as many users on each stretch of it.
- *crossed*: kinds whose users differ also in one normal trait that all kinds share.

The last four are continua: their atoms are fixed points, evenly spread, and what is learned is where the
poles lie and what the traits tilt. Counts are Dirichlet-multinomial with one burstiness, so that what
somebody views again and again makes no kind (Madsen, Kauchak, Elkan 2005).

Letters: n users, m atoms, v tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse
from scipy.special import gammaincinv, gammaln, logsumexp
from scipy.stats import norm, qmc
from sklearn.cluster import KMeans
from sklearn.utils.extmath import randomized_svd

from core.segments.geometry import count_different

MAX_KINDS: Final = 24
USERS_A_KIND: Final = 30
"""Least users a kind: more kinds are not fitted."""
_START_DIMENSIONS: Final = 16
_DIGITS: Final = 5
"""Decimal digits in which the first dimensions of users must differ to start in different kinds."""
_POLE_ATOMS, _TRAIT_ATOMS, _LINE_ATOMS, CROSSED_ATOMS = 256, 128, 25, 9
_STEP, _MAX_STEP_LENGTH = 0.7, 0.5
"""Damping of Newton's method: share of a step that is taken, and the longest step in log probability."""


@dataclass(frozen=True, eq=False)
class Prior:
    """A prior over users: a mixture of atoms.

    Args:
        atoms: float64 of shape (m, v), the probability of each token within its context.
        weights: float64 of shape (m,), summing to 1.
    """

    atoms: np.ndarray
    weights: np.ndarray


class TokenCounts:
    """Token counts of users, and their likelihood under atoms.

    Args:
        counts: csr of shape (n, v), how often each user has each token.
        context: int of shape (v,), the context of each token.
        burstiness: 0 where page views are independent of each other; more where users repeat themselves.
        background: float64 of shape (v,), the probability of each token; if None, that in these counts.
    """

    def __init__(
        self,
        counts: sparse.csr_array,
        context: np.ndarray,
        burstiness: float,
        background: np.ndarray | None = None,
    ) -> None:
        self.counts, self.context, self.burstiness = sparse.csr_array(counts), context, burstiness
        self.onto = sparse.csr_array((np.ones(len(context)), (np.arange(len(context)), context)))
        self._place_times(int(self.counts.data.max(initial=1)) if burstiness else 1)
        total = np.asarray(self.counts.sum(axis=0)).ravel()
        self.alternatives = np.maximum(self.onto.T @ (total > 0), 1)[context]
        if background is None:
            background = (total + 0.01) / (self.onto.T @ (total + 0.01))[context]
        self.background = background

    def __len__(self) -> int:
        """Number of users in the counts."""
        return int(self.counts.shape[0])

    def _place_times(self, most: int) -> None:
        """Make a column of each token and, if bursty, of each of its times: the first, the second, and so on.

        Matrices of users by such columns make a likelihood a single product.
        """
        counts = sparse.csr_array(self.counts, dtype=np.float64)
        times = [
            counts if not self.burstiness else (counts > time).astype(np.float64) for time in range(most)
        ]
        tokens = [np.unique(some.indices) for some in times]
        self._times = sparse.hstack(
            [some[:, here] for some, here in zip(times, tokens, strict=True)], format="csr"
        )
        self._by_time, self._token = sparse.csr_array(self._times.T), np.concatenate(tokens)
        self._added = self.burstiness * np.repeat(np.arange(most), [len(here) for here in tokens])[:, None]
        columns = np.arange(len(self._token))
        self._of_token = sparse.csr_array(
            (np.ones(len(columns)), (self._token, columns)), shape=(len(self.context), len(columns))
        )

    def log_likelihood(self, atoms: np.ndarray) -> np.ndarray:
        """Log likelihood of each user by each atom, before :meth:`constant` is subtracted: shape (n, m)."""
        found: np.ndarray = self._times @ np.log(atoms.T[self._token] + self._added)
        return found

    def constant(self) -> np.ndarray:
        """What to subtract from a user's log likelihood, whatever the atom: float64 of shape (n,)."""
        if not self.burstiness:
            return np.zeros(len(self))
        drawn, inverse = (self.counts @ self.onto).tocoo(), 1 / self.burstiness
        terms = gammaln(drawn.data + inverse) - gammaln(inverse) + drawn.data * np.log(self.burstiness)
        return np.bincount(drawn.row, terms, minlength=len(self))

    def posterior(self, prior: Prior) -> np.ndarray:
        """Posterior probability of each atom for each user: float64 of shape (n, m)."""
        scores = self.log_likelihood(prior.atoms) + np.log(prior.weights)
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        posterior: np.ndarray = odds / odds.sum(axis=1, keepdims=True)
        return posterior

    def expected(self, posterior: np.ndarray, atoms: np.ndarray) -> np.ndarray:
        """Expected counts of each atom, repeats counting less by the burstiness: float64 of shape (m, v)."""
        some = atoms.T[self._token]
        found: np.ndarray = (self._of_token @ (self._by_time @ posterior * (some / (some + self._added)))).T
        return found

    def per_context(self, amounts: np.ndarray) -> np.ndarray:
        """For each token, the total of the amounts, (m, v), in its whole context: float64 of shape (m, v)."""
        total: np.ndarray = (amounts @ self.onto)[:, self.context]
        return total

    def smoothed(self, expected: np.ndarray) -> np.ndarray:
        """Probabilities from counts, smoothed by a count a token spread as in all users: shape (m, v)."""
        pseudo = self.alternatives * self.background
        atoms: np.ndarray = (expected + pseudo) / (self.per_context(expected) + self.alternatives)
        return atoms

    def normalised(self, logs: np.ndarray) -> np.ndarray:
        """Probabilities from log odds, mixed with a little of those in all users: shape (m, v)."""
        odds = np.exp(logs - logs.max(axis=1, keepdims=True)) + 1e-12
        atoms: np.ndarray = 0.999 * odds / self.per_context(odds) + 0.001 * self.background
        return atoms


def predictive(first: TokenCounts, second: TokenCounts, both: TokenCounts, prior: Prior) -> np.ndarray:
    """Score how well a prior predicts a part of each user from the other part, in both directions.

    Args:
        first: Counts in a part of each user's page views.
        second: Counts in the other part, of the same users.
        both: Counts in the two parts together.
        prior: A prior fitted to other users.

    Returns:
        log p(second | first) + log p(first | second), float64 of shape (n,).
    """
    logs = np.log(prior.weights)
    evidence = [
        logsumexp(part.log_likelihood(prior.atoms) + logs, axis=1) - part.constant()
        for part in (both, first, second)
    ]
    gain: np.ndarray = 2 * evidence[0] - evidence[1] - evidence[2]
    return gain


def improved(tokens: TokenCounts, prior: Prior, rounds: int) -> Prior:
    """Improve a prior by rounds of EM."""
    for _ in range(rounds):
        posterior = tokens.posterior(prior)
        weights = (posterior.sum(axis=0) + 1) / (len(posterior) + posterior.shape[1])
        prior = Prior(tokens.smoothed(tokens.expected(posterior, prior.atoms)), weights)
    return prior


def kinds(tokens: TokenCounts, most: int = MAX_KINDS) -> dict[int, Prior]:
    """Fit kinds of users at every number: number of kinds → prior, from at most ``most`` down to 1."""
    totals = np.maximum(np.asarray(tokens.counts.sum(axis=1)).ravel(), 1)
    roots = sparse.diags_array(1 / np.sqrt(totals)) @ tokens.counts.sqrt()
    rank = max(1, min(_START_DIMENSIONS, roots.shape[1] - 1))
    left, strength, _ = randomized_svd(roots, rank, random_state=0)
    narrow = left * strength
    rounded = (np.round(narrow, _DIGITS) + 0.0).astype(np.float32)  # -0.0 would be another row than 0.0
    different = count_different(rounded, enough=most)
    n_kinds = max(1, min(most, different, len(tokens) // USERS_A_KIND))
    labels = KMeans(n_kinds, n_init=2, random_state=0).fit_predict(narrow)
    posterior = np.eye(n_kinds)[labels] * 0.8 + 0.2 / n_kinds
    start = Prior(tokens.smoothed((tokens.counts.T @ posterior).T), posterior.mean(axis=0))
    prior = improved(tokens, start, 40)
    priors = {n_kinds: prior}
    while n_kinds > 1:
        posterior = tokens.posterior(prior)
        expected = tokens.expected(posterior, prior.atoms)
        kept, lost, _ = cheapest_pair(tokens, expected)
        expected[kept] += expected[lost]
        posterior[:, kept] += posterior[:, lost]
        n_kinds -= 1
        start = Prior(
            tokens.smoothed(np.delete(expected, lost, 0)), np.delete(posterior, lost, 1).mean(axis=0)
        )
        prior = priors[n_kinds] = improved(tokens, start, 8)
    return priors


def cheapest_pair(tokens: TokenCounts, expected: np.ndarray) -> tuple[int, int, float]:
    """Find the two kinds whose merging loses least log likelihood.

    Args:
        tokens: Token counts of users.
        expected: float64 of shape (m, v), expected counts of each kind.

    Returns:
        The positions of the two, ascending, and the loss.
    """

    def likelihood(counts: np.ndarray) -> np.ndarray:
        value: np.ndarray = (counts * np.log(tokens.smoothed(counts))).sum(axis=1)
        return value

    alone = likelihood(expected)
    cost = np.full((len(expected), len(expected)), np.inf)
    for kind in range(len(expected) - 1):
        together = likelihood(expected[kind] + expected[kind + 1 :])
        cost[kind, kind + 1 :] = alone[kind] + alone[kind + 1 :] - together
    kept, lost = np.unravel_index(cost.argmin(), cost.shape)
    return int(kept), int(lost), float(cost[kept, lost])


def poles(tokens: TokenCounts, start: Prior, concentration: float) -> Prior:
    """Fit poles of which every user is a mix.

    Args:
        tokens: Token counts of users.
        start: A prior of kinds, as many as poles are wanted.
        concentration: Of the Dirichlet distribution, a pole: below 1 most users are near a pole.
    """
    shares = gammaincinv(concentration, _sobol(len(start.weights), _POLE_ATOMS)) + 1e-12
    shares = shares * start.weights
    shares /= shares.sum(axis=1, keepdims=True)
    even, mean = np.full(_POLE_ATOMS, 1 / _POLE_ATOMS), start.weights @ start.atoms
    stretch = np.sqrt(len(start.weights) * concentration + 1)  # kinds lie within the poles
    spread = np.maximum(mean + stretch * (start.atoms - mean), 0.05 * tokens.background)
    ends = tokens.smoothed(spread * 1e6)
    for _ in range(12):
        atoms = shares @ ends
        expected = tokens.expected(tokens.posterior(Prior(atoms, even)), atoms)
        for _ in range(3):
            ends = tokens.smoothed(ends * (shares.T @ (expected / (shares @ ends))))
    return Prior(shares @ ends, even)


def traits(tokens: TokenCounts, start: Prior, n_traits: int) -> Prior:
    """Fit normal traits that tilt all probabilities, from the axes along which kinds of ``start`` differ."""
    uniform = _sobol(n_traits, _TRAIT_ATOMS) if n_traits > 1 else _evenly(_LINE_ATOMS)[:, None]
    return _tilted(tokens, start, norm.ppf(uniform))


def curve(tokens: TokenCounts, start: Prior) -> Prior:
    """Fit a curve of probabilities along which users lie evenly: its ends are no rarer than its middle."""
    line = _evenly(_LINE_ATOMS) - 0.5
    return _tilted(tokens, start, np.column_stack([line, line**2]))


def _tilted(tokens: TokenCounts, start: Prior, places: np.ndarray) -> Prior:
    """Fit how places of users tilt all probabilities, from the axes along which kinds of ``start`` differ.

    Args:
        tokens: Token counts of users.
        start: A prior of kinds.
        places: float64 of shape (m, d), a point for each atom; no more axes are used than ``start`` has.
    """
    logs = np.log(start.atoms)
    spread = np.sqrt(start.weights)[:, None] * (logs - start.weights @ logs)
    _, strength, axes = np.linalg.svd(spread, full_matrices=False)
    places = places[:, : len(strength)]
    places = (places - places.mean(axis=0)) / places.std(axis=0)
    even = np.full(len(places), 1 / len(places))
    tilt = strength[: places.shape[1], None] * axes[: places.shape[1]]
    base = np.log(tokens.background)
    for _ in range(20):
        atoms = tokens.normalised(base + places @ tilt)
        expected = tokens.expected(tokens.posterior(Prior(atoms, even)), atoms)
        totals = tokens.per_context(expected)
        for _ in range(3):
            predicted = totals * tokens.normalised(base + places @ tilt)
            rest = expected - predicted
            tilt = tilt + _newton(places.T @ rest - tilt, (places**2).T @ predicted + 2)
            base = base + _newton(rest.sum(axis=0), predicted.sum(axis=0) + 2)
    return Prior(tokens.normalised(base + places @ tilt), even)


def crossed(tokens: TokenCounts, fitted: Mapping[int, Prior], n_kinds: int) -> Prior:
    """Fit kinds whose users differ also in one normal trait that all kinds share.

    Args:
        tokens: Token counts of users.
        fitted: From :func:`kinds`.
        n_kinds: Number of kinds.

    Returns:
        :data:`CROSSED_ATOMS` atoms a kind, those of a kind side by side.
    """
    start, fine = fitted[n_kinds], fitted[min(2 * n_kinds + 2, max(fitted))]
    base, logs = np.log(start.atoms), np.log(fine.atoms)
    nearest = [
        int((atom * (log - base)).sum(axis=1).argmin()) for atom, log in zip(fine.atoms, logs, strict=True)
    ]
    rest = np.sqrt(fine.weights)[:, None] * (logs - base[nearest])
    _, strength, axes = np.linalg.svd(rest, full_matrices=False)
    tilt, weights = strength[0] * axes[0], start.weights
    places = norm.ppf(_evenly(CROSSED_ATOMS))
    places = np.tile(places / places.std(), n_kinds)

    def atoms_now() -> np.ndarray:
        return tokens.normalised(np.repeat(base, CROSSED_ATOMS, axis=0) + places[:, None] * tilt)

    def spread_out() -> np.ndarray:
        return np.repeat(weights, CROSSED_ATOMS) / CROSSED_ATOMS

    def per_kind(amounts: np.ndarray) -> np.ndarray:
        total: np.ndarray = amounts.reshape(n_kinds, CROSSED_ATOMS, -1).sum(axis=1)
        return total

    for _ in range(15):
        atoms = atoms_now()
        posterior = tokens.posterior(Prior(atoms, spread_out()))
        weights = (posterior.sum(axis=0).reshape(n_kinds, -1).sum(axis=1) + 1) / (len(tokens) + n_kinds)
        expected = tokens.expected(posterior, atoms) + tokens.alternatives * tokens.background / CROSSED_ATOMS
        totals = tokens.per_context(expected)
        for _ in range(3):
            predicted = totals * atoms_now()
            rest = expected - predicted
            tilt = tilt + _newton(places @ rest - tilt, places**2 @ predicted + 2)
            base = base + _newton(per_kind(rest), per_kind(predicted) + 1e-3)
    return Prior(atoms_now(), spread_out())


def _newton(gradient: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    step: np.ndarray = np.clip(_STEP * gradient / curvature, -_MAX_STEP_LENGTH, _MAX_STEP_LENGTH)
    return step


def _evenly(count: int) -> np.ndarray:
    return (np.arange(count) + 0.5) / count


def _sobol(dimensions: int, count: int) -> np.ndarray:
    """Draw evenly spread points of the unit cube: float64 of shape (count, dimensions)."""
    points: np.ndarray = np.clip(qmc.Sobol(dimensions, seed=0).random(count), 1e-6, 1 - 1e-6)
    return points
