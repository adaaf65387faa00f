"""The facts a model starts from, so that a good one needs few tools and a weak one none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from core.base.errors import Beha2VecError
from core.facts.answer import Fact
from core.facts.compare_segments import compared
from core.facts.evidence import Evidence
from core.facts.fact_maker import Figures
from core.facts.finding import present
from core.profiles.profile_columns import Col

OVERVIEW: Final = (Col.USERS, Col.SHARE, Col.OUTCOME_RATE)
MOST_ROWS: Final = 3
"""Rows that a question may name and get all the evidence of."""
MOST_FACTS: Final = 12
"""That a weak model is offered: on two busy cores, forty tokens a second are read."""


def opening(figures: Figures, rows: Sequence[str], known: Iterable[Fact], *, all_of_it: bool) -> list[Fact]:
    """Facts for a question.

    Args:
        figures: Where they come from.
        rows: That the question names.
        known: What is known without a model.
        all_of_it: Whether the model cannot ask for more.
    """
    facts = [*known, *overview(figures)]
    if len(rows) == 2 or (all_of_it and not rows):
        with suppress(Beha2VecError):  # where that cannot be done
            facts += compared(figures, rows).facts
    for key in rows[:MOST_ROWS]:
        facts += evidence(figures, key)
    return facts


def brief(figures: Figures, known: Iterable[Fact]) -> list[Fact]:
    """Facts for a weak model: those of the app's own answer, else how big each row is."""
    return list(known) or overview(figures)


def overview(figures: Figures) -> list[Fact]:
    """How big each row is and how often it converts."""
    keys = figures.context.keys
    return list(present(figures.measure(key, name) for key in keys for name in OVERVIEW))


def evidence(figures: Figures, key: str) -> list[Fact]:
    """All that may be said about a row."""
    return list(Evidence(figures, key).everything)


def neighbours(figures: Figures, key: str) -> list[Fact]:
    """What sets the segments apart that are most like one."""
    nearest = [fact.segments[1] for fact in Evidence(figures, key).nearest]
    return [fact for other in nearest for fact in Evidence(figures, other).differences]
