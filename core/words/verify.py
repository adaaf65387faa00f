"""The check for models that cannot be held to slots: every number and comparison of a text, bound or not.

A number counts as verified if some fact has that value, rounded as it is written, AND is of the segment, the
measure and the thing that the sentence ties the number to. What cannot be bound is not called wrong, only
unverified; the page strikes it through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.words.binding import other_of, segments_of
from core.words.binding_measure import items_of, metric_of
from core.words.claims import Claim, claims_of, has_value, is_interval_level, is_more, says_interval, units_of
from core.words.comparatives import Comparative, about, find_comparatives
from core.words.contract import Fact, Unit
from core.words.mentions import UNKNOWN, Kind, Lexicon, Mention
from core.words.near import may_be
from core.words.numerals import Numeral, Written, find_numerals
from core.words.ordering import Ordering
from core.words.reading import (
    GENERIC,
    Read,
    counts_segments,
    is_share_behind_count,
    names_item,
    names_pair,
    names_segments,
    read,
)
from core.words.sentence import Place, Sentence

_NONE: Final = re.compile(r"\bno (?:other )?(?:segment|cluster|group|audience)\b", re.IGNORECASE)

_COMPARES: Final = re.compile(r" than | of the two\b", re.IGNORECASE)
_VERSUS: Final = re.compile(r"\b(?:vs|versus)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Checked:
    """One number or comparison of a text.

    Args:
        start: Place of its first character.
        end: Place after its last one.
        ok: Whether a fact backs it.
        fact: Id of that fact; empty where none does, or where several facts together do.
        reason: Why it is not verified; empty where it is.
    """

    start: int
    end: int
    ok: bool
    fact: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Verified:
    """A text and what of it is backed.

    Args:
        text: As it was given.
        spans: Every number and comparison, from left to right.
    """

    text: str
    spans: tuple[Checked, ...]

    @property
    def ok(self) -> bool:
        """Whether everything is backed."""
        return all(span.ok for span in self.spans)

    @property
    def unverified(self) -> tuple[Checked, ...]:
        """What is not."""
        return tuple(span for span in self.spans if not span.ok)

    def struck(self) -> str:
        """The text as Markdown with everything unverified struck through."""
        text = self.text
        for span in reversed(self.unverified):
            text = f"{text[: span.start]}~~{text[span.start : span.end]}~~ (unverified){text[span.end :]}"
        return text


def verify_numbers(
    text: str,
    facts: Iterable[Fact],
    *,
    segments: Mapping[str, Sequence[str]],
    question: str = "",
    metrics: Mapping[str, Sequence[str]] | None = None,
) -> Verified:
    """Bind every number and comparison of a text to a fact.

    Args:
        text: What a model wrote.
        facts: What it may say.
        segments: Key of each segment and group → its names.
        question: What was asked: a short answer goes on about it.
        metrics: Measure → what people call it; :data:`core.words.phrases.METRIC_WORDS` when None.
    """
    return Verifier(facts, segments, metrics).verify(text, question)


class Verifier:
    """Verifies several texts over the same facts; see :func:`verify_numbers`."""

    def __init__(
        self,
        facts: Iterable[Fact],
        segments: Mapping[str, Sequence[str]],
        metrics: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._lexicon = Lexicon(facts, segments, metrics)
        self._claims = [claim for fact in self._lexicon.facts for claim in claims_of(fact)]
        self._ordering = Ordering(self._lexicon.facts, self._lexicon.segment_keys)

    def verify(self, text: str, question: str = "") -> Verified:
        """Bind every number and comparison of a text to a fact."""
        spans: list[Checked] = []
        for part in read(text, self._lexicon, _values, question):
            spans += _Sentence(part, self._lexicon, self._claims, self._ordering).checked()
        return Verified(text, tuple(sorted(spans, key=lambda span: span.start)))


def _values(text: str, mentions: list[Mention]) -> list[Place]:
    return [Place(one.start, one.end) for one in _numerals(text, mentions)]


def _numerals(text: str, mentions: list[Mention]) -> list[Numeral]:
    names = [(one.start, one.end) for one in mentions if one.kind is not Kind.METRIC]
    return [one for one in find_numerals(text, names) if not is_interval_level(text, one)]


@dataclass(frozen=True)
class _Tie:
    """What a sentence ties a number to.

    Args:
        own: Keys of segments.
        metric: All that the measure's name may mean.
        named: Whether this very sentence names it.
        items: Pages, themes and the like.
        sentence: Where it stands.
    """

    own: tuple[str, ...]
    metric: tuple[str, ...]
    named: bool
    items: tuple[str, ...]
    sentence: Sentence

    def is_about(self, claim: Claim) -> bool:
        """Whether a claim is of that measure, and of that thing if it is of one."""
        if not claim.fact.item:
            return claim.is_called(self.metric)
        loose = claim.fact.unit is not Unit.COUNT and not GENERIC.isdisjoint(self.metric)
        other_measure = self.named and self.metric and not loose
        named = names_item(claim.fact, self.items, self.sentence)
        return named and (not other_measure or claim.is_called(self.metric))


class _Sentence:
    """Checks one sentence."""

    def __init__(self, part: Read, lexicon: Lexicon, claims: Sequence[Claim], ordering: Ordering) -> None:
        self._start, self._sentence = part.start, part.sentence
        self._lexicon, self._claims, self._ordering = lexicon, claims, ordering
        self._comparatives = find_comparatives(part.sentence.text, part.sentence.names)

    def checked(self) -> list[Checked]:
        """Every number, comparison and unknown segment of the sentence."""
        sentence = self._sentence
        numbers = self._numbers(_numerals(sentence.text, list(sentence.mentions)))
        words = [self._comparison(one) for one in self._comparatives if self._says_something(one)]
        unknown = [
            self._span(Place(one.start, one.end), None, "there is no such segment")
            for one in sentence.of(Kind.SEGMENT)
            if one.keys == (UNKNOWN,)
        ]
        return [*numbers, *words, *unknown]

    def _numbers(self, numerals: Sequence[Numeral]) -> list[Checked]:
        """Each number with its fact: first as it reads best, then the rest as they may be read at all.

        A fact that one number has is not there for another: else a wrong number could pass as the next one.
        """
        equal = [self._equal(one) for one in numerals]
        ties = [self._tie(one) for one in numerals]
        found = [
            next((claim for claim in claims if self._agrees(claim, one, tie)), None)
            for one, claims, tie in zip(numerals, equal, ties, strict=True)
        ]
        for place, (one, claims) in enumerate(zip(numerals, equal, strict=True)):
            if found[place] is None:
                taken = {claim.key for claim in found if claim}
                free = (claim for claim in claims if claim.key not in taken)
                found[place] = next((claim for claim in free if self._may_be(claim, one)), None)
        return [self._number(*each) for each in zip(numerals, equal, found, strict=True)]

    def _equal(self, numeral: Numeral) -> list[Claim]:
        """All claims with the value of a number."""
        how = about(self._sentence.text, numeral.start)
        ends = says_interval(self._sentence.text)
        return [one for one in self._claims if has_value(one, numeral, how) and (ends or not one.is_end)]

    def _number(self, numeral: Numeral, equal: Sequence[Claim], claim: Claim | None) -> Checked:
        place = Place(numeral.start, numeral.end)
        counts = counts_segments(self._sentence, numeral, len(self._lexicon.segment_keys))
        if counts or self._is_multiple(numeral):
            return self._span(place, None, "", ok=True)
        reason = "it is the value of something else" if equal else "no fact has this value"
        return self._span(place, claim.fact if claim else None, "" if claim else reason)

    def _may_be(self, claim: Claim, numeral: Numeral) -> bool:
        """Whether a number may be a claim's, though another reading comes first."""
        place = Place(numeral.start, numeral.end)
        return self._direction_agrees(claim.fact, place) and may_be(
            claim.fact, claim.metrics, self._sentence, place, lambda one: self._fits(one, numeral)
        )

    def _tie(self, numeral: Numeral) -> _Tie:
        place = Place(numeral.start, numeral.end)
        metric, named = metric_of(self._sentence, place, lambda one: self._fits(one, numeral))
        if is_share_behind_count(self._sentence, place) and numeral.written is Written.PERCENT:
            metric, named = ("share", "share_clustered"), True
        return _Tie(self._own(numeral), metric, named, items_of(self._sentence, place), self._sentence)

    def _agrees(self, claim: Claim, numeral: Numeral, tie: _Tie) -> bool:
        """Whether a claim is of the segment, the measure and the thing that the sentence says."""
        fact = claim.fact
        if not tie.is_about(claim):
            return False
        place = Place(numeral.start, numeral.end)
        if not fact.comparison or len(fact.segments) < 2:
            same = names_segments(fact, tie.own, ()) or self._ordering.all_have(fact, tie.own)
            return same and self._direction_agrees(fact, place)
        if names_pair(fact, tie.own, self._sentence):
            return True
        own = segments_of(self._sentence, place, compares=True)
        return self._compares(fact, own, other_of(self._sentence, place, own), numeral)

    def _own(self, numeral: Numeral) -> tuple[str, ...]:
        compares = numeral.written in (Written.TIMES, Written.POINTS) or numeral.negative
        return segments_of(self._sentence, Place(numeral.start, numeral.end), compares=compares)

    def _compares(self, fact: Fact, own: tuple[str, ...], other: tuple[str, ...], numeral: Numeral) -> bool:
        """Whether a comparison goes the way that the sentence says."""
        pair = own if len(own) == 2 else (*own, *other)
        word = self._nearest(Place(numeral.start, numeral.end))
        up = word.up if word else None
        positive = is_more(fact)
        if pair == fact.segments:
            return up is None or numeral.negative or positive is None or up == positive
        is_difference = fact.unit is not Unit.RATIO
        if pair == fact.segments[::-1] and (is_difference or up is False):
            return up is not None and positive is not None and up != positive
        return False

    def _direction_agrees(self, fact: Fact, place: Place) -> bool:
        """``1.8× more likely`` against a lift below 1 is a contradiction."""
        word = self._nearest(place)
        positive = is_more(fact)
        if word is None or word.of_all or fact.unit not in (Unit.RATIO, Unit.POINTS) or positive is None:
            return True
        return word.up == positive or (fact.unit is Unit.RATIO and not positive and word.up is False)

    def _nearest(self, place: Place) -> Comparative | None:
        """The comparing word that goes with a value: the first behind it, else the last before it."""
        behind = [one for one in self._comparatives if one.start >= place.end]
        ahead = [one for one in self._comparatives if one.end <= place.start]
        if behind and behind[0].start - place.end <= 40:
            return behind[0]
        return ahead[-1] if ahead else None

    def _fits(self, mention: Mention, numeral: Numeral) -> bool:
        units = units_of(numeral)
        return any(self._lexicon.units.get(key, set()) & units for key in mention.keys)

    def _is_multiple(self, numeral: Numeral) -> bool:
        """``twice as many`` can follow from the two values."""
        if numeral.written is not Written.TIMES or not numeral.spelt:
            return False
        place = Place(numeral.start, numeral.end)
        own = self._own(numeral)
        pair = own if len(own) == 2 else (*own, *other_of(self._sentence, place, own))
        metric, _ = metric_of(self._sentence, place, lambda _: True)
        items = items_of(self._sentence, place)
        values = self._ordering.pair(pair, metric, items) if len(pair) == 2 else None
        if not values or not values[1]:
            return False
        width = 0.25 if about(self._sentence.text, numeral.start) == "near" else 0.05
        return abs(values[0] / values[1] - numeral.value) <= width * numeral.value

    def _says_something(self, word: Comparative) -> bool:
        """Whether a comparing word compares segments in a measure, rather than giving advice."""
        behind = self._sentence.text[word.end :]
        measured = bool(self._sentence.of(Kind.METRIC))
        if word.of_all:
            return measured and bool(self._sentence.subjects or self._sentence.before.segments)
        than = (
            _COMPARES.search(behind)
            or _VERSUS.search(self._sentence.text)
            or any(map(self._sentence.is_reference, self._sentence.groups))
        )
        return bool(than) and (measured or len(self._sentence.groups) > 1)

    def _comparison(self, word: Comparative) -> Checked:
        place = Place(word.start, word.end)
        own = segments_of(self._sentence, place, compares=not word.of_all)
        other = other_of(self._sentence, place, own)
        if len(own) == 2 and not other:  # segment 1 vs. segment 2
            own, other = own[:1], own[1:]
        metric, _ = metric_of(self._sentence, place, lambda _: True)
        items = items_of(self._sentence, place)
        if _NONE.search(self._sentence.text[: word.start]):  # no segment has more than this one
            fine = self._ordering.is_extreme(other_of(self._sentence, place, ()), metric, items, word.up)
        elif word.of_all:
            fine = self._ordering.is_extreme(own, metric, items, word.up)
        else:
            fine = self._ordering.is_more_than(own, other, metric, items, word.up)
        return self._span(place, None, "" if fine else "no fact says so", ok=fine)

    def _span(self, place: Place, fact: Fact | None, reason: str, ok: bool | None = None) -> Checked:
        fine = fact is not None if ok is None else ok
        name = fact.id if fact else ""
        return Checked(self._start + place.start, self._start + place.end, fine, name, reason)
