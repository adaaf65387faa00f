"""Segments of one-page users by rule: a shallow tree where it predicts engagement, else the largest groups.

The rules are data, kept with a model, so that new users can be assigned by them. A tree (CART, Breiman et al.
1984) of at most three questions on how users arrived is grown for engagement. It is used only where it
predicts the engagement of users that it was not grown from: the lower end of its cross-validated AUC lies
above one half. Its depth is the smallest within one standard error of the best. Rules are not grown for an
outcome: another outcome would give other segments, and their rates would only repeat the choice.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from core.base.errors import ArtifactError
from core.base.schema import Group
from core.segments.arrivals import LANDING, YES, Arrivals, Condition, Trait, rule_name, simplified
from core.storage.sequences import UserSequences

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeClassifier

OTHER: Final = "Other one-page users"


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SecondPage(_Data):
    """A page that users who landed alike and went on viewed second.

    Args:
        page: Address of the page.
        users: Users who viewed it second.
        n: Users of two page views or more who landed alike.
    """

    page: str
    users: int
    n: int

    @property
    def share(self) -> float:
        """Share of those who landed alike and went on, 0 to 1."""
        return self.users / self.n


class OnePageSegment(_Data):
    """A segment of one-page users by rule; further fields in files of earlier versions are ignored.

    Args:
        name: The rule in words.
        rule: Conditions, all of which have to hold; empty for all other users.
        users: Number of users.
        second_pages: Second pages of users who landed alike and went on, most frequent first.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    rule: tuple[Condition, ...]
    users: int
    second_pages: tuple[SecondPage, ...] = ()


class TreeCheck(_Data):
    """How well rules predict engagement of users that they were not made from.

    Args:
        auc: Area under the ROC curve, mean over folds.
        low: Lower end of its 95 % interval (Hanley and McNeil 1982), corrected for choosing the depth.
        high: Upper end.
    """

    auc: float
    low: float
    high: float

    @property
    def useful(self) -> bool:
        """Whether the rules predict surely better than chance."""
        return self.low > 0.5


