"""Whether facts say what the comparing words of a sentence say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from core.facts.answer import Fact, Unit
from core.writing.prose.binding import Keys, best, measure_of, other_of, scores
from core.writing.prose.claims import Claim
from core.writing.prose.comparatives import Comparative, about, find_comparatives
from core.writing.prose.mentions import ALL, REST, Kind, Lexicon
from core.writing.prose.numerals import Numeral, Written
from core.writing.prose.ordering import Ordering
from core.writing.prose.reading import names_metric
from core.writing.prose.sentence import Place, Sentence
from core.writing.prose.top_items import is_top_item

_NONE: Final = re.compile(
    r"\b(?:no (?:other )?(?:segment|cluster|group|audience)|nobody|no one|none)\b", re.IGNORECASE
)
_COMPARES: Final = re.compile(r" than | of the two\b|^\s?:", re.IGNORECASE)
_OF_BOTH: Final = re.compile(r"\bbetween\b.*\bthe $", re.IGNORECASE | re.DOTALL)
"""Before the word that compares: ``between A and B, the higher``."""
_COUNTS: Final = ("more", "most", "fewer", "fewest")
_NEAR: Final = 3.0
"""Log-odds by which the measure of the value behind a superlative may read worse than another one."""
_VERSUS: Final = re.compile(r"\b(?:vs|versus)\b", re.IGNORECASE)


class Comparing:
    """The comparisons of one sentence.

    Args:
        sentence: Where they stand.
        numerals: The numbers in it.
        lexicon: The names that count.
        ordering: What the facts say.
    """

    def __init__(
        self, sentence: Sentence, numerals: Sequence[Numeral], lexicon: Lexicon, ordering: Ordering
    ) -> None:
        self._sentence, self._numerals = sentence, numerals
        self._lexicon, self._ordering = lexicon, ordering
        self.words = find_comparatives(sentence.text, sentence.names)

    @property
    def saying(self) -> list[Comparative]:
        """The words that compare segments in a measure, rather than giving advice."""
        return [one for one in self.words if self._says_something(one)]

    def _says_something(self, word: Comparative) -> bool:
        if is_top_item(self._sentence, word, self._lexicon.facts) is not None:
            return True
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

    def is_right(self, word: Comparative, claims: Sequence[Claim | None]) -> bool:
        """Whether facts say what a word says, given the claim of each number."""
        place = Place(word.start, word.end)
        own, other, metric, items = self._read(place, "extreme" if word.of_all else "compared")
        if (top := is_top_item(self._sentence, word, self._lexicon.facts)) is not None:
            return top
        beside = self._beside(word, claims)[: 1 if word.of_all else 2]
        if {one.segments for one in beside} == ({own} if word.of_all else {own, other}):
            if not word.of_all and self._is_right_behind(word):
                own, other = beside[0].segments, beside[1].segments
            metric, items = (beside[0].metric,), (beside[0].item,) if beside[0].item else ()
        elif self._sentence.text[word.start : word.end].lower() in _COUNTS:  # fewer buyers, not a lower rate
            metric = tuple(key for key in metric if self._lexicon.is_written(key, {Unit.COUNT})) or metric
        if _NONE.search(self._sentence.text[: word.start]):  # no segment has more than this one
            return self._ordering.is_extreme(other or own, metric, items, word.up)
        if word.of_all or (other == (REST,) and self._ordering.is_extreme(own, metric, items, word.up)):
            return self._ordering.is_extreme(own, metric, items, word.up)
        return self._ordering.is_more_than(own, other, metric, items, word.up)

    def is_multiple(self, numeral: Numeral) -> bool:
        """``twice as many`` can follow from the two values."""
        if numeral.written is not Written.TIMES or not numeral.spelt:
            return False
        own, other, metric, items = self._read(Place(numeral.start, numeral.end))
        values = self._ordering.pair((*own, *other), metric, items) if len(own) == len(other) == 1 else None
        if not values or not values[1]:
            return False
        width = 0.25 if about(self._sentence.text, numeral.start) == "near" else 0.05
        return abs(values[0] / values[1] - numeral.value) <= width * numeral.value

    def _is_right_behind(self, word: Comparative) -> bool:
        """Whether no segment stands between a word and its values: ``stay longer (5 vs. 3)``."""
        first = next((one.start for one in self._numerals if one.start >= word.end), word.end)
        return not any(word.end <= one.start < first for one in self._sentence.of(Kind.SEGMENT))

    def _beside(self, word: Comparative, claims: Sequence[Claim | None]) -> tuple[Fact, ...]:
        """The values of one measure right behind a word that compares them: ``more pages (5 vs. 3)``.

        That measure has to be one that the sentence names for the word.
        """
        ends = [one.start for one in self.words if one.start > word.end]
        facts = [
            claim.fact if claim else None
            for one, claim in zip(self._numerals, claims, strict=True)
            if word.end <= one.start < min(ends, default=len(self._sentence.text))
        ][:2]
        found = tuple(one for one in facts if one and len(one.segments) == 1)
        alike = len({(one.metric, one.item) for one in found}) == 1
        read = scores(self._sentence, Place(word.start, word.end), Kind.METRIC)
        named = [key for key, score in read.items() if score >= -_NEAR or not word.of_all]
        return found if alike and any(names_metric(found[0], (key,)) for key in named) else ()

    def _read(self, place: Place, head: str = "compared") -> tuple[Keys, Keys, Keys, Keys]:
        """The segment that is compared, with which one, in which measure, and of which thing."""
        read = scores(self._sentence, place, Kind.SEGMENT, head=head)
        than = [
            one
            for one in self._sentence.groups
            if one[0].start >= place.end and self._sentence.is_reference(one)
        ]
        never = {ALL} if head == "extreme" else {key for one in than[:1] for key in one[0].keys}
        own = tuple(sorted((key for key in read if key not in never), key=lambda key: -read[key]))[:1]
        metric, items = measure_of(self._sentence, place), best(self._sentence, place, Kind.ITEM)
        return own, other_of(self._sentence, place, own), metric, items
