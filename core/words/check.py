"""The check of a model's answer: values only as ``[[F12]]``, and each where its sentence may have it.

The model never writes a digit. What is checked is that every slot is a fact of this turn, that the segment
and the measure that the sentence names are the fact's, that a word which compares has a comparison behind
it, and that no number is smuggled in, in digits or in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.words.binding import other_of, segments_of
from core.words.binding_measure import items_of, metric_of
from core.words.claims import is_more
from core.words.comparatives import Comparative, find_comparatives
from core.words.contract import Fact, Unit
from core.words.mentions import ALL, REST, UNKNOWN, Kind, Lexicon, Mention, parts
from core.words.near import may_be
from core.words.numerals import Numeral, Written, find_numerals
from core.words.reading import (
    GENERIC,
    Read,
    counts_segments,
    is_share_behind_count,
    is_swapped,
    names_item,
    names_metric,
    names_pair,
    names_segments,
    read,
)
from core.words.render import SLOTS
from core.words.sentence import Place, Sentence

CLOSE: Final = 0.05
"""``twice`` may stand for 1.9× to 2.1×."""

_APART: Final = re.compile(r"\b(?:apart|differs?|difference|gap)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """Something an answer may not say.

    Args:
        start: Place of its first character.
        end: Place after its last one.
        reason: What is wrong with it, for the model that is asked again.
    """

    start: int
    end: int
    reason: str


@dataclass(frozen=True)
class Checked:
    """An answer and what is wrong with it.

    Args:
        text: As it was given.
        problems: From left to right; empty if it may be shown.
    """

    text: str
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether it may be shown."""
        return not self.problems

    def complaint(self) -> str:
        """What to tell the model, one line a problem."""
        return "\n".join(f"- {self.text[one.start : one.end]!r}: {one.reason}" for one in self.problems)


def check_slots(
    text: str,
    facts: Iterable[Fact],
    *,
    segments: Mapping[str, Sequence[str]],
    question: str = "",
    metrics: Mapping[str, Sequence[str]] | None = None,
) -> Checked:
    """Check an answer whose values are slots.

    Args:
        text: What a model wrote.
        facts: Those of this turn.
        segments: Key of each segment and group → its names.
        question: What was asked; its own numbers may be repeated.
        metrics: Measure → what people call it; :data:`core.words.phrases.METRIC_WORDS` when None.
    """
    return SlotChecker(facts, segments, metrics).check(text, question)


