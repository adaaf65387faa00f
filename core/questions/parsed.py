"""The parts of a question (rows, measures, items, cues, limits) before an intent puts them together.

``of_converted`` and the functions after it turn questions about users with the outcome, whatever their
segment, into questions about a row of their own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from core.base.safe_text import clean
from core.facts.answer import Block, Contrast, Fact, FigureList, Reading, facts_of
from core.facts.context import ALL, WITH, WITHOUT, Context
from core.facts.fact_maker import notes
from core.facts.items import Dimension
from core.profiles.profile_columns import Col
from core.profiles.user_items import Family

TOPICS: Final = ("items", "dimensions", "measures")
LIMIT: Final = re.compile(
    r"\b(?P<side>over|above|under|below|beyond|exceed\w*|at (?:least|most)"
    r"|(?:more|less|fewer|greater|higher|lower|larger|smaller) than)\s+[^\w\s]?"
    r"(?P<number>\d[\d,]*(?:\.\d+)?|half\b)\s*(?P<percent>(?:%|percent\b)?)",
    re.IGNORECASE,
)
"""Pattern of a limit: ``over 4 %``, ``more than 100``."""
_HIGH: Final = ("over", "above", "beyond", "exceed", "at least", "more", "greater", "higher", "larger")
"""Beginnings of a lower limit."""


@dataclass(frozen=True)
class Limit:
    """A limit that segments are filtered by.

    Args:
        text: As it was written.
        above: Whether segments above it are asked for; else those below.
        value: The number; from 0 to 1 if ``share``.
        share: Whether it is a percentage or ``half``.
        reached: Whether a value equal to it counts, as in ``at least``.
    """

    text: str
    above: bool
    value: float
    share: bool
    reached: bool

    @classmethod
    def of(cls, found: re.Match[str]) -> Limit:
        """Read a limit from a match of :data:`LIMIT`."""
        side, number = found["side"].casefold(), found["number"].casefold().replace(",", "")
        share = number == "half" or bool(found["percent"])
        value = 50.0 if number == "half" else float(number)
        text = " ".join(found.group().split())
        return cls(
            text, side.startswith(_HIGH), value / 100 if share else value, share, side.startswith("at")
        )

    def holds(self, value: float) -> bool:
        """Whether a value lies beyond the limit."""
        if value == self.value:
            return self.reached
        return (value > self.value) is self.above


@dataclass
class Parsed:
    """The parts of a question, by the meanings of its phrases (:class:`core.questions.lexicon.Meaning`).

    Args:
        rows: Keys of the rows it names, in order.
        measures: Columns of the segments table.
        dimensions: What is to be listed, such as pages.
        items: Pages, themes, devices, … it names, each as (dimension, name).
        cues: What is to be done, such as ``compare`` or ``most``.
        nouns: Whether it has a word for users.
        fills: Words without a meaning of their own, such as ``the``.
        number: How many to list; None if not said.
        nth: Which entry of a list alone is asked for, from 1; None for all.
        limit: Limit that segments are filtered by.
        meant: Vague word → measure that is nearest to it.
        guessed: Pages that are only named by words of their address.
        choices: Words with several meanings → the items they can mean.
        missing: Segments that do not exist, as they were written.
        unknown: Words that are not understood.
        asks: Questions back.
        notes: How misspelt words and names that are only suggested were read.
        language: What to say to whoever asks in another language; empty for English.
        length: Phrases of the question that are no fill.
        leans: Whether its first word goes on with a question before, such as ``for`` or ``only``.
        of_row: Whether its first phrase with a meaning is a row.
        order: Kinds of its parts in spoken order: ``row``, ``item``, ``users``, ``outcome``, ``share``.
        wholes: Those of ``order`` behind ``of`` or ``among``: what a share is of.
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
        """The first of ``items``, ``dimensions`` and ``measures`` that the question has; empty if none."""
        return next((part for part in TOPICS if getattr(self, part)), "")


_AGAINST: Final = frozenset({"compare", "differ", "rest"})
"""Cues that compare converted users with the others."""
SINGLE_FIGURE: Final = frozenset(
    {"share", "many", "viewed", "never", "not", "mostly", "list", "where", "pronoun", "also", "total"}
)
"""Cues of figures that are not compared: only then all converted users count, not just clustered ones."""
AT_ANY_TIME: Final = "What they saw at any time is counted, also after it."
CONVERTED: Final = "That they converted is what makes them this row; none of the others did."
_RATES: Final = (Col.OUTCOME_RATE, Col.SESSION_RATE, Col.OUTCOME_USERS)
"""Measures that are 0 or 100 % by definition for users grouped by the outcome."""


def of_converted(parsed: Parsed, context: Context) -> Parsed | None:
    """Turn a question about all users with the outcome into one about the row ``WITH``; else None."""
    who = {"who", "that", "those"} & parsed.fills
    names_them = Col.OUTCOME_USERS in parsed.measures or ("buys" in parsed.cues and who)
    if not names_them or {*parsed.rows} - {ALL} or parsed.cues & {"segments", "each", "chart", "unconverted"}:
        return None
    measures = [name for name in parsed.measures if name != Col.OUTCOME_USERS]
    cues = parsed.cues - {"buys"}
    if "similar" in cues:  # what they have in common
        cues = cues - {"similar"} | {"describe"}
    outcome = clean(context.tables.profiles.outcome or "")
    which = "those" if cues <= SINGLE_FIGURE else "the clustered ones"
    said = [f"Converted users are {which} with {outcome}, whatever their segment."]
    if "before" in cues and not parsed.items:
        cues, said = cues - {"before"}, [*said, AT_ANY_TIME]
    rows = [WITH, WITHOUT] if cues & _AGAINST else [WITH]
    cues = cues - {"rest"} | ({"compare"} if cues & _AGAINST == {"rest"} else set())
    return replace(parsed, rows=rows, measures=measures, cues=cues, notes=[*parsed.notes, *said])


def goes_on(parsed: Parsed, last: Reading | None) -> bool:
    """Whether a question follows up on one about converted users: ``where do they leave``."""
    is_of_them = last is not None and {WITH, WITHOUT} & {*last.rows}
    return bool(is_of_them and not parsed.rows and parsed.cues & {"pronoun", "also"})


def beside_outcome(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The blocks without conversion rates, which are 0 or 100 % of converted users by definition."""
    kept: list[Block] = []
    for block in blocks:
        if isinstance(block, FigureList):
            kept.append(FigureList(facts=tuple(fact for fact in block.facts if not _is_rate(fact))))
        elif not (isinstance(block, Contrast) and _is_rate(block.first)):
            kept.append(block)
    told = tuple(block for block in kept if not isinstance(block, FigureList) or block.facts)
    return told if facts_of(told) or not facts_of(blocks) else (*told, *notes(CONVERTED))


def _is_rate(fact: Fact) -> bool:
    return fact.measure in _RATES or fact.measure.endswith(f":{Family.OUTCOME}")
