"""Find periods, durations and limits in the text of a question, and put a mark in the place of each.

A mark is a word that no language has, so that what is left can be read word by word. Days without a year are
of the last such day in the data; “last week” is the last seven days of the data.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from core.base.errors import SettingsError
from core.query.query import Period, Range
from core.questions.lexicon import NUMBERS, REFERENCES

_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYTIME: Final = {
    "morning": range(6, 12), "afternoon": range(12, 18), "evening": range(18, 24), "night": range(6),
}  # fmt: skip
_MONTH: Final = "|".join((*_MONTHS, *(rf"{month[:3]}\b\.?" for month in _MONTHS)))
_NAMED_DAY: Final = "|".join(_WEEKDAYS)
_N: Final = (
    r"(?:\d[\d,]*(?:\.\d+)?|a\ single|one|two|three|four|five|six|seven|eight|nine|ten|once|twice|half)"
)
_NUMBERS: Final = re.compile(_N, re.IGNORECASE | re.VERBOSE)
_OF_SEGMENTS: Final = re.compile(rf"\b(?:{'|'.join(REFERENCES)})(?:\W|\d|and\b|or\b)*$", re.IGNORECASE)
_HOUR: Final = r"(?:\d{1,2}|noon|midnight)"
_NAMED_HOURS: Final = {"noon": 12, "midnight": 24}
_PERCENT: Final = r"(?P<percent>\s*%|\s+percent\b)?"
_DAY: Final = (
    rf"(?:\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}\.?(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{_MONTH})(?:,?\s+\d{{4}})?"
    rf"|(?:{_MONTH})\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}})?)"
)
_MORE: Final = r"more\ than|over|above|exceeding|greater\ than|higher\ than"
_FEWER: Final = r"fewer\ than|less\ than|under|below|lower\ than"
_LEAST: Final = r"at\ least|no\ less\ than|a\ minimum\ of"
_MOST: Final = r"at\ most|no\ more\ than|up\ to"
_EXACTLY: Final = r"exactly|only|just|precisely"


@dataclass(frozen=True)
class Span:
    """A part of a question that is a period, a duration or a limit.

    Args:
        kind: ``period``, ``duration`` or ``range``.
        text: As it was written.
        value: The period, the limit of a funnel, or the range.
        others: Of a range, ``share`` (a percentage), ``times`` (once, twice) or None.
    """

    kind: str
    text: str
    value: Any
    others: tuple[Any, ...] = ()


@dataclass(frozen=True)
class _Days:
    """First and last day of the data."""

    first: date
    last: date


_Part = Mapping[str, str | None]
_Read = Callable[[_Part, _Days], Period]
_Made = Callable[[re.Match[str], _Days], Span]


def marked_spans(question: str, first: date, last: date) -> tuple[str, dict[str, Span]]:
    """Replace periods, durations and limits by marks: the text, and mark → what it stands for.

    Args:
        question: In the analyst's words.
        first: First day of the data.
        last: Last day of the data.
    """
    marked: dict[str, Span] = {}
    question = _ONLY.sub(r"\1 exactly \2", question)
    for pattern, made in _PATTERNS:

        def mark(match: re.Match[str], made: _Made = made) -> str:
            if _MARK in match.group():
                return match.group()
            try:
                span = made(match, _Days(first, last))
            except (ValueError, OverflowError, SettingsError):  # no such day, or no such range
                return match.group()
            name = _MARK + "x" * (1 + len(marked))
            marked[name] = span
            return f" {name} "

        question = pattern.sub(mark, question)
    return question, marked


_MARK: Final = "zzmark"
_ONLY: Final = re.compile(
    r"(?:only|just)\s+(?:ever\s+)?(looked\s+at|viewed|saw|visited|read|opened|had|have|did|made)\s+"
    r"(one|a\s+single|a|two|three|\d+)(?=\s+(?:pages?|sessions?|visits?|page\s+views?)\b)",
    re.IGNORECASE,
)
"""“only looked at one page”, which says “looked at exactly one page”."""


def _period(read: _Read) -> Callable[[re.Match[str], _Days], Span]:
    return lambda match, days: Span("period", _text(match), read(match.groupdict(), days))


def _text(match: re.Match[str]) -> str:
    return " ".join(match.group().split())


def _duration(match: re.Match[str], days: _Days) -> Span:
    number, unit = match["n"], match["unit"].lower()
    amount = (int(_number(number)) if number else 1) * (7 if unit == "week" else 1)
    unit = "day" if unit == "week" else unit
    return Span("duration", _text(match), f"{amount} {unit}{'' if amount == 1 else 's'}")


def _range(match: re.Match[str], days: _Days) -> Span:
    part = match.groupdict()
    word = part["a"].casefold()
    is_share = bool(part["percent"]) or word == "half"
    scale = 0.01 if is_share else 1.0
    value = _number(word) * scale
    if part.get("b"):
        limits = Range(at_least=value, at_most=_number(part["b"]) * scale)
    else:
        limits = _limits(part, value)
    kind = "share" if is_share else "times" if word in ("once", "twice") else None
    return Span("range", _text(match), limits, (kind,))


def _from_to(match: re.Match[str], days: _Days) -> Span:
    """``2 to 4``, ``3 or 4``; of ``5 or 10``, which is no range, and of numbers of segments, a ValueError."""
    numbers = [_number(text) for text in _NUMBERS.findall(match.group())]
    first, last = numbers[0], numbers[-1]
    steps = [first + step for step in range(len(numbers))]
    between = len(numbers) == 2 and not match["joined"] and first < last
    if not (between or numbers == steps) or _OF_SEGMENTS.search(match.string[: match.start()]):
        raise ValueError(match.group())
    scale, kind = (0.01, "share") if match["percent"] else (1.0, None)
    kind = "times" if match["a"].casefold() in ("once", "twice") else kind
    return Span("range", _text(match), Range(at_least=first * scale, at_most=last * scale), (kind,))


def _limits(part: _Part, value: float) -> Range:
    if part.get("exactly"):
        return Range(at_least=value, at_most=value)
    if part.get("least"):
        return Range(at_least=value)
    if part.get("most"):
        return Range(at_most=value)
    return Range(below=value) if part.get("fewer") else Range(above=value)


def _number(text: str) -> float:
    text = text.casefold().replace(",", "")
    named = {"a single": 1.0, "once": 1.0, "twice": 2.0, "half": 50.0}
    if text in named:
        return named[text]
    return float(NUMBERS.index(text) + 1) if text in NUMBERS else float(text)


def _between_days(part: _Part, days: _Days) -> Period:
    return Period(first_day=_date(part["d1"], days), last_day=_date(part["d2"], days))


def _days_of_month(part: _Part, days: _Days) -> Period:
    """Days of a month that is said once: ``4-10 November``."""
    last = _date(part["d2"], days)
    return Period(first_day=last.replace(day=int(str(part["n1"]))), last_day=last)


def _on_day(part: _Part, days: _Days) -> Period:
    day = _date(part["d1"], days)
    return Period(first_day=day, last_day=day)


def _end(part: _Part, days: _Days) -> Period:
    """The first or last so many days, weeks or months (of 30 days) of the data."""
    n = int(part["n"] or 1) * {"day": 1, "week": 7, "month": 30}[str(part["unit"]).lower()]
    if str(part["end"]).lower() == "first":
        return Period(first_day=days.first, last_day=days.first + timedelta(n - 1))
    return Period(first_day=days.last - timedelta(n - 1), last_day=days.last)


def _in_month(part: _Part, days: _Days) -> Period:
    month = _month(str(part["month"]))
    usual = days.last.year if month <= days.last.month else days.last.year - 1
    year = int(part["year"]) if part["year"] else usual
    return Period(first_day=date(year, month, 1), last_day=date(year, month, monthrange(year, month)[1]))


def _weekdays(part: _Part, days: _Days) -> Period:
    named = [name.lower() for name in (part["w1"], part["w2"]) if name]
    return Period(weekdays=tuple(_WEEKDAYS.index(name) + 1 for name in named))


def _hours(part: _Part, days: _Days) -> Period:
    half = (part["p2"] or "").lower()
    begin = _hour(str(part["h1"]), (part["p1"] or half).lower()) % 24
    end = _hour(str(part["h2"]), half)
    return Period(hours=tuple(range(begin, end) if begin < end else (*range(begin, 24), *range(end))))


def _one_side(part: _Part, days: _Days) -> Period:
    hour = _hour(str(part["h1"]), (part["p1"] or "").lower())
    return Period(hours=tuple(range(hour, 24) if part["side"] == "after" else range(hour)))


def _hour(text: str, half: str) -> int:
    """The hour from 0 to 24 of a number with am or pm, of noon or of midnight.

    Raises:
        ValueError: If there is no such hour.
    """
    hour = _NAMED_HOURS.get(text.lower()) or int(text)
    if not 0 <= hour <= 24:
        raise ValueError(hour)
    halved = half in ("am", "pm") and text.isdecimal()
    return hour % 12 + 12 * (half == "pm") if halved else hour


def _month(text: str) -> int:
    start = text.lower()[:3]
    return next(place for place, month in enumerate(_MONTHS, 1) if month.startswith(start))


def _date(text: str | None, days: _Days) -> date:
    text = (text or "").lower()
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return date.fromisoformat(text)
    starts = {month[:3] for month in _MONTHS}
    month = _month(next(word for word in re.findall(r"[a-z]+", text) if word[:3] in starts))
    numbers = re.findall(r"\d+", text)
    day = next(int(number) for number in numbers if len(number) < 4)
    if year := next((int(number) for number in numbers if len(number) == 4), None):
        return date(year, month, day)
    found = date(days.last.year, month, day)
    return found if found <= days.last else date(days.last.year - 1, month, day)


_PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE | re.VERBOSE), made)
    for pattern, made in (
        (rf"(?:(?:between|from|over)\s+)?(?P<n1>\d{{1,2}})\.?(?:st|nd|rd|th)?\s*(?:-|–|to|and|until)\s*"
         rf"(?P<d2>\d{{1,2}}\.?(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTH})(?:,?\s+\d{{4}})?)",
         _period(_days_of_month)),
        (rf"(?:(?:between|from|over)\s+)?(?P<d1>{_DAY})\s*(?:and|to|until|till|through|-|–)\s*(?P<d2>{_DAY})",
         _period(_between_days)),
        (rf"(?:since|from|after|starting)\s+(?P<d1>{_DAY})(?:\s+on(?:wards?)?\b)?",
         _period(lambda part, days: Period(first_day=_date(part["d1"], days)))),
        (rf"(?:until|till|up\ to|through|before)\s+(?P<d1>{_DAY})",
         _period(lambda part, days: Period(last_day=_date(part["d1"], days)))),
        (rf"(?:on\s+)?(?P<d1>{_DAY})", _period(_on_day)),
        (r"(?:in\s+|during\s+|over\s+)?(?:the\s+)?(?P<end>last|first|past)\s+(?:(?P<n>\d+)\s+)?"
         r"(?P<unit>day|week|month)s?(?:\s+of\ the\ data)?\b", _period(_end)),
        (rf"(?:in|during|for)\s+(?P<month>{_MONTH})(?:\s+(?P<year>\d{{4}}))?(?![a-z])", _period(_in_month)),
        (r"(?:on|at|over|during)?\s*(?:the\s+)?weekends?\b",
         _period(lambda part, days: Period(weekdays=(6, 7)))),
        (r"(?:on|during)\s+(?:weekdays|workdays|working\ days|week\ days)\b",
         _period(lambda part, days: Period(weekdays=(1, 2, 3, 4, 5)))),
        (rf"on\s+(?:a\s+)?(?P<w1>{_NAMED_DAY})s?\b(?:\s+(?:and|or)\s+(?P<w2>{_NAMED_DAY})s?\b)?",
         _period(_weekdays)),
        (rf"(?:in\s+)?(?:between|from)\s+(?P<h1>{_HOUR})(?::00)?\s*(?P<p1>am|pm)?\s*(?:and|to|until|till|-)\s*"
         rf"(?P<h2>{_HOUR})(?::00)?\s*(?P<p2>am\b|pm\b|o'clock|(?<=noon)|(?<=midnight))", _period(_hours)),
        (rf"(?P<side>after|before)\s+(?P<h1>{_HOUR})(?::00)?\s*(?P<p1>am\b|pm\b|o'clock|(?<=noon)|(?<=midnight))",
         _period(_one_side)),
        (r"(?:in\ the|at|during\ the)\s+(?P<part>morning|afternoon|evening|night)s?\b",
         _period(lambda part, days: Period(hours=tuple(_DAYTIME[str(part["part"]).lower()])))),
        (rf"within\s+(?:a|an|one|the\ same|(?P<n>{_N}))?\s*(?P<unit>minute|hour|day|week)s?\b(?:\s+of)?",
         _duration),
        (rf"between\s+(?P<a>{_N})\s+and\s+(?P<b>{_N}){_PERCENT}", _range),
        (rf"(?:(?P<more>{_MORE})|(?P<least>{_LEAST})|(?P<fewer>{_FEWER})|(?P<most>{_MOST})|(?P<exactly>{_EXACTLY}))"
         rf"\s+(?P<a>{_N}){_PERCENT}", _range),
        (rf"(?P<a>{_N}){_PERCENT}\s*(?:(?P<least>\+|or\ more\b|and\ more\b)|(?P<most>or\ (?:fewer|less)\b))",
         _range),
        (rf"(?<![\w/.,\#-])(?:from\s+)?(?P<a>{_N})(?:(?:\s*[-–]\s*|\s+(?:to|(?P<joined>or))\s+){_N})+{_PERCENT}(?![\w/-])",
         _from_to),
    )
)  # fmt: skip
"""Patterns with what a match of each stands for, in the order in which they are looked for."""
