"""Find the best rule of each length for a segment, by a beam search over conditions, and judge it.

Every step adds one condition to the best rules so far: a further clause that must hold or must not, or an
alternative within a clause. What all additions would give is one matrix product. The score is F1, the
harmonic mean of precision and recall (van Rijsbergen 1979); a beam keeps several rules a length, so that the
best pair need not begin with the best single condition (Lowerre 1976; of rules: CN2, Clark and Niblett 1989).

``find_rules`` makes rules on half of the users and judges them on the other half (``RuleFit``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.base.wording import percent, uncapitalised
from core.profiles.two_shares import wilson
from core.rules.conditions import (
    MEASURES,
    VIEWED,
    RuleClause,
    RuleCondition,
    RuleFeatures,
    RuleField,
    SegmentRule,
)

_MAX_CONDITIONS: Final = 4
"""Most conditions of a rule that is searched for: nobody reads more."""
_BEAM: Final = 10
_OFFERED: Final = 200
"""Most items of a field that are tried: those that most users saw."""
_COUNTED: Final = 40
"""Most items of a field that are also tried with several page views."""
_TIMES: Final = (2, 3, 5, 8)
_THRESHOLDS: Final = {
    RuleField.PAGE_VIEWS: (3, 4, 5, 6, 8, 10, 15, 20, 30, 50), RuleField.SESSIONS: (2, 3, 4, 5, 8, 12),
    RuleField.LAST_DAYS: (1, 3, 7, 14, 28),
}  # fmt: skip
_LISTED: Final = 100
"""Most pages that a theme or type may have to be tried: nobody pastes a longer list as a condition."""
_MIN_USERS_MET: Final = 3
"""Fewest users who meet a condition, and who do not, for it to be tried."""
_TRIED: Final = 300
"""Most conditions tried for a segment: those that correlate with it most, in either direction."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Conditions with the users who meet them.

    Args:
        conditions: The conditions.
        answers: float32 of shape (n_users, n_conditions), 1 if the user meets the condition, else 0.
    """

    conditions: tuple[RuleCondition, ...]
    answers: np.ndarray


@dataclass(frozen=True, eq=False)
class _Draft:
    """A rule in the making.

    Args:
        clauses: Of each clause, the places of its conditions and whether it is negated.
        fulfilled: Of each clause, float32 of shape (n_users,): 1 where it is fulfilled.
    """

    clauses: tuple[tuple[tuple[int, ...], bool], ...] = ()
    fulfilled: tuple[np.ndarray, ...] = ()

    def without(self, clause: int) -> np.ndarray | float:
        """Users who fulfil all other clauses, 0 or 1 each."""
        others = [fulfilled for place, fulfilled in enumerate(self.fulfilled) if place != clause]
        return np.minimum.reduce(others) if others else 1.0


def candidates(features: RuleFeatures, users: np.ndarray) -> Candidates:
    """Conditions that :data:`_MIN_USERS_MET` users or more meet and fail; of those met alike, the first.

    Args:
        features: Features of the users that conditions can test.
        users: int of shape (n,), indices of the users that they are counted on.
    """
    conditions, answers, known = list[RuleCondition](), list[np.ndarray](), set[bytes]()
    for condition, answer in _asked(features, users):
        yes, same = int(answer.sum()), np.packbits(answer).tobytes()
        if _MIN_USERS_MET <= yes <= len(users) - _MIN_USERS_MET and same not in known:
            known.add(same)
            conditions.append(condition)
            answers.append(answer.astype(np.float32))
    return Candidates(tuple(conditions), np.array(answers, np.float32).reshape(len(conditions), len(users)).T)


def _asked(features: RuleFeatures, users: np.ndarray) -> Iterator[tuple[RuleCondition, np.ndarray]]:
    for field in (field for field in VIEWED if field in features.viewed):
        items = features.viewed[field]
        views = items.views[:, :_OFFERED].tocsr()[users].toarray()
        short = field not in (RuleField.THEME, RuleField.TYPE)
        for place, name in enumerate(items.names[:_OFFERED]):
            if short or np.diff(items.of_page.indptr[place : place + 2])[0] <= _LISTED:
                for number in (1, *(_TIMES if place < _COUNTED else ())):
                    yield RuleCondition(field=field, value=name, number=number), views[:, place] >= number
    for name, attribute in features.attributes.items():
        for code, value in enumerate(attribute.values[:_OFFERED]):
            yield RuleCondition(field=name, value=value), attribute.codes[users] == code
    for field in MEASURES:
        for number in _THRESHOLDS[field]:
            condition = RuleCondition(field=field, number=number)
            yield condition, features.holds(condition)[users]


def best_rules(
    candidates_left: Candidates, wanted: np.ndarray, longest: int = _MAX_CONDITIONS
) -> list[SegmentRule]:
    """Rules of the best F1 of each length, shortest first; longer ones that are no better are left out.

    Args:
        candidates_left: Conditions, and the users who meet them.
        wanted: bool of shape (n_users,), who is to be described, in the order of the candidates' users.
        longest: Most conditions.
    """
    candidates_left = _promising(candidates_left, wanted)
    beam, best, score_before = [_Draft()], list[SegmentRule](), 0.0
    for _ in range(longest):
        beam, score = _extended(beam, candidates_left.answers, wanted)
        if not beam or score <= score_before:
            break
        score_before = score
        best.append(_rule(beam[0], candidates_left.conditions))
    return best


def _promising(asked: Candidates, wanted: np.ndarray) -> Candidates:
    """The conditions most correlated with the wanted users (Pearson's φ), in their order."""
    share, yes = wanted.mean(), asked.answers.mean(axis=0)
    both = asked.answers[wanted].sum(axis=0) / len(wanted)
    phi = np.abs(both - share * yes) / np.sqrt(yes * (1 - yes))
    kept = np.sort(np.argsort(-phi, kind="stable")[:_TRIED])
    return Candidates(tuple(asked.conditions[place] for place in kept), asked.answers[:, kept])


def _extended(beam: Sequence[_Draft], answers: np.ndarray, wanted: np.ndarray) -> tuple[list[_Draft], float]:
    """The best extensions of drafts by a condition, and the F1 of the first."""
    moves, free, base = _moves(beam, len(wanted))
    if not moves:
        return [], 0.0
    more = np.stack([answers[wanted].T @ free[wanted], answers.T @ free])  # true and all positives
    kept = np.stack([base[wanted].sum(axis=0), base.sum(axis=0)])[:, None]
    whole = np.stack([free[wanted].sum(axis=0), free.sum(axis=0)])[:, None]
    negated = np.array([clause is None for _, clause in moves])
    scores = np.stack([_f1(kept + more, wanted), np.where(negated, _f1(whole - more, wanted), 0)])
    order = np.argsort(-scores, axis=None, kind="stable")[: 6 * _BEAM]
    drafts, seen = list[_Draft](), set[bytes]()
    for sign, condition, move in zip(*np.unravel_index(order, scores.shape), strict=True):
        draft, clause = moves[move]
        extended = _with(draft, clause, int(condition), bool(sign), answers)
        who = np.packbits(np.minimum.reduce(extended.fulfilled) > 0).tobytes()
        if who not in seen and len(drafts) < _BEAM:
            seen.add(who)
            drafts.append(extended)
    return drafts, float(scores.max(initial=0.0))


def _moves(
    beam: Sequence[_Draft], n_users: int
) -> tuple[list[tuple[_Draft, int | None]], np.ndarray, np.ndarray]:
    """Possible extensions of drafts, and the users that each leaves open or includes in any case.

    An extension is a draft with the clause to extend, or None for a new clause.
    """
    moves, free, base = list[tuple[_Draft, int | None]](), list[np.ndarray](), list[np.ndarray]()
    nobody = np.zeros(n_users, np.float32)
    for draft in beam:
        moves.append((draft, None))
        free.append(np.minimum.reduce([np.ones(n_users, np.float32), *draft.fulfilled]))
        base.append(nobody)
        for clause, (_, negated) in enumerate(draft.clauses):
            if not negated:
                moves.append((draft, clause))
                free.append(draft.without(clause) * (1 - draft.fulfilled[clause]))
                base.append(draft.without(clause) * draft.fulfilled[clause])
    return moves, np.array(free, np.float32).T, np.array(base, np.float32).T


def _with(draft: _Draft, clause: int | None, condition: int, negated: bool, answers: np.ndarray) -> _Draft:
    answer = answers[:, condition]
    if clause is None:
        fulfilled = 1 - answer if negated else answer
        return _Draft((*draft.clauses, ((condition,), negated)), (*draft.fulfilled, fulfilled))
    clauses, fulfilled_by = list(draft.clauses), list(draft.fulfilled)
    clauses[clause] = ((*clauses[clause][0], condition), False)
    fulfilled_by[clause] = np.maximum(fulfilled_by[clause], answer)
    return _Draft(tuple(clauses), tuple(fulfilled_by))


def _f1(positives: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """F1 score from true positives and all positives, stacked."""
    score: np.ndarray = 2 * positives[0] / (positives[1] + wanted.sum())
    return score


def _rule(draft: _Draft, conditions: Sequence[RuleCondition]) -> SegmentRule:
    clauses = [
        RuleClause(any_of=tuple(conditions[place] for place in places), negated=negated)
        for places, negated in draft.clauses
    ]
    return SegmentRule(clauses=tuple(sorted(clauses, key=lambda clause: clause.negated)))


MIN_USERS: Final = 10
"""Fewest users of a segment for which a rule is searched for: half to find it, half to judge it."""
_SEARCHED: Final = 20_000
"""Users that rules are made from, at most; all others judge them."""
_POOR: Final = 0.6
"""Precision or recall below which a rule is called rough."""
_NONE: Final = "None is shown to be much better than taking everybody."
CLOSE: Final = 0.02
"""Gain that counts: in F1 for a longer rule, in precision over a rule that finds everybody."""


@dataclass(frozen=True)
class MeasuredShare:
    """A share of users with its 95 % interval (Wilson 1927).

    Args:
        users: Number of users who count, such as those who bought.
        n: Number of all users; if 0 the share is NaN.
    """

    users: int
    n: int

    @property
    def share(self) -> float:
        """The share, ``users`` over ``n``; NaN of nobody."""
        return self.users / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end of the 95 % interval."""
        low, high = wilson(np.array(self.users), np.array(self.n))
        return float(low), float(high)


@dataclass(frozen=True)
class RuleFit:
    """A rule, and how well it tells some users from those of other segments.

    Args:
        rule: The conditions.
        users: Number of all clustered users whom it describes.
        precision: Share of those whom it describes who are in the segment.
        recall: Share of the users in the segment whom it describes.
        judged: Number of users that both were counted on.
        score: F1 on the users that the rule was made from; NaN of a rule written by hand.
    """

    rule: SegmentRule
    users: int
    precision: MeasuredShare
    recall: MeasuredShare
    judged: int
    score: float = float("nan")

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.precision.users / max(1, self.precision.n + self.recall.n)

    @property
    def f1_of_everybody(self) -> float:
        """F1 of the rule that finds every user: a rule whose F1 is no higher tells nothing."""
        return 2 * self.recall.n / max(1, self.judged + self.recall.n)

    @property
    def poor(self) -> bool:
        """Whether precision or recall is low or unknown."""
        return not min(self.precision.share, self.recall.share) >= _POOR

    @property
    def useless(self) -> bool:
        """Whether precision is not shown to be much higher than that of a rule that describes everybody."""
        everybody = self.recall.n / max(1, self.judged)
        return not self.precision.interval[0] > everybody + CLOSE

    @property
    def caution(self) -> str:
        """Warning to show first for a rough or useless rule; empty for others."""
        if self.useless:
            return "Not shown to be much better than taking everybody; do not use it"
        return "A rough rule" if self.poor else ""

    @property
    def verdict(self) -> str:
        """Sentence on how well the rule fits, the bad news first."""
        if not self.precision.n:
            return "None of the users that it was judged on meets this rule."
        found = f"it finds {_tenths(self.recall.share)} of the segment"
        right = f"{_tenths(self.precision.share)} of whom it finds belong to the segment"
        worst = self.caution and self.precision.share < self.recall.share
        said = f"{right}, and {found}" if worst else f"{found}, and {right}"
        return f"{self.caution}: {said}." if self.caution else f"{said[0].upper()}{said[1:]}."


@dataclass(frozen=True)
class FoundRules:
    """The best rules of a segment, by length.

    Args:
        segment: Its id.
        fits: The best rule of each length, the shortest first.
        reason: Why none is recommended; without meaning where :attr:`recommended` is a rule.
    """

    segment: int
    fits: tuple[RuleFit, ...]
    reason: str = _NONE

    @property
    def usual(self) -> RuleFit | None:
        """The shortest rule with nearly the best F1 on the users it was made from; None without rules."""
        best = max((fit.score for fit in self.fits), default=0.0)
        return next((fit for fit in self.fits if fit.score >= best - CLOSE), None)

    @property
    def recommended(self) -> RuleFit | None:
        """The usual rule; None if other users show that it is useless."""
        return None if self.usual is None or self.usual.useless else self.usual


def rule_sentence(rules: FoundRules, origin: str) -> str:
    """Sentence with the recommended rule and how well it fits, or why there is none.

    Args:
        rules: The rules of a segment.
        origin: Scheme and host that all addresses share, to be left out of them.
    """
    fit = rules.recommended
    if fit is None:
        return f"No rule: {uncapitalised(rules.reason)}"
    precision, recall = (percent(one.share, n=one.n) for one in (fit.precision, fit.recall))
    return (
        f"As a rule: {uncapitalised(fit.rule.words(origin))}. {fit.verdict} (Precision {precision}, recall "
        f"{recall}, on users that it was not made from.)"
    )


def find_rules(features: RuleFeatures, labels: np.ndarray) -> dict[int, FoundRules]:
    """Find the best rules of every segment, on half of the users, and judge them on the other half.

    Args:
        features: Features of the users that conditions can test.
        labels: int of shape (n_users,), the segment of each; negative ones take no part.

    Returns:
        Segment → its rules.
    """
    made_on, judged_on = halves(labels)
    conditions = candidates(features, made_on)
    rules_of = {}
    for segment, size in zip(*np.unique(labels[labels >= 0], return_counts=True), strict=True):
        wanted = labels == segment
        reason = _reason(int(size), int(wanted[made_on].sum()), len(conditions.conditions), made_on, wanted)
        rules = [] if reason else best_rules(conditions, wanted[made_on])
        fits = tuple(_judged(rule, features, wanted, made_on, judged_on) for rule in rules)
        rules_of[int(segment)] = FoundRules(int(segment), fits, reason or _NONE)
    return rules_of


def halves(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split the users of every segment at random, into those to make rules on and those to judge them on.

    Args:
        labels: int of shape (n_users,), the segment of each; negative ones take no part.

    Returns:
        Indices of the users to make rules on (at most :data:`_SEARCHED`) and of all others, ascending.
    """
    users = np.random.default_rng(0).permutation(np.flatnonzero(labels >= 0))
    users = users[np.argsort(labels[users], kind="stable")]
    half = users[::2]
    made_on = np.random.default_rng(1).permutation(half)[:_SEARCHED]
    return np.sort(made_on), np.setdiff1d(users, made_on)


def judge(rule: SegmentRule, features: RuleFeatures, wanted: np.ndarray, users: np.ndarray) -> RuleFit:
    """Measure how well a rule tells some users from the others.

    Args:
        rule: Found, or written by hand.
        features: Features of the users that conditions can test.
        wanted: bool of shape (n_users,), whom it should describe.
        users: bool of shape (n_users,) or int of shape (n,), whom it is judged on.

    Raises:
        InputError: If the data lack a page, theme, … of a condition.
    """
    matching = features.matches(rule)
    here, there = matching[users], wanted[users]
    both = int((here & there).sum())
    precision, recall = MeasuredShare(both, int(here.sum())), MeasuredShare(both, int(there.sum()))
    return RuleFit(rule, int(matching.sum()), precision, recall, len(here))


def recalls(rule: SegmentRule, features: RuleFeatures, labels: np.ndarray) -> Mapping[int, MeasuredShare]:
    """Segment → share of its users whom a rule describes; ``labels``: segment of each user, negative in none.

    Raises:
        InputError: If the data lack a page, theme, … of a condition.
    """
    matching = features.matches(rule)
    return {
        int(segment): MeasuredShare(int((matching & (labels == segment)).sum()), int(size))
        for segment, size in zip(*np.unique(labels[labels >= 0], return_counts=True), strict=True)
    }


def _reason(size: int, known: int, n_asked: int, made_on: np.ndarray, wanted: np.ndarray) -> str:
    if size < MIN_USERS or known < MIN_USERS // 2:
        users = "1 user" if size == 1 else f"{size:,} users"
        return f"The segment has {users}, and a rule needs {MIN_USERS}: half to find it, half to judge it."
    if wanted[made_on].all():
        return "There is no other segment to tell this one from."
    return "" if n_asked else "These users differ in nothing that a rule can ask."


def _judged(
    rule: SegmentRule, features: RuleFeatures, wanted: np.ndarray, made_on: np.ndarray, judged_on: np.ndarray
) -> RuleFit:
    fit = judge(rule, features, wanted, judged_on)
    seen = judge(rule, features, wanted, made_on)
    return RuleFit(rule, fit.users, fit.precision, fit.recall, fit.judged, seen.f1)


def _tenths(share: float) -> str:
    """A share in tenths, ``4 of 10``, or ``hardly any`` and ``nearly all`` near the ends."""
    tenths = round(10 * share)
    return {0: "hardly any", 10: "nearly all"}.get(tenths, f"{tenths} of 10")
