"""A text cut into sentences, with the names in each and what each goes on about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from core.words.contract import Fact
from core.words.mentions import UNKNOWN, Kind, Lexicon, Mention, parts, split_sentences
from core.words.numerals import Numeral
from core.words.sentence import About, Group, Place, Sentence

_HEADING: Final = re.compile(r"^[ \t]*(?:#{1,6}\s|\*\*[^*]+\*\*:?\s*$)|:\s*$")
_ROW: Final = re.compile(r"^[ \t]*\|")
_CELL: Final = re.compile(r"[^|\n]+")
_BULLET: Final = re.compile(r"^[ \t]*(?:[-*+•]|\d{1,2}[.)])\s")


@dataclass(frozen=True, eq=False)
class Read:
    """One sentence of a text.

    Args:
        start: Where it begins in the text.
        sentence: Names and values in it.
    """

    start: int
    sentence: Sentence


def read(
    text: str, lexicon: Lexicon, values: Callable[[str, list[Mention]], list[Place]], question: str = ""
) -> Iterator[Read]:
    """Cut a text into sentences.

    Args:
        text: An answer.
        lexicon: The names that count.
        values: Finds the values of a sentence, given the names in it.
        question: What was asked; the first sentence goes on about that.
    """
    asked = _about(question, lexicon.mentions(question), About())
    line = heading = asked
    columns: list[About] = []
    for start, end in split_sentences(text):
        part = text[start:end]
        if _ROW.match(part):
            cells, columns = _cells(part, lexicon, columns)
            for place, cell, about in cells:
                yield Read(start + place, Sentence(cell, *_found(cell, lexicon, values), about))
            continue
        columns = []
        mentions, found = _found(part, lexicon, values)
        starts_line = start == 0 or text[start - 1] == "\n"
        if (starts_line and _BULLET.match(part)) or (
            starts_line and text[:start].endswith("\n\n") and heading is not asked
        ):
            line = heading
        yield Read(start, Sentence(part, mentions, found, line))
        line = _about(part, mentions, line)
        if _HEADING.search(part):
            heading = line


def _found(
    text: str, lexicon: Lexicon, values: Callable[[str, list[Mention]], list[Place]]
) -> tuple[list[Mention], list[Place]]:
    mentions = lexicon.mentions(text)
    return mentions, values(text, mentions)


def _cells(
    row: str, lexicon: Lexicon, columns: list[About]
) -> tuple[list[tuple[int, str, About]], list[About]]:
    """A row of a table: its cells, each about what the row and the column are about."""
    spans = [match.span() for match in _CELL.finditer(row)]
    named = [_about(row[start:end], lexicon.mentions(row[start:end]), About()) for start, end in spans]
    if not columns:
        return [(start, row[start:end], About()) for start, end in spans], named
    segments = next((one.segments for one in named if one.segments), ())
    metrics = next((one.metrics for one in named if one.metrics), ())
    heads = [*columns, *([About()] * len(spans))]
    cells = [
        (start, row[start:end], About(segments or head.segments, head.metrics or metrics))
        for (start, end), head in zip(spans, heads, strict=False)
    ]
    return cells, columns


def _about(text: str, mentions: list[Mention], before: About) -> About:
    """What the next sentence goes on about: names without those that are only compared with."""
    sentence = Sentence(text, mentions, ())
    groups = sentence.groups
    own = _keys(group for group in groups if not sentence.is_reference(group))
    others = _keys(group for group in groups if sentence.is_reference(group))
    metrics = [one.keys for one in sentence.of(Kind.METRIC)]
    items = [one.keys for one in sentence.of(Kind.ITEM)]
    return About(
        own or before.segments,
        metrics[-1] if metrics else before.metrics,
        others if own or others else before.others,
        items[-1] if items else () if own and not before.items else before.items,
    )


def _keys(groups: Iterable[Group]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for group in groups for one in group for key in one.keys))


def names_metric(fact: Fact, named: tuple[str, ...]) -> bool:
    """Whether one of the measures that a name may mean is the fact's."""
    return not parts(fact.metric).isdisjoint(named)


def names_segments(fact: Fact, own: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether what the text names is what the fact is of.

    Args:
        fact: A fact.
        own: Keys of what the text says it of.
        other: Keys of what the text compares that with.
    """
    if UNKNOWN in own or UNKNOWN in other:
        return False
    if len(fact.segments) < 2:
        return own == fact.segments
    if own == fact.segments:
        return True
    return fact.comparison and len(own) == 1 and (*own, *other) == fact.segments


def is_swapped(fact: Fact, own: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether the text compares the other way round."""
    return len(fact.segments) == 2 and (*own, *other) == fact.segments[::-1]


STEP: Final = " → "
GENERIC: Final = frozenset({"users", "page_views", "sessions", "share", "share_clustered"})
"""Measures that are named beside a page or theme without being what is said of it: ``40 % of users``."""


def names_item(fact: Fact, items: tuple[str, ...], sentence: Sentence) -> bool:
    """Whether the text ties a value to what the fact is about; a step is named by both its ends."""
    if fact.item in items:
        return True
    ends = fact.item.split(STEP)
    named = {key for one in sentence.of(Kind.ITEM) for key in one.keys}
    return len(ends) == 2 and named.issuperset(ends) and not set(ends).isdisjoint(items)


def names_pair(fact: Fact, own: tuple[str, ...], sentence: Sentence) -> bool:
    """Whether a distance is between the value's segment and another one of the sentence."""
    named = {key for group in sentence.groups for one in group for key in one.keys}
    apart = {*named, *sentence.before.segments}.issuperset(fact.segments)
    return fact.metric == "distance" and apart and not set(own).isdisjoint(fact.segments)


_USERS_SHARE: Final = re.compile(r"(?:\d|\]\]) users? \($")


def is_share_behind_count(sentence: Sentence, value: Place) -> bool:
    """Whether a percentage says what share of all users so many are: ``280 users (18.7%)``."""
    return bool(_USERS_SHARE.search(sentence.text[: value.start]))


def counts_segments(sentence: Sentence, numeral: Numeral, n_segments: int) -> bool:
    """Whether a number counts segments rightly: ``the 4 segments``, ``two segments matter``, ``the two``."""
    behind = sentence.text[numeral.end :].lstrip(" *_").lower()
    named = {key for one in sentence.of(Kind.SEGMENT) for key in one.keys} or set(sentence.before.segments)
    if not behind.startswith(("segments", "clusters", "groups", "behavioural segments")):
        ahead = sentence.text[: numeral.start].rstrip().lower()
        return numeral.spelt and ahead.endswith("the") and numeral.value == len(named) > 1
    if numeral.value == n_segments:
        return True
    return numeral.spelt and numeral.value > 1 and not sentence.of(Kind.METRIC)
