"""Which segment a number in a sentence is of.

A number of another segment is as real as the right one, so that being in the data proves nothing. The rules
are those of reading: a value in brackets belongs to the name before it, ``90 in segment 2`` to the name that
follows, everything else to the subject of the sentence; a sentence without one goes on about the last one's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from core.words.binding_measure import is_of_all
from core.words.mentions import ALL, Kind
from core.words.sentence import LIST, Group, Place, Sentence

_RIGHT_BEHIND: Final = re.compile(
    r"(?:['’]s?)?[\s*_)\"”’]*(?:[:(=–—-]|,\s(?=wh))?\s*"
    r"(?:(?:at|with|has|have|had|is|are|only|just|about|around|roughly|nearly|almost|sits at"
    r"|stands at|which|that"
    r"|where|who|counts|shows|records|reaches|converts|does|its|their|the|own|mere|merely|some|n\s?="
    r"|rate|of)\s*)*",
    re.IGNORECASE,
)
"""Between a name and a value that can only be its own."""
_LEADS_TO: Final = re.compile(
    r"[^,;:()]*\b(?:in|of|for|from|among|within|by|to|at|up|over|belong to|form|constitute|across|into|is"
    r"|are|was)"
    r"[\s]+(?:(?:the|users|visitors|people|those|members|in|of)\s+)*[\"“'*_]*",
    re.IGNORECASE,
)
"""Between a value and the name that it is tied to: ``users are in``."""
_BREAK: Final = re.compile(
    r"\b(?:and|while|whereas|but|than|as|versus|vs|compared|against|although|though)\b", re.I
)
_THOSE_OF: Final = re.compile(r"\b(?:that|those|the one) of\s+(?:the\s+)?[“']?$", re.IGNORECASE)
_VALUES: Final = re.compile(rf"{LIST.pattern}|\s*(?:against|compared (?:to|with)|to)\s*", re.IGNORECASE)
"""Between values that are listed together."""
_OPENS: Final = re.compile(r"\s*(?:\w+\s+){0,2}\([\s\"“*]*(?:the\s)?[\s\"“*]*", re.IGNORECASE)
_AGAINST: Final = re.compile(r"\b(?:against|versus|vs\.?|compared (?:to|with)|than)\s+$", re.IGNORECASE)
ALL_BEFORE: Final = re.compile(r"\ball\s+(?:of\s+)?(?:(?:the|our)\s+)?[*_]*$", re.IGNORECASE)
"""Before a value that is of all users: ``among all 900 users``."""
_RESPECTIVELY: Final = re.compile(r"\brespectively\b|\bin (?:that|this) order\b", re.IGNORECASE)


def segments_of(sentence: Sentence, value: Place, *, compares: bool = False) -> tuple[str, ...]:
    """Keys of the segment or segments that a value is of; the data set as a whole if nothing is named.

    Args:
        sentence: Where it stands.
        value: Where in it.
        compares: Whether it says how many times or how much more: ``2× that of segment 3`` is not of 3.
    """
    if is_of_all(sentence, value) or ALL_BEFORE.search(sentence.text[: value.start]):
        return (ALL,)
    plain = () if compares else _paired(sentence, value) or _tied(sentence, value)
    group = plain or _subject(sentence, value)
    if group:
        return tuple(key for one in group for key in one.keys)
    before = sentence.before
    if before.others and not compares and _AGAINST.search(sentence.text[: value.start]):
        return before.others  # users 120 against 90
    return before.segments or (ALL,)


def other_of(sentence: Sentence, value: Place, own: Sequence[str]) -> tuple[str, ...]:
    """Keys of what the value's segment is compared with; empty if nothing else is named."""
    others = [group for group in sentence.groups if set(_keys(group)).isdisjoint(own)]
    reference = [group for group in others if sentence.is_reference(group)]
    near = min(reference or others, key=lambda group: _distance(group, value), default=None)
    if near:
        return _keys(near)
    before = (*sentence.before.segments, *sentence.before.others)
    return tuple(key for key in before if key not in own)


def _paired(sentence: Sentence, value: Place) -> Group:
    """``Segments 1 and 2 have 120 and 90 users``: the first value is of the first segment."""
    row = _value_row(sentence, value)
    for group in sentence.groups:
        if len(group) == len(row) > 1:
            return (group[row.index(value)],)
    if len(row) == len(sentence.groups) == 2 and sentence.groups[1][-1].end <= row[0].start:
        in_order = sorted(sentence.groups, key=sentence.is_reference)  # the first value is the subject's
        return in_order[row.index(value)]
    return ()


def _value_row(sentence: Sentence, value: Place) -> list[Place]:
    """The values that are listed together with one."""
    if _RESPECTIVELY.search(sentence.text):
        return list(sentence.values)
    row: list[Place] = []
    for one in sentence.values:
        if row and not _VALUES.fullmatch(sentence.text[row[-1].end : one.start]):
            if value in row:
                return row
            row = []
        row.append(one)
    return row if value in row else [value]


def _tied(sentence: Sentence, value: Place) -> Group:
    """A name right before or, by ``in`` or ``of``, behind the value."""
    ahead = [group for group in sentence.groups if group[-1].end <= value.start]
    if ahead and _is_right_behind(sentence, ahead[-1], value):
        return ahead[-1]
    if bracketed := _bracketed(sentence, value):
        return bracketed
    if not ahead and (whole := _of_all(sentence, value)):
        return whole
    behind = next((group for group in sentence.groups if group[0].start >= value.end), None)
    if behind is None or sentence.any_value(value.end, behind[0].start):
        return ()
    between = sentence.text[value.end : behind[0].start]
    tied = _LEADS_TO.fullmatch(between) and not _BREAK.search(between)
    may_be = behind in sentence.subjects or behind[0].keys == (ALL,)
    return behind if tied and may_be else ()


def _is_right_behind(sentence: Sentence, group: Group, value: Place) -> bool:
    between = sentence.text[group[-1].end : value.start]
    if _THOSE_OF.search(sentence.text[: group[0].start]):
        between = between.lstrip(" ,)")  # those of segment 2, 90
    return bool(_RIGHT_BEHIND.fullmatch(between))


def _bracketed(sentence: Sentence, value: Place) -> Group:
    """``from 5 % (segment 2)``: a name alone in brackets behind a value."""
    behind = next((group for group in sentence.groups if group[0].start >= value.end), None)
    if behind is None or not _OPENS.fullmatch(sentence.text[value.end : behind[0].start]):
        return ()
    return behind if re.match(r"[\s\"”*]*\)", sentence.text[behind[-1].end :]) else ()


def _of_all(sentence: Sentence, value: Place) -> Group:
    """``of 900 users overall, 120 are in segment 1``: a weak word right behind a value."""
    behind = [one for one in sentence.of(Kind.SEGMENT) if one.weak and one.start >= value.end]
    near = behind and re.fullmatch(r"\s*(?:\w+\s+)?", sentence.text[value.end : behind[0].start])
    return (behind[0],) if near else ()


def _subject(sentence: Sentence, value: Place) -> Group:
    ahead = [group for group in sentence.subjects if group[-1].end <= value.start]
    behind = [group for group in sentence.subjects if group[0].start >= value.end]
    return ahead[-1] if ahead else behind[0] if behind else ()


def _keys(group: Group) -> tuple[str, ...]:
    return tuple(key for one in group for key in one.keys)


def _distance(group: Group, value: Place) -> int:
    return min(abs(group[0].start - value.end), abs(value.start - group[-1].end))
