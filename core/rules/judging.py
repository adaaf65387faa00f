"""How well a rule describes a segment, said of users that it was not made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.base.wording import percent, within
from core.profiles.wilson import wilson
from core.rules.beam_search import best_rules, candidates
from core.rules.conditions import SegmentRule
from core.rules.features import RuleFeatures

FEWEST_USERS: Final = 10
"""Users of a segment from which on a rule is searched for: half to find it, half to judge it."""
SEARCHED: Final = 20_000
"""Users that a rule is made from, at most; all others judge it."""
POOR: Final = 0.6
"""Precision or recall below which that is said first."""
NONE: Final = "None is shown to be much better than taking everybody."
CLOSE: Final = 0.02
"""F1 by which a longer rule, and precision by which any, must be better to be worth reading."""


@dataclass(frozen=True)
class MeasuredShare:
    """A share of users with its 95 % interval (Wilson 1927).

    Args:
        users: Who does.
        n: Of how many; with none the share is NaN.
    """

    users: int
    n: int

    @property
    def share(self) -> float:
        """``users`` over ``n``."""
        return self.users / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper end."""
        low, high = wilson(np.array(self.users), np.array(self.n))
        return float(low), float(high)


@dataclass(frozen=True)
class RuleFit:
    """A rule, and how well it tells some users from those of other segments.

    Args:
        rule: The conditions.
        users: Clustered users whom it describes, of all.
        precision: Of those whom it describes, who is wanted.
        recall: Of those who are wanted, whom it describes.
        judged: Users that both were counted on.
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
        """F1 of the rule that finds every user: what is no higher tells nothing."""
        return 2 * self.recall.n / max(1, self.judged + self.recall.n)

    @property
    def poor(self) -> bool:
        """Whether it is wrong about many; NaN is."""
        return not min(self.precision.share, self.recall.share) >= POOR

    @property
    def useless(self) -> bool:
        """Whether its precision is not shown to be much higher than if it found everybody; so of nobody."""
        everybody = self.recall.n / max(1, self.judged)
        return not self.precision.interval[0] > everybody + CLOSE

    @property
    def caution(self) -> str:
        """What to say before anything else of a rule that is wrong about many; empty of others."""
        if self.useless:
            return "Not shown to be much better than taking everybody; do not use it"
        return "A rough rule" if self.poor else ""

    @property
    def verdict(self) -> str:
        """How far to trust it, the bad news first."""
        if not self.precision.n:
            return "None of the users that it was judged on meets this rule."
        found = f"it finds {_tenths(self.recall.share)} of the segment"
        right = f"{_tenths(self.precision.share)} of whom it finds belong to the segment"
        worst = self.caution and self.precision.share < self.recall.share
        said = f"{right}, and {found}" if worst else f"{found}, and {right}"
        return f"{self.caution}: {said}." if self.caution else f"{said[0].upper()}{said[1:]}."


@dataclass(frozen=True)
class FoundRules:
    """The best rules of a segment.

    Args:
        segment: Its id.
        fits: The best rule of each length, the shortest first.
        reason: Why none is recommended, where none is.
    """

    segment: int
    fits: tuple[RuleFit, ...]
    reason: str = NONE

    @property
    def usual(self) -> RuleFit | None:
        """The shortest rule that is nearly as good as the best, by the users it was made from."""
        best = max((fit.score for fit in self.fits), default=0.0)
        return next((fit for fit in self.fits if fit.score >= best - CLOSE), None)

    @property
    def recommended(self) -> RuleFit | None:
        """That rule, unless other users showed that it is useless."""
        return None if self.usual is None or self.usual.useless else self.usual


def rule_sentence(found: FoundRules, origin: str) -> str:
    """The recommended rule with how well it fits, or why there is none.

    Args:
        found: The rules of a segment.
        origin: Scheme and host that all addresses share; left out.
    """
    fit = found.recommended
    if fit is None:
        return f"No rule: {within(found.reason)}"
    precision, recall = (percent(one.share, n=one.n) for one in (fit.precision, fit.recall))
    return (
        f"As a rule: {within(fit.rule.words(origin))}. {fit.verdict} (Precision {precision}, recall "
        f"{recall}, on users that it was not made from.)"
    )


def find_rules(features: RuleFeatures, labels: np.ndarray) -> dict[int, FoundRules]:
    """The best rules of every segment, made on half of the users in segments and judged on the other half.

    Args:
        features: What can be asked.
        labels: int of shape (n_users,), the segment of each; negative ones take no part.

    Returns:
        Segment → its rules.
    """
    made_on, judged_on = halves(labels)
    asked = candidates(features, made_on)
    found = {}
    for segment, size in zip(*np.unique(labels[labels >= 0], return_counts=True), strict=True):
        wanted = labels == segment
        reason = _reason(int(size), int(wanted[made_on].sum()), len(asked.conditions), made_on, wanted)
        rules = [] if reason else best_rules(asked, wanted[made_on])
        fits = tuple(_judged(rule, features, wanted, made_on, judged_on) for rule in rules)
        found[int(segment)] = FoundRules(int(segment), fits, reason or NONE)
    return found


def halves(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whom rules are made on and whom they are judged on: of every segment one half each, by chance.

    Args:
        labels: int of shape (n_users,), the segment of each; negative ones take no part.

    Returns:
        User indices, ascending; of the first at most :data:`SEARCHED`.
    """
    users = np.random.default_rng(0).permutation(np.flatnonzero(labels >= 0))
    users = users[np.argsort(labels[users], kind="stable")]
    half = users[::2]
    made_on = np.random.default_rng(1).permutation(half)[:SEARCHED]
    return np.sort(made_on), np.setdiff1d(users, made_on)


def judge(rule: SegmentRule, features: RuleFeatures, wanted: np.ndarray, users: np.ndarray) -> RuleFit:
    """How well a rule tells some users from the others.

    Args:
        rule: Found, or written by hand.
        features: What it asks.
        wanted: bool of shape (n_users,), whom it should describe.
        users: bool of shape (n_users,) or int of shape (n,), whom it is judged on.

    Raises:
        InputError: If it asks for what the data do not have.
    """
    matching = features.matches(rule)
    here, there = matching[users], wanted[users]
    both = int((here & there).sum())
    precision, recall = MeasuredShare(both, int(here.sum())), MeasuredShare(both, int(there.sum()))
    return RuleFit(rule, int(matching.sum()), precision, recall, len(here))


def recalls(rule: SegmentRule, features: RuleFeatures, labels: np.ndarray) -> Mapping[int, MeasuredShare]:
    """Segment → how many of its users a rule describes.

    Raises:
        InputError: If it asks for what the data do not have.
    """
    matching = features.matches(rule)
    return {
        int(segment): MeasuredShare(int((matching & (labels == segment)).sum()), int(size))
        for segment, size in zip(*np.unique(labels[labels >= 0], return_counts=True), strict=True)
    }


def _reason(size: int, known: int, n_asked: int, made_on: np.ndarray, wanted: np.ndarray) -> str:
    if size < FEWEST_USERS or known < FEWEST_USERS // 2:
        users = "1 user" if size == 1 else f"{size:,} users"
        return f"The segment has {users}, and a rule needs {FEWEST_USERS}: half to find it, half to judge it."
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
    """``4 of 10``, or how a share so near to none or all is called."""
    tenths = round(10 * share)
    return {0: "hardly any", 10: "nearly all"}.get(tenths, f"{tenths} of 10")
