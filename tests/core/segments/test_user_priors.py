from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.special import logsumexp
from scipy.stats import dirichlet_multinomial
from sklearn.metrics import adjusted_rand_score

from core.segments.user_priors import (
    CROSSED_ATOMS,
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
)  # fmt: skip

CONTEXT = np.array([0, 0, 0, 1, 1])
ATOMS = np.array([[0.7, 0.2, 0.1, 0.5, 0.5], [0.1, 0.1, 0.8, 0.9, 0.1]])
PRIOR = Prior(ATOMS, np.array([0.25, 0.75]))


def tokens(rows: list[list[int]] | np.ndarray, burstiness: float = 0.0) -> TokenCounts:
    return TokenCounts(sparse.csr_array(np.array(rows, dtype=float)), CONTEXT, burstiness)


@pytest.mark.parametrize("burstiness", [0.05, 0.5])
def test_counts_are_dirichlet_multinomial(burstiness: float) -> None:
    """But for the number of orders that give the same counts, which no atom changes."""
    counts = np.array([3, 1, 0, 2, 5])
    one = tokens([counts.tolist()], burstiness)
    ours = one.log_likelihood(ATOMS)[0] - one.constant()[0]
    for atom, value in zip(ATOMS, ours, strict=True):
        reference = sum(
            dirichlet_multinomial.logpmf(counts[which], atom[which] / burstiness, counts[which].sum())
            for which in (slice(0, 3), slice(3, 5))
        )
        orders = sum(
            dirichlet_multinomial.logpmf(counts[which], np.full(len(counts[which]), 1.0), counts[which].sum())
            - _uniform(counts[which])
            for which in (slice(0, 3), slice(3, 5))
        )
        assert value == pytest.approx(reference - orders)


def _uniform(counts: np.ndarray) -> float:
    """The log probability of one order of the counts, by a Dirichlet of ones."""
    drawn, alternatives = int(counts.sum()), len(counts)
    terms = [np.log(np.arange(1, count + 1)).sum() for count in counts]
    return float(sum(terms) - np.log(np.arange(alternatives, alternatives + drawn)).sum())


def test_without_burstiness_a_part_is_predicted_by_bayes_rule() -> None:
    first, second = np.array([2, 0, 1, 1, 0]), np.array([0, 1, 3, 0, 2])
    logs = np.log(ATOMS)
    joint = [logs @ part + np.log(PRIOR.weights) for part in (first, second, first + second)]
    alone, other, both = (float(logsumexp(values)) for values in joint)
    found = predictive(
        tokens([first.tolist()]), tokens([second.tolist()]), tokens([(first + second).tolist()]), PRIOR
    )
    assert found == pytest.approx([2 * both - alone - other])


def drawn(seed: int, users: int = 600, views: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, users)
    rows = [
        np.concatenate([rng.multinomial(views, ATOMS[one][:3]), rng.multinomial(views, ATOMS[one][3:])])
        for one in kind
    ]
    return np.array(rows), kind


def test_kinds_that_were_planted_are_fitted() -> None:
    rows, kind = drawn(0)
    counted = tokens(rows)
    fitted = kinds(counted, most=4)
    assert sorted(fitted) == [1, 2, 3, 4]
    prior = improved(counted, fitted[2], 30)
    order = np.argsort(-prior.atoms[:, 0])
    np.testing.assert_allclose(prior.atoms[order], ATOMS, atol=0.05)
    assert adjusted_rand_score(kind, counted.posterior(prior).argmax(axis=1)) > 0.9
    np.testing.assert_allclose(fitted[1].atoms[0], counted.background, atol=0.01)


def test_rounds_of_em_never_lose_likelihood() -> None:
    rows, _ = drawn(1)
    counted, prior = (
        tokens(rows),
        Prior(np.array([[0.4, 0.3, 0.3, 0.6, 0.4], [0.3, 0.3, 0.4, 0.5, 0.5]]), PRIOR.weights),
    )
    before = -np.inf
    for _ in range(6):
        now = float(logsumexp(counted.log_likelihood(prior.atoms) + np.log(prior.weights), axis=1).sum())
        assert now > before - 0.1  # the pseudo-counts are not part of it
        before, prior = now, improved(counted, prior, 1)


def test_the_pair_that_is_most_alike_is_the_cheapest() -> None:
    counted = tokens(drawn(2)[0])
    like = np.array([[70.0, 20, 10, 50, 50], [10, 10, 80, 90, 10], [66, 22, 12, 52, 48]])
    kept, lost, cost = cheapest_pair(counted, like)
    assert (kept, lost) == (0, 2)
    assert 0 < cost < 1


def test_priors_are_probabilities_within_each_context() -> None:
    counted = tokens(drawn(3)[0], 0.02)
    fitted = kinds(counted, most=6)
    made = [
        fitted[3],
        poles(counted, fitted[2], 0.3),
        traits(counted, fitted[3], 1),
        traits(counted, fitted[4], 2),
        curve(counted, fitted[3]),
        crossed(counted, fitted, 2),
    ]
    for prior in made:
        np.testing.assert_allclose(prior.weights.sum(), 1)
        np.testing.assert_allclose(prior.atoms[:, :3].sum(axis=1), 1)
        np.testing.assert_allclose(prior.atoms[:, 3:].sum(axis=1), 1)
        assert prior.atoms.min() > 0
    assert len(made[-1].weights) == 2 * CROSSED_ATOMS


def test_mixes_of_two_poles_are_predicted_better_by_poles_than_by_as_many_kinds() -> None:
    rng = np.random.default_rng(4)
    shares = rng.uniform(size=1500)[:, None]
    chance = shares * ATOMS[0] + (1 - shares) * ATOMS[1]
    halves = [
        np.array(
            [np.concatenate([rng.multinomial(8, one[:3]), rng.multinomial(8, one[3:])]) for one in chance]
        )
        for _ in range(2)
    ]
    learning = tokens(halves[0] + halves[1])
    parts = [tokens(half) for half in (*halves, halves[0] + halves[1])]
    fitted = kinds(learning, most=3)
    by_poles = predictive(parts[0], parts[1], parts[2], poles(learning, fitted[2], 1.0)).mean()
    assert by_poles > max(predictive(parts[0], parts[1], parts[2], fitted[k]).mean() for k in fitted)


def test_users_evenly_on_a_curve_are_predicted_better_by_a_curve_than_by_a_trait_or_kinds() -> None:
    rng = np.random.default_rng(5)
    place = rng.uniform(-1.7, 1.7, 1500)[:, None]
    odds = np.exp(place * [-1, 0, 1] + [0, 1, 0])
    chance = odds / odds.sum(axis=1, keepdims=True)
    halves = [np.array([[*rng.multinomial(12, one), 0, 0] for one in chance]) for _ in range(2)]
    learning = tokens(halves[0] + halves[1])
    parts = [tokens(half) for half in (*halves, halves[0] + halves[1])]
    fitted = kinds(learning, most=4)

    def score(prior: Prior) -> float:
        return float(predictive(parts[0], parts[1], parts[2], prior).mean())

    by_curve = score(curve(learning, fitted[3]))
    assert by_curve > max(score(traits(learning, fitted[3], 1)), *(score(fitted[k]) for k in fitted))
