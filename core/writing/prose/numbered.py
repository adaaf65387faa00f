"""Segments that a text names by number: ``segment 2``, ``segments 1 to 4``, ``S3``, ``the third segment``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from core.writing.prose.number_words import ORDINALS, SMALL

_COUNT: Final = r"\d{1,3}|" + "|".join(
    word for word, value in SMALL.items() if 1 <= value <= 12 and word != "dozen"
)
_NTH: Final = "|".join(ORDINALS)
_NUMBERED: Final = re.compile(
    rf"\b(?:(?P<many>segments|clusters|segs)|segment|cluster|seg\.?)\s*(?:no\.?\s*|number\s+|#)?"
    rf"(?P<first>{_COUNT})\b(?![.,]\d|\s(?:min|s|h)\b)"
    rf"(?P<list>(?:\s*(?:,\s*and\s|,|and\s|or\s|&|to\s|vs\.?\s|versus\s)\s*#?(?:{_COUNT})\b"
    r"(?!\s*(?:%|[.,]\d|percent|×)))*)",
    re.IGNORECASE,
)
_RANGE: Final = re.compile(
    r"\b(?:(?:segments|clusters|segs)\s+|segments?\s+\()(?P<first>\d{1,2})\s?(?:to|through|–|-)\s?(?P<last>\d{1,2})\b"
    rf"(?!\s*%)|\bthe\s+first\s+(?P<count>{_COUNT})\s+(?:segments|clusters)\b",
    re.IGNORECASE,
)
_SHORT: Final = re.compile(
    r"(?<![\w#])(?:[SC](?P<letter>\d{1,2})(?!\w|\.\d)"
    r"|(?<!\bis )(?<!\branks )#(?P<hash>\d{1,2})(?![\w.:]|\s(?:of|out|in|for|by|segment|cluster|group)\b))"
)
_ORDINAL: Final = re.compile(rf"\b(?:the\s+)?(?P<nth>{_NTH})\s+(?:segment|cluster)\b", re.IGNORECASE)
_ELLIPTIC: Final = re.compile(rf"\bthe\s+(?P<nth>{_NTH})(?=\s*[,(:]|\s(?:has|at|with|one)\b)", re.IGNORECASE)
"""``The fifth segment has 90 users, the sixth 40.``"""
_RANKING: Final = re.compile(r"\b(?:rank(?:s|ed|ing)?|ordered|sorted|in order of)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Numbered:
    """One segment by its number, from 1.

    Args:
        start: Place of its first character.
        end: Place after its last one.
        number: From 1.
        sure: Whether it is a mistake if there is no such segment.
    """

    start: int
    end: int
    number: int
    sure: bool = True


def find_numbered(text: str) -> Iterator[Numbered]:
    """Every segment that is named by number; each of a range has a part of its text."""
    ranges = list(_RANGE.finditer(text))
    for match in ranges:
        first = int(match["first"] or 1)
        last = int(match["last"]) if match["last"] else _number(match["count"])
        yield from _parted(match.start(), match.end(), range(first, last + 1))
    for match in _NUMBERED.finditer(text):
        if any(match.start() == one.start() for one in ranges):
            continue
        yield Numbered(match.start(), match.end("first"), _number(match["first"]))
        listed = match["list"] if match["many"] or re.match(r"\s*(?:vs|versus)", match["list"]) else ""
        for number in re.finditer(rf"(?:{_COUNT})\b", listed, re.IGNORECASE):
            start = match.start("list") + number.start()
            yield Numbered(start, start + len(number[0]), _number(number[0]))
    for match in _SHORT.finditer(text):
        yield Numbered(*match.span(), int(match["letter"] or match["hash"]), sure=False)
    yield from _by_ordinal(text)


def _by_ordinal(text: str) -> Iterator[Numbered]:
    """``the third segment`` is segment 3, unless a ranking is told."""
    found = [] if _RANKING.search(text) else list(_ORDINAL.finditer(text))
    for match in (*found, *(_ELLIPTIC.finditer(text, found[0].end()) if found else ())):
        number = int(ORDINALS[match["nth"].lower()])
        yield Numbered(match.start(), match.end(), number, sure=False)


def _parted(start: int, end: int, numbers: range) -> Iterator[Numbered]:
    width = (end - start) / max(1, len(numbers))
    for place, number in enumerate(numbers):
        yield Numbered(start + round(place * width), start + round((place + 1) * width), number)


def _number(word: str) -> int:
    return int(word) if word.isdigit() else int(SMALL[word.lower()])
