"""The signs of a sentence's wording for and against a name being what a value is of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from core.writing.prose.mentions import ALL, Kind, Mention
from core.writing.prose.sentence import PRONOUN, Place, Sentence

Signs = dict[str, float]
"""Sign of the wording → how strong it is."""

_WORD: Final = re.compile(r"[\w§]+")
_MOST_WORDS: Final = 12
_STOP: Final = re.compile(r"[;\n|→?!]|\.\s")
_COLON: Final = re.compile(r"[:–—]")
_CONJUNCTION: Final = re.compile(
    r"\b(?:and|while|whereas|but|though|although|than|versus|vs|against|compared)\b", re.IGNORECASE
)
_LINK: Final = re.compile(
    r"[^,;:()|]*\b(?:in|of|for|from|among|within|by|to|at|into|out of)\s+"
    r"(?:(?:the|all|its|their|our|users|visitors|people)\s+)*\W*",
    re.IGNORECASE,
)
"""Between a value and the name that it is tied to: ``users are in``."""
_TOUCH: Final = re.compile(
    r"[\s*_(:=“”\"'’,-]*(?:(?:the|a|of|in|is|at|has|have|with|by|its|their)\b[\s*_(]*)?", re.IGNORECASE
)
_WHOLES: Final = {
    "whole": re.compile(
        r"\b(?:of|under|among|from|out of)\s+(?:(?:all|the|our|its|a total of)\s+)*$|[\d\]]\s?/\s?$",
        re.IGNORECASE,
    ),
    "part of": re.compile(r"[\d\]](?: \w+)? (?:out )?of (?:(?:all|the|our) )*$"),
    "all of": re.compile(r"\ball (?:of )?(?:(?:the|our) )?[*_]*$", re.IGNORECASE),
}
"""Before the whole that something is a part of: ``19 of 743 users``, ``among all 900 users``."""
_OF_WHOLE: Final = re.compile(r"\s+of\s+(?:(?:all|the|our|its|their)\s+)*(?:[\d\[])")
"""Behind a part: ``12 % of its 743 users``."""
_AGAINST: Final = re.compile(
    r"\b(?:against|versus|vs\.?|compared (?:to|with)|than)\s+(?:an?\s+)?[*_(]*$", re.IGNORECASE
)
_ON_AVERAGE: Final = re.compile(r"\W*(?:on average|overall)\b", re.IGNORECASE)
"""``compared with 12 % on average`` is of all users."""
_OF_WHOM: Final = re.compile(
    r"\W*(?:users?|people|visitors|members)?,?\s(?:of|out of) (?:whom|which|them)\b", re.IGNORECASE
)
"""Behind a whole: ``has 743, of whom 12 % bought``."""
_AT: Final = re.compile(r"\s*(?:rates?\b|at\b(?!\sleast)|with\b|[=:])", re.IGNORECASE)
"""Behind a verb that has a value of its own: ``743 users convert at 12 %``."""
_TOLD: Final = re.compile(
    r"\W*(?:of\s)?(?:(?:all|the|its|our|their|of)\s)*(?:users|visitors|people|members|customers)\b"
    r"(?:\s(?:of|in|from|within|among)\s(?:(?:the|this|that)\s)?"
    r"\W*(?:§|segment|cluster|group)\W*(?:segment|cluster)?)?"
    r"\s*(?:\([^()]*\))?\s*"
    r"(?:,?\s*(?:and|but)\s\W*[\dF][\d,.\]]*(?:\s(?:users|visitors|people|members|customers))?"
    r"\s(?:of|in|from|among)\s(?:the\s)?\W*§\W*)*"
    r"(?:(?:who|that|have|has|had|having|then|went on to|go on to|end(?:ed)? up|ever|also|\w+ly|did)\s)*$",
    re.IGNORECASE,
)
"""Between a value and what its users did: ``743 users in segment 2 then bought``."""
_ARE_IN: Final = re.compile(
    r"\W*(?:users|visitors|people|customers)?\W*(?:\([^()]*\)\W*)?(?:are|is|were|belong|fall|sit)\b",
    re.IGNORECASE,
)
_HOLDS: Final = re.compile(
    r"\b(?:accounts? for|holds?|makes? up|represents?|comprises?|has|have)\b[^;:]*$", re.IGNORECASE
)
"""Around the whole that segments are parts of: ``743 of 900 users are in``, ``holds 743 of 900 users``."""
_DID: Final = re.compile(r"\b(?:did|do|does)\b", re.IGNORECASE)
_IN_SESSIONS: Final = re.compile(
    r"\b(?:sessions|visits)\b(?!.*\b(?:users|visitors|members|people|customers)\b)"
    r"|\b(?:sessions|visits)\b,? of (?:which|these|those|them)\b[^;.]*$",
    re.IGNORECASE,
)
_OF_SESSIONS: Final = re.compile(
    r"\s(?:out\s)?of\s(?:(?:all|the|its|their)\s)*(?:[\[\dF][\dF,.\[\]]*\s)?(?:sessions|visits)\b",
    re.IGNORECASE,
)
"""Behind a part of the sessions: ``19 of the 743 sessions``."""
_PART: Final = re.compile(r"\s?(?:(?:out\s)?of|/)\s?[\d\[]")
_BEFORE_WHOLE: Final = re.compile(
    r"(?:\W?\s(?:\w+\s){0,2}(?:of|from|among)|(?:[^\d;.]{0,50}\s)?out\sof|\s?/)"
    r"\s?(?:(?:all|the|our|its|their|a\stotal\sof)\s)*\W*",
    re.IGNORECASE,
)
"""Between a part and its whole: ``19 of 743``, ``19 users in segment 1, out of 900``."""
_SUM: Final = re.compile(r"\b(?:total|altogether|together|whole)\b", re.IGNORECASE)
_BRACKETS: Final = re.compile(r"\([^()]*\)")
_LABEL: Final = re.compile(r"[\s*_]*[:=][\s*_]*")
_LABELS: Final = re.compile(r"[*_]*\s?=\s?[*_]*")
_USERS: Final = re.compile(r"\b(?:users|visitors|members|people|customers)\b", re.IGNORECASE)


def names_of(sentence: Sentence, value: Place, kind: Kind) -> list[Mention]:
    """The names of a kind; ``one-page users`` and ``all users`` also say that users are counted.

    One that labels another value is left out: in ``12 % (n = 743)`` the 12 % is not of n.
    """
    counted = [
        replace(one, kind=kind, keys=("users",), start=one.start + noun.start(), end=one.start + noun.end())
        for one in (sentence.of(Kind.SEGMENT) if kind is Kind.METRIC else ())
        if not one.keys[0].startswith("segment:")
        for noun in _USERS.finditer(sentence.text[one.start : one.end])
    ]
    named = [
        one for one in sentence.of(kind) if kind is not Kind.METRIC or not _is_taken(sentence, value, one)
    ]
    return sorted([*named, *counted], key=lambda one: one.start)


def _is_taken(sentence: Sentence, value: Place, one: Mention) -> bool:
    """Whether a measure's name is a part of the value (``2 times``), or labels another one."""
    label = _LABELS.match(sentence.text, one.end)
    other = label and any(place.start == label.end() and place != value for place in sentence.values)
    within = value in sentence.values and value.start <= one.start < value.end
    return within or bool(other)