@dataclass(frozen=True, eq=False)
class OnePageSegments:
    """The segments of all one-page users, and who is in which.

    Args:
        codes: int8 of shape (n_users,), place in ``segments``; −1 for users who are not one-page users, and
            for everybody where there are too few for segments.
        segments: Largest first, that of all other one-page users last.
        check: How well a tree predicts who of them engaged, where one could be grown; it made the segments if
            it is useful.
    """

    codes: np.ndarray
    segments: tuple[OnePageSegment, ...]
    check: TreeCheck | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """Key of each segment in data: ``one_page:0``."""
        return tuple(f"{Group.ONE_PAGE}:{place}" for place in range(len(self.segments)))

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each segment: ``One-page A: Land on /blog``."""
        return tuple(
            segment.name if segment.name == OTHER else f"One-page {letter}: {segment.name}"
            for letter, segment in zip(string.ascii_uppercase, self.segments, strict=False)
        )

    @property
    def made_by(self) -> str:
        """How the segments were made, in a sentence for analysts."""
        check = self.check
        if check and check.useful:
            return (
                "The rules tell one-page users with engagement of 10 s or more from those without: right in "
                f"{check.auc:.0%} of pairs that they were not made from (cross-validated AUC, 95 % interval "
                f"{check.low:.2f} to {check.high:.2f}; a coin has 0.50)."
            )
        why = "No rule tells who of them engaged better than a coin, so these" if check else "These"
        return f"{why} are the largest groups by landing page."


def assign(arrivals: Arrivals, segments: Sequence[OnePageSegment]) -> np.ndarray:
    """Assign users to the first segment whose rule holds: its position, int8 of shape (n_users,), −1 if none.

    Args:
        arrivals: How users arrived.
        segments: The segments, in order.
    """
    n_users = len(arrivals[Trait.PAGE])
    codes = np.full(n_users, -1, dtype=np.int8)
    for place, segment in enumerate(segments):
        holds = np.ones(n_users, dtype=bool)
        for condition in segment.rule:
            holds &= condition.holds(arrivals)
        codes[holds & (codes < 0)] = place
    return codes


_SEGMENTS: Final = TypeAdapter(tuple[OnePageSegment, ...])


def write_rules(path: Path, segments: Sequence[OnePageSegment]) -> None:
    """Write the segments and their rules to a file beside a model."""
    path.write_bytes(_SEGMENTS.dump_json(tuple(segments), indent=1))


def read_rules(path: Traversable) -> tuple[OnePageSegment, ...]:
    """Read the segments beside a model; none where there is no file.

    Raises:
        ArtifactError: If the file is damaged.
    """
    try:
        return _SEGMENTS.validate_json(path.read_bytes()) if path.is_file() else ()
    except (OSError, ValidationError) as error:
        raise ArtifactError(f"The one-page segments in {path} are damaged", remedy="Run it again") from error


MIN_USERS, _MIN_SHARE = 30, 0.03
"""Least users of a segment: the larger of the number and the share of all."""
MAX_SEGMENTS: Final = 8
"""Most segments, without that of all others."""
_DEPTH: Final = 3
_FOLDS: Final = 5
_MIN_CASES: Final = 5 * _FOLDS
"""Least users who engaged, and who did not: five of each in every fold."""
_Z_CHOSEN: Final = 2.394
"""Standard errors of a 95 % interval that holds for the best of three depths (Bonferroni)."""
_CHECKED: Final = 20_000
"""Most users in cross-validation; more of them change nothing in the second digit."""
_ALONE: Final = 0.1
"""Share of the one-page users from which on a landing page takes precedence over its folder and type."""
_LARGE: Final = 0.25
"""Share of the one-page users from which on a group by landing page is split by source."""
_SECOND_PAGES: Final = 3
_MIN_SECOND: Final = 3
"""Users from which on a second page is listed: fewer would say what a single user did."""

_Rule = tuple[Condition, ...]


def find_segments(arrivals: pd.DataFrame, one_page: np.ndarray) -> OnePageSegments:
    """Find segments of the one-page users by rule.

    Args:
        arrivals: How each user of the data set arrived.
        one_page: bool of shape (n_users,), who has a single page view.

    Returns:
        The segments; none where no landing page, source or device has enough users.
    """
    mine = arrivals[one_page].reset_index(drop=True)
    fewest = max(MIN_USERS, int(np.ceil(_MIN_SHARE * len(mine))))
    check, rules, engaged = None, list[_Rule](), (mine[Trait.ENGAGED] == YES).to_numpy()
    questions, answers = _questions(mine, fewest)
    if questions and min(engaged.sum(), (~engaged).sum()) >= _MIN_CASES:
        depth, check = _checked(answers, engaged, fewest)
        if check.useful:
            rules = _leaves(questions, answers, engaged, depth, fewest)
    return _made(arrivals, one_page, rules or _largest(mine, fewest), check)


def _questions(mine: pd.DataFrame, fewest: int) -> tuple[list[Condition], np.ndarray]:
    """Questions of a tree that have enough users for either answer, and answers (n_users, n_questions)."""
    conditions, answers, seen = list[Condition](), list[np.ndarray](), set[bytes]()
    for field in (trait for trait in Trait if trait is not Trait.ENGAGED):
        for value in _values(mine[field], fewest):
            condition = Condition(field=field, op="is", value=value)
            answer = condition.holds(mine)
            same = {np.packbits(answer).tobytes(), np.packbits(~answer).tobytes()}
            if (~answer).sum() >= fewest and not same & seen:
                conditions.append(condition)
                answers.append(answer)
                seen |= same
    return conditions, np.array(answers, dtype=np.float32).reshape(len(conditions), len(mine)).T


def _values(column: pd.Series, fewest: int) -> list[str]:
    """Values with enough users, the most frequent first, equally frequent ones by name."""
    counts = column.value_counts()
    frequent = counts[counts >= fewest]
    return sorted(frequent.index, key=lambda value: (-frequent[value], value))


def _checked(answers: np.ndarray, wanted: np.ndarray, fewest: int) -> tuple[int, TreeCheck]:
    """Choose the depth of the tree, and measure it on users that it was not grown from."""
    chosen = _drawn(wanted)
    share = len(chosen) / len(wanted)
    checks = [
        _auc(answers[chosen], wanted[chosen], depth, max(1, int(fewest * share)))
        for depth in range(1, _DEPTH + 1)
    ]
    best, error = max(checks)
    depth, (auc, spread) = next(
        (place, check) for place, check in enumerate(checks, start=1) if check[0] >= best - error
    )
    low, high = np.clip([auc - _Z_CHOSEN * spread, auc + _Z_CHOSEN * spread], 0, 1)
    return depth, TreeCheck(auc=auc, low=float(low), high=float(high))


def _drawn(wanted: np.ndarray) -> np.ndarray:
    """Draw at most :data:`_CHECKED` users, up to half of the rarer class, which could be one in 10,000.

    The AUC compares pairs with a user of each class, so it is the same however many there are of either.
    """
    order = np.random.default_rng(0).permutation(len(wanted))
    rare = wanted[order] == (2 * wanted.sum() <= len(wanted))
    cases = order[rare][: _CHECKED // 2]
    return np.concatenate([cases, order[~rare][: _CHECKED - len(cases)]])


def _auc(answers: np.ndarray, wanted: np.ndarray, depth: int, fewest: int) -> tuple[float, float]:
    """Mean AUC over folds, and its standard error."""
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    areas, variances = [], []
    for learnt, held_out in StratifiedKFold(_FOLDS, shuffle=True, random_state=0).split(answers, wanted):
        tree = _grown(answers[learnt], wanted[learnt], depth, max(1, fewest * (_FOLDS - 1) // _FOLDS))
        area = float(roc_auc_score(wanted[held_out], tree.predict_proba(answers[held_out])[:, 1]))
        cases = int(wanted[held_out].sum())
        areas.append(area)
        variances.append(auc_variance(area, cases, len(held_out) - cases))
    return float(np.mean(areas)), float(np.sqrt(np.sum(variances)) / _FOLDS)


def auc_variance(area: float, cases: int, others: int) -> float:
    """Variance of an area under the ROC curve by the numbers of cases and others (Hanley and McNeil 1982)."""
    both, either = area / (2 - area), 2 * area**2 / (1 + area)
    spread = (cases - 1) * (both - area**2) + (others - 1) * (either - area**2)
    return (area * (1 - area) + spread) / (cases * others)


def _grown(answers: np.ndarray, wanted: np.ndarray, depth: int, fewest: int) -> DecisionTreeClassifier:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(max_depth=depth, min_samples_leaf=fewest, random_state=0).fit(
        answers, wanted
    )


def _leaves(
    questions: Sequence[Condition], answers: np.ndarray, wanted: np.ndarray, depth: int, fewest: int
) -> list[_Rule]:
    tree = _grown(answers, wanted, depth, fewest).tree_

    def below(node: int, rule: _Rule) -> Iterator[_Rule]:
        if tree.children_left[node] < 0:
            yield simplified(rule)
            return
        condition = questions[tree.feature[node]]
        denied = condition.model_copy(update={"op": "is not"})
        yield from below(tree.children_left[node], (*rule, denied))
        yield from below(tree.children_right[node], (*rule, condition))

    return list(below(0, ()))


def _largest(mine: pd.DataFrame, fewest: int) -> list[_Rule]:
    """Rules for the largest landing pages, then folders, types, themes and pages; large ones by source."""
    rules, left = list[_Rule](), np.ones(len(mine), dtype=bool)
    alone = int(np.ceil(_ALONE * len(mine)))
    for field, users in [
        (Trait.PAGE, max(alone, fewest)),
        *((field, fewest) for field in (*LANDING[1:], Trait.PAGE)),
    ]:
        for value in _values(mine[field][left], users)[: MAX_SEGMENTS - len(rules)]:
            condition = _narrowest(mine, Condition(field=field, op="is", value=value))
            here = condition.holds(mine)
            first = [rule[0] for rule in rules if (here & rule[0].holds(mine)).any()]
            negated = [condition.model_copy(update={"op": "is not"}) for condition in first]
            if (here & left).sum() >= fewest:
                rules.append(simplified((condition, *negated)))
                left &= ~here
    return _by_source(mine, rules, fewest)


def _narrowest(mine: pd.DataFrame, condition: Condition) -> Condition:
    """Replace a folder, type or theme with a single landing page by that page."""
    pages = mine[Trait.PAGE][condition.holds(mine)].unique()
    return Condition(field=Trait.PAGE, op="is", value=pages[0]) if len(pages) == 1 else condition


def _by_source(mine: pd.DataFrame, rules: list[_Rule], fewest: int) -> list[_Rule]:
    """Split rules for over a quarter of the users by the most frequent source, while there is room."""
    split_rules, waiting = list[_Rule](), list(rules)
    while waiting:
        rule = waiting.pop(0)
        here = _holds(mine, rule)
        sources = {condition.value for condition in rule if condition.field is Trait.SOURCE}
        values = [value for value in _values(mine[Trait.SOURCE][here], fewest) if value not in sources]
        source = Condition(field=Trait.SOURCE, op="is", value=values[0]) if values else None
        room = len(split_rules) + len(waiting) + 2 <= MAX_SEGMENTS
        if source and room and here.mean() > _LARGE and (here & ~source.holds(mine)).sum() >= fewest:
            split_rules.append(simplified((*rule, source)))
            waiting.insert(0, (*rule, source.model_copy(update={"op": "is not"})))
        else:
            split_rules.append(simplified(rule))
    return split_rules


def _holds(arrivals: pd.DataFrame, rule: _Rule) -> np.ndarray:
    here: np.ndarray = assign(arrivals, [OnePageSegment(name="", rule=rule, users=0)]) == 0
    return here


def _made(
    arrivals: pd.DataFrame, one_page: np.ndarray, rules: Sequence[_Rule], check: TreeCheck | None
) -> OnePageSegments:
    """Make the segments of rules, largest first; users in none of them are in the last."""
    rules = [_needed(arrivals[one_page], rule) for rule in rules]
    users_of = {rule: one_page & _holds(arrivals, rule) for rule in rules}
    order = sorted(rules, key=lambda rule: -users_of[rule].sum())
    codes = np.full(len(arrivals), -1, dtype=np.int8)
    if rules and (one_page & ~np.any([*users_of.values()], axis=0)).any():
        order.append(())
        users_of[()] = one_page & ~np.any([*users_of.values()], axis=0)
    for place, rule in enumerate(order):
        codes[users_of[rule]] = place
    addresses = list(arrivals[Trait.PAGE].cat.categories)
    return OnePageSegments(
        codes,
        tuple(
            OnePageSegment(
                name=rule_name(rule, addresses) if rule else OTHER,
                rule=rule,
                users=int(users_of[rule].sum()),
            )
            for rule in order
        ),
        check,
    )


def _needed(mine: pd.DataFrame, rule: _Rule) -> _Rule:
    """Remove the "is not" conditions of a rule that exclude nobody."""
    here = _holds(mine, rule)
    for condition in rule:
        shorter = tuple(other for other in rule if other != condition)
        if condition.op == "is not" and np.array_equal(_holds(mine, shorter), here):
            rule = shorter
    return rule


def with_second_pages(
    found: OnePageSegments,
    arrivals: pd.DataFrame,
    sequences: UserSequences,
    pages: Sequence[str],
    went_on: np.ndarray,
) -> OnePageSegments:
    """Add the most frequent second pages: the first other pages of users who arrived alike and went on.

    At most :data:`_SECOND_PAGES`, each seen by :data:`_MIN_SECOND` users or more.

    Args:
        found: The segments.
        arrivals: How each user arrived.
        sequences: Page views of all users.
        pages: Name of each page, by page index.
        went_on: bool of shape (n_users,), who counts as having gone on.
    """
    second, segments = _second_pages(sequences), []
    rules = [segment.rule for segment in found.segments if segment.rule]
    for segment in found.segments:
        alike = went_on & _holds(arrivals, segment.rule)
        for other in rules if not segment.rule else ():
            alike &= ~_holds(arrivals, other)
        page, users = np.unique(second[alike & (second >= 0)], return_counts=True)
        most = [p for p in np.argsort(-users, kind="stable")[:_SECOND_PAGES] if users[p] >= _MIN_SECOND]
        listed = tuple(
            SecondPage(page=pages[page[place]], users=int(users[place]), n=int(alike.sum())) for place in most
        )
        segments.append(segment.model_copy(update={"second_pages": listed}))
    return replace(found, segments=tuple(segments))


def _second_pages(sequences: UserSequences) -> np.ndarray:
    """First page of each user other than the landing page: int64 of shape (n_users,), −1 without one."""
    landing = np.repeat(sequences.page[sequences.offsets[:-1]], sequences.lengths)
    other = np.flatnonzero(sequences.page != landing)
    users, first = np.unique(sequences.user[other], return_index=True)
    second = np.full(sequences.n_users, -1, dtype=np.int64)
    second[users] = sequences.page[other[first]]
    return second
