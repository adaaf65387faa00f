"""Parts of sentences about one figure: what it measures, what a row has of it, how it stands in a list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

from core.base import wording
from core.facts.answer import Fact, Unit
from core.facts.items import ItemMetric
from core.facts.verbs import HAS, NOT, OF
from core.journeys.moves import END, START

Piece: TypeAlias = str | Fact
"""Plain text, or a figure whose ``text`` stands there; what strangers called a page is in both, unescaped."""


def listing(parts: Sequence[Sequence[Piece]]) -> list[Piece]:
    """``a``, ``a and b``, ``a, b and c``."""
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
    usual = f"{{}} {fact.label}" if is_counted(fact) else f"a {fact.label} of {{}}"
    before, _, after = HAS.get(fact.measure, usual).partition("{}")
    return [before, *with_interval(fact), counted(fact, after)]


def who_converted(fact: Fact) -> list[Piece]:
    """``803 of 1,993 users converted``, or did not."""
    did = "did not convert" if fact.measure.startswith(NOT) else "converted"
    return [fact, f" of {wording.counted(fact.n, 'user')} {did}"]


def is_counted(fact: Fact) -> bool:
    """Whether it is a number of something, or the mean of one, and no median."""
    return fact.unit in (Unit.COUNT, Unit.NUMBER) and not fact.label.startswith("median")


def counted(fact: Fact, things: str) -> str:
    """``1 user``, ``2 users``: the first word in the plural follows its number."""
    return re.sub(r"s\b", "", things, count=1) if fact.text == "1" else things


def with_interval(fact: Fact) -> list[Piece]:
    """A figure and, of a share, its 95 % interval."""
    if fact.low is None or fact.high is None or fact.unit is not Unit.SHARE:
        return [fact]
    digits = wording.share_digits(fact.n, 1)
    return [fact, f" [{100 * fact.low:.{digits}f}–{100 * fact.high:.{digits}f}]"]


def subject(fact: Fact) -> str:
    """``Outcome rate``, ``Share of users who saw /cart``."""
    return wording.sentence(measured(fact))


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
    if is_counted(fact):
        return "most" if most else "fewest"
    return "highest" if most else "lowest"


def tied(facts: Sequence[Fact]) -> tuple[Sequence[Fact], Sequence[Fact]]:
    """The first and those that are written the same, and the rest."""
    count = next((at for at, fact in enumerate(facts) if fact.text != facts[0].text), len(facts))
    return facts[:count], facts[count:]


def with_users(fact: Fact, users: Fact | None) -> list[Piece]:
    """A figure, and the users beside it."""
    return [fact] if users is None else [fact, ", ", users, counted(users, " users")]


def users_of(users: Fact | None) -> list[Piece]:
    """``(186 users)``; nothing where they are not known."""
    return [] if users is None else [" (", users, counted(users, " users"), ")"]


def target(fact: Fact) -> str:
    """An item in a list; of a step from or to a place only the other end."""
    at = {"from": -1, "to": 0}.get(fact.measure.rpartition(":")[2])
    return fact.called if at is None else end_of(fact, at)


def end_of(fact: Fact, at: int) -> str:
    """One end of a step in words: a place, the same place again, or where its session starts or ends."""
    words = {START: "the start of a session", END: "the end of the session"}
    again = " again" if at and fact.ends[0] == fact.ends[-1] else ""
    return words.get(fact.ends[at], fact.ends[at]) + again


def kind_of(fact: Fact) -> tuple[str, bool, bool]:
    """What is said in one sentence: one row, of items or of itself, alone or with others."""
    return fact.row, bool(fact.item), len(fact.segments) > 1


def is_of(metric: ItemMetric, fact: Fact) -> bool:
    """Whether a figure is of such a metric of an item, or of those it is not of."""
    return fact.measure.removeprefix(NOT).startswith(f"{metric}:")


def place_of(fact: Fact) -> tuple[str, str]:
    """Item and dimension that figures of the same users share."""
    kind, _, dimension = fact.measure.partition(":")
    return fact.item, NOT * kind.startswith(NOT) + dimension


def commas(parts: Sequence[Sequence[Piece]]) -> list[Piece]:
    """``a, b, c``."""
    return [piece for place, part in enumerate(parts) for piece in ([", "] if place else []) + [*part]]
