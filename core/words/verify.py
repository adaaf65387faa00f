"""The check for models that cannot be held to slots: every number and comparison of a text, bound or not.

A number counts as verified if some fact has that value, rounded as it is written, AND is of the segment, the
measure and the thing that the sentence ties the number to. What cannot be bound is not called wrong, only
unverified; the page strikes it through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from core.words.assignment import Said, Tie, assigned
from core.words.binding import Keys, best, measure_of, other_of
from core.words.claims import Claim, claims_of, has_value, numerals_of, says_interval, units_of
from core.words.comparatives import Comparative, about, find_comparatives
from core.words.contract import Fact, Unit
from core.words.mentions import REST, UNKNOWN, Kind, Lexicon, Mention
from core.words.numerals import Numeral, Written
from core.words.ordering import Ordering
from core.words.ranks import ranks_rightly
from core.words.reading import Read, counts_segments, read
from core.words.sentence import Place

TELLING: Final = 3
"""Digits of a number that is not met by chance where no measure is named."""
_NONE: Final = re.compile(
    r"\b(?:no (?:other )?(?:segment|cluster|group|audience)|nobody|no one|none)\b", re.IGNORECASE
)
_COMPARES: Final = re.compile(r" than | of the two\b|^\s?:", re.IGNORECASE)
_OF_BOTH: Final = re.compile(r"\bbetween\b.*\bthe $", re.IGNORECASE | re.DOTALL)
"""Before the word that compares: ``between A and B, the higher``."""
_COUNTS: Final = ("more", "most", "fewer", "fewest")
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
        parts = [
            _Sentence(part, self._lexicon, self._claims, self._ordering)
            for part in read(text, self._lexicon, _values, question)
        ]
        claims = iter(assigned([tie for part in parts for tie in part.ties]))
        spans = [span for part in parts for span in part.checked(list(islice(claims, len(part.ties))))]
        return Verified(text, tuple(sorted(spans, key=lambda span: span.start)))


def _values(text: str, mentions: list[Mention]) -> list[Place]:
    return [Place(one.start, one.end) for one in numerals_of(text, mentions)]


class _Sentence:
    """Checks one sentence."""

    def __init__(self, part: Read, lexicon: Lexicon, claims: Sequence[Claim], ordering: Ordering) -> None:
        self._start, self._sentence = part.start, part.sentence
        self._lexicon, self._claims, self._ordering = lexicon, claims, ordering
        self._comparatives = find_comparatives(part.sentence.text, part.sentence.names)
        self._numerals = numerals_of(part.sentence.text, part.sentence.mentions)
        self.ties = [
            Tie(part.sentence, self._said(one), lexicon, self._comparatives)
            for one in self._numerals
            if not part.sentence.is_crowded
        ]

    def checked(self, claims: Sequence[Claim | None]) -> list[Checked]:
        """Every number, comparison and unknown segment of the sentence, given the claim of each number."""
        sentence = self._sentence
        if sentence.is_crowded:
            return [
                self._span(Place(one.start, one.end), None, "too many numbers in one sentence")
                for one in self._numerals
            ]
        numbers = [
            self._number(one, tie.said.claims, claim)
            for one, tie, claim in zip(self._numerals, self.ties, claims, strict=True)
        ]
        words = [self._comparison(one) for one in self._comparatives if self._says_something(one)]
        unknown = [
            self._span(Place(one.start, one.end), None, "there is no such segment")
            for one in sentence.of(Kind.SEGMENT)
            if one.keys == (UNKNOWN,)
        ]
        return [*numbers, *words, *unknown]

    def _said(self, one: Numeral) -> Said:
        digits = sum(map(str.isdigit, self._sentence.text[one.start : one.end]))
        return Said(
            Place(one.start, one.end), self._equal(one), units_of(one), one.negative, digits >= TELLING
        )

    def _equal(self, numeral: Numeral) -> list[Claim]:
        """All claims with the value of a number."""
        how = about(self._sentence.text, numeral.start)
        ends = says_interval(self._sentence.text)
        return [one for one in self._claims if has_value(one, numeral, how) and (ends or not one.is_end)]

    def _number(self, numeral: Numeral, equal: Sequence[Claim], claim: Claim | None) -> Checked:
        place = Place(numeral.start, numeral.end)
        n = len(self._lexicon.segment_keys)
        ranks = ranks_rightly(self._sentence, numeral, self._ordering, n)
        if ranks or counts_segments(self._sentence, numeral, n) or self._is_multiple(numeral):
            return self._span(place, None, "", ok=True)
        reason = "it is the value of something else" if equal else "no fact has this value"
        return self._span(place, claim.fact if claim else None, "" if claim else reason)

    def _is_multiple(self, numeral: Numeral) -> bool:
        """``twice as many`` can follow from the two values."""
        if numeral.written is not Written.TIMES or not numeral.spelt:
            return False
        own, other, metric, items = self._read(Place(numeral.start, numeral.end))
        values = self._ordering.pair((*own, *other), metric, items) if len(own) == len(other) == 1 else None
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
            or _OF_BOTH.search(self._sentence.text[: word.start])
            or any(map(self._sentence.is_reference, self._sentence.groups))
        )
        return bool(than) and (measured or len(self._sentence.groups) > 1)

    def _comparison(self, word: Comparative) -> Checked:
        place = Place(word.start, word.end)
        own, other, metric, items = self._read(place, "extreme" if word.of_all else "compared")
        if self._sentence.text[word.start : word.end].lower() in _COUNTS:  # fewer buyers, not a lower rate
            metric = tuple(key for key in metric if self._lexicon.is_written(key, {Unit.COUNT})) or metric
        if _NONE.search(self._sentence.text[: word.start]):  # no segment has more than this one
            fine = self._ordering.is_extreme(other or own, metric, items, word.up)
        elif word.of_all or (other == (REST,) and self._ordering.is_extreme(own, metric, items, word.up)):
            fine = self._ordering.is_extreme(own, metric, items, word.up)
        else:
            fine = self._ordering.is_more_than(own, other, metric, items, word.up)
        return self._span(place, None, "" if fine else "no fact says so", ok=fine)

    def _read(self, place: Place, head: str = "compared") -> tuple[Keys, Keys, Keys, Keys]:
        """The segment that is compared, with which one, in which measure, and of which thing."""
        own = best(self._sentence, place, Kind.SEGMENT, head=head)[:1]
        metric, items = measure_of(self._sentence, place), best(self._sentence, place, Kind.ITEM)
        return own, other_of(self._sentence, place, own), metric, items

    def _span(self, place: Place, fact: Fact | None, reason: str, ok: bool | None = None) -> Checked:
        fine = fact is not None if ok is None else ok
        name = fact.id if fact else ""
        return Checked(self._start + place.start, self._start + place.end, fine, name, reason)
