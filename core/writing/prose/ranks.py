"""Places in a ranking: ``ranks fourth by users``, ``no. 1 of 8``, ``the second largest segment``."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from core.writing.prose.binding import best, measure_of
from core.writing.prose.mentions import Kind
from core.writing.prose.number_words import ORDINALS
from core.writing.prose.numerals import Numeral, Written
from core.writing.prose.ordering import Ordering
from core.writing.prose.sentence import Place, Sentence

_BEFORE: Final = re.compile(
    r"(?:#|\b(?:no\.?|nr\.?|number|rank(?:s|ed)?(?:\s(?:at|as))?|place|position))[\s:#]*$", re.IGNORECASE
)
_OF: Final = re.compile(
    rf"(?:(?:#|\b(?:no\.?|nr\.?|number|rank(?:s|ed)?|place|position)\s*)\d{{1,2}}"
    rf"|\b(?:{'|'.join(ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th)))\s(?:out\s)?of\s(?:the\s|all\s)*$",
    re.IGNORECASE,
)
"""Before the 8 of ``third of 8``."""
_LEAST: Final = re.compile(
    r"[\s-]*(?:fewest|least|lowest|smallest|shortest|worst|weakest|poorest)", re.IGNORECASE
)


def is_rank(sentence: Sentence, numeral: Numeral) -> bool:
    """Whether a number is written as a place in a ranking."""
    if sentence.before.ranked and numeral.written is Written.PLAIN:
        return sentence.text.strip(" *_#.") == sentence.text[numeral.start : numeral.end].strip(" #")
    ranked = numeral.written is Written.PLAIN and _BEFORE.search(sentence.text[: numeral.start])
    return bool(ranked) or numeral.written is Written.ORDINAL


def ranks_rightly(sentence: Sentence, numeral: Numeral, ordering: Ordering, n_segments: int) -> bool:
    """Whether a number is the place that a segment has by the facts, or the number of places.

    Args:
        sentence: Where it stands; it, or what is before it, names the segment and the measure.
        numeral: The number.
        ordering: What the facts say.
        n_segments: How many are ranked.
    """
    if _OF.search(sentence.text[: numeral.start]):
        return numeral.value == n_segments
    if not is_rank(sentence, numeral):
        return False
    place = Place(numeral.start, numeral.end)
    before = _BEFORE.search(sentence.text[: place.start])
    if before:  # the "number" of "number 1 of 8" is no measure
        others = [one for one in sentence.mentions if one.end <= before.start() or one.start >= place.end]
        sentence = replace(sentence, mentions=others)
    ahead = [one.keys for one in sentence.of(Kind.SEGMENT) if one.end <= place.start]
    own = ahead[-1] if ahead else best(sentence, place, Kind.SEGMENT)
    metrics = sentence.before.metrics if sentence.before.ranked else measure_of(sentence, place)
    items = best(sentence, place, Kind.ITEM)
    up = not _LEAST.match(sentence.text[numeral.end :])
    return any(ordering.has_rank(own, (one,), items, up, int(numeral.value)) for one in metrics)
