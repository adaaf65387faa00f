"""A text cut into sentences, with the names in each and what each goes on about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.facts.answer import Fact
from core.writing.prose.binding import best
from core.writing.prose.mentions import ALL, REST, UNKNOWN, Kind, Lexicon, Mention
from core.writing.prose.numerals import Numeral
from core.writing.prose.sentence import PRONOUN, About, Place, Sentence, about_of, keys_of, split_sentences
from core.writing.prose.spelling import parts
from core.writing.prose.tables import cells_of

_HEADING: Final = re.compile(r"^[ \t]*(?:#{1,6}\s|\*\*[^*]+\*\*:?\s*$)|:\s*$")
_ROW: Final = re.compile(r"^[ \t]*\|")
_THAT_IS: Final = re.compile(r"\s*(?:that|this|it)(?:['’]s|\sis|\swould\sbe|\sbelongs)\b", re.IGNORECASE)
_BACK: Final = re.compile(
    r"\b(?:they|their|it|its|this|these|them|the (?:segment|cluster|group))\b", re.IGNORECASE
)
"""Goes back to a segment that only a later sentence may name."""
_SHORT: Final = re.compile(r"\W*(?:the\s)?(?:short|quick|brief)\s(?:answer|version)\b", re.IGNORECASE)
"""A short answer, before the long one says what it is of."""
_ONE_OF_TWO: Final = re.compile(r"\bthe (?:(?P<first>former)|latter)\b", re.IGNORECASE)
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
    asked = about_of(question, lexicon.mentions(question), About())
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
            cells, columns = cells_of(part, lexicon, columns, ahead, rank)
            over = tuple(one.segments[0] for one in columns if one.segments not in ((), (ALL,)))
            pair = over if len(set(over)) == len(over) == 2 else pair
            for place, cell, about in cells:
                yield Read(start + place, Sentence(cell, *_found(cell, lexicon, values), about))
            continue
        columns = []
        mentions, found = _found(part, lexicon, values, pair, line.metrics)
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
        segments, metrics = line.segments or ahead.segments, line.metrics or ahead.metrics
        about = replace(line, segments=segments, metrics=metrics, pair=pair)
        both = len(pair) == len(found) == 2 and ALL not in pair  # "their rates are 12 % and 13 %"
        every = mentions if both else _with_pronouns(part, mentions, about.segments)
        sentence = Sentence(part, every, found, about)
        yield Read(start, sentence)
        if sentence.is_crowded:
            continue
        line = about_of(part, every, line)
        line = replace(line, series=tuple(best(sentence, one, Kind.METRIC) for one in found))
        named = keys_of(sentence.groups)
        pair = named if len(named) == 2 else pair if set(named) <= set(pair) else (*pair, *named)[-2:]
        if _HEADING.search(part) or (not found and starts_line and _BULLET.match(following)):
            heading = line


def _ahead(text: str, following: Sequence[str], lexicon: Lexicon) -> About:
    """``They spend 58 s. I mean segment 2.``: a sentence to come says whose it is."""
    for part in following:
        mentions = lexicon.mentions(part)
        if _THAT_IS.match(part):
            return about_of(part, mentions, About())
        if any(one.kind is Kind.SEGMENT and one.keys != (ALL,) for one in mentions):
            about = About() if _ROW.match(part) else about_of(part, mentions, About())
            goes_back = _BACK.search(text) or _ROW.match(text) or _SHORT.match(text)
            return About(about.segments) if goes_back else About()
    return About()


def _found(
    text: str,
    lexicon: Lexicon,
    values: Callable[[str, list[Mention]], list[Place]],
    before: Sequence[str] = (),
    metrics: Sequence[str] = (),
) -> tuple[list[Mention], list[Place]]:
    mentions = lexicon.mentions(text, metrics)
    for match in _ONE_OF_TWO.finditer(text):
        named = [one.keys[0] for one in mentions if one.kind is Kind.SEGMENT and one.end <= match.start()]
        pair = list(dict.fromkeys(named)) if len(set(named)) > 1 else before
        if len(pair) == 2:
            mentions.append(Mention(*match.span(), Kind.SEGMENT, (pair[0 if match["first"] else 1],)))
    mentions.sort(key=lambda one: one.start)
    return mentions, values(text, mentions)


def _with_pronouns(text: str, mentions: list[Mention], segments: Sequence[str]) -> list[Mention]:
    """``They`` and the like are names of the segment before, up to where the sentence names one itself."""
    own = [one for one in mentions if one.kind is Kind.SEGMENT and not one.weak]
    named = [one.start for one in own if one.keys != (REST,)]
    spans = [(one.start, one.end) for one in mentions]
    found = [
        Mention(*match.span(), Kind.SEGMENT, tuple(segments))
        for match in PRONOUN.finditer(text, 0, min(named, default=len(text)))
        if len(segments) == 1 and not any(start < match.end() and match.start() < end for start, end in spans)
    ]
    return sorted([*mentions, *found], key=lambda one: one.start)


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
    """Whether a number counts segments rightly: ``all 4 segments``, ``K = 4``, ``the 2 segments``."""
    if _NUMBER_OF.search(sentence.text[: numeral.start]):
        return numeral.value == n_segments
    behind = sentence.text[numeral.end :].lstrip(" *_").lower()
    named = {key for one in sentence.of(Kind.SEGMENT) for key in one.keys} or set(sentence.before.segments)
    counted = behind.startswith(("segments", "clusters", "groups", "behavioural segments"))
    return counted and (numeral.value == n_segments or numeral.value == len(named) > 1)
