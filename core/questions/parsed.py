"""What a question says: rows, measures, items, cues and limits, before they mean anything together."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from core.facts.items import Dimension

TOPICS: Final = ("items", "dimensions", "measures")
LIMIT: Final = re.compile(
    r"\b(?P<side>over|above|under|below|beyond|exceed\w*|at (?:least|most)"
    r"|(?:more|less|fewer|greater|higher|lower|larger|smaller) than)\s+[^\w\s]?"
    r"(?P<number>\d[\d,]*(?:\.\d+)?|half\b)\s*(?P<percent>(?:%|percent\b)?)",
    re.IGNORECASE,
)
"""``over 4 %``, ``more than 100``."""
HIGH: Final = ("over", "above", "beyond", "exceed", "at least", "more", "greater", "higher", "larger")
"""How a limit from below begins."""


@dataclass(frozen=True)
class Limit:
    """What segments must lie beyond.

    Args:
        text: As it was written.
        above: Whether they lie above it.
        value: The number; a share is one from 0 to 1.
        share: Whether it is one.
        reached: Whether the number itself is beyond.
    """

    text: str
    above: bool
    value: float
    share: bool
    reached: bool

    @classmethod
    def of(cls, found: re.Match[str]) -> Limit:
        """Read one."""
        side, number = found["side"].casefold(), found["number"].casefold().replace(",", "")
        share = number == "half" or bool(found["percent"])
        value = 50.0 if number == "half" else float(number)
        text = " ".join(found.group().split())
        return cls(text, side.startswith(HIGH), value / 100 if share else value, share, side.startswith("at"))

    def holds(self, value: float) -> bool:
        """Whether a value lies beyond it."""
        if value == self.value:
            return self.reached
        return (value > self.value) is self.above


@dataclass
class Parsed:
    """What a question says.

    Args:
        rows: Keys of the rows it names, in order.
        measures: Columns of the segments table.
        dimensions: What is to be listed.
        items: Values it names.
        cues: What is to be done.
        nouns: Whether it speaks of users.
        fills: Words that mean nothing here.
        number: How many to list.
        nth: Which one of a list alone is asked for.
        limit: What segments must lie beyond.
        meant: Vague word → measure that is nearest to it.
        guessed: Pages that are only named by words of their address.
        choices: Words with several meanings → the items they can mean.
        missing: Segments that do not exist, as they were written.
        unknown: Words that are not understood.
        asks: Questions back.
        notes: How misspelt words and names that are only suggested were read.
        language: What to say to whoever asks in another language; empty for English.
        length: Phrases of the question that are no fill.
        leans: Whether it begins as if it went on.
        of_row: Whether a row is the first that it speaks of.
        order: Rows, items, users, the outcome and ``share`` in the order in which they are spoken of.
        wholes: Which of them stand behind ``of`` or ``among``: what a share is of.
        is_in: Whether it says that users are in a row: ``what share of buyers are in segment 1``.
    """

    rows: list[str] = field(default_factory=list)
    measures: list[str] = field(default_factory=list)
    dimensions: list[Dimension] = field(default_factory=list)
    items: list[tuple[Dimension, str]] = field(default_factory=list)
    cues: set[str] = field(default_factory=set)
    nouns: bool = False
    fills: set[str] = field(default_factory=set)
    number: int | None = None
    nth: int | None = None
    limit: Limit | None = None
    meant: dict[str, str] = field(default_factory=dict)
    guessed: list[str] = field(default_factory=list)
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    asks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    language: str = ""
    length: int = 0
    leans: bool = False
    of_row: bool = False
    order: list[str] = field(default_factory=list)
    wholes: set[str] = field(default_factory=set)
    is_in: bool = False

    @property
    def topic(self) -> str:
        """Which part says what it is about; empty where none does."""
        return next((part for part in TOPICS if getattr(self, part)), "")
