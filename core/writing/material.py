"""The facts a model starts from, so that a good one needs few tools and a weak one none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from core.base.errors import Beha2VecError
from core.facts import arguments
from core.facts.answer import Answer, Fact
from core.facts.compare_segments import compare, compare_all
from core.facts.evidence import Evidence
from core.facts.fact_maker import Figures
from core.facts.finding import Finding, present
from core.facts.render import cited
from core.profiles.profile_columns import Col

OVERVIEW: Final = (Col.USERS, Col.SHARE, Col.OUTCOME_RATE)
MOST_ROWS: Final = 3
"""Rows that a question may name and get all the evidence of."""
MOST_FACTS: Final = 12
"""That a weak model is given: on two busy cores, forty tokens a second are read and one is written."""


def opening(figures: Figures, rows: Sequence[str], known: Iterable[Fact], *, all_of_it: bool) -> list[Fact]:
    """Facts for a question.

    Args:
        figures: Where they come from.
        rows: That the question names.
        known: What is known without a model.
        all_of_it: Whether the model cannot ask for more.
    """
    facts = [*overview(figures), *known]
    for key in rows[:MOST_ROWS]:
        facts += evidence(figures, key)
    if len(rows) == 2:
        facts += compared(figures, rows[0], rows[1])
    if all_of_it and not rows:
        facts += compared(figures)
    return facts


def brief(figures: Figures, told: Answer | Finding) -> list[Fact]:
    """Facts for a weak model: those that the app's own answer cites, for it to say in other words.

    Args:
        figures: Where facts come from.
        told: The app's own answer.
    """
    ids = cited(told.text)
    known = {fact.id: fact for fact in told.facts}
    return ([known[one] for one in ids] or overview(figures))[:MOST_FACTS]


def overview(figures: Figures) -> list[Fact]:
    """How big each row is and how often it converts."""
    keys = figures.context.keys
    return list(present(figures.measure(key, name) for key in keys for name in OVERVIEW))


def evidence(figures: Figures, key: str) -> list[Fact]:
    """All that may be said about a row."""
    return list(chain.from_iterable(Evidence(figures, key, fewest=1).groups.values()))


def contrast(figures: Figures, key: str) -> list[Fact]:
    """What sets the segments apart that are most like one."""
    nearest = [fact.segments[1] for fact in Evidence(figures, key, fewest=1).nearest]
    return [fact for other in nearest for fact in Evidence(figures, other, fewest=1).lifts]


def compared(figures: Figures, first: str | None = None, second: str | None = None) -> list[Fact]:
    """Two rows side by side, or all segments; nothing where that cannot be done."""
    try:
        if first and second:
            return list(compare(figures, arguments.Compare(a=first, b=second)).facts)
        return list(compare_all(figures).facts)
    except Beha2VecError:
        return []
