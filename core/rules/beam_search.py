"""The best rule of each length: a beam search over conditions.

Every step adds one condition to the best rules so far: a further clause that must hold or must not, or an
alternative within a clause. What all additions would give is one matrix product. The score is F1, the
harmonic mean of precision and recall (van Rijsbergen 1979); a beam keeps several rules a length, so that the
best pair need not begin with the best single condition (Lowerre 1976; of rules: CN2, Clark and Niblett 1989).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.rules.conditions import MEASURES, VIEWED, RuleClause, RuleCondition, RuleField, SegmentRule
from core.rules.features import RuleFeatures

LONGEST: Final = 4
"""Conditions of a rule that is searched for: more cannot be read."""
BEAM: Final = 10
OFFERED: Final = 200
"""Items a field that are tried, those that most users saw."""
COUNTED: Final = 40
"""Items a field of which also more page views than one are tried."""
TIMES: Final = (2, 3, 5, 8)
THRESHOLDS: Final = {
    RuleField.PAGE_VIEWS: (3, 4, 5, 6, 8, 10, 15, 20, 30, 50), RuleField.SESSIONS: (2, 3, 4, 5, 8, 12),
    RuleField.LAST_DAYS: (1, 3, 7, 14, 28),
}  # fmt: skip
LISTED: Final = 100
"""Pages of a theme or a type that is tried: a longer list is no condition that anybody pastes."""
FEWEST: Final = 3
"""Users with and without what is asked for."""
TRIED: Final = 300
"""Conditions that are tried for one segment, those that go with it most, or least."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Conditions, and who of some users meets them.

    Args:
        conditions: What can be asked.
        answers: float32 of shape (n_users, n_conditions), 0 or 1.
    """

    conditions: tuple[RuleCondition, ...]
    answers: np.ndarray


@dataclass(frozen=True, eq=False)
class _Draft:
    """A rule that is being made.

    Args:
        clauses: Of each clause, the places of its conditions and whether it is negated.
        held: Of each clause, float32 of shape (n_users,): 1 where it is fulfilled.
    """

    clauses: tuple[tuple[tuple[int, ...], bool], ...] = ()
    held: tuple[np.ndarray, ...] = ()

    def without(self, clause: int) -> np.ndarray | float:
        """Who fulfils all other clauses."""
        others = [held for place, held in enumerate(self.held) if place != clause]
        return np.minimum.reduce(others) if others else 1.0


def candidates(features: RuleFeatures, users: np.ndarray) -> Candidates:
    """What can be asked of some users, each question once: of equal answers the first.

    Args:
        features: What is known.
        users: int of shape (n,), who is asked.
    """
    found, answers, known = list[RuleCondition](), list[np.ndarray](), set[bytes]()
    for condition, answer in _asked(features, users):
        yes, same = int(answer.sum()), np.packbits(answer).tobytes()
        if FEWEST <= yes <= len(users) - FEWEST and same not in known:
            known.add(same)
            found.append(condition)
            answers.append(answer.astype(np.float32))
    return Candidates(tuple(found), np.array(answers, np.float32).reshape(len(found), len(users)).T)


def _asked(features: RuleFeatures, users: np.ndarray) -> Iterator[tuple[RuleCondition, np.ndarray]]:
    for field in (field for field in VIEWED if field in features.viewed):
        items = features.viewed[field]
        views = items.views[:, :OFFERED].tocsr()[users].toarray()
        short = field not in (RuleField.THEME, RuleField.TYPE)
        for place, name in enumerate(items.names[:OFFERED]):
            if short or np.diff(items.of_page.indptr[place : place + 2])[0] <= LISTED:
                for number in (1, *(TIMES if place < COUNTED else ())):
                    yield RuleCondition(field=field, value=name, number=number), views[:, place] >= number
    for field, made in features.attributes.items():
        for code, value in enumerate(made.values[:OFFERED]):
            yield RuleCondition(field=field, value=value), made.codes[users] == code
    for field in MEASURES:
        for number in THRESHOLDS[field]:
            condition = RuleCondition(field=field, number=number)
            yield condition, features.holds(condition)[users]


def best_rules(asked: Candidates, wanted: np.ndarray, longest: int = LONGEST) -> list[SegmentRule]:
    """The rule of the best F1 of each length, shortest first; a longer one that is no better is left out.

    Args:
        asked: What can be asked, and the answers of the users.
        wanted: bool of shape (n_users,), who is to be described.
        longest: Most conditions.
    """
    asked = _promising(asked, wanted)
    beam, best, score_before = [_Draft()], list[SegmentRule](), 0.0
    for _ in range(longest):
        beam, score = _extended(beam, asked.answers, wanted)
        if not beam or score <= score_before:
            break
        score_before = score
        best.append(_rule(beam[0], asked.conditions))
    return best


def _promising(asked: Candidates, wanted: np.ndarray) -> Candidates:
    """The conditions whose answers go with being wanted most (Pearson's φ), in their order."""
    share, yes = wanted.mean(), asked.answers.mean(axis=0)
    both = asked.answers[wanted].sum(axis=0) / len(wanted)
    phi = np.abs(both - share * yes) / np.sqrt(yes * (1 - yes))
    kept = np.sort(np.argsort(-phi, kind="stable")[:TRIED])
    return Candidates(tuple(asked.conditions[place] for place in kept), asked.answers[:, kept])


def _extended(beam: Sequence[_Draft], answers: np.ndarray, wanted: np.ndarray) -> tuple[list[_Draft], float]:
    """The best rules of one condition more, and the F1 of the first."""
    moves, free, base = _moves(beam, len(wanted))
    if not moves:
        return [], 0.0
    more = np.stack([answers[wanted].T @ free[wanted], answers.T @ free])  # true and all positives
    kept = np.stack([base[wanted].sum(axis=0), base.sum(axis=0)])[:, None]
    whole = np.stack([free[wanted].sum(axis=0), free.sum(axis=0)])[:, None]
    negated = np.array([clause is None for _, clause in moves])
    scores = np.stack([_f1(kept + more, wanted), np.where(negated, _f1(whole - more, wanted), 0)])
    order = np.argsort(-scores, axis=None, kind="stable")[: 6 * BEAM]
    found, seen = list[_Draft](), set[bytes]()
    for sign, condition, move in zip(*np.unravel_index(order, scores.shape), strict=True):
        draft, clause = moves[move]
        made = _with(draft, clause, int(condition), bool(sign), answers)
        who = np.packbits(np.minimum.reduce(made.held) > 0).tobytes()
        if who not in seen and len(found) < BEAM:
            seen.add(who)
            found.append(made)
    return found, float(scores.max(initial=0.0))


def _moves(
    beam: Sequence[_Draft], n_users: int
) -> tuple[list[tuple[_Draft, int | None]], np.ndarray, np.ndarray]:
    """What can be extended (None: by a new clause), of whom a condition decides, and who is in anyway."""
    moves, free, base = list[tuple[_Draft, int | None]](), list[np.ndarray](), list[np.ndarray]()
    nobody = np.zeros(n_users, np.float32)
    for draft in beam:
        moves.append((draft, None))
        free.append(np.minimum.reduce([np.ones(n_users, np.float32), *draft.held]))
        base.append(nobody)
        for clause, (_, negated) in enumerate(draft.clauses):
            if not negated:
                moves.append((draft, clause))
                free.append(draft.without(clause) * (1 - draft.held[clause]))
                base.append(draft.without(clause) * draft.held[clause])
    return moves, np.array(free, np.float32).T, np.array(base, np.float32).T


def _with(draft: _Draft, clause: int | None, condition: int, negated: bool, answers: np.ndarray) -> _Draft:
    answer = answers[:, condition]
    if clause is None:
        held = 1 - answer if negated else answer
        return _Draft((*draft.clauses, ((condition,), negated)), (*draft.held, held))
    clauses, held_by = list(draft.clauses), list(draft.held)
    clauses[clause] = ((*clauses[clause][0], condition), False)
    held_by[clause] = np.maximum(held_by[clause], answer)
    return _Draft(tuple(clauses), tuple(held_by))


def _f1(positives: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """F1 of true positives and all positives, stacked."""
    score: np.ndarray = 2 * positives[0] / (positives[1] + wanted.sum())
    return score


def _rule(draft: _Draft, conditions: Sequence[RuleCondition]) -> SegmentRule:
    clauses = [
        RuleClause(any_of=tuple(conditions[place] for place in places), negated=negated)
        for places, negated in draft.clauses
    ]
    return SegmentRule(clauses=tuple(sorted(clauses, key=lambda clause: clause.negated)))
