"""Which of two segments has more, and which of all has most, as far as facts say so."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import product

from core.facts.answer import Fact
from core.writing.prose.claims import is_more
from core.writing.prose.mentions import ALL, REST
from core.writing.prose.phrases import READ_AS
from core.writing.prose.reading import GENERIC, is_swapped, names_metric, names_segments


class Ordering:
    """Answers from plain values and from comparisons.

    Args:
        facts: Those of the turn.
        segment_keys: All segments; one has most only if the values of all of them are known.
    """

    def __init__(self, facts: Iterable[Fact], segment_keys: Sequence[str]) -> None:
        self._facts, self._segment_keys = tuple(facts), tuple(segment_keys)
        self._values = {
            (fact.segments[0], fact.metric, fact.item): fact.value
            for fact in self._facts
            if len(fact.segments) == 1 and not isinstance(fact.value, str)
        }

    def is_more_than(
        self,
        own: tuple[str, ...],
        other: tuple[str, ...],
        metric: tuple[str, ...],
        items: tuple[str, ...],
        up: bool,
    ) -> bool:
        """Whether a segment has more (or, if not ``up``, less) than another, or than the rest."""
        if not other and len(own) == 2:
            return False
        for fact in self._facts:
            named = names_metric(fact, metric)
            about = fact.item in items and (named or not GENERIC.isdisjoint(metric)) if fact.item else named
            if about and _says(fact, own, other, up):
                return True
        values = self.pair((*own, *other), metric, items) if len(own) == len(other) == 1 else None
        return values is not None and values[0] != values[1] and (values[0] > values[1]) == up

    def pair(
        self, keys: Sequence[str], metric: tuple[str, ...], items: tuple[str, ...]
    ) -> tuple[float, float] | None:
        """Values of one measure in two segments; None if one of them is no fact."""
        for name in self._counted(metric):
            for item in (*items, ""):
                first, second = (self._values.get((key, name, item)) for key in keys)
                if first is not None and second is not None:
                    return first, second
        return None

    def is_extreme(
        self, own: tuple[str, ...], metric: tuple[str, ...], items: tuple[str, ...], up: bool
    ) -> bool:
        """Whether a segment has the most (or least) of all segments."""
        return self.has_rank(own, metric, items, up, 1)

    def has_rank(
        self, own: tuple[str, ...], metric: tuple[str, ...], items: tuple[str, ...], up: bool, rank: int
    ) -> bool:
        """Whether a segment has this place among all segments, equal ones sharing theirs."""
        if len(own) != 1:
            return False
        for name, item in product(self._counted(metric), (*items, "")):
            values = [self._values.get((key, name, item)) for key in self._segment_keys]
            known = [value for value in values if value is not None and not math.isnan(value)]
            mine = self._values.get((own[0], name, item))
            if mine is not None and len(known) == len(values):
                ahead = sum(value > mine if up else value < mine for value in known)
                return ahead < rank <= ahead + known.count(mine)
        return False

    def _counted(self, metric: tuple[str, ...]) -> tuple[str, ...]:
        """The measures that facts have, or else what their names may stand for."""
        known = {name for _, name, _ in self._values}
        own = tuple(name for name in metric if name in known)
        return own or tuple(other for name in metric for other in READ_AS.get(name, ()))


def _says(fact: Fact, own: tuple[str, ...], other: tuple[str, ...], up: bool) -> bool:
    """Whether a ratio or difference says that the first has more than the second."""
    more = is_more(fact)
    if more is None:
        return False
    if len(fact.segments) == 2 and names_segments(fact, own, other):
        return more == up
    if is_swapped(fact, own, other):
        return more != up
    return fact.segments == own and other in ((REST,), (ALL,), ()) and more == up
