"""A text cut into sentences, with the names in each and what each goes on about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.words.binding import best
from core.words.contract import Fact
from core.words.mentions import ALL, UNKNOWN, Kind, Lexicon, Mention
from core.words.numerals import Numeral
from core.words.sentence import About, Group, Place, Sentence, split_sentences
from core.words.spelling import parts

_HEADING: Final = re.compile(r"^[ \t]*(?:#{1,6}\s|\*\*[^*]+\*\*:?\s*$)|:\s*$")
_ROW: Final = re.compile(r"^[ \t]*\|")
_CELL: Final = re.compile(r"[^|\n]+")
_THAT_IS: Final = re.compile(r"\s*(?:that|this|it)(?:['’]s|\sis|\swould\sbe|\sbelongs)\b", re.IGNORECASE)
_PRONOUN: Final = re.compile(
    r"\b(?:they|their|it|its|this|these|them|the (?:segment|cluster|group))\b", re.IGNORECASE
)
_ONE_OF_TWO: Final = re.compile(r"\bthe (?:(?P<first>former)|latter)\b", re.IGNORECASE)
_AVERAGE: Final = re.compile(r"\W*(?:average|overall|total|all|everyone|site|benchmark)\W*", re.IGNORECASE)
"""Over a column that is of all users."""
_COMPARED: Final = re.compile(r"\W*(?:ratio|difference|gap|factor|change)\W*", re.IGNORECASE)
_RANKED: Final = re.compile(r"\W*(?:rank|ranking|place|position)\W*", re.IGNORECASE)
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
    pair: tuple[str, ...] = ()
    columns: list[About] = []
    rank = 0
    spans = split_sentences(text)
    for number, (start, end) in enumerate(spans):
        part = text[start:end]
        if _ROW.match(part):
            rank = rank + bool(re.search(r"\w", part)) if columns else 0
            ahead = (
                line
                if line.segments
                else _ahead(part, [text[slice(*one)] for one in spans[number + 1 :]], lexicon)
            )
            cells, columns = _cells(part, lexicon, columns, ahead, rank)
            for place, cell, about in cells:
                yield Read(start + place, Sentence(cell, *_found(cell, lexicon, values), about))
            continue
        columns = []
        mentions, found = _found(part, lexicon, values, pair)
        starts_line = start == 0 or text[start - 1] == "\n"
        if (starts_line and _BULLET.match(part)) or (
            starts_line and text[:start].endswith("\n\n") and heading is not asked
        ):
            line = replace(heading, segments=heading.segments or line.segments)
        following = text[slice(*spans[number + 1])] if number + 1 < len(spans) else ""
        ahead = (
            About()
            if line.segments
            else _ahead(text[:end], [text[slice(*one)] for one in spans[number + 1 :]], lexicon)
        )
        about = replace(line, segments=line.segments or ahead.segments, metrics=line.metrics or ahead.metrics)
        sentence = Sentence(part, mentions, found, about)
        yield Read(start, sentence)
        if sentence.is_crowded:
            continue
        line = _about(part, mentions, line)
        line = replace(line, series=tuple(best(sentence, one, Kind.METRIC) for one in found))
        named = _keys(sentence.groups)
        pair = named if len(named) == 2 else pair if set(named) <= set(pair) else (*pair, *named)[-2:]
        line = replace(line, pair=pair)
        if _HEADING.search(part) or (not found and starts_line and _BULLET.match(following)):
            heading = line


def _ahead(text: str, following: Sequence[str], lexicon: Lexicon) -> About:
    """``They spend 58 s. I mean segment 2.``: a sentence to come says whose it is."""
    for part in following:
        mentions = lexicon.mentions(part)
        if _THAT_IS.match(part):
            return _about(part, mentions, About())
        if any(one.kind is Kind.SEGMENT and one.keys != (ALL,) for one in mentions):
            about = About() if _ROW.match(part) else _about(part, mentions, About())
            return About(about.segments) if _PRONOUN.search(text) or _ROW.match(text) else About()
    return About()


def _found(
    text: str,
    lexicon: Lexicon,
    values: Callable[[str, list[Mention]], list[Place]],
    before: Sequence[str] = (),
) -> tuple[list[Mention], list[Place]]:
    mentions = lexicon.mentions(text)
    for match in _ONE_OF_TWO.finditer(text):
        named = [one.keys[0] for one in mentions if one.kind is Kind.SEGMENT and one.end <= match.start()]
        pair = list(dict.fromkeys(named)) if len(set(named)) > 1 else before
        if len(pair) == 2:
            mentions.append(Mention(*match.span(), Kind.SEGMENT, (pair[0 if match["first"] else 1],)))
    mentions.sort(key=lambda one: one.start)
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
        every = [(ALL,) if _AVERAGE.fullmatch(row[start:end]) else () for start, end in spans]
        named = [
            replace(one, segments=one.segments or one.others or whole)
            for one, whole in zip(named, every, strict=True)
        ]
        alone = {one.segments for one in named if one.segments not in ((), (ALL,))}
        whole = next(iter(alone)) if len(alone) == 1 else before.segments if not alone else ()
        pair = [one.segments for one in named if len(one.segments) == 1][:2]
        measures = tuple(key for one in named for key in one.metrics)
        heads = [
            About((), measures, ranked=True)
            if _RANKED.fullmatch(row[start:end])
            else About(pair[0], (), pair[1])
            if _COMPARED.fullmatch(row[start:end]) and len(pair) == 2
            else replace(one, segments=one.segments or whole)
            for one, (start, end) in zip(named, spans, strict=True)
        ]
        return [(start, row[start:end], About()) for start, end in spans], heads
    segments = next((one.segments for one in named if one.segments), ())
    metrics = next((one.metrics for one in named if one.metrics), ())
    items = next((one.items for one in named if one.items), ())
    heads = [*columns, *([About()] * len(spans))]
    cells = [
        (
            start,
            row[start:end],
            About(
                head.segments if head.segments == (ALL,) or head.others else segments or head.segments,
                head.metrics or metrics,
                head.others,
                items=head.items or items,
                ranked=head.ranked,
            ),
        )
        for (start, end), head in zip(spans, heads, strict=False)
        if head.ranked
        or not (start < 3 and row[start:end].strip(" #.*") == str(rank))  # its place in the table
    ]
    return cells, columns


def _about(text: str, mentions: list[Mention], before: About) -> About:
    """What the next sentence goes on about: names without those that are only compared with."""
    sentence = Sentence(text, mentions, ())
    groups = sentence.groups
    own = _keys(group for group in groups if not sentence.is_reference(group))
    if before.segments and all(one.weak for group in groups for one in group):
        own = ()
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


_NUMBER_OF: Final = re.compile(r"\b[Kk]\s?(?:=|of|is)\s?$")
"""Before the number of segments: ``K = 8``."""


def counts_segments(sentence: Sentence, numeral: Numeral, n_segments: int) -> bool:
    """Whether a number counts segments rightly: ``the 4 segments``, ``two segments matter``, ``the two``."""
    behind = sentence.text[numeral.end :].lstrip(" *_").lower()
    named = {key for one in sentence.of(Kind.SEGMENT) for key in one.keys} or set(sentence.before.segments)
    if _NUMBER_OF.search(sentence.text[: numeral.start]):
        return numeral.value == n_segments
    if not behind.startswith(("segments", "clusters", "groups", "behavioural segments")):
        ahead = sentence.text[: numeral.start].rstrip().lower()
        return numeral.spelt and ahead.endswith("the") and numeral.value == (len(named) or 2) > 1
    if numeral.value == n_segments or numeral.value == len(named) > 1:
        return True
    return numeral.spelt and numeral.value > 1 and not sentence.of(Kind.METRIC)
