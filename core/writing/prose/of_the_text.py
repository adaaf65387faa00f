"""Numbers that say nothing of the data: they count or order what the text itself speaks of.

``Two topics``, ``three conversion levels``, ``these four``, ``the first message``. What a measure counts
(users, sessions, pages, …), a rate (``two topics a user``), a place in a ranking and digits (``3 tents``) are
of the data.
"""

from __future__ import annotations

import re
from typing import Final

from core.writing.prose.number_words import UNITS
from core.writing.prose.numerals import Numeral, Written

MOST: Final = 12
"""What a text counts of itself, at most."""
_PEOPLE: Final = (
    "user|visitor|person|member|customer|buyer|shopper|purchaser|converter|individual|client|guest"
)
_MEASURED: Final = re.compile(
    rf"(?:{_PEOPLE}|head|session|visit|view|pageview|page|purchase|order|conversion|transaction|sale|item|product"
    r"|click|bounce|impression|time|hour|minute|second|day|week|month|point|euro|dollar|cent|thousand|million)s?"
    r"|people|percent"
)
"""What measures count."""
_SEGMENTS: Final = frozenset({"segments", "clusters", "groups"})
_NO_NOUN: Final = frozenset(
    re.findall(
        r"\w+",
        "a about also always among an and are as at be but by did do does each ever every fewer for from "
        "had has have his i if in is it its just less more never nor not of on only or our out over per "
        "perhaps so than that the they this times to too under us versus vs was we were which who whom whose "
        "with within yes you bought buy came come converted go left made make purchased returned saw see "
        "spent viewed visited went",
    )
)
"""Words that end the look for what a number counts; verbs are what users do: ``seven bought tents``."""
_BEHIND: Final = re.compile(
    r"(?:\s+of\s+(?:the|its|their|these|those|our))?((?:[\s*_]+[^\W\d_]+(?:-[^\W\d_]+)*['’]?){0,4})"
)
_DETERMINED: Final = re.compile(
    r"\b(?:the|these|those|all|both|other|first|last|next)\s[*_]*$", re.IGNORECASE
)
_OF_ALL: Final = re.compile(
    r"\b(?:all|there (?:are|were)|into|any of|one of|out of|of all)\s(?:the\s)?[*_]*$", re.IGNORECASE
)
_IN_ALL: Final = re.compile(r"\W*\w+\W*(?:in (?:all|total)|altogether|overall)\b", re.IGNORECASE)
_ONE_OF: Final = re.compile(rf"\s(?:{_PEOPLE})\s(?:of|in|from)\s(?![\d\[])", re.IGNORECASE)
_COUNTS_ONE: Final = re.compile(
    r"\b(?:only|just|exactly|single|has|have|had|with|least|most)\s[*_]*$", re.IGNORECASE
)
_IS: Final = re.compile(r"[*_]*\s(?:is|has|had|was|at|converts|counts|comes|stands|holds)\b", re.IGNORECASE)
"""Behind an ordinal that stands for what was named: ``the first is at 12 %``."""
_ON_AVERAGE: Final = re.compile(r"\bon average\b[^;]*$", re.IGNORECASE)
_ALONE: Final = re.compile(r"\s*(?:[.,;:!?)]|$)")
_COUNTED_AHEAD: Final = re.compile(rf"\b(?:{'|'.join(UNITS[1:13])})\s([^\W\d_]+)", re.IGNORECASE)
_OWN: Final = re.compile(r"\b(?:the|a|an|this|that|its|their|our|your|his|her|my)\s[*_]*$", re.IGNORECASE)
_DEFINITE: Final = re.compile(r"\bthe\s[*_]*$", re.IGNORECASE)
_RANKED: Final = re.compile(
    r"[\s-]+(?:(?:most|least|best|worst|[a-z]{3,}est|place|rank|spot|position)\b"
    r"|\w+\s(?:by|on|in terms|when it comes|in (?:size|conversion|revenue))\b)",
    re.IGNORECASE,
)
"""Behind an ordinal that is a place in a ranking: ``the second largest``, ``the third group by size``."""
_THE_FIRST: Final = re.compile(r"\bthe\s(first)\b", re.IGNORECASE)


def is_of_the_text(text: str, numeral: Numeral) -> bool:
    """Whether a number of a sentence counts or orders things of the text.

    Args:
        text: The sentence.
        numeral: A number in it.
    """
    if numeral.written is Written.ORDINAL:
        return _orders(text, numeral.start, numeral.end) or _goes_on(text, numeral)
    if not numeral.spelt or numeral.written is not Written.PLAIN or not 1 <= numeral.value <= MOST:
        return False
    ahead = text[: numeral.start]
    if numeral.value == 1:
        return bool(_ONE_OF.match(text, numeral.end)) and not _COUNTS_ONE.search(ahead)
    noun = _counted(text, numeral.end)
    if noun in _SEGMENTS:
        return not (_OF_ALL.search(ahead) or _IN_ALL.match(text, numeral.end))
    if noun:
        return not (_MEASURED.fullmatch(noun) or _is_rate(text, numeral, noun))
    alone = bool(_DETERMINED.search(ahead)) or _goes_on_counting(text, numeral)
    return alone and not text.startswith(" of ", numeral.end)


def _words(text: str, end: int) -> list[str]:
    """The words right behind a place, as far as nothing else comes between them."""
    behind = _BEHIND.match(text, end)
    return re.findall(r"[^\W\d_]+", behind[1].lower()) if behind else []


def _counted(text: str, end: int) -> str:
    """The noun in the plural that a number counts: ``two largest sources``; empty where there is none."""
    for word in _words(text, end):
        if word in _NO_NOUN:
            return ""
        if word in ("people", "criteria", "percent") or (word.endswith("s") and not word.endswith("ss")):
            return word
    return ""


def _is_rate(text: str, numeral: Numeral, noun: str) -> bool:
    """Whether so many are counted of each: ``two topics a user``."""
    after = re.compile(rf"[^.;]*?\b{noun}\s(?:per|an?|each|every|apiece|on average)\b", re.IGNORECASE)
    return bool(after.match(text, numeral.end) or _ON_AVERAGE.search(text[: numeral.start]))


def _goes_on_counting(text: str, numeral: Numeral) -> bool:
    """Whether it goes on with a number before: ``not one story but two``."""
    counted = [match[1].lower() for match in _COUNTED_AHEAD.finditer(text, 0, numeral.start)]
    alone = _ALONE.match(text, numeral.end)
    return bool(alone and counted) and not (counted[-1] in _NO_NOUN or _MEASURED.fullmatch(counted[-1]))


def _orders(text: str, start: int, end: int) -> bool:
    """Whether an ordinal says which of the things: ``the first message``."""
    noun = next(iter(_words(text, end)), "")
    if _IS.match(text, end) and _DEFINITE.search(text[:start]):
        return True
    if not noun or noun in _NO_NOUN or not _OWN.search(text[:start]) or _RANKED.match(text, end):
        return False
    return not _MEASURED.fullmatch(noun) or text[start:end].lower() == "first"


def _goes_on(text: str, numeral: Numeral) -> bool:
    """Whether it goes on with the first: ``the first group has 12 %, the second 8 %``."""
    first = _THE_FIRST.search(text, 0, numeral.start)
    if first is None or not _OWN.search(text[: numeral.start]) or _RANKED.match(text, numeral.end):
        return False
    return _orders(text, *first.span(1))
