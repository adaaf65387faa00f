"""Every number that a text says, in digits or in words, and how exactly it says it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from core.writing.prose.number_words import (
    FRACTION,
    FRACTIONS,
    MULTIPLE,
    MULTIPLES,
    NOT_A_NUMBER,
    ORDINAL,
    ORDINALS,
    SCALES,
    SMALL,
    SPELT,
    spelt_value,
)


class Written(StrEnum):
    """What a number is written as."""

    PLAIN = "plain"
    PERCENT = "percent"
    POINTS = "points"
    TIMES = "times"
    SECONDS = "seconds"
    MONEY = "money"
    ORDINAL = "ordinal"


@dataclass(frozen=True)
class Numeral:
    """One number of a text.

    Args:
        start: Place of its first character.
        end: Place after its last one, its unit included.
        value: The number; a percentage as written (12.5), a duration in seconds.
        step: What it is rounded to: 12.5 to 0.1, 1.2k to 100, a plain 1,200 to 1.
        written: Its unit.
        spelt: Whether it is in words.
        zeros: How far it may have been rounded if the text says "about": 1,200 to 100.
        negative: Whether a minus sign stands before it.
    """

    start: int
    end: int
    value: float
    step: float
    written: Written
    spelt: bool = False
    zeros: float = 1.0
    negative: bool = False


_PERCENT: Final = r"(?:\s?%|[\s-]per\s?cent\b)"
_POINTS: Final = r"(?:\s?(?:%|percentage|per\s?cent)?[\s-]?(?:points?|pts?\b|pp\b)|\s?p\.p\.)"
_TIMES: Final = r"(?:\s?[×✕]|\s?x(?![a-z0-9])|[\s-]times\b|[\s-]?fold\b)"
_DURATION: Final = re.compile(
    r"[\s-]?(?:(?P<days>days?)"
    r"|(?P<hours>hours?|hrs?|h)\b(?:\s(?:and\s)?(?P<rest_m>\d{1,2})[\s-]?(?:minutes?|mins?|m))?"
    r"|(?P<minutes>minutes?|mins?|m)\b(?:\s(?:and\s)?(?P<rest_s>\d{1,2})[\s-]?(?:seconds?|secs?|s))?"
    r"|(?P<seconds>seconds?|secs?|s))\b",
    re.IGNORECASE,
)
_AFTER: Final = re.compile(
    rf"(?P<points>{_POINTS})|(?P<percent>{_PERCENT})|(?P<times>{_TIMES})"
    r"|(?P<money>\s?(?:€|\$|£|euros?\b|dollars?\b|EUR\b|USD\b|GBP\b))",
    re.IGNORECASE,
)
_COUNTED_TIMES: Final = re.compile(
    r"\b(?:visit(?:s|ed)?|com(?:e|es|ing)|came back|return(?:s|ed)?)\b[^;:]{0,160}$", re.IGNORECASE
)
"""Before ``2.4 times`` that counts visits and does not multiply."""
_MULTIPLIES: Final = re.compile(r"\s+(?:as|more|that|the|those|what|higher|longer|larger)\b", re.IGNORECASE)
_LENGTHS: Final = {"days": 86_400.0, "hours": 3_600.0, "minutes": 60.0, "seconds": 1.0}
_DIGITS: Final = re.compile(
    r"(?<![\w.])(?P<money>(?:[€$£]|EUR|USD|GBP)\s?)?[+\-−–]?"
    r"(?P<number>\d{1,3}(?:[,\u2009\u202f\u00a0 ]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?P<suffix>[kKmM](?![a-zA-Z]|\s?\d{1,2}\s?s\b)|\s(?:thousand|million|billion)\b)?(?P<ordinal>(?:st|nd|rd|th)\b)?"
)
_SUFFIXES: Final = {"k": 1e3, "m": 1e6} | {name: SCALES[name] for name in ("thousand", "million", "billion")}
_RANGE: Final = re.compile(r"\s?(?:[–—-]|to|and up to)\s?")
_LISTED: Final = re.compile(r"(?m)^[ \t]*(?:[-*+•]\s+)?(?:\(?\d{1,2}[.)]|#\d{1,2}[.:)])(?=\s)")
"""``1. ``, ``2) `` at the start of a line."""


def find_numerals(text: str, hidden: Sequence[tuple[int, int]] = ()) -> list[Numeral]:
    """Every number of a text, from left to right; ``1.`` at the start of a line is none.

    Args:
        text: What to search.
        hidden: Spans that are not numbers, such as names of segments.
    """
    blanked = _blank(text, [*hidden, *(match.span() for match in _LISTED.finditer(text))])
    found: list[Numeral] = []
    for finder in (_multiples, _fractions, _digits, _signs, _spelt, _ordinals):
        numerals = finder(blanked)
        found += numerals
        blanked = _blank(blanked, [(one.start, one.end) for one in numerals])
        if finder is _digits:
            blanked = _blank(blanked, [match.span() for match in NOT_A_NUMBER.finditer(blanked)])
    return _ranges(text, sorted(found, key=lambda one: one.start))


def _ranges(text: str, numerals: list[Numeral]) -> list[Numeral]:
    """In ``10–15 %`` and ``between 10 and 15 %`` the first number has the unit of the second."""
    done = list(numerals)
    for place in range(len(done) - 2, -1, -1):
        one, following = done[place], done[place + 1]
        between = text[one.end : following.start]
        ranged = _RANGE.fullmatch(between) or (
            between == " and " and re.search(r"\b(?:between|from)\s+$", text[: one.start], re.IGNORECASE)
        )
        if one.written is Written.PLAIN and following.written is not Written.ORDINAL and ranged:
            done[place] = replace(one, written=following.written)
    return done


def _blank(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with spans covered by a character that no pattern matches, all places kept."""
    for start, end in spans:
        text = text[:start] + "\x1f" * (end - start) + text[end:]
    return text