def without_told(sentence: Sentence, value: Place, named: Sequence[Mention]) -> list[Mention]:
    """Measures without the users who did something: ``743 users bought`` counts those who bought."""
    did = _DID.search(sentence.text, value.end)
    ends = [did.end()] if did and _TOLD.match(sentence.between(value.end, did.start())) else []
    ends += [did.end()] if did and not sentence.text[value.end : did.start()].strip() else []
    for one in named:
        is_told = one.start >= value.end and _TOLD.match(sentence.between(value.end, one.start))
        if is_told and "outcome_rate" in one.keys and not _AT.match(sentence.text, one.end):
            ends.append(one.start)
    end = max(ends, default=0)
    return [each for each in named if not (value.end <= each.start < end and "users" in each.keys)]


def in_sessions(sentence: Sentence, value: Place) -> bool:
    """Whether a value counts sessions that did something: ``of 900 sessions, 19 converted``."""
    ahead, behind = sentence.text[: value.start], sentence.text[value.end :]
    return bool(_IN_SESSIONS.search(ahead) or _OF_SESSIONS.match(behind))


def is_part(sentence: Sentence, value: Place) -> bool:
    """Whether a value is a part of another one: ``19 of 743``."""
    return bool(_PART.match(sentence.text, value.end))


def is_whole(between: str) -> bool:
    """Whether what stands between two values makes the second the whole of the first."""
    return bool(_BEFORE_WHOLE.fullmatch(between))


def wholes_of(sentence: Sentence, value: Place) -> Signs:
    """The signs that a value is the whole of which another one is a part, or is compared with: all users."""
    ahead = sentence.text[: value.start]
    wholes = {sign: 1.0 for sign, before in _WHOLES.items() if before.search(ahead)}
    if _ON_AVERAGE.match(sentence.text, value.end) and _AGAINST.search(ahead):
        wholes["against"] = 1.0
    if "whole" in wholes and (_ARE_IN.match(sentence.text, value.end) or _HOLDS.search(ahead)):
        wholes["whole of parts"] = 1.0
    return wholes


