"""Compute the facets of a data set: users' levels, their stability, and their relation to the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from core.base.errors import InputError
from core.base.schema import Group
from core.base.wording import percent, pluralise
from core.profiles.facet_definitions import (
    NO_LEVEL,
    Definition,
    FacetKind,
    FacetLevel,
    Kind,
    define,
    in_all_visits,
    question_of,
    reads_pages,
    stages_reached,
)  # fmt: skip
from core.profiles.facet_visits import SiteVisits
from core.profiles.outcomes import OutcomeRecord
from core.profiles.two_shares import Z_95, wilson
from core.profiles.user_items import Family
from core.segments.one_page import auc_variance
from core.storage.dataset import Dataset, in_group
from core.storage.page_labels import LabelledPages

_MIN_STABILITY_USERS: Final = 30
"""Fewest users with a level in two parts of their visits for the stability of a facet."""
_KEPT_TO: Final = 0.1
"""Least kappa for users to be said to keep to a facet."""
_MOST_SAID: Final = 3
"""Facets that a sentence names, at most: those that users keep to most."""
_FAIR: Final = 0.55
"""AUC that the lower end of the interval must exceed for a facet to go with the outcome."""
MIN_OUTCOMES: Final = 10
"""Fewest held-out users with the outcome, and without, for the AUC of a facet; and fewest held-out users on a
level for its outcome rate."""

_FAMILIES: Final[Mapping[Kind, Family]] = {
    FacetKind.INTEREST: Family.INTEREST,
    FacetKind.RHYTHM: Family.RHYTHM,
}
"""Facets whose levels have a family of items of their own; all others share ``Family.LEVEL``."""


@dataclass(frozen=True)
class ShareInterval:
    """A share with its 95 % interval.

    Args:
        value: The share.
        low: Lower end.
        high: Upper end.
        users: Users that it is a share of.
    """

    value: float
    low: float
    high: float
    users: int

    @classmethod
    def of(cls, part: int, users: int) -> ShareInterval:
        """The share ``part`` of ``users`` with Wilson's score interval."""
        low, high = wilson(np.array(part), np.array(users))
        return cls(part / users, float(low), float(high), users)

    @property
    def text(self) -> str:
        """The share as text: ``2.4% [0.8%–6.7%]``."""
        value, low, high = map(percent, (self.value, self.low, self.high))
        return f"{value} [{low}–{high}]"


@dataclass(frozen=True)
class Stability:
    """Stability of a facet: whether users have the same level in two parts of their visits.

    Args:
        same: Share of the users with the same level in both parts.
        chance: This share expected by chance: of parts of different users, in the mean over all pairs.
    """

    same: ShareInterval
    chance: float

    @property
    def beyond_chance(self) -> bool:
        """Whether the lower end of the share's interval is above chance."""
        return self.same.low > self.chance

    @property
    def kappa(self) -> float:
        """Cohen's (1960) kappa: agreement above chance, 1 if all users have the same level in both parts."""
        return (self.same.value - self.chance) / max(1 - self.chance, 1e-9)

    @property
    def is_kept_to(self) -> bool:
        """Whether agreement is beyond chance and kappa .1 or more; of many users any excess is sure."""
        return self.beyond_chance and self.kappa >= _KEPT_TO


