"""The beam finds what trying every rule finds, and asks nothing twice."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from core.rules.beam_search import Candidates, best_rules, candidates
from core.rules.conditions import RuleCondition, RuleField
from tests.core.rules.test_features import toy


def asked(answers: np.ndarray) -> Candidates:
    named = [RuleCondition(field=RuleField.PAGE, value=str(place)) for place in range(answers.shape[1])]
    return Candidates(tuple(named), answers.astype(np.float32))


def f1(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(2 * (found & wanted).sum() / (found.sum() + wanted.sum()))


def score(rule_words: object, answers: np.ndarray, wanted: np.ndarray) -> float:
    """F1 of a rule, evaluated here."""
    found = np.ones(len(wanted), dtype=bool)
    for clause in rule_words.clauses:  # type: ignore[attr-defined]
        here = np.any([answers[:, int(condition.value)] for condition in clause.any_of], axis=0)
        found &= ~here if clause.negated else here
    return f1(found, wanted)


@pytest.mark.parametrize("seed", range(20))
def test_one_and_two_conditions_are_the_best_of_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    answers = rng.random((80, 6)) < 0.4
    wanted = (answers[:, 0] & ~answers[:, 1]) | (rng.random(80) < 0.15)
    literals = [answers, ~answers]
    one = max(f1(side[:, place], wanted) for side in literals for place in range(6))
    pairs = [
        both
        for first, second in combinations(range(6), 2)
        for a in (answers[:, first], ~answers[:, first])
        for b in (answers[:, second], ~answers[:, second])
        for both in (a & b,)
    ] + [answers[:, a] | answers[:, b] for a, b in combinations(range(6), 2)]
    rules = best_rules(asked(answers), wanted)
    assert score(rules[0], answers, wanted) == pytest.approx(one)
    best = max(one, *(f1(both, wanted) for both in pairs))
    longer = [score(rule, answers, wanted) for rule in rules if rule.length <= 2]
    assert longer[-1] == pytest.approx(best)


def test_a_longer_rule_is_better_or_left_out() -> None:
    rng = np.random.default_rng(3)
    answers = rng.random((300, 12)) < 0.3
    wanted = answers[:, 0] & (answers[:, 1] | answers[:, 2]) & ~answers[:, 3]
    rules = best_rules(asked(answers), wanted)
    scores = [score(rule, answers, wanted) for rule in rules]
    assert scores == sorted(set(scores))
    assert scores[-1] == 1
    assert [rule.length for rule in rules] == [1, 2, 3, 4]


def test_equal_answers_are_asked_once_and_rare_ones_never() -> None:
    features = toy()
    found = candidates(features, np.repeat(np.arange(4), 5)).conditions
    answers = [features.holds(condition)[np.repeat(np.arange(4), 5)].tobytes() for condition in found]
    assert len(set(answers)) == len(answers) > 5
    assert candidates(features, np.arange(4)).conditions == ()
