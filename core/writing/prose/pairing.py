"""Values in a row beside names in a row: ``segments 1 and 2 have 120 and 90 users``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeVar

from core.writing.prose.mentions import Kind, Mention
from core.writing.prose.sentence import LIST, Place, Sentence

_Span = TypeVar("_Span", Place, Mention)
_VALUES: Final = re.compile(
    r"[\s,*_\"“”)]*(?:,|and|&|/|\+|as well as|resp\.|respectively|to"
    r"|(?:\w+\s+)?(?:against|versus|vs\.?|compared (?:to|with)|as opposed to|rather than|instead of))?"
    r"[\s,*_\"“”]*",
    re.IGNORECASE,
)
"""Between values that are listed together."""
_BRACKETS: Final = re.compile(r"\([^()]*\)")
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
    row, place = place_in_row(sentence, value, alike=bool(named) and named[0].kind is not Kind.METRIC)
    if len(row) < 2:
        return None
    for names in (*_rows(sentence.text, named, LIST), list(named)):
        if len(names) == len(row) and _are_apart(sentence, row, names):
            return sorted(names, key=lambda one: sentence.is_reference((one,)))[place]
    return None


def _are_apart(sentence: Sentence, row: Sequence[Place], names: Sequence[Mention]) -> bool:
    """Whether no value stands among the names, but for those of a row before with one for each name."""
    among = [one for one in sentence.values if names[0].start <= one.start < names[-1].end]
    ahead = [one for one in sentence.values if one.end <= row[0].start]
    return not among or (not set(among) & set(row) and len(ahead) == len(row))


def place_in_row(sentence: Sentence, value: Place, *, alike: bool = True) -> tuple[list[Place], int]:
    """The values that are listed together with one, and its place among them.

    One in brackets right behind another, as its interval is, goes with that.

    Args:
        sentence: Where they stand.
        value: One of them.
        alike: Whether only values that are written alike make a row.
    """
    text = sentence.text
    owners = {one: _owner(text, sentence.values, one) for one in sentence.values}
    owner, outer = owners.get(value, value), list(dict.fromkeys(owners.values()))
    shown = text if len(outer) == len(owners) else _BRACKETS.sub(lambda match: " " * len(match[0]), text)
    row = next((row for row in _rows(shown, outer, _VALUES) if owner in row), [])
    if len(row) < 2 and owner in outer and _RESPECTIVELY.search(text):
        row = outer
    elif alike and len({_unit(text[one.start : one.end]) for one in row}) > 1:
        row = []
    return row, row.index(owner) if row else 0


def _unit(value: str) -> str:
    """How a value is written, as far as it tells one measure from another."""
    end = re.sub(r"[\d.,\s]+", "", value).casefold()
    return "time" if re.match(r"s|m|h", end) else end[-1:]


def _owner(text: str, values: Sequence[Place], value: Place) -> Place:
    """The value right before the brackets in which one stands, or itself."""
    for match in _BRACKETS.finditer(text):
        if match.start() < value.start < match.end():
            before = (one for one in values if one.end <= match.start())
            return next((one for one in before if not text[one.end : match.start()].strip(" *_")), value)
    return value


def _rows(text: str, ones: Sequence[_Span], join: re.Pattern[str]) -> list[list[_Span]]:
    """Names or values with nothing but commas and the like in between."""
    rows: list[list[_Span]] = []
    for one in ones:
        if rows and join.fullmatch(text[rows[-1][-1].end : one.start]):
            rows[-1].append(one)
        else:
            rows.append([one])
    return rows
