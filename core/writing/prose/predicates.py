"""What a percentage of users is said to do: ``12 % are women`` says something that nobody counted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from core.writing.prose.mentions import Kind
from core.writing.prose.sentence import Place, Sentence

_NAME: Final = "¤"
_USERS: Final = r"(?:users|visitors|people|members|customers|shoppers|persons|individuals)"
_WHO: Final = (
    rf"(?:(?:all|the|its|their|our|these|those|this)\s)*[*_\"“]*"
    rf"(?:§|them|{_USERS}|segment|cluster|group|audience)[*_\"”]*(?:['’]s?\s{_USERS})?(?:\s{_USERS})?"
)
_SUBJECT: Final = re.compile(
    rf"\s(?:(?:of|from|among|within|in)\s{_WHO}\s(?:(?:in|of|from|within)\s{_WHO}\s)?"
    rf"|(?:of\s{_USERS}\s|{_USERS}\s)?(?=(?:are|is|were|was|have|had|own|live|prefer)\s))",
    re.IGNORECASE,
)
"""Behind a percentage: the users of whom it is, up to what they do."""
_END: Final = re.compile(
    r"[,;:.()!?\n|–—]|\b(?:and|or|but|while|whereas|which|than|compared|versus|vs|against|because|since|as)\b",
    re.IGNORECASE,
)
_EMPTY: Final = frozenset(
    re.findall(
        r"\w+",
        "a about actually again all also always an are at average be been being by can case cases could did "
        "do does each even ever every for from had has have here in into is it its just made make never no "
        "none not of on one ones only other others our out over own really so still such that the their "
        "them themselves then there these they this those time times to today too total was were who will "
        "with without would yes users visitors people members customers segment segments cluster clusters "
        "group groups ",
    )
)
"""Words that say nothing of what somebody does."""


def is_of_something_else(sentence: Sentence, value: Place, is_counted: Callable[[str], bool]) -> bool:
    """Whether users are said to do or to be something that is no measure, page or the like that is counted.

    Args:
        sentence: Where it stands.
        value: A percentage in it.
        is_counted: Whether a measure may be written as a percentage.
    """
    said = _signed(sentence, value.end, is_counted)
    subject = _SUBJECT.match(said)
    if subject is None:
        return False
    end = _END.search(said, subject.end())
    does = said[subject.end() : end.start() if end else len(said)]
    words = [word for word in re.findall(r"[^\W\d_]+", does.lower()) if word not in _EMPTY]
    return bool(words) and _NAME not in does and "§" not in does


def _signed(sentence: Sentence, start: int, is_counted: Callable[[str], bool]) -> str:
    """The rest of a sentence with a sign for each segment, and another for each measure, thing and value."""
    spans = [(one.start, one.end, _NAME) for one in sentence.values]
    spans += [
        (one.start, one.end, "§" if one.kind is Kind.SEGMENT else _NAME)
        for one in sentence.mentions
        if one.kind is not Kind.METRIC or ("users" not in one.keys and any(map(is_counted, one.keys)))
    ]
    text = sentence.text
    for first, last, sign in sorted(spans, reverse=True):
        if first >= start:
            text = f"{text[:first]}{sign}{text[last:]}"
    return text[start:]