@dataclass(frozen=True, eq=False)
class Facet:
    """A facet of a data set, with the level of each user.

    Args:
        kind: Which facet.
        levels: The levels in order.
        level: int8 of shape (n_users,), place in ``levels``; −1 of users who look automated or have no level.
        comes_again: Stability; None with too few users.
        outcome: Share of each level's held-out users who had the outcome; None without an outcome, with fewer
            than ten of them on the level, and for facets made of the outcome: stages, or a way whose search
            or list is the outcome.
        tells_outcome: AUC of the levels for the outcome, on held-out users; None with too few, for facets
            made of the outcome, and for facets that read pages where pages give the outcome away.
    """

    kind: Kind
    levels: tuple[FacetLevel, ...]
    level: np.ndarray
    comes_again: Stability | None
    outcome: tuple[ShareInterval | None, ...]
    tells_outcome: ShareInterval | None
    not_known: int = 0
    """Number of users without a level, not counting those who look automated."""

    @property
    def question(self) -> str:
        """The question that the facet answers, in words."""
        return question_of(self.kind)

    @property
    def sentence(self) -> str:
        """How stable the facet is, in a sentence."""
        if of_all := in_all_visits(self.kind):
            return of_all
        if self.comes_again is None:
            return "Too few users came on two days to see whether it lasts."
        again, users = self.comes_again, pluralise(self.comes_again.same.users, "user")
        same = f"{percent(again.same.value, 0)}"
        by_chance = f"by chance {percent(again.chance, 0)}."
        early = f"Of {users} of the first half of the time, {same}"
        if self.kind is FacetKind.LOYALTY:
            return f"{early} then came or not, as before; {by_chance}"
        if self.kind is FacetKind.RECENCY:
            return f"{early} came again if seen at its end, else not; {by_chance}"
        return f"Of {users} seen on two days, {same} are on the same level on both; {by_chance}"

    @property
    def users(self) -> np.ndarray:
        """Number of users on each level: int64 of shape (n_levels,)."""
        return np.bincount(self.level[self.level >= 0], minlength=len(self.levels))

    @property
    def names(self) -> np.ndarray:
        """The name of each user's level, empty where there is none: object array of shape (n_users,)."""
        return self._of_users([level.name for level in self.levels])

    @property
    def people(self) -> np.ndarray:
        """The level's ``people`` of each user, empty where there is none: object of shape (n_users,)."""
        return self._of_users([level.people for level in self.levels])

    def _of_users(self, texts: Sequence[str]) -> np.ndarray:
        by_user: np.ndarray = np.array([*texts, ""], dtype=object)[self.level]
        return by_user


def cross_facets(facets: Sequence[Facet]) -> tuple[list[str], np.ndarray]:
    """Combine the levels of one or more facets, as the levels of a single one.

    Returns:
        The names of all combinations (levels joined by `` · ``), the last, ``Not known``, for users without a
        level of one of the facets; and the place of each user in these, int64 of shape (n_users,).
    """
    names, level = [""], np.zeros(len(facets[0].level), dtype=np.int64)
    for facet in facets:
        names = [f"{name} · {more.name}".removeprefix(" · ") for name in names for more in facet.levels]
        level = np.where((level < 0) | (facet.level < 0), NO_LEVEL, level * len(facet.levels) + facet.level)
    return [*names, "Not known"], np.where(level < 0, len(names), level)


@dataclass(frozen=True, eq=False)
class Facets:
    """All facets that the data allow.

    Args:
        facets: Kind → the facet.
        left_out: Kind → why there is no such facet.
        had: bool of shape (n_users,), who had the outcome.
        outcome: Name of the outcome; empty where there is none.
        given_away: Whether pages are the outcome, or give it away.
        reached: Stage (``a cart``) → who reached or passed it, bool of shape (n_users,).
        time_zone: Time zone of hours and days, in words.
    """

    facets: Mapping[Kind, Facet]
    left_out: Mapping[Kind, str]
    had: np.ndarray
    outcome: str = ""
    given_away: bool = False
    reached: Mapping[str, np.ndarray] = field(default_factory=dict)
    time_zone: str = ""

    @property
    def in_order(self) -> list[Facet]:
        """The facets, those of the highest kappa (most stable) first, those without a stability last."""

        def kept_to(facet: Facet) -> float:
            return facet.comes_again.kappa if facet.comes_again else -1.0

        return sorted(self.facets.values(), key=kept_to, reverse=True)

    @property
    def sentence(self) -> str:
        """Sentence on the facets that users keep to, at most three, and on the one that tells the outcome."""
        kept = [facet for facet in self.in_order if facet.comes_again and facet.comes_again.is_kept_to]
        first = "Hardly anything is shown to stay the same about users from visit to visit."
        if kept:
            first = f"What lasts from visit to visit: {_listed(kept[:_MOST_SAID])}."
        telling = [
            (auc.value, facet)
            for facet in self.in_order
            if (auc := facet.tells_outcome) is not None and auc.low > _FAIR
        ]
        if not telling:
            return first
        _, best = max(telling, key=lambda pair: pair[0])
        return f"{first} What goes most with {self.outcome}: {_listed([best])}."

    def columns(self) -> dict[str, np.ndarray]:
        """Columns for a table of users: ``facet: KIND`` → the name of each user's level."""
        return {f"facet: {kind}": facet.names for kind, facet in self.facets.items()}

    def items(self) -> dict[Family, list[np.ndarray]]:
        """Levels and reached stages for the table of differences: family → an array a facet, or a stage.

        Object arrays of shape (n_users,): ``people`` of the level, or the stage; empty text for others.
        """
        stages = [np.where(users, item, "").astype(object) for item, users in self.reached.items()]
        families = {Family.STAGE: stages} if stages else {}
        for kind, facet in self.facets.items():
            families.setdefault(_FAMILIES.get(kind, Family.LEVEL), []).append(facet.people)
        return families


