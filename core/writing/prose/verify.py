"""The check for models that cannot be held to slots: every number and comparison of a text, bound or not.

A number counts as verified if some fact has that value, rounded as it is written, AND is of the segment, the
measure and the thing that the sentence ties the number to. What cannot be bound is not called wrong, only
unverified; the page strikes it through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from core.facts.answer import Fact
from core.writing.prose.assignment import assigned
from core.writing.prose.claims import (
    Claim,
    by_writing,
    claims_of,
    has_value,
    numerals_of,
    says_interval,
    units_of,
)
from core.writing.prose.comparatives import about
from core.writing.prose.comparing import Comparing
from core.writing.prose.mentions import UNKNOWN, Kind, Lexicon, Mention
from core.writing.prose.numerals import Numeral, Written
from core.writing.prose.ordering import Ordering
from core.writing.prose.ranks import ranks_rightly
from core.writing.prose.reading import Read, counts_segments, read
from core.writing.prose.sentence import Place
from core.writing.prose.ties import Said, Tie

TELLING: Final = 3
"""Digits of a number that is not met by chance where no measure is named."""


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
        metrics: Measure → what people call it; :data:`core.writing.prose.phrases.METRIC_WORDS` when None.
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
        self._claims = by_writing(claim for fact in self._lexicon.facts for claim in claims_of(fact))
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

    def __init__(
        self, part: Read, lexicon: Lexicon, claims: Mapping[Written, Sequence[Claim]], ordering: Ordering
    ) -> None:
        self._start, self._sentence = part.start, part.sentence
        self._lexicon, self._claims, self._ordering = lexicon, claims, ordering
        self._numerals = numerals_of(part.sentence.text, part.sentence.mentions)
        self._comparing = Comparing(part.sentence, self._numerals, lexicon, ordering)
        self.ties = [
            Tie(part.sentence, self._said(one), lexicon, self._comparing.words)
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
        words = [
            self._span(Place(one.start, one.end), None, "" if fine else "no fact says so", ok=fine)
            for one in self._comparing.saying
            for fine in [self._comparing.is_right(one, claims)]
        ]
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
        written = self._claims.get(numeral.written, ())
        return [one for one in written if has_value(one, numeral, how) and (ends or not one.is_end)]

    def _number(self, numeral: Numeral, equal: Sequence[Claim], claim: Claim | None) -> Checked:
        place = Place(numeral.start, numeral.end)
        n = len(self._lexicon.segment_keys)
        ranks = ranks_rightly(self._sentence, numeral, self._ordering, n)
        if ranks or counts_segments(self._sentence, numeral, n) or self._comparing.is_multiple(numeral):
            return self._span(place, None, "", ok=True)
        reason = "it is the value of something else" if equal else "no fact has this value"
        return self._span(place, claim.fact if claim else None, "" if claim else reason)

    def _span(self, place: Place, fact: Fact | None, reason: str, ok: bool | None = None) -> Checked:
        fine = fact is not None if ok is None else ok
        name = fact.id if fact else ""
        return Checked(self._start + place.start, self._start + place.end, fine, name, reason)
