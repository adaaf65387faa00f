"""The check of a model's answer: values only as ``[[F12]]``, and each where its sentence may have it.

The model never writes a digit. What is checked is that every slot is a fact of this turn, that the segment
and the measure that the sentence names are the fact's, that a word which compares has a comparison behind
it, and that no number is smuggled in, in digits or in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from core.facts.answer import Fact, Unit
from core.facts.render import SLOTS
from core.writing.prose.assignment import MARGIN, assigned
from core.writing.prose.binding import best
from core.writing.prose.claims import Claim, claims_of, numerals_of
from core.writing.prose.comparatives import Comparative, find_comparatives
from core.writing.prose.mentions import ALL, REST, UNKNOWN, Kind, Lexicon, Mention
from core.writing.prose.numerals import Numeral, Written, find_numerals
from core.writing.prose.ordering import Ordering
from core.writing.prose.ranks import ranks_rightly
from core.writing.prose.reading import Read, counts_segments, read
from core.writing.prose.sentence import Place, Sentence
from core.writing.prose.ties import Said, Tie
from core.writing.prose.top_items import is_top_item

CLOSE: Final = 0.05
"""``twice`` may stand for 1.9× to 2.1×."""


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
        metrics: Measure → what people call it; :data:`core.writing.prose.phrases.METRIC_WORDS` when None.
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
        self._ordering = Ordering(self._lexicon.facts, self._lexicon.segment_keys)

    def check(self, text: str, question: str = "") -> Checked:
        """Check an answer whose values are slots."""
        named = [
            (one.start, one.end) for one in self._lexicon.mentions(question) if one.kind is not Kind.METRIC
        ]
        asked = {one.value for one in find_numerals(question, named)}
        parts = [
            _Sentence(part, self._known, asked, self._lexicon, self._ordering)
            for part in read(text, self._lexicon, _slots, question)
        ]
        claims = iter(assigned([tie for part in parts for tie, _ in part.ties]))
        problems = [one for part in parts for one in part.problems(list(islice(claims, len(part.ties))))]
        return Checked(text, tuple(sorted(problems, key=lambda one: (one.start, one.end))))


def _slots(text: str, _: list[Mention]) -> list[Place]:
    return [Place(*match.span()) for match in SLOTS.finditer(text)]


class _Sentence:
    """Checks one sentence."""

    def __init__(
        self, part: Read, known: Mapping[str, Fact], asked: set[float], lexicon: Lexicon, ordering: Ordering
    ) -> None:
        self._start, self._asked, self._lexicon, self._ordering = part.start, asked, lexicon, ordering
        matches = list(SLOTS.finditer(part.sentence.text))
        self._cited = [(Place(*match.span()), known.get(match[1])) for match in matches]
        self._sentence = self._with_named_items(part.sentence)
        self._comparatives = find_comparatives(part.sentence.text, part.sentence.names)

        self.ties = [
            (
                Tie(
                    self._sentence,
                    Said(place, claims_of(fact)[:1], {fact.unit}, is_slot=True),
                    lexicon,
                    self._comparatives,
                ),
                fact,
            )
            for place, fact in self._cited
            if fact is not None and fact.unit is not Unit.TEXT and not self._sentence.is_crowded
        ]

    def problems(self, claims: Sequence[Claim | None]) -> list[Problem]:
        """All that is wrong with the sentence, given what each slot could be."""
        if self._sentence.is_crowded:
            return [self._problem(self._sentence.values[-1], "too many values in one sentence")]
        unknown = [place for place, fact in self._cited if fact is None]
        found = [
            *(self._problem(place, "this is no fact of this turn") for place in unknown),
            *(
                self._problem(tie.said.place, self._why(tie, fact))
                for (tie, fact), claim in zip(self.ties, claims, strict=True)
                if claim is None
            ),
            *(self._numeral(one) for one in self._numerals()),
        ]
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

    def _why(self, tie: Tie, fact: Fact) -> str:
        if tie.of_segment(fact) < -MARGIN:
            head = "compared" if len(fact.segments) > 1 else ""
            own = best(self._sentence, tie.said.place, Kind.SEGMENT, head=head)
            return f"the sentence is about {_list(own)}, this is of {_list(fact.segments)}"
        if fact.item and tie.of_measure(tie.said.claims[0]) < -MARGIN:
            return f"the sentence does not name {fact.item!r}"
        return f"the sentence names another measure, this is {fact.label!r}"

    def _numerals(self) -> list[Numeral]:
        slots = [(place.start, place.end) for place, _ in self._cited]
        return numerals_of(self._sentence.text, self._sentence.mentions, slots)

    def _numeral(self, numeral: Numeral) -> Problem | None:
        if numeral.value in self._asked and not numeral.spelt:
            return None
        n = len(self._lexicon.segment_keys)
        if ranks_rightly(self._sentence, numeral, self._ordering, n) or counts_segments(
            self._sentence, numeral, n
        ):
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
        if is_top_item(sentence, word, self._lexicon.facts) is not None:
            return True
        measured = bool(sentence.of(Kind.METRIC)) or bool(self._cited)
        segments = bool(sentence.of(Kind.SEGMENT)) or bool(sentence.before.segments)
        if word.of_all:
            return measured and segments
        than = " than " in sentence.text[word.end :] or any(map(sentence.is_reference, sentence.groups))
        return segments and (than or measured) and (than or bool(self._cited))

    def _comparison(self, word: Comparative) -> Problem | None:
        place = Place(word.start, word.end)
        top = is_top_item(self._sentence, word, self._lexicon.facts)
        if top is not None:
            return None if top else self._problem(place, "the facts say that another one has most")
        if any(fact and (fact.comparison or fact.unit is Unit.RATIO) for _, fact in self._cited):
            return None
        return self._problem(place, "a comparison must cite a fact that compares")

    def _problem(self, place: Place, reason: str) -> Problem:
        return Problem(self._start + place.start, self._start + place.end, reason)


def _named(place: Place, fact: Fact) -> Mention:
    """What a slot names that is a name: a segment where it says which one has most, else a page."""
    if fact.comparison:
        return Mention(place.start, place.end, Kind.SEGMENT, fact.segments)
    return Mention(place.start, place.end, Kind.ITEM, (str(fact.value),))


def _list(keys: Sequence[str]) -> str:
    """Keys as the analyst counts them."""
    return " and ".join(_said(key) for key in keys) or "nothing"


def _said(key: str) -> str:
    kind, _, number = key.partition(":")
    if kind == "segment" and number.isdigit():
        return f"segment {int(number) + 1}"
    return {ALL: "all users", REST: "the rest", UNKNOWN: "an unknown segment"}.get(key, key)
