"""Wording of each measure: the phrases for a figure alone, in a comparison and in a list."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from core.base import wording
from core.base.attributes import attribute_words
from core.facts.answer import Fact, Unit
from core.facts.items import ItemMetric
from core.journeys.moves import END, START
from core.profiles.profile_columns import Col
from core.profiles.user_items import Family

RULE_USERS, PRECISION, RECALL = "rule_users", "rule_precision", "rule_recall"
"""Keys of the measures of a rule; the fact's item is the rule."""
LIKE, LIKE_IN = "look_alikes", "look_alikes_in"
"""Keys of the numbers of look-alikes of a row: in all, and by the segment they are in."""
_HAS: Final = {
    Col.SHARE: "{} of all users",
    Col.SHARE_CLUSTERED: "{} of the clustered users",
    Col.PAGE_VIEWS_MEDIAN: "a median of {} page views",
    Col.ENGAGEMENT_NONE_SHARE: "no engagement time for {} of the users",
    Col.ENGAGEMENT_MEAN: "an engagement time of {} a user",
    Col.ENGAGEMENT_MEDIAN: "a median engagement time of {}",
    Col.OUTCOME_RATE: "an outcome rate of {}",
    Col.SESSION_RATE: "an outcome rate of {} of the sessions",
    Col.REVENUE: "gross revenue of {}",
    Col.NET_REVENUE: "net revenue of {}",
    Col.REVENUE_PER_USER: "gross revenue of {} a user",
    "segments": "{} segments",
    LIKE: "{} look-alikes among the other clustered users",
    "moved": "{} users that changed their segment",
    "moved_share": "{} of the clustered users that changed",
}
"""Measure → phrase for what a row has, its value at ``{}``; other measures use their label."""

MORE: Final = {
    Col.USERS: ("count", "more users", "fewer users"),
    Col.PAGE_VIEWS_MEAN: ("view", "more pages a user", "fewer pages a user"),
    Col.PAGE_VIEWS_MEDIAN: ("have", "a higher median of page views", "a lower median of page views"),
    Col.SESSIONS_MEAN: ("come", "back more often", "back less often"),
    Col.PAGES_PER_SESSION: ("view", "more pages a session", "fewer pages a session"),
    Col.DIFFERENT_PAGES_MEAN: ("see", "more different pages a user", "fewer different pages a user"),
    Col.ENGAGEMENT_MEAN: ("spend", "more time on the site", "less time on the site"),
    Col.OUTCOME_RATE: ("convert", "more often", "less often"),
    Col.SESSION_RATE: ("convert", "in more of the sessions", "in fewer of the sessions"),
    Col.REVENUE: ("bring", "in more gross revenue", "in less gross revenue"),
    Col.NET_REVENUE: ("bring", "in more net revenue", "in less net revenue"),
    Col.REVENUE_PER_USER: ("bring", "in more gross revenue a user", "in less gross revenue a user"),
}  # fmt: skip
"""Measure → verb in the plural and the phrases for higher and lower, to be followed by ``than``."""

DO: Final[Mapping[str, str]] = {
    Family.PAGE: "saw", Family.FOLDER: "saw a page in", Family.WORD: "saw a page about",
    Family.TEMPLATE: "saw a page like", Family.THEME: "saw the theme", Family.TYPE: "saw the page type",
    Family.ENTRY: "began a session with", Family.EXIT: "ended a session with",
    Family.HOUR: "first came, by UTC, at",
    Family.WEEKDAY: "first came, by UTC, on a", Family.OUTCOME: "had the outcome",
    Family.INTEREST: "mostly saw", Family.STAGE: "got as far as", Family.RHYTHM: "are", Family.LEVEL: "are",
}  # fmt: skip
"""Family → verb phrase for users with an item; of attributes see :func:`does`."""


def does(family: str) -> str:
    """Verb phrase for users with an item of a family, or with a value of an attribute."""
    return DO.get(family) or attribute_words(family).do


OF: Final[Mapping[str, str]] = {Family.THEME: "the theme ", Family.TYPE: "the page type "}
"""Family → words before an item in ``page views of …``."""

LISTED: Final[dict[str, str]] = {
    ItemMetric.SHARE: "{items} of {row}, by share of users",
    ItemMetric.LIFT: "{items} that set {row} apart (times the others' share of users)",
}
"""Metric → heading of a list of items."""