def _multiples(text: str) -> list[Numeral]:
    return [
        Numeral(match.start(), match.end(), MULTIPLES.get(match[0].lower(), 0.5), 0.1, Written.TIMES, True)
        for match in MULTIPLE.finditer(text)
    ]


def _fractions(text: str) -> list[Numeral]:
    return [
        Numeral(match.start(), match.end(), _fraction(match), 1.0, Written.PERCENT, True, 5.0)
        for match in FRACTION.finditer(text)
    ]


def _fraction(match: re.Match[str]) -> float:
    if match["every"]:
        return 100 / ORDINALS.get(match["every"].lower(), 2.0)
    if match["part"] is None:
        return 100 * _small(match["n"]) / _small(match["of"])
    return _small(match["count"] or "a") * FRACTIONS[match["part"].lower()]


def _small(word: str) -> float:
    return float(word) if word.isdigit() else SMALL.get(word.lower(), 1.0)


def _digits(text: str) -> list[Numeral]:
    found: list[Numeral] = []
    for match in _DIGITS.finditer(text):
        if not found or match.start() >= found[-1].end:  # not the seconds of "2 min 5 s"
            found.append(_numeral(match, text))
    return found


def _numeral(match: re.Match[str], text: str) -> Numeral:
    plain = re.sub(r"[^\d.]", "", match["number"])
    scale = _SUFFIXES.get((match["suffix"] or "").strip().lower(), 1.0)
    step = 10.0 ** -len(plain.partition(".")[2]) * scale
    written = Written.ORDINAL if match["ordinal"] else Written.MONEY if match["money"] else Written.PLAIN
    value = float(plain) * scale
    zeros = max(step, _zeros(value) if step >= 1 else step)
    signed = match[0][0] in "+-−–"
    dash = signed and text[match.start() - 1 : match.start()] not in ("", " ", "\n", "(", "[")  # of a range
    negative = signed and not dash and match[0][0] != "+"
    one = Numeral(match.start() + dash, match.end(), value, step, written, False, zeros, negative)
    return _with_unit(one, text)


def _with_unit(one: Numeral, text: str) -> Numeral:
    """Read on: what stands right behind a number is its unit."""
    if one.written is not Written.PLAIN:
        return one
    unit = _AFTER.match(text, one.end)
    if unit and unit[0].strip() == "times" and _counts_visits(text, one.start, unit.end()):
        return one
    if unit:
        return replace(one, end=unit.end(), written=Written(str(unit.lastgroup)))
    if duration := _DURATION.match(text, one.end):
        return _lasting(one, duration)
    return one


def _counts_visits(text: str, start: int, end: int) -> bool:
    counted = _COUNTED_TIMES.search(text[:start]) or re.match(
        r"\s(?:each|on average|per|an?|and|in|during|within)\b|,", text[end:]
    )
    return bool(counted) and not _MULTIPLIES.match(text, end)


def _lasting(one: Numeral, duration: re.Match[str]) -> Numeral:
    """A number and its unit of time, as seconds: ``2 min 5 s`` → 125."""
    length = next(_LENGTHS[name] for name in _LENGTHS if duration[name])
    rest = duration["rest_m"] or duration["rest_s"]
    value = one.value * length + float(rest or 0) * length / 60
    step = length / 60 if rest else one.step * length
    return replace(one, end=duration.end(), value=value, step=step, zeros=step, written=Written.SECONDS)


def _zeros(value: float) -> float:
    """The place of the last digit that is not zero: 1,200 → 100."""
    whole, place = round(value), 1.0
    while whole and whole % 10 == 0:
        whole, place = whole // 10, place * 10
    return place


def _spelt(text: str) -> list[Numeral]:
    found = []
    for match in SPELT.finditer(text):
        value, step = spelt_value(match[0])
        zeros = max(step, _zeros(value) if step >= 1 else step)
        one = Numeral(match.start(), match.end(), value, step, Written.PLAIN, True, zeros)
        found.append(_with_unit(one, text))
    return found


def _signs(text: str) -> list[Numeral]:
    """``½``, ``⑫``, ``Ⅻ``, ``一``: one character that is a number."""
    return [
        Numeral(place, place + 1, unicodedata.numeric(char), 1.0, Written.PLAIN)
        for place, char in enumerate(text)
        if not char.isdecimal() and unicodedata.numeric(char, None) is not None
    ]


def _ordinals(text: str) -> list[Numeral]:
    return [
        Numeral(match.start(), match.end(), ORDINALS[match[0].lower()], 1.0, Written.ORDINAL, True)
        for match in ORDINAL.finditer(text)
    ]
