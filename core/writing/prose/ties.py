"""What a sentence ties each of its values to, and how well it reads as saying a claim."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from core.facts.answer import Fact, Unit
from core.profiles.profile_columns import Col
from core.writing.prose.binding import scores
from core.writing.prose.claims import Claim, is_more
from core.writing.prose.comparatives import Comparative
from core.writing.prose.mentions import Kind, Lexicon
from core.writing.prose.predicates import is_of_something_else
from core.writing.prose.reading import STEP
from core.writing.prose.sentence import Place, Sentence
from core.writing.prose.signs import is_part

SLACK: Final = 2.0
"""How much worse than a measure of any unit one of the right unit may read in a slot."""
_RANGES: Final = re.compile(r"\b(?:rang(?:es?|ing)|var(?:y|ies)|span(?:s|ning)?|spread)\b", re.IGNORECASE)
"""Of all segments, where none is named: ``rates range from 2 % to 34 %``."""
_APART: Final = re.compile(r"\b(?:apart|differs?|difference|gap|between)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Said:
    """A value of a sentence.

    Args:
        place: Where it stands.
        claims: What it may be: figures that are equal to it.
        units: In which it is written.
        negative: Whether a minus sign stands before it.
        exact: Whether it has enough digits to tell figures apart where no measure is named.
        is_slot: Whether it stands in a slot, so that its unit is not seen.
    """

    place: Place
    claims: Sequence[Claim]
    units: Collection[Unit]
    negative: bool = False
    exact: bool = True
    is_slot: bool = False


@dataclass(frozen=True, eq=False)
class Tie:
    """What a sentence ties a value to."""

    sentence: Sentence
    said: Said
    lexicon: Lexicon
    words: Sequence[Comparative]

    def is_beside(self, other: Tie) -> bool:
        """Whether another value is written alike in the same sentence."""
        mine, its = (one.sentence.text[one.said.place.start : one.said.place.end] for one in (self, other))
        return self.sentence is other.sentence and mine == its

    @cached_property
    def segments(self) -> dict[str, float]:
        """Segment → how well it reads."""
        read = scores(self.sentence, self.said.place, Kind.SEGMENT)
        named = self.sentence.of(Kind.SEGMENT) if len(self.sentence.values) == 1 else ()
        never = {one.keys[0] for one in named if self.sentence.opens(one)}
        return {key: score for key, score in read.items() if key not in never}

    @cached_property
    def compared(self) -> dict[str, float]:
        """The same where the value compares two."""
        return scores(self.sentence, self.said.place, Kind.SEGMENT, head="compared")

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Measure → how well it reads."""
        sentence, place, units = self.sentence, self.said.place, self.said.units
        read = scores(sentence, place, Kind.METRIC, lambda key: self.lexicon.is_written(key, units))
        if Unit.COUNT in units and not scores(sentence, place, Kind.METRIC) and not is_part(sentence, place):
            return {Col.USERS: 0.0}  # a count of nothing that is named is one of users
        if not self.said.is_slot:
            return read
        seen = scores(sentence, place, Kind.METRIC, head="slot")
        return {key: min(read.get(key, -math.inf), score + SLACK) for key, score in seen.items()}

    @cached_property
    def items(self) -> dict[str, float]:
        """Page, theme or other thing → how well it reads."""
        return scores(self.sentence, self.said.place, Kind.ITEM)

    def score(self, claim: Claim) -> float:
        """How well the sentence reads as saying a claim: 0 if nothing reads better, else less."""
        return self.of_segment(claim.fact) + self.of_measure(claim)

    def of_segment(self, fact: Fact) -> float:
        """The same, of its segments alone."""
        if not self._direction_agrees(fact) or not self._holds_for_all(fact):
            return -math.inf
        if len(fact.segments) == 2:
            return self._of_pair(fact)
        if not self.sentence.groups and _RANGES.search(self.sentence.text) and self.lexicon.is_end(fact):
            return 0.0
        return max((self.segments.get(key, -math.inf) for key in fact.segments), default=0.0)

    def _holds_for_all(self, fact: Fact) -> bool:
        """``Segments 1 and 2 have 120 users``: each of them has to."""
        groups, values = self.sentence.groups, self.sentence.values
        if len(fact.segments) != 1 or len(groups) != 1 or len(groups[0]) < 2 or len(values) != 1:
            return True
        texts = {
            one.segments: one.text
            for one in self.lexicon.facts
            if one.metric == fact.metric and one.item == fact.item
        }
        return all(texts.get(one.keys) == fact.text for one in groups[0])

    def of_measure(self, claim: Claim) -> float:
        """The same, of its measure, or of its thing; a measure that is not named contradicts nothing."""
        if claim.fact.item:
            return self._of_item(claim.fact)
        if self._is_of_something_else:
            return -math.inf
        read = [score for key, score in self.metrics.items() if key in claim.metrics]
        return max(read, default=0.0 if self.said.exact and not self.metrics else -math.inf)

    @cached_property
    def _is_of_something_else(self) -> bool:
        """Whether the value is a percentage of users who are or do what nobody counted."""
        return self.said.units == {Unit.SHARE} and is_of_something_else(
            self.sentence, self.said.place, self.lexicon.is_share
        )

    def _of_item(self, fact: Fact) -> float:
        """Of a page, theme or other thing; a step is named by both its ends."""
        ends = fact.item.split(STEP)
        both = len(ends) == 2 and self.items.keys() >= set(ends)
        named = [fact.item, *(ends if both else ())]
        return max(self.items.get(one, -math.inf) for one in named)

    def _of_pair(self, fact: Fact) -> float:
        """Of a comparison: the first is what it is said of, the second has to be named."""
        first, second = fact.segments
        apart = fact.unit is Unit.POINTS and _APART.search(self.sentence.text) and not self.words
        if apart and not self.sentence.groups and {first, second} == set(self.sentence.before.pair):
            return 0.0
        if not self.compared.keys() >= {first, second}:
            return -math.inf
        if fact.metric == "distance" or apart:
            return 0.0
        word, more = self.nearest, is_more(fact)
        agrees = word is None or more is None or word.up == more
        swapped = not (agrees or self.said.negative)
        if swapped and fact.unit is Unit.RATIO and word is not None and word.up:
            return -math.inf
        ahead = self.compared[first] - self.compared[second]
        return 0.0 if (ahead < 0 if swapped else ahead >= 0) else -math.inf

    def _direction_agrees(self, fact: Fact) -> bool:
        """``1.8× more likely`` against a lift below 1 is a contradiction."""
        word, more = self.nearest, is_more(fact)
        if len(fact.segments) == 2 or word is None or word.of_all or more is None:
            return True
        return word.up == more or (fact.unit is Unit.RATIO and not more and not word.up)

    @cached_property
    def nearest(self) -> Comparative | None:
        """The comparing word that goes with the value: the first behind it, else the last before it."""
        place = self.said.place
        behind = [one for one in self.words if one.start >= place.end]
        ahead = [one for one in self.words if one.end <= place.start]
        if behind and behind[0].start - place.end <= 40:
            return behind[0]
        return ahead[-1] if ahead else None