def verb(word: str, *, plural: bool) -> str:
    """A verb in the plural or singular: ``have`` or ``has``, ``convert`` or ``converts``."""
    if plural:
        return word
    return "has" if word == "have" else f"{word}s"


Piece: TypeAlias = str | Fact
"""Part of a sentence: plain text or a fact, written as its ``text``; both may hold unescaped page names."""


def listing(parts: Sequence[Sequence[Piece]]) -> list[Piece]:
    """Join parts as a list in English: ``a``, ``a and b``, ``a, b and c``."""
    made: list[Piece] = []
    for place, part in enumerate(parts):
        made += [] if not place else [" and "] if place == len(parts) - 1 else [", "]
        made += part
    return made


def plural(name: str) -> bool:
    """Whether a name takes a verb in the plural."""
    last = name.split()[-1].casefold()
    return last in ("people", "others") or (last.endswith("s") and not last.endswith("ss"))


def what_it_has(fact: Fact) -> list[Piece]:
    """What a row has: ``an outcome rate of 25.71 % [20.3–32.0]``."""
    usual = f"{{}} {fact.label}" if _is_counted(fact) else f"a {fact.label} of {{}}"
    before, _, after = _HAS.get(fact.measure, usual).partition("{}")
    return [before, *with_interval(fact), counted(fact, after)]


def who_converted(fact: Fact) -> list[Piece]:
    """The users with a count's outcome: ``803 of 1,993 users converted``."""
    return [fact, f" of {wording.pluralise(fact.n, 'user')} converted"]


def _is_counted(fact: Fact) -> bool:
    """Whether a fact is a count or the mean of one, and no median."""
    return fact.unit in (Unit.COUNT, Unit.NUMBER) and not fact.label.startswith("median")


def counted(fact: Fact, things: str) -> str:
    """The words after a number, singular after 1: ``1 user``, ``2 users``."""
    return re.sub(r"s\b", "", things, count=1) if fact.text == "1" else things


def with_interval(fact: Fact) -> list[Piece]:
    """A figure and, of a share, its 95 % interval."""
    if fact.low is None or fact.high is None or fact.unit is not Unit.SHARE:
        return [fact]
    digits = wording.share_digits(fact.n, 1)
    return [fact, f" [{100 * fact.low:.{digits}f}–{100 * fact.high:.{digits}f}]"]


def subject(fact: Fact) -> str:
    """What a figure measures, as the start of a sentence: ``Share of users who saw /cart``."""
    return wording.capitalised(measured(fact))


def measured(fact: Fact) -> str:
    """What a figure measures, of which item: ``share of users who saw the page /cart``."""
    if fact.item and fact.label.endswith("page views"):
        dimension = fact.measure.partition(":")[2]
        return f"{fact.label} of {OF.get(dimension, '')}{fact.called}"
    return f"{fact.label} {fact.called}".rstrip()


def superlative(fact: Fact, *, most: bool) -> str:
    """``most`` or ``fewest`` of what is counted, ``longest`` of a time, ``highest`` of anything else."""
    if fact.unit is Unit.SECONDS:
        return "longest" if most else "shortest"
    if _is_counted(fact):
        return "most" if most else "fewest"
    return "highest" if most else "lowest"


def tied(facts: Sequence[Fact]) -> tuple[Sequence[Fact], Sequence[Fact]]:
    """Split sorted facts into the first ones, which are written the same, and the rest."""
    count = next((at for at, fact in enumerate(facts) if fact.text != facts[0].text), len(facts))
    return facts[:count], facts[count:]


def end_of(fact: Fact, at: int) -> str:
    """One end of a step in words (``at``: 0 origin, -1 target): a name, or a session's start or end."""
    words = {START: "the start of a session", END: "the end of the session"}
    again = " again" if at and fact.ends[0] == fact.ends[-1] else ""
    return words.get(fact.ends[at], fact.ends[at]) + again


def kind_of(fact: Fact) -> tuple[str, bool, bool]:
    """Key of facts that share a sentence: their row, whether they have an item, whether they compare rows."""
    return fact.row, bool(fact.item), len(fact.segments) > 1


def commas(parts: Sequence[Sequence[Piece]]) -> list[Piece]:
    """Join parts with commas: ``a, b, c``."""
    return [piece for place, part in enumerate(parts) for piece in ([", "] if place else []) + [*part]]
