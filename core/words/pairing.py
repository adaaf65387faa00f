"""Values in a row beside names in a row: ``segments 1 and 2 have 120 and 90 users``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeVar

from core.words.mentions import Mention
from core.words.sentence import LIST, Place, Sentence

_Span = TypeVar("_Span", Place, Mention)
_VALUES: Final = re.compile(
    r"[\s,*_\"“”)]*(?:,|and|&|/|\+|as well as|resp\.|respectively|to"
    r"|(?:\w+\s+)?(?:against|versus|vs\.?|compared (?:to|with)))?[\s,*_\"“”]*",
    re.IGNORECASE,
)
"""Between values that are listed together."""
_RESPECTIVELY: Final = re.compile(
    r"\brespectively\b|\brespective\b|\bin (?:that|this) order\b", re.IGNORECASE
)


def paired(sentence: Sentence, value: Place, named: Sequence[Mention]) -> Mention | None:
    """The name that a value goes with, if there are as many values in its row as names; else None.

    Args:
        sentence: Where they stand.
        value: One of its values.
        named: The names that count, from left to right.
    """
    row = next((row for row in _value_rows(sentence) if value in row), [])
    if len(row) < 2:
        return None
    for names in (*_rows(sentence.text, named, LIST), list(named)):
        if len(names) == len(row) and not _has_value(sentence, names[0].start, names[-1].end):
            return sorted(names, key=lambda one: sentence.is_reference((one,)))[row.index(value)]
    return None


def _value_rows(sentence: Sentence) -> list[list[Place]]:
    """Values that are listed together and written alike."""
    if _RESPECTIVELY.search(sentence.text):
        return [list(sentence.values)]
    rows = _rows(sentence.text, sentence.values, _VALUES)
    return [row for row in rows if len({sentence.text[one.end - 1] == "%" for one in row}) == 1]


def _has_value(sentence: Sentence, start: int, end: int) -> bool:
    return any(start <= one.start < end for one in sentence.values)


def _rows(text: str, ones: Sequence[_Span], join: re.Pattern[str]) -> list[list[_Span]]:
    """Names or values with nothing but commas and the like in between."""
    rows: list[list[_Span]] = []
    for one in ones:
        if rows and join.fullmatch(text[rows[-1][-1].end : one.start]):
            rows[-1].append(one)
        else:
            rows.append([one])
    return rows
