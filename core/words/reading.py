"""A text cut into sentences, with the names in each and what each goes on about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.words.contract import Fact
from core.words.mentions import UNKNOWN, Kind, Lexicon, Mention, parts
from core.words.numerals import Numeral
from core.words.sentence import About, Group, Place, Sentence, split_sentences

_HEADING: Final = re.compile(r"^[ \t]*(?:#{1,6}\s|\*\*[^*]+\*\*:?\s*$)|:\s*$")
_ROW: Final = re.compile(r"^[ \t]*\|")
_CELL: Final = re.compile(r"[^|\n]+")
_THAT_IS: Final = re.compile(r"\s*(?:that|this|it)(?:['’]s|\sis|\swould\sbe|\sbelongs)\b", re.IGNORECASE)
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
    rank = 0
    spans = split_sentences(text)
    for number, (start, end) in enumerate(spans):
        part = text[start:end]
        if _ROW.match(part):
            rank = rank + bool(re.search(r"\w", part)) if columns else 0
            cells, columns = _cells(part, lexicon, columns, line, rank)
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
        following = text[slice(*spans[number + 1])] if number + 1 < len(spans) else ""
        ahead = (
            About()
            if line.segments
            else _ahead([text[slice(*span)] for span in spans[number + 1 :]], lexicon)
        )
        about = replace(line, segments=line.segments or ahead.segments, metrics=line.metrics or ahead.metrics)
        yield Read(start, Sentence(part, mentions, found, about))
        line = _about(part, mentions, line)
        if _HEADING.search(part) or (not found and starts_line and _BULLET.match(following)):
            heading = line


def _ahead(following: Sequence[str], lexicon: Lexicon) -> About:
    """``The answer: 12 %. That is the rate of segment 2.``: a sentence to come says whose it is."""
    for part in following:
        mentions = lexicon.mentions(part)
        if _THAT_IS.match(part):
            return _about(part, mentions, About())
        if any(one.kind is Kind.SEGMENT for one in mentions):
            break
    return About()


def _found(
    text: str, lexicon: Lexicon, values: Callable[[str, list[Mention]], list[Place]]
) -> tuple[list[Mention], list[Place]]:
    mentions = lexicon.mentions(text)
    return mentions, values(text, mentions)


def _cells(
    row: str, lexicon: Lexicon, columns: list[About], before: About, rank: int
) -> tuple[list[tuple[int, str, About]], list[About]]:
    """A row of a table: its cells, each about what the row and the column are about.

    The first row names the columns; a segment that it names alone is that of the whole table, as is one that
    the text names before.
    """
    spans = [match.span() for match in _CELL.finditer(row)]
    named = [_about(row[start:end], lexicon.mentions(row[start:end]), About()) for start, end in spans]
    if not columns:
        alone = {one.segments for one in named if one.segments}
        whole = next(iter(alone)) if len(alone) == 1 else before.segments if not alone else ()
        heads = [replace(one, segments=one.segments or whole) for one in named]
        return [(start, row[start:end], About()) for start, end in spans], heads
    segments = next((one.segments for one in named if one.segments), ())
    metrics = next((one.metrics for one in named if one.metrics), ())
    items = next((one.items for one in named if one.items), ())
    heads = [*columns, *([About()] * len(spans))]
    cells = [
        (
            start,
            row[start:end],
            About(segments or head.segments, head.metrics or metrics, items=head.items or items),
        )
        for (start, end), head in zip(spans, heads, strict=False)
        if not (start < 3 and row[start:end].strip(" #.*") == str(rank))  # the place in the table
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
