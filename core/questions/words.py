"""What the words of a question do in a query: ``words.yaml`` as kinds of terms and their phrases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from core.query.query import dimension_of
from core.questions.lexicon import tokens

WORDS: Final = Path(__file__).parent / "words.yaml"


class Kind(StrEnum):
    """What a term does in a query."""

    MANY = "many"
    SHARE = "share"
    WHICH = "which"
    WHEN = "when"
    OFTEN = "often"
    LONG = "long"
    COMPARE = "compare"
    TOP = "top"
    LIST = "list"
    OVER_TIME = "over_time"
    STEP_BY_STEP = "step"
    MOST = "most"
    LEAST = "least"
    SAW = "saw"
    DID = "did"
    CAME = "came"
    ARE = "are"
    ENTERED = "entered"
    LEFT = "left"
    RETURN = "return"
    AGAIN = "again"
    DENIAL = "denial"
    RELATIVE = "relative"
    AND = "and"
    OR = "or"
    THEN = "then"
    AFTER = "after"
    PREPOSITION = "prepositions"
    BY = "by"
    VISITOR = "visitors"
    UNIT = "units"
    TIMES = "times"
    IN_SESSION = "session"
    TOTAL = "total"
    OTHERS = "others"
    NOUN = "nouns"
    OUTCOME = "outcome"
    AVERAGE = "average"
    PER_USER = "per_user"
    PER_SESSION = "per_session"
    THAN = "than"
    MEASURE = "measures"
    RATE = "rates"
    FILLER = "filler"
    TOPIC = "topics"
    BEYOND = "beyond"
    # of the data, and of the text
    DIMENSION = "dimensions"
    ATTRIBUTE = "attribute"
    SEGMENT = "segment"
    STEP = "page_or_event"
    RANGE = "range"
    PERIOD = "period"
    DURATION = "duration"
    NUMBER = "number"
    UNKNOWN = "unknown"


_GROUPS: Final = ("ask", "order", "verbs", "joins")
"""Sections whose entries are kinds; the others are kinds themselves, their entries values."""


@dataclass(frozen=True)
class QuestionTerm:
    """A phrase of a question and what it means.

    Args:
        kind: What it does.
        text: As it was written, in lower case.
        value: What it names: a measure, a dimension, a step, (dimension, value), a range, a period, …
        others: Further values that the same words can name.
        instead: Other terms that the same words can be, the likeliest first.
        is_open: Whether no rule says that it comes before ``instead``.
    """

    kind: Kind
    text: str
    value: Any = None
    others: tuple[Any, ...] = ()
    instead: tuple[QuestionTerm, ...] = ()
    is_open: bool = False


@cache
def file_of_words() -> dict[str, Any]:
    """``words.yaml``: section → its phrases, or its entries with theirs."""
    found: dict[str, Any] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    return found


@cache
def listed(section: str) -> frozenset[str]:
    """The phrases of a section."""
    return frozenset(text.strip() for text in file_of_words()[section].split("|"))


@cache
def own_phrases() -> Mapping[tuple[str, ...], tuple[QuestionTerm, ...]]:
    """Words of each phrase of the sections that are kinds → what it means, the usual meaning first."""
    found: dict[tuple[str, ...], list[QuestionTerm]] = {}
    for section, entry in file_of_words().items():
        if section not in {*_GROUPS, *Kind}:
            continue
        named = entry if isinstance(entry, dict) else {None: entry}
        for value, texts in named.items():
            grouped = section in _GROUPS
            kind = Kind(str(value) if grouped else section)
            said = None if grouped else dimension_of(str(value)) if kind is Kind.DIMENSION else value
            for text in texts.split("|"):
                term = QuestionTerm(kind, " ".join(text.split()), said)
                found.setdefault(tuple(tokens(text)), []).append(term)
    return {phrase: tuple(terms) for phrase, terms in found.items() if phrase}


def expand_chat_spelling(text: str) -> str:
    """Replace chat spellings by words: ``how many ppl`` becomes ``how many people``."""
    return _chat().sub(lambda match: str(file_of_words()["spellings"][match.group().casefold()]), text)


@cache
def _chat() -> re.Pattern[str]:
    known = "|".join(map(re.escape, file_of_words()["spellings"]))
    return re.compile(rf"(?<![\w/.'-])(?:{known})(?![\w/'-])", re.IGNORECASE)