def _listed(facets: Sequence[Facet]) -> str:
    *first, last = (facet.question[0].lower() + facet.question[1:] for facet in facets)
    return f"{', '.join(first)} and {last}" if first else last


def find_facets(
    dataset: Dataset,
    labels: LabelledPages | None = None,
    outcomes: Mapping[str, OutcomeRecord] | None = None,
    *,
    given_away: bool = False,
) -> Facets:
    """Compute the facets of a data set.

    Names and limits are learned from half of the users; outcome rates are counted on the others (held out).

    Args:
        dataset: The users; those who look automated get no level.
        labels: Themes and types of the pages; None where there are none.
        outcomes: Name → who had it; the first one is the outcome.
        given_away: Whether pages are the outcome, or give it away.
    """
    visits, human = SiteVisits.of(dataset, labels), ~in_group(dataset.users, Group.BOT_LIKE)
    learners = human & learning_half(visits.n_users)
    name, conversions = next(iter((outcomes or {}).items()), ("", None))
    had = np.zeros(visits.n_users, dtype=bool)
    if conversions is not None:
        had[conversions.user] = True
    facets: dict[Kind, Facet] = {}
    left_out: dict[Kind, str] = {}
    kinds: tuple[Kind, ...] = (*FacetKind, *(one for one in visits.attributes if one != FacetKind.DEVICE))
    for kind in kinds if learners.any() else ():
        try:
            definition = define(kind, visits, learners, (name, had) if name else None)
        except InputError as error:
            left_out[kind] = str(error)
        else:
            of_itself = kind is FacetKind.STAGE or not definition.events.isdisjoint(outcomes or {})
            outcome = None if of_itself or not name else had
            facet = _facet(definition, visits, human, learners, outcome)
            of_pages = given_away and reads_pages(kind)
            facets[kind] = replace(facet, tells_outcome=None) if of_pages else facet
    zone, reached = dataset.receipt.time_zone, stages_reached(visits)
    return Facets(facets, left_out, had, name, given_away, reached, zone)


def learning_half(n_users: int) -> np.ndarray:
    """The half of the users that names, limits and rates are learned from: bool of shape (n_users,)."""
    half: np.ndarray = np.random.default_rng(0).permutation(n_users) % 2 == 0
    return half


def _facet(
    definition: Definition,
    visits: SiteVisits,
    human: np.ndarray,
    learners: np.ndarray,
    had: np.ndarray | None,
) -> Facet:
    level = np.where(human, definition.read(visits), NO_LEVEL).astype(np.int8)
    held_out = ~learners & (level != NO_LEVEL)
    rates: list[ShareInterval | None] = [None] * len(definition.levels)
    tells = None
    if had is not None:
        users = np.bincount(level[held_out], minlength=len(rates))
        part = np.bincount(level[held_out & had], minlength=len(rates))
        rates = [
            ShareInterval.of(int(n), int(of)) if of >= MIN_OUTCOMES else None
            for n, of in zip(part, users, strict=True)
        ]
        tells = outcome_auc(level, learners & (level != NO_LEVEL), held_out, had)
    return Facet(
        kind=definition.kind,
        levels=definition.levels,
        level=level,
        comes_again=_comes_again(definition, visits, human),
        outcome=tuple(rates),
        tells_outcome=tells,
        not_known=int((human & (level == NO_LEVEL)).sum()),
    )