def signs_of(
    sentence: Sentence, value: Place, one: Mention, rivals: Sequence[Mention], own: Mention | None
) -> Signs:
    """The signs of one name."""
    ahead = one.start < value.start
    start = min(one.end, value.start) if ahead else value.end
    end = value.start if ahead else max(one.start, value.end)
    between = _between(sentence, start, end, rivals)
    signs = {f"{'ahead' if ahead else 'behind'} {name}".strip(): size for name, size in between.items()}
    signs |= _labels(sentence, value, one)
    signs["within"] = float(one.start <= value.start < one.end)
    if one.kind is Kind.SEGMENT:
        signs |= _of_segment(sentence, value, one, rivals, between, ahead=ahead)
    if one.kind is Kind.METRIC:
        signs |= _of_measure(sentence, value, one, rivals, ahead=ahead)
    if own is not None:
        signs["paired" if one is own else "not paired"] = 1.0
    return {sign: size for sign, size in signs.items() if size}


def same_rank(sentence: Sentence, value: Place, every: Sequence[Mention]) -> dict[Mention, Signs]:
    """Where there are as many names as values: whether a name has the value's place among its like."""
    if value not in sentence.values or not len(every) == len(sentence.values) > 1:
        return {}
    own = sentence.values.index(value)
    return {one: {"same rank" if place == own else "other rank": 1.0} for place, one in enumerate(every)}


def _between(sentence: Sentence, start: int, end: int, rivals: Sequence[Mention]) -> Signs:
    """What stands between a name and a value."""
    text = sentence.between(start, end)
    opened = text.count("(") - text.count(")")
    text = _BRACKETS.sub("", text)
    return {
        "": 1.0,
        "words": min(len(_WORD.findall(text)), _MOST_WORDS) ** 0.5,
        "values": min(2.0, sum(start <= each.start and each.end <= end for each in sentence.values)),
        "names": min(2.0, sum(start <= each.start and each.end <= end for each in rivals)),
        "comma": float("," in text),
        "stop": float(bool(_STOP.search(text))),
        "colon": float(bool(_COLON.search(text))),
        "conjunction": float(bool(_CONJUNCTION.search(text))),
        "into brackets": float(opened > 0),
        "out of brackets": float(opened < 0),
        "touches": float(bool(_TOUCH.fullmatch(text))),
        "link": float(bool(_LINK.fullmatch(text))),
    }


def _labels(sentence: Sentence, value: Place, one: Mention) -> Signs:
    """Whether a name labels the value that is right behind it, or another: ``(all users: 12 %)``."""
    label = _LABEL.match(sentence.text, one.end)
    if label is None or not any(place.start == label.end() for place in sentence.values):
        return {}
    own = "own" if label.end() == value.start else "other"
    return {f"labels {own}": 1.0}


def _of_segment(
    sentence: Sentence, value: Place, one: Mention, rivals: Sequence[Mention], between: Signs, *, ahead: bool
) -> Signs:
    """How a segment's name stands: first, or only to be compared with."""
    group = next((group for group in sentence.groups if one in group), (one,))
    is_reference = sentence.is_reference(group)
    name = sentence.text[one.start : one.end]
    against = f"against {'reference' if is_reference else 'other'}"
    near = ahead and between["words"] ** 2 <= 3.5 and not between["comma"] and not between["names"]
    return {
        "reference near" if near else "reference": float(is_reference),
        f"{'sum' if _SUM.search(name) else 'weak'}{' near' * bool(between['touches'])}": float(one.weak),
        "all": float(one.keys == (ALL,)),
        "pronoun": float(bool(PRONOUN.fullmatch(name))),
        "reference passed": float(ahead and is_reference and bool(between["names"])),
        against: float(bool(_AGAINST.search(sentence.text[: value.start]))),
        "first": float(one is rivals[0]),
    }


def _of_measure(
    sentence: Sentence, value: Place, one: Mention, rivals: Sequence[Mention], *, ahead: bool
) -> Signs:
    """How a measure's name stands: last, as in ``743 users converted``, or as the noun of a whole."""
    after = next((each.start for each in sentence.values if each.start >= value.end), len(sentence.text))
    later = [each for each in rivals if one.end <= each.start < after]
    parted = all(_STOP.search(sentence.text[one.end : each.start]) for each in later)
    is_whole = _WHOLES["whole"].search(sentence.text[: value.start])
    is_part = not ahead and _OF_WHOLE.match(sentence.text[value.end :])
    how = "whole" if is_whole else "part" if is_part else "plain"
    kind = "users" if "users" in one.keys else "other"
    return {
        f"{how} {kind}": 1.0,
        f"of whom {kind}": float(bool(_OF_WHOM.match(sentence.text, value.end))),
        "last": float(not ahead and parted),
    }
