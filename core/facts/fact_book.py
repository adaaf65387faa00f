"""Facts: figures with an identity, so that a sentence can only say what was counted."""

from __future__ import annotations

import hashlib
import math
from typing import Final

from core.facts.answer import Fact, Unit
from core.facts.measures import write

SLOT: Final = "[[{}]]"


class FactBook:
    """Hands out facts; the same figure asked for twice in a turn is the same fact.

    Args:
        digest: Names the data set and its segments; part of each fact's query hash.
        first: Number of the first fact, where earlier turns used up some.
    """

    def __init__(self, digest: str = "", first: int = 1) -> None:
        self._digest, self._first = digest, first
        self._facts: dict[tuple[str, tuple[str, ...], str], Fact] = {}
        self._users: dict[str, int] = {}

    def all(self) -> tuple[Fact, ...]:
        """Every fact handed out so far."""
        return tuple(self._facts.values())

    def users(self, fact: Fact) -> int:
        """The users that a figure is about: those that do it, where that can be told, else all it is of."""
        return self._users[fact.id]

    def add(
        self,
        metric: str,
        label: str,
        segments: tuple[str, ...],
        value: float | str,
        unit: Unit,
        *,
        item: str = "",
        digits: int = 1,
        interval: tuple[float, float] | None = None,
        n: float = 0,
        users: float | None = None,
        comparison: bool = False,
        query: str = "",
    ) -> Fact:
        """A fact, new or known.

        Args:
            metric: See :class:`Fact`, as the next ones.
            label: In words.
            segments: Rows.
            value: The figure.
            unit: How it is written.
            item: What within the segment.
            digits: After the point.
            interval: 95 %; one with an absent end is none.
            n: What it is of.
            users: How many users do it; None where that is all of ``n``.
            comparison: Whether it compares.
            query: What computes it.
        """
        key = (metric, segments, item)
        if key not in self._facts:
            low, high = _known(interval)
            fact = Fact(
                id=f"F{self._first + len(self._facts)}", metric=metric, label=label, segments=segments,
                value=value, unit=unit, text=write(value, unit, digits), item=item, low=low, high=high,
                n=int(n), comparison=comparison, query=self._hash(query, *segments, item),
            )  # fmt: skip
            self._facts[key] = fact
            self._users[fact.id] = int(n if users is None else users)
        return self._facts[key]

    def find(self, fact_id: str) -> Fact | None:
        """The fact of this turn with that id."""
        return next((fact for fact in self._facts.values() if fact.id == fact_id), None)

    def _hash(self, *parts: str) -> str:
        return hashlib.blake2b("\n".join([self._digest, *parts]).encode(), digest_size=8).hexdigest()


def slot(fact: Fact) -> str:
    """Where the fact's value stands in a text."""
    return SLOT.format(fact.id)


def _known(interval: tuple[float, float] | None) -> tuple[float | None, float | None]:
    if interval is None or any(math.isnan(end) for end in interval):
        return None, None
    return float(interval[0]), float(interval[1])
