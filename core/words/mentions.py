"""Which segments, measures and things (pages, themes, browsers) a text names, and where."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from core.words.contract import Fact, Unit
from core.words.measures import BY_KEY
from core.words.number_words import SMALL
from core.words.phrases import ALL_WORDS, EXTRA_WORDS, METRIC_WORDS, OTHER, PER_SESSION, REST_WORDS, WEAK

ALL: Final = "all"
REST: Final = "rest"
UNKNOWN: Final = "unknown"
"""Key of a segment number that does not exist."""

_COUNT: Final = r"\d{1,3}|" + "|".join(
    word for word, value in SMALL.items() if 1 <= value <= 12 and word != "dozen"
)
_NUMBERED: Final = re.compile(
    rf"\b(?:(?P<many>segments|clusters|segs)|segment|cluster|seg\.?)\s*(?:no\.?\s*|number\s+|#)?"
    rf"(?P<first>{_COUNT})\b(?![.,]\d|\s(?:min|s|h)\b)"
    rf"(?P<list>(?:\s*(?:,\s*and\s|,|and\s|or\s|&|to\s|vs\.?\s|versus\s)\s*#?(?:{_COUNT})\b"
    r"(?!\s*(?:%|[.,]\d|percent|×)))*)",
    re.IGNORECASE,
)
_EACH_SESSION: Final = re.compile(
    r"\b(?:per|each|every|an? average|a typical|the average|a) (?:session|visit)\b", re.IGNORECASE
)
_CLAUSE: Final = re.compile(r"[^;\n]+")
_OF_ALL: Final = re.compile(r"\bof (?:all|the total)(?=\s*[.,;)]|$)", re.IGNORECASE)
_AGAINST: Final = re.compile(r"\b(?:against|versus|vs\.?|compared (?:to|with)|than)\s+\S+(?:\s%)?\s+$", re.I)
_SHARE_BEFORE: Final = re.compile(
    r"(?:%|\bper\s?cent|\]\]|\b(?:half|third|quarter|fifth|tenth)s?)[\s*_)]*$", re.I
)
_NOUN: Final = re.compile(r"[\"”’]?\s(?:segment|cluster|group|audience)\b", re.IGNORECASE)
_SHORT: Final = re.compile(r"(?<![\w#])(?:[SC](?P<letter>\d{1,2})(?!\w|\.\d)|#(?P<hash>\d{1,2})(?![\w.:]))")


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
        self._pattern = re.compile("|".join(map(_flexible, spelt)), re.IGNORECASE)

    def mentions(self, text: str) -> list[Mention]:
        """All names in a text, the longest where they overlap, from left to right."""
        found = [_all_not_share(text, one) for one in (*self._numbered(text), *self._named(text))]
        found += [Mention(*match.span(), Kind.METRIC, ("share",)) for match in _OF_ALL.finditer(text)]
        found.sort(key=lambda one: (one.start - one.end, _ORDER[one.kind], one.start))
        kept: list[Mention] = []
        for one in found:
            if not any(one.start < other.end and other.start < one.end for other in kept):
                kept.append(one)
        return _averaged(text, _merged(text, sorted(kept, key=lambda one: one.start)))

    def is_written(self, key: str, units: Collection[Unit]) -> bool:
        """Whether a measure is written in one of some units."""
        return not self.units.get(key, set()).isdisjoint(units)

    def _named(self, text: str) -> list[Mention]:
        found: list[Mention] = []
        place = 0
        while match := self._pattern.search(text, place):
            name = _plain(match[0])
            for meaning in self._phrases.get(name) or self._phrases[name[:-1]]:
                if meaning.exact in ("", " ".join(match[0].split())):
                    found.append(Mention(*match.span(), meaning.kind, meaning.keys, meaning.weak))
            place = match.start() + len(match[0].split()[0])
        return found

    def _numbered(self, text: str) -> list[Mention]:
        found = []
        for match in _NUMBERED.finditer(text):
            found.append(self._numbered_one(match.start(), match.end("first"), match["first"]))
            listed = match["list"] if match["many"] or re.match(r"\s*(?:vs|versus)", match["list"]) else ""
            for number in re.finditer(rf"(?:{_COUNT})\b", listed, re.IGNORECASE):
                start = match.start("list") + number.start()
                found.append(self._numbered_one(start, start + len(number[0]), number[0]))
        for match in _SHORT.finditer(text):
            one = self._numbered_one(match.start(), match.end(), match["letter"] or match["hash"])
            found += [one] if one.keys != (UNKNOWN,) else []
        return found

    def _numbered_one(self, start: int, end: int, number: str) -> Mention:
        value = int(number) if number.isdigit() else int(SMALL[number.lower()])
        key = f"segment:{value - 1}"
        return Mention(start, end, Kind.SEGMENT, (key if key in self.segment_keys else UNKNOWN,))


@dataclass(frozen=True)
class Meaning:
    """What a phrase may name; ``exact`` is its spelling where letter case matters."""

    kind: Kind
    keys: tuple[str, ...]
    exact: str = ""
    weak: bool = False


_ORDER: Final = {Kind.SEGMENT: 0, Kind.ITEM: 1, Kind.METRIC: 2}


def parts(metric: str) -> set[str]:
    """A metric and what it is made of: ``lift:page`` → itself, ``lift``, ``page``."""
    return {metric, *metric.split(":")}


def _phrases(
    facts: Iterable[Fact], segments: Mapping[str, Sequence[str]], metrics: Mapping[str, Sequence[str]]
) -> dict[str, list[Meaning]]:
    """Phrase, in lower case and with single blanks → all that it may name."""
    phrases: dict[str, list[Meaning]] = {}

    def add(phrase: str, meaning: Meaning) -> None:
        if _plain(phrase) and meaning not in phrases.setdefault(_plain(phrase), []):
            phrases[_plain(phrase)].append(meaning)

    for key, names in segments.items():
        for name in names:
            add(name, Meaning(Kind.SEGMENT, (key,)))
    for word in ALL_WORDS:
        add(word, Meaning(Kind.SEGMENT, (ALL,), weak=word in WEAK))
    for word in REST_WORDS:
        add(word, Meaning(Kind.SEGMENT, (REST,)))
    for phrase, keys in _metric_phrases(facts, metrics).items():
        add(phrase, Meaning(Kind.METRIC, tuple(sorted(keys))))
    for fact in facts:
        name = fact.value if isinstance(fact.value, str) else ""
        for item in {fact.item, name, *fact.item.split(" → ")} - {""}:
            add(item, Meaning(Kind.ITEM, (item,), exact=item if re.fullmatch(r"\w+", item) else ""))
    return phrases


def _metric_phrases(facts: Iterable[Fact], metrics: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    """Phrase → every metric that it may name."""
    found: dict[str, set[str]] = {}
    for table in (metrics, EXTRA_WORDS):
        for metric, words in table.items():
            for word in words:
                if word.startswith("percent "):  # 12 percent of users convert
                    continue
                for spelt in {word, word.replace(" per ", "/")}:
                    found.setdefault(_plain(spelt), set()).add(metric)
    for fact in facts:
        if fact.unit is not Unit.TEXT:  # such as "most users", the name of a segment
            found.setdefault(_plain(fact.label), set()).add(fact.metric)
    return found


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


def _all_not_share(text: str, one: Mention) -> Mention:
    """``the rate of all users`` and ``against 8 % of all users`` are their rate, not a share of them."""
    is_share = _SHARE_BEFORE.search(text[: one.start]) and not _AGAINST.search(text[: one.start])
    names_all = one.kind is Kind.METRIC and one.keys == ("share",) and text[one.start :].startswith("of ")
    if names_all and not is_share:
        return replace(one, kind=Kind.SEGMENT, keys=(ALL,), start=one.start + len("of "))
    return one


def _averaged(text: str, mentions: list[Mention]) -> list[Mention]:
    """``Per session, they open 5.7 pages``: pages are those of a session there."""
    parts = [match.span() for match in _CLAUSE.finditer(text) if _EACH_SESSION.search(match[0])]
    return [
        replace(one, keys=tuple(PER_SESSION.get(key, key) for key in one.keys))
        if one.kind is Kind.METRIC and any(start <= one.start < end for start, end in parts)
        else one
        for one in mentions
    ]


def _with_noun(text: str, one: Mention) -> Mention:
    """``the Loyal buyers segment`` ends after the noun."""
    noun = _NOUN.match(text, one.end) if one.kind is Kind.SEGMENT else None
    return replace(one, end=noun.end()) if noun else one


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _flexible(phrase: str) -> str:
    """A pattern for a phrase: whole words, any white space, an optional plural s."""
    words = r"\s+".join(map(re.escape, phrase.split()))
    return rf"(?<!\w){words}(?:s(?!\w))?(?!\w|(?<=\d)[.,]\d|(?<=\d)\s(?:min|s|h)\b)"
