"""Readings that a sentence allows, beside the one that reads best.

``binding.py`` says which segment and measure a value most likely is of. People write in more ways than rules
know, so that a value may also be of a name that stands next to it. What keeps that honest: no other value of
the sentence may already be that fact, so that a wrong number cannot pass as its neighbour.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar

from core.words.binding import ALL_BEFORE
from core.words.contract import Fact
from core.words.mentions import ALL, REST, Kind, Mention
from core.words.reading import GENERIC, names_item
from core.words.sentence import LIST, Place, Sentence

_Span = TypeVar("_Span", Place, Mention)
_STOP: Final = re.compile(
    r"[,;:()|→]|\b(?:and|while|whereas|but|than|as|versus|vs|compared|against|although|though)\b",
    re.IGNORECASE,
)
_FAMILY: Final = {
    "users": "share", "share": "users", "outcome_users": "outcome_rate",
}  # fmt: skip
"""A count and the same as a percentage: how a value is written says which it is."""


def may_be(
    fact: Fact,
    metrics: Collection[str],
    sentence: Sentence,
    value: Place,
    fits: Callable[[Mention], bool],
) -> bool:
    """Whether a value stands next to the names of a segment, of a measure and of a thing.

    Args:
        fact: Whose segment and thing; no comparison.
        metrics: What the measure may be called.
        sentence: Where the value stands.
        value: Where in it.
        fits: Whether a value written like this can be of a measure.
    """
    if len(fact.segments) != 1 or fact.segments[0] not in near_segments(sentence, value):
        return False
    near = near_metrics(sentence, value, fits)
    called = not near.isdisjoint(metrics)
    if not fact.item:
        return called
    return (called or not near or not GENERIC.isdisjoint(near)) and names_item(
        fact, _near_items(sentence, value), sentence
    )


def near_segments(sentence: Sentence, value: Place) -> set[str]:
    """Keys of the segments that a value may be of: of the name before it, or of the one behind it.

    A name behind counts if nothing parts it from the value, or if no name comes before.
    """
    if ALL_BEFORE.search(sentence.text[: value.start]):
        return {ALL}
    if paired := _paired(sentence, value):
        return paired
    named = [one for one in sentence.of(Kind.SEGMENT) if _counts(sentence, one, value)]
    ahead, behind = _around(sentence, value, named)
    keys = {one.keys[0] for one in (*ahead[-1:], *behind[:1])}
    if not keys or all(one.weak for one in named):
        keys |= set(sentence.before.segments if len(sentence.before.segments) == 1 else ())
    return keys


def _counts(sentence: Sentence, one: Mention, value: Place) -> bool:
    """Whether a segment's name may say whose a value is; a list of names is for values in a list."""
    group = next((group for group in sentence.groups if one in group), None)
    if group is None or one.weak:
        return _touches(sentence, value, one) or all(each.weak for each in sentence.of(Kind.SEGMENT))
    apart = one.end <= value.start and _STOP.search(sentence.text[one.end : value.start])
    return len(group) == 1 and one.keys != (REST,) and not (sentence.is_reference(group) and apart)


def near_metrics(sentence: Sentence, value: Place, fits: Callable[[Mention], bool]) -> set[str]:
    """All measures that a value may be of; a measure named as a count may be meant as a share.

    Of several names behind a value the last one says what is counted: ``743 users converted``.
    """
    named = sentence.of(Kind.METRIC)
    ahead, behind = _around(sentence, value, [one for one in named if fits(one)])
    if behind and ahead and ahead[-1].end > value.start:
        ahead = []  # fourteen [percent of users] convert
    if ahead or behind:
        return {key for one in (*ahead[-1:], *behind[-1:]) for key in one.keys}
    ahead, behind = _around(sentence, value, named)
    keys = {_FAMILY[key] for one in (*ahead[-1:], *behind) for key in one.keys if key in _FAMILY}
    return keys or set(sentence.before.metrics)


def _near_items(sentence: Sentence, value: Place) -> tuple[str, ...]:
    ahead, behind = _around(sentence, value, sentence.of(Kind.ITEM))
    return tuple(key for one in (*ahead[-1:], *behind[:1]) for key in one.keys) or sentence.before.items


def _around(
    sentence: Sentence, value: Place, names: Sequence[Mention]
) -> tuple[list[Mention], list[Mention]]:
    """The names ahead of a value, and those behind that go with it."""
    ahead = [one for one in names if one.start < value.end]
    behind: list[Mention] = []
    for one in names:
        if one.start < value.end or sentence.any_value(value.end, one.start):
            continue
        is_only = not ahead and not behind
        if is_only or not _STOP.search(sentence.between(value.end, one.start)):
            behind.append(one)
    return ahead, behind


def _touches(sentence: Sentence, value: Place, one: Mention) -> bool:
    """``13 % overall``, ``overall: 13 %``."""
    between = (
        sentence.text[value.end : one.start]
        if one.start >= value.end
        else sentence.text[one.end : value.start]
    )
    return bool(re.fullmatch(r"[\s*_:→(=]*(?:is|at)?\s*", between))


def _paired(sentence: Sentence, value: Place) -> set[str]:
    """As many values in a row as names in a row: each is of its own."""
    row = next((row for row in _rows(sentence.text, sentence.values) if value in row), [])
    named = [one for one in sentence.of(Kind.SEGMENT) if not one.weak]
    for names in (*_rows(sentence.text, named), named):
        if len(names) == len(row) > 1:
            return set(names[row.index(value)].keys)
    return set()


def _rows(text: str, ones: Sequence[_Span]) -> list[list[_Span]]:
    """Names or values with nothing but commas and the like in between."""
    rows: list[list[_Span]] = []
    for one in ones:
        if rows and LIST.fullmatch(text[rows[-1][-1].end : one.start]):
            rows[-1].append(one)
        else:
            rows.append([one])
    return rows