class SlotChecker:
    """Checks several texts over the same facts; see :func:`check_slots`."""

    def __init__(
        self,
        facts: Iterable[Fact],
        segments: Mapping[str, Sequence[str]],
        metrics: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._lexicon = Lexicon(facts, segments, metrics)
        self._known = {fact.id: fact for fact in self._lexicon.facts}

    def check(self, text: str, question: str = "") -> Checked:
        """Check an answer whose values are slots."""
        named = [
            (one.start, one.end) for one in self._lexicon.mentions(question) if one.kind is not Kind.METRIC
        ]
        asked = {one.value for one in find_numerals(question, named)}
        problems: list[Problem] = []
        for part in read(text, self._lexicon, _slots, question):
            problems += _Sentence(part, self._known, asked, self._lexicon).problems()
        return Checked(text, tuple(sorted(problems, key=lambda one: (one.start, one.end))))


def _slots(text: str, _: list[Mention]) -> list[Place]:
    return [Place(*match.span()) for match in SLOTS.finditer(text)]


class _Sentence:
    """Checks one sentence."""

    def __init__(self, part: Read, known: Mapping[str, Fact], asked: set[float], lexicon: Lexicon) -> None:
        self._start, self._asked, self._lexicon = part.start, asked, lexicon
        matches = list(SLOTS.finditer(part.sentence.text))
        self._cited = [(Place(*match.span()), known.get(match[1])) for match in matches]
        self._sentence = self._with_named_items(part.sentence)
        self._comparatives = find_comparatives(part.sentence.text, part.sentence.names)

    def problems(self) -> list[Problem]:
        """All that is wrong with the sentence."""
        found = [self._slot(place, fact) for place, fact in self._cited]
        found += [self._numeral(one) for one in self._numerals()]
        found += [self._comparison(one) for one in self._comparatives if self._compares(one)]
        found += [
            self._problem(Place(one.start, one.end), "there is no such segment")
            for one in self._sentence.of(Kind.SEGMENT)
            if one.keys == (UNKNOWN,)
        ]
        return [one for one in found if one is not None]

    def _with_named_items(self, sentence: Sentence) -> Sentence:
        """A slot that is a name (of a page) names that thing."""
        named = [_named(place, fact) for place, fact in self._cited if fact and fact.unit is Unit.TEXT]
        mentions = sorted([*sentence.mentions, *named], key=lambda one: one.start)
        values = [place for place, fact in self._cited if not (fact and fact.unit is Unit.TEXT)]
        return Sentence(sentence.text, mentions, values, sentence.before)

    def _slot(self, place: Place, fact: Fact | None) -> Problem | None:
        if fact is None:
            return self._problem(place, "this is no fact of this turn")
        if fact.unit is Unit.TEXT and fact.comparison:
            return None
        wrong = self._wrong_segment(place, fact)
        if not wrong and fact.unit is not Unit.TEXT:
            wrong = self._wrong_measure(place, fact)
        if wrong and not fact.comparison and self._may_be(place, fact):
            return None
        return self._problem(place, wrong) if wrong else None

    def _may_be(self, place: Place, fact: Fact) -> bool:
        """Whether another reading allows it; not where the sentence cites the fact twice."""
        units = self._lexicon.units

        def fits(mention: Mention) -> bool:
            return any(fact.unit in units.get(key, ()) for key in mention.keys)

        once = sum(other is fact for _, other in self._cited) == 1
        return once and may_be(fact, parts(fact.metric), self._sentence, place, fits)

    def _wrong_segment(self, place: Place, fact: Fact) -> str:
        compares = fact.comparison or fact.unit in (Unit.RATIO, Unit.POINTS)
        compares = compares and fact.metric != "distance"
        own = segments_of(self._sentence, place, compares=compares)
        if len(fact.segments) < 2:
            fine = names_segments(fact, own, ()) or not fact.segments
            return "" if fine else f"the sentence is about {_list(own)}, this is of {_list(fact.segments)}"
        other = other_of(self._sentence, place, own)
        if names_pair(fact, own, self._sentence) or self._is_apart(fact):
            return ""
        if names_segments(fact, own, other):
            return "the comparison goes the other way round" if self._contradicts(place, fact) else ""
        if is_swapped(fact, own, other) and fact.unit is not Unit.RATIO and self._contradicts(place, fact):
            return ""
        return f"the sentence compares {_list((*own, *other))}, this compares {_list(fact.segments)}"

    def _is_apart(self, fact: Fact) -> bool:
        """Whether a difference is only said to be one: ``they differ by [[F6]]`` goes both ways."""
        named = {key for group in self._sentence.groups for one in group for key in one.keys}
        apart = fact.unit is Unit.POINTS and _APART.search(self._sentence.text)
        return bool(apart) and named == set(fact.segments) and not self._comparatives

    def _contradicts(self, place: Place, fact: Fact) -> bool:
        word = self._nearest(place)
        more = is_more(fact)
        return word is not None and more is not None and word.up != more

    def _wrong_measure(self, place: Place, fact: Fact) -> str:
        if fact.item and not names_item(fact, items_of(self._sentence, place), self._sentence):
            return f"the sentence does not name {fact.item!r}"
        if fact.metric in ("share", "share_clustered") and is_share_behind_count(self._sentence, place):
            return ""
        metric, named = metric_of(self._sentence, place, lambda _: True)
        if fact.item and fact.unit is not Unit.COUNT and not GENERIC.isdisjoint(metric):
            return ""
        if (named or not fact.item) and metric and not names_metric(fact, metric):
            return self._unless_other_noun(place, fact)
        if not metric and not fact.item:
            return f"the sentence does not say that this is {fact.label!r}"
        return ""

    def _unless_other_noun(self, place: Place, fact: Fact) -> str:
        """``of users [[F3]] convert``: another measure near by is fine if the right one is as near."""

        def right(mention: Mention) -> bool:
            return names_metric(fact, mention.keys)

        metric, named = metric_of(self._sentence, place, lambda one: right(one) or _is_counted(one, fact))
        if named and names_metric(fact, metric):
            return ""
        if fact.item and not any(map(right, self._sentence.of(Kind.METRIC))) and not named:
            return ""
        return f"the sentence names another measure, this is {fact.label!r}"

    def _numerals(self) -> list[Numeral]:
        slots = [(place.start, place.end) for place, _ in self._cited]
        return find_numerals(self._sentence.text, [*self._sentence.names, *slots])

    def _numeral(self, numeral: Numeral) -> Problem | None:
        if numeral.value in self._asked and not numeral.spelt:
            return None
        if counts_segments(self._sentence, numeral, len(self._lexicon.segment_keys)) and numeral.spelt:
            return None
        place = Place(numeral.start, numeral.end)
        if numeral.spelt and numeral.written is Written.TIMES and self._is_cited_multiple(numeral):
            return None
        return self._problem(place, "a number may only be written as [[F…]], never in digits or words")

    def _is_cited_multiple(self, numeral: Numeral) -> bool:
        """``twice as many ([[F9]])`` is right if F9 is about 2×."""
        return any(
            fact is not None
            and fact.comparison
            and fact.unit is Unit.RATIO
            and not isinstance(fact.value, str)
            and abs(fact.value - numeral.value) <= CLOSE * numeral.value
            for _, fact in self._cited
        )

    def _compares(self, word: Comparative) -> bool:
        """Whether a comparing word says something about segments, rather than giving advice."""
        sentence = self._sentence
        measured = bool(sentence.of(Kind.METRIC)) or bool(self._cited)
        segments = bool(sentence.of(Kind.SEGMENT)) or bool(sentence.before.segments)
        if word.of_all:
            return measured and segments
        than = " than " in sentence.text[word.end :] or any(map(sentence.is_reference, sentence.groups))
        return segments and (than or measured) and (than or bool(self._cited))

    def _comparison(self, word: Comparative) -> Problem | None:
        place = Place(word.start, word.end)
        backing = [fact for _, fact in self._cited if fact and (fact.comparison or fact.unit is Unit.RATIO)]
        if not backing:
            return self._problem(place, "a comparison must cite a fact that compares")
        return None

    def _nearest(self, place: Place) -> Comparative | None:
        return min(
            self._comparatives,
            key=lambda one: min(abs(one.start - place.end), abs(place.start - one.end)),
            default=None,
        )

    def _problem(self, place: Place, reason: str) -> Problem:
        return Problem(self._start + place.start, self._start + place.end, reason)


def _named(place: Place, fact: Fact) -> Mention:
    """What a slot names that is a name: a segment where it says which one has most, else a page."""
    if fact.comparison:
        return Mention(place.start, place.end, Kind.SEGMENT, fact.segments)
    return Mention(place.start, place.end, Kind.ITEM, (str(fact.value),))


def _is_counted(mention: Mention, fact: Fact) -> bool:
    """Whether a name may be the measure of a value like this, and not only what it is a share of."""
    return fact.unit is Unit.COUNT or "users" not in mention.keys


def _list(keys: Sequence[str]) -> str:
    """Keys as the analyst counts them."""
    return " and ".join(_said(key) for key in keys) or "nothing"


def _said(key: str) -> str:
    kind, _, number = key.partition(":")
    if kind == "segment" and number.isdigit():
        return f"segment {int(number) + 1}"
    return {ALL: "all users", REST: "the rest", UNKNOWN: "an unknown segment"}.get(key, key)
