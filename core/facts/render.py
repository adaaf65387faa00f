"""Put the values where a text leaves room for them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from core.base.errors import InputError
from core.facts.answer import Fact, Mark, MarkKind
from core.outgoing.markdown import safe_markdown

SLOTS: Final = re.compile(r"\[\[(F\d+)\]\]")
AROUND: Final = {MarkKind.SUGGESTION: ("", " *(suggestion)*"), MarkKind.UNVERIFIED: ("~~", "~~ (unverified)")}
"""What stands before and after a marked stretch."""


@dataclass(frozen=True)
class Span:
    """Where a value stands in the filled text: ``text[start:end]``."""

    start: int
    end: int
    fact: Fact


def fill(text: str, facts: Iterable[Fact]) -> tuple[str, tuple[Span, ...]]:
    """Replace each ``[[F12]]`` by the fact's value and unit.

    Args:
        text: With slots.
        facts: Those of this turn.

    Returns:
        The plain text, and where each value stands in it.

    Raises:
        InputError: If the text cites a fact that is not of this turn.
    """
    known = {fact.id: fact for fact in facts}
    parts: list[str] = []
    spans: list[Span] = []
    length = last = 0
    for match in SLOTS.finditer(text):
        fact = known.get(match.group(1))
        if fact is None:
            raise InputError(
                f"The text cites {match.group(1)}, which is no fact of this turn",
                allowed=", ".join(known) or "none",
                remedy="Ask again",
            )
        before = text[last : match.start()]
        start = length + len(before)
        length = start + len(fact.text)
        parts += [before, fact.text]
        spans.append(Span(start, length, fact))
        last = match.end()
    return "".join([*parts, text[last:]]), tuple(spans)


def cited(text: str) -> tuple[str, ...]:
    """Ids of the facts that a text cites, each once, in order."""
    return tuple(dict.fromkeys(SLOTS.findall(text)))


def shown(text: str, facts: Iterable[Fact], marks: Iterable[Mark] = ()) -> str:
    """A model's answer as Markdown that loads and links nothing.

    Args:
        text: With slots.
        facts: That it cites.
        marks: What has to be said of parts of it.

    Raises:
        InputError: If the text cites a fact that is not of this turn.
    """
    for mark in sorted(marks, key=lambda one: one.start, reverse=True):
        before, after = AROUND[mark.kind]
        text = f"{text[: mark.start]}{before}{text[mark.start : mark.end]}{after}{text[mark.end :]}"
    return safe_markdown(fill(text, facts)[0])