def _comes_again(definition: Definition, visits: SiteVisits, human: np.ndarray) -> Stability | None:
    """Stability of a facet: compare levels of a user's first, third, … days with the second, fourth, ….

    None for attributes and orders, which are known of all visits together. Loyalty and recency are compared
    differently: whether users who came twice or more in the first half of the time, or at its end, come in
    the second half, and the others do not.
    """
    if in_all_visits(definition.kind):
        return None
    if definition.kind in (FacetKind.LOYALTY, FacetKind.RECENCY):
        first, second = (part[human] for part in _halves_of_time(definition, visits))
    else:
        first, second = (definition.read(visits.part(which))[human] for which in (0, 1))
    both = (first != NO_LEVEL) & (second != NO_LEVEL)
    n = int(both.sum())
    if n < _MIN_STABILITY_USERS:
        return None
    first, second = first[both], second[both]
    one, other = (np.bincount(part, minlength=len(definition.levels)) / n for part in (first, second))
    chance = float(one @ other)
    return Stability(ShareInterval.of(int((first == second).sum()), n), chance)


def _halves_of_time(definition: Definition, visits: SiteVisits) -> tuple[np.ndarray, np.ndarray]:
    """Whether users are to come again by what they did until the middle of all visits, and whether they do.

    The first is :data:`NO_LEVEL` of users who came only later.
    """
    middle = int(np.median(visits.session_day))
    early = visits.session_day <= middle
    before, after = (
        np.bincount(visits.session_user[which], minlength=visits.n_users) for which in (early, ~early)
    )
    if definition.kind is FacetKind.LOYALTY:
        likely = before > 1
    else:
        likely = definition.read(visits.until(middle)) == 0
    return np.where(before > 0, likely, NO_LEVEL).astype(np.int8), (after > 0).astype(np.int8)


def outcome_auc(
    level: np.ndarray, learners: np.ndarray, judged: np.ndarray, had: np.ndarray
) -> ShareInterval | None:
    """AUC of levels or segments as predictors of the outcome, each user scored by the level's outcome rate.

    Args:
        level: int of shape (n_users,), 0 or above for ``learners`` and ``judged``.
        learners: bool of shape (n_users,), users from whom rates are learned, shrunk to the overall rate.
        judged: bool of shape (n_users,), users on whom the AUC is measured.
        had: bool of shape (n_users,), who had the outcome.

    Returns:
        The area under the ROC curve with its 95 % interval; None with too few users with or without it.
    """
    from sklearn.metrics import roc_auc_score

    cases, others = int(had[judged].sum()), int((~had[judged]).sum())
    if min(cases, others) < MIN_OUTCOMES:
        return None
    size = int(level.max()) + 1
    count, part = (np.bincount(level[which], minlength=size) for which in (learners, learners & had))
    rates = (part + had[learners].mean()) / (count + 1)
    auc = float(roc_auc_score(had[judged], rates[level[judged]]))
    spread = Z_95 * auc_variance(auc, cases, others) ** 0.5
    return ShareInterval(auc, max(0.0, auc - spread), min(1.0, auc + spread), cases + others)


def facet_records(facets: Facets) -> list[dict[str, Any]]:
    """All facets as plain data, a record for each: ``facets`` in ``facets.json``."""
    nothing: dict[str, Any] = {"comes_again": None, "tells_outcome": None, "levels": [], "not_known": None}
    return [
        {"kind": str(kind), "name": question_of(kind), "outcome": facets.outcome or None}
        | (_record(facets.facets[kind]) if kind in facets.facets else nothing)
        | {"left_out": facets.left_out.get(kind)}
        for kind in dict.fromkeys((*FacetKind, *facets.facets, *facets.left_out))
        if kind in facets.facets or kind in facets.left_out
    ]


def _record(facet: Facet) -> dict[str, Any]:
    again = facet.comes_again
    return {
        "comes_again": None if again is None else {**vars(again.same), "chance": again.chance},
        "tells_outcome": _share(facet.tells_outcome),
        "levels": _levels(facet),
        "not_known": facet.not_known,
    }


def _levels(facet: Facet) -> list[dict[str, Any]]:
    rows = zip(facet.levels, facet.users.tolist(), facet.outcome, strict=True)
    return [
        {"name": level.name, "rule": level.rule, "users": users, "outcome": _share(rate)}
        for level, users, rate in rows
    ]


def _share(share: ShareInterval | None) -> dict[str, float] | None:
    return None if share is None else vars(share)
