"""What a number in a sentence measures, and of which page, theme or other thing.

The rules are those of reading: ``12 % of its users convert`` is what they do, ``19 of 743 users`` a part and
its whole, ``Conversions: 623 users`` what stands before the colon; else it is the measure named last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from core.words.mentions import Kind, Mention
from core.words.sentence import Place, Sentence

_SAME_NOUN: Final = re.compile(
    r"[\s*_)]*(?:[-–]\s?)?(?:(?:of|the|its|their|them|all|these|those|whom|which|different|distinct|clustered"
    r"|more|fewer|less"
    r"|average|mean|median|total|in|as|user|users|visitor|visitors|people|members|who|to|a|an|per"
    r"|that|is|are|was|were|have"
    r"|had|on|do|did|go on|end up|actually|likely|often|many|much|higher|lower|greater|larger"
    r"|smaller|bigger|every"
    r"|for|from|each|also|ever|even|ended|with|at least one|§(?:['’]s)?)[\s*_]+)*",
    re.IGNORECASE,
)
"""Between a value and the measure that it is a value of: ``12 % of its users convert``."""
_WHO: Final = re.compile(
    r"\s+(?:(?:in|of|from)\s+§\s+)?(?:(?:who|that|which|have|had|has|actually|then|have been)\s+)*",
    re.IGNORECASE,
)
_OUT_OF: Final = re.compile(r"\bout of (?:the |its |their )?$", re.IGNORECASE)
_OF_WHOLE: Final = re.compile(r"\s+(?:out\s+)?of\s+(?:(?:the|all|its|their)\s+)*", re.IGNORECASE)
"""Between a part and its whole: ``19 of 743 users``."""
_WHOLE_FIRST: Final = re.compile(r"(?:^|\W)(?:out\s+)?of\s+(?:(?:the|all)\s+)*$", re.IGNORECASE)
"""Before a whole that its part follows: ``of 743 users, 19 …``."""
_COLON: Final = re.compile(r"\s*(?:(?:in|of|for|among)\s+[“\"]?§\s*)?[”\"*_]*:[\s*_]*")
_N_IS: Final = re.compile(r"\bn\s?=\s?$", re.IGNORECASE)
_TAKES_VALUE: Final = re.compile(r"\s+(?:at|with|in)\s+(?:\w+\s+){0,4}", re.IGNORECASE)
"""Between a verb and its own value: ``convert at a rate of 12 %``."""
_USERS: Final = re.compile(r"(?:users|visitors|members|people|customers)\W*", re.IGNORECASE)


def metric_of(
    sentence: Sentence, value: Place, fits: Callable[[Mention], bool]
) -> tuple[tuple[str, ...], bool]:
    """What measure a value is of.

    Args:
        sentence: Where it stands.
        value: Where in it.
        fits: Whether a value written like this can be of a measure.

    Returns:
        All that the measure's name may mean, empty if none is named; and whether this sentence names it.
    """
    named = [one for one in sentence.of(Kind.METRIC) if fits(one)]
    behind = [one for one in named if one.end > value.end]  # "percent of users" begins within the value
    if whole := _whole_of(sentence, value):
        verb = _verb_behind(sentence, whole)
        return (verb.keys, True) if verb and verb in named else (("users", "sessions"), True)
    if _part_of(sentence, value):
        return ("users", "sessions"), True
    if _N_IS.search(sentence.text[: value.start]):
        return ("users", "sessions"), True
    if _OUT_OF.search(sentence.text[: value.start]) and not (behind and behind[0].start - value.end < 2):
        return ("users", "sessions"), True
    if (label := _label(sentence, value)) in named:
        return label.keys, True
    if behind and _SAME_NOUN.fullmatch(sentence.between(value.end, behind[0].start)):
        return _predicate(sentence, behind).keys, True
    over = [one for one in named if one.start < value.end and one.end > value.start]
    if over:  # a word that names a measure itself, such as "larger"
        return over[0].keys, True
    name = next((one for one in sentence.of(Kind.SEGMENT) if one.start >= value.end), None)
    if name and _USERS.search(sentence.text[name.start : name.end]) and name.start - value.end < 2:
        return ("users",), True  # 840 one-page users
    ahead = [one for one in named if one.end <= value.start]
    chosen = ahead[-1] if ahead else behind[0] if behind else None
    return (chosen.keys, True) if chosen else (sentence.before.metrics, False)


def items_of(sentence: Sentence, value: Place) -> tuple[str, ...]:
    """The page, theme or other thing that a value is of; empty if none is named."""
    named = sentence.of(Kind.ITEM)
    behind = next((one for one in named if one.start >= value.end), None)
    ahead = next((one for one in reversed(named) if one.end <= value.start), None)
    if behind and (ahead is None or _runs_to(sentence, value, behind)):
        return behind.keys
    return ahead.keys if ahead else sentence.before.items


def is_of_all(sentence: Sentence, value: Place) -> bool:
    """Whether a value is the whole of which a segment is a part: ``120 of 900 users are in segment 1``."""
    if part := _part_of(sentence, value):
        own = re.search(r"\b(?:its|their)\b", sentence.text[part.end : value.start])
        return not own and not _verb_behind(sentence, value)
    part = next((one for one in sentence.values if one.start >= value.end), None)
    if part is None or not _WHOLE_FIRST.search(sentence.text[: value.start]):
        return False
    noun, comma, _ = sentence.between(value.end, part.start).partition(",")
    return bool(comma and _USERS.fullmatch(noun.strip()) and not _verb_behind(sentence, part))


def _label(sentence: Sentence, value: Place) -> Mention | None:
    """``Conversions in segment 2: 623 users``: what stands before the colon is what is counted."""
    ahead = [one for one in sentence.of(Kind.METRIC) if one.end <= value.start]
    is_label = ahead and _COLON.fullmatch(sentence.between(ahead[-1].end, value.start))
    return ahead[-1] if is_label else None


def _predicate(sentence: Sentence, behind: Sequence[Mention]) -> Mention:
    """In ``417 users bought`` the verb says what is counted; in ``417 users convert at 3 %`` it does not."""
    first, *more = behind
    if not more or not _WHO.fullmatch(sentence.between(first.end, more[0].start)):
        return first
    next_value = next((one for one in sentence.values if one.start >= more[0].end), None)
    taken = next_value and _TAKES_VALUE.fullmatch(sentence.text[more[0].end : next_value.start])
    return first if taken else more[0]


def _whole_of(sentence: Sentence, part: Place) -> Place | None:
    """The value that another one is a part of."""
    behind = next((one for one in sentence.values if one.start >= part.end), None)
    return behind if behind and _OF_WHOLE.fullmatch(sentence.text[part.end : behind.start]) else None


def _part_of(sentence: Sentence, whole: Place) -> Place | None:
    return next((one for one in sentence.values if _whole_of(sentence, one) == whole), None)


def _verb_behind(sentence: Sentence, whole: Place) -> Mention | None:
    """What the part does: ``converted`` in ``19 of 743 users in segment 2 converted``."""
    for one in sentence.of(Kind.METRIC):
        between = sentence.between(whole.end, one.start)
        if one.start >= whole.end and not re.search(r"[,;:()]", between) and "users" not in one.keys:
            return one
    return None


def _runs_to(sentence: Sentence, value: Place, name: Mention) -> bool:
    between = sentence.between(value.end, name.start)
    return not re.search(r"[,;:()]|\b(?:and|while|but)\b", between) and not sentence.any_value(
        value.end, name.start
    )
