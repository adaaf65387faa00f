"""Words that compare: "more than", "the highest", "outperforms"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.writing.prose.number_words import ORDINALS

_MORE: Final = (
    "more|larger|higher|greater|bigger|longer|better|stronger|deeper|outperforms?|beats?|exceeds?|surpass(?:es)?"
    "|outnumbers?|ahead of|above|busier|heavier|richer|wealthier|overtakes?|tops|dwarfs?"
)
_LESS: Final = "fewer|less|lower|smaller|shorter|worse|weaker|shallower|trails?|lags?|behind|below|poorer"
_MOST: Final = (
    "most|highest|largest|biggest|longest|best|strongest|greatest|leads|leading|deepest|maximum|richest"
)
_LEAST: Final = (
    r"(?:(?<=comes )|(?<=come )|(?<=ranks ))last|fewest|least|lowest|smallest|shortest|worst|weakest|minimum"
    r"|poorest|shallowest"
)
_WORD: Final = re.compile(
    rf"\b(?:(?P<more>{_MORE})|(?P<less>{_LESS})|(?P<most>{_MOST})|(?P<least>{_LEAST}))\b", re.IGNORECASE
)
_IDLE: Final = re.compile(
    r"\b(?:at (?:least|most|best|worst)|(?<!the )most of|(?<!the )most (?:users|visitors|people"
    r"|sessions)(?!\s+per\b|\s*:)|most (?:often|viewed|seen|common|likely"
    r"|of|important|notably|probably)|(?:once|no|any|even|what is|what's|learn|know|find out|see|ever) more"
    r"|more (?:or less|on|about|details?|and more|likely to want|importantly)|best (?:practices?|suited"
    r"|guess|to)"
    r"|(?:the )?above (?:figures?|table|numbers?)"
    r"|(?:see|listed|shown|table|described|reported|given|found|discussed) (?:above"
    r"|below)|better understand"
    r"|or (?:more|fewer|less)|less about|least likely to want|one of the (?:most|best)"
    r"|(?:viewed|visited|seen|used|like) most|most (?:like|similar|typical|frequent|common)"
    r"|more than (?:just|one|once)|(?:more|less) \w+ than the (?:averages?|means?) suggests?"
    r"|(?:persona|person|people|story|numbers?|reason|idea|facts?|figures?) behind|nevertheless"
    r"|leads? (?:back|straight|directly|over|them|users|visitors|people|to|into|from))\b",
    re.IGNORECASE,
)
_PLACE: Final = re.compile(rf"\b(?:{'|'.join(ORDINALS)}|\d+(?:st|nd|rd|th))[\s-]$", re.IGNORECASE)
"""Before the superlative of ``second largest``, which says of which ranking that is the second place."""
_ABOUT: Final = re.compile(
    r"\b(?:(?P<over>more than|(?<!spread )over|above|exceeding|at least|upwards of|well over|just over"
    r"|no fewer than|no less than)"
    r"|(?P<under>less than|fewer than|under|below|at most|nearly|almost|close to|just under|up to"
    r"|not quite|barely)"
    r"|(?P<near>about|around|roughly|approximately|approx\.?|approximate|some|circa|ca?\.|an estimated|or so"
    r"|(?:in the region|in the order|on the order) of|rounded|just shy of))\s+(?:an?\s+)?$"
    r"|(?P<tilde>[~≈])\s?$",
    re.IGNORECASE,
)
_NO_MEASURE: Final = re.compile(
    r"\s(?:opportunit|potential|surprise|challenge|question|lever|chance|contrast|risk|issue|strength|weakness"
    r"|asset|driver|candidate|idea|option|priority|takeaway|reason|part|way|bet|fit|match|answer|version"
    r"|story|call\sto|message|headline|incentive|offer)",
    re.IGNORECASE,
)
"""Behind a word that measures nothing: ``the biggest opportunity``, ``a stronger call to action``."""
_ASKED: Final = re.compile(r"[^,.;:!|\n]*\?")
"""Behind a comparison that is asked, not said."""
_WHICH_THING: Final = re.compile(
    r"\b(?:which|what)\s(?!segments?|clusters?|groups?|audiences?|users|visitors|of|one|is|are|has|have)\w+\b"
    r"[^.;:!?|\n]*$",
    re.IGNORECASE,
)
"""Before a superlative that is asked of things, where the answer says no segment: ``which page is …``."""
_NUMBER_BEHIND: Final = re.compile(
    r"\s+(?:than\s+)?(?:an?\s+)?(?:[\d€$£]|half|third|quarter|one|two|three|four|five|ten|twelve"
    r"|twice|double|dozen)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Comparative:
    """One comparing word.

    Args:
        start: Place of its first character.
        end: Place after its last one.
        up: Whether it says that there is more of something.
        of_all: Whether it is a superlative.
    """

    start: int
    end: int
    up: bool
    of_all: bool


def find_comparatives(text: str, names: Sequence[tuple[int, int]] = ()) -> list[Comparative]:
    """Every comparing word of a text; "more than 1,200" is none, it says how exact a number is.

    Args:
        text: What to search.
        names: Spans of names, in which no word compares.
    """
    idle = [*names, *(match.span() for match in _IDLE.finditer(text))]
    found = []
    for match in _WORD.finditer(text):
        place = _PLACE.search(text[: match.start()])
        if place or any(start <= match.start() < end for start, end in idle) or _is_about(text, match):
            continue
        kind = str(match.lastgroup)
        is_asked = _ASKED.match(text, match.end())
        of_things = kind in ("more", "less") or _WHICH_THING.search(text[: match.start()])
        if _NO_MEASURE.match(text, match.end()) or (is_asked and of_things):
            continue
        found.append(Comparative(*match.span(), kind in ("more", "most"), kind in ("most", "least")))
    return found


def about(text: str, start: int) -> str:
    """How exact the number at a place is said to be: ``over``, ``under``, ``near``, or empty for exact."""
    match = _ABOUT.search(text[max(0, start - 30) : start])
    return "" if match is None else "near" if match["tilde"] else str(match.lastgroup)


def _is_about(text: str, match: re.Match[str]) -> bool:
    """Whether a comparing word only says how exact the number behind it is."""
    return bool(_NUMBER_BEHIND.match(text[match.end() :]))
