"""Which segments, measures and things (pages, themes, browsers) a text names, and where."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from core.facts.answer import Fact, Unit
from core.facts.measures import BY_KEY
from core.writing.prose.averages import (
    AGAINST,
    ARTICLE,
    Span,
    each_session,
    median_users,
    other_means,
    than_average,
)
from core.writing.prose.numbered import find_numbered
from core.writing.prose.phrases import (
    ALL_WORDS,
    MEDIANS,
    METRIC_WORDS,
    ONE_PAGE,
    ONE_PAGE_WORDS,
    OTHER,
    PER_SESSION,
    READ_AS,
    REST_WORDS,
    WEAK,
)
from core.writing.prose.spelling import flexible, metric_phrases, parts, plain

ALL: Final = "all"
REST: Final = "rest"
UNKNOWN: Final = "unknown"
"""Key of a segment number that does not exist."""

_OF_ALL: Final = re.compile(r"\bof (?:all|the total)(?=\s*[.,;)]|$)", re.IGNORECASE)
_NO_MEASURE: Final = re.compile(
    r"ordered by\b|of all (?:the )?(?:\w+ )?(?:segments|clusters|groups)\b", re.IGNORECASE
)
_AGAINST_VALUE: Final = re.compile(rf"{AGAINST}{ARTICLE}\S+(?:\s%)?\s+$", re.IGNORECASE)
_SHARE_BEFORE: Final = re.compile(
    r"(?:%|\bper\s?cent|\]\]|\b(?:half|third|quarter|fifth|tenth)s?)[\s*_)]*$", re.I
)
_NOUN: Final = re.compile(r"[\"”’]?\s(?:segment|cluster|group|audience)\b", re.IGNORECASE)


class Kind(StrEnum):
    """What a mention names."""

    SEGMENT = "segment"
    METRIC = "metric"
    ITEM = "item"


@dataclass(frozen=True)
class Mention:
    """One name in a text.

    Args:
        start: Place of its first character.
        end: Place after its last one.
        kind: What it names.
        keys: All that it may mean; one for a segment.
        weak: Whether it only counts where nothing better is named.
    """

    start: int
    end: int
    kind: Kind
    keys: tuple[str, ...]
    weak: bool = False


class Lexicon:
    """The names that count in one turn.

    Args:
        facts: Facts of the turn.
        segments: Key → names; ``segment:0`` is also known as "segment 1", "cluster 1" and "S1".
        metrics: Metric → what people call it.
    """

    def __init__(
        self,
        facts: Iterable[Fact],
        segments: Mapping[str, Sequence[str]],
        metrics: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        facts = tuple(facts)
        self.facts = facts
        self.segment_keys = tuple(key for key in segments if key.startswith("segment:"))
        self.units: dict[str, set[Unit]] = {}
        for fact in facts:
            for part in parts(fact.metric):
                self.units.setdefault(part, set()).add(fact.unit)
        for measure in BY_KEY.values():
            self.units.setdefault(measure.key, set()).add(measure.unit)
        self.units[OTHER] = set(Unit)
        self._phrases = _phrases(facts, segments, metrics or METRIC_WORDS)
        spelt = sorted(self._phrases, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(flexible, spelt)), re.IGNORECASE)

    def mentions(self, text: str, before: Sequence[str] = ()) -> list[Mention]:
        """All names in a text, the longest where they overlap, given what the last measure may mean."""
        named = [one for one in self._named(text) if not _is_of_segments(text, one)]
        found = [*self._numbered(text), *(_all_not_share(text, one) for one in named)]
        found = [*(Mention(*span, Kind.SEGMENT, (ALL,)) for span in than_average(text)), *found]
        found += [Mention(*match.span(), Kind.METRIC, ("share",)) for match in _OF_ALL.finditer(text)]
        found.sort(key=lambda one: (one.start - one.end, _ORDER[one.kind], one.start))
        kept: list[Mention] = []
        for one in found:
            if not any(one.start < other.end and other.start < one.end for other in kept):
                kept.append(one)
        return _averaged(text, _merged(text, sorted(kept, key=lambda one: one.start)), before)

    def is_end(self, fact: Fact) -> bool:
        """Whether a fact is the most or the least of its measure over all segments."""
        alike = {
            one.segments[0]: one.value
            for one in self.facts
            if one.metric == fact.metric and one.item == fact.item and one.segments[0] in self.segment_keys
        }
        return len(alike) == len(self.segment_keys) and fact.value in (
            max(alike.values(), key=float), min(alike.values(), key=float),
        )  # fmt: skip

    def is_written(self, key: str, units: Collection[Unit]) -> bool:
        """Whether a measure is written in one of some units."""
        return not self.units.get(key, set()).isdisjoint(units)

    def is_share(self, key: str) -> bool:
        """Whether a measure, or what its name may stand for, is written as a percentage."""
        return any(self.is_written(one, {Unit.SHARE}) for one in (key, *READ_AS.get(key, ())))

    def _named(self, text: str) -> list[Mention]:
        found: list[Mention] = []
        place = 0
        while match := self._pattern.search(text, place):
            name = plain(match[0])
            for meaning in self._phrases.get(name) or self._phrases[name[:-1]]:
                if meaning.exact in ("", " ".join(match[0].split())):
                    found.append(Mention(*match.span(), meaning.kind, meaning.keys, meaning.weak))
            place = match.start() + len(match[0].split()[0])
        return found

    def _numbered(self, text: str) -> list[Mention]:
        found = []
        for one in find_numbered(text):
            key = f"segment:{one.number - 1}"
            if key in self.segment_keys or one.sure:
                key = key if key in self.segment_keys else UNKNOWN
                found.append(Mention(one.start, one.end, Kind.SEGMENT, (key,)))
        return found


@dataclass(frozen=True)
class Meaning:
    """What a phrase may name; ``exact`` is its spelling where letter case matters."""

    kind: Kind
    keys: tuple[str, ...]
    exact: str = ""
    weak: bool = False


_ORDER: Final = {Kind.SEGMENT: 0, Kind.ITEM: 1, Kind.METRIC: 2}


def _phrases(
    facts: Iterable[Fact], segments: Mapping[str, Sequence[str]], metrics: Mapping[str, Sequence[str]]
) -> dict[str, list[Meaning]]:
    """Phrase, in lower case and with single blanks → all that it may name."""
    phrases: dict[str, list[Meaning]] = {}

    def add(phrase: str, meaning: Meaning) -> None:
        if plain(phrase) and meaning not in phrases.setdefault(plain(phrase), []):
            phrases[plain(phrase)].append(meaning)

    for key, names in segments.items():
        for name in names:
            add(name, Meaning(Kind.SEGMENT, (key,)))
    rows = {
        ALL: ALL_WORDS,
        REST: REST_WORDS,
        ONE_PAGE: ONE_PAGE_WORDS if ONE_PAGE in segments else (),
    }
    for key, words in rows.items():
        for word in words:
            add(word, Meaning(Kind.SEGMENT, (key,), weak=word in WEAK))
    for phrase, keys in metric_phrases(facts, metrics).items():
        add(phrase, Meaning(Kind.METRIC, tuple(sorted(keys))))
    for fact in facts:
        name = fact.value if isinstance(fact.value, str) else ""
        for item in {fact.item, name, *fact.item.split(" → ")} - {""}:
            add(item, Meaning(Kind.ITEM, (item,), exact=item if re.fullmatch(r"\w+", item) else ""))
    return phrases


def _merged(text: str, mentions: list[Mention]) -> list[Mention]:
    """``Segment 2 (Bargain hunters)`` is one mention."""
    mentions = [_with_noun(text, one) for one in mentions]
    merged: list[Mention] = []
    for one in mentions:
        last = merged[-1] if merged else None
        if (
            last
            and one.kind is last.kind
            and one.keys == last.keys
            and not text[last.end : one.start].strip(' ("“,')
        ):
            merged[-1] = replace(last, end=one.end + (text[one.end : one.end + 1] == ")"))
        else:
            merged.append(one)
    return merged


def _is_of_segments(text: str, one: Mention) -> bool:
    """``the largest of all segments`` names neither a share nor all users."""
    return one.kind is Kind.METRIC and bool(_NO_MEASURE.match(text, one.start))


def _all_not_share(text: str, one: Mention) -> Mention:
    """``the rate of all users`` and ``against 8 % of all users`` are their rate, not a share of them."""
    is_share = _SHARE_BEFORE.search(text[: one.start]) and not _AGAINST_VALUE.search(text[: one.start])
    names_all = one.kind is Kind.METRIC and one.keys == ("share",) and text[one.start :].startswith("of ")
    if names_all and not is_share:
        return replace(one, kind=Kind.SEGMENT, keys=(ALL,), start=one.start + len("of "))
    return one


def _averaged(text: str, mentions: list[Mention], before: Sequence[str]) -> list[Mention]:
    """Measures of a session and of the middle user, where the text says that it means those."""
    measures = [(one.start, one.end) for one in mentions if one.kind is Kind.METRIC]
    spans: list[tuple[Mapping[str, str], Span]]
    spans = [(PER_SESSION, span) for span in each_session(text, measures)]
    spans += [(MEDIANS, span) for span in median_users(text)]
    read = list(mentions)
    for table, (start, end) in spans:
        read = [
            replace(one, keys=tuple(table.get(key, key) for key in one.keys))
            if one.kind is Kind.METRIC and start <= one.start < end
            else one
            for one in read
        ]
    for start, end, means in other_means(text):
        own = [one.keys for one in read if one.kind is Kind.METRIC and one.end <= start] or [tuple(before)]
        own = own if text[start:end].endswith("s") else own[-1:]
        keys = tuple(means[key] for one in own for key in one if key in means)
        if keys:
            read = [one for one in read if one.end <= start or one.start >= end]
            read.append(Mention(start, end, Kind.METRIC, keys))
    return sorted(read, key=lambda one: one.start)


def _with_noun(text: str, one: Mention) -> Mention:
    """``the Loyal buyers segment`` ends after the noun."""
    noun = _NOUN.match(text, one.end) if one.kind is Kind.SEGMENT else None
    return replace(one, end=noun.end()) if noun else one
