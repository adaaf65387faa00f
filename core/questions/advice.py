"""What to try: options that the figures suggest, each with its figure and what would test it.

They say what goes together, never what causes what; an option whose figure is of too few, or not shown to
differ, is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import pairwise
from typing import Final

from core.base.errors import InputError
from core.base.safe_text import clean
from core.facts import like_tools, rule_tools, segment_tools
from core.facts.answer import Block, Contrast, Verdict
from core.facts.context import ALL, Context
from core.facts.fact_maker import Figures, Finding, notes, select
from core.facts.items import ItemMetric
from core.journeys.funnel_start import usual_funnel
from core.profiles.profile_columns import Col
from core.profiles.user_items import Family
from core.query import answering
from core.query.execute import FEW
from core.query.query import By, Did, Is, Quantity, Query, both

NOTHING: Final = (
    "Nothing here is clear enough to act on: nothing is shown to differ, no step of the funnel loses enough "
    "users to count, and no rule finds them."
)
SHOW: Final = "Show them what they look for:"
MEND: Final = "Mend the step at which most are lost:"
REACH: Final = "Reach more of them:"
_LOOKED_FOR: Final = frozenset(
    f"{ItemMetric.SHARE}:{family}"
    for family in (Family.INTEREST, Family.THEME, Family.PAGE, Family.ENTRY, Family.FOLDER)
)
"""Measures of what users look for, which they can be shown more of."""
_COMMON: Final = 0.2
"""Least share of the users of a segment for which it is a thing to show to all of them."""
_CLEARLY: Final = 1.5
"""Times as many users as among the others that should look for it, where there is such a thing."""
_LOOKED_AT: Final = 20
"""Most differences of a segment among which what its users look for is sought."""
_SHOWN: Final = "To test it, show more of it to a random half of them, and compare how many of each half {}."
_MENDED: Final = (
    "To test it, change that step for a random half of those who reach it, and compare how many of each half "
    "go on."
)
_REACHED: Final = "To test it, address a random half of them, and compare how many of each half {}."


def advise(figures: Figures, segment: str) -> Finding:
    """Up to three things to try: what to show users, where they are lost, and how more of them are reached.

    Args:
        figures: Where facts come from.
        segment: Key of the row that it is about; empty to take the segment with the highest outcome rate, if
            that is shown to be higher than the others'.
    """
    lead, row = ((), segment) if segment else _highest(figures)
    about = {MEND: segment or ALL}
    options = {title: option(figures, about.get(title, row)) for title, option in OPTIONS.items()}
    found = {title: one for title, one in options.items() if one.blocks}
    if not found:
        return Finding(notes(NOTHING))
    blocks = [block for title, one in found.items() for block in (*notes(title), *one.blocks)]
    query = "\n".join(one.query for one in found.values())
    doubts = segment_tools.doubts(figures.context, row)
    return Finding((*doubts, *lead, *blocks, *notes(segment_tools.NO_CAUSE)), query)


def _highest(figures: Figures) -> tuple[tuple[Block, ...], str]:
    """The segment with the highest outcome rate, with that beside the others'; none if it may be chance."""
    rates = [fact for key in figures.context.segment_keys if (fact := figures.measure(key, Col.OUTCOME_RATE))]
    if not rates:
        return (), ""
    row = max(rates, key=lambda fact: fact.value).row
    lead = segment_tools.why(figures, row, Col.OUTCOME_RATE).blocks
    higher = [one for one in lead if isinstance(one, Contrast) and one.first in rates]
    return ((higher[0],), row) if higher and higher[0].verdict is Verdict.HIGHER else ((), "")


def show(figures: Figures, row: str) -> Finding:
    """What the users of a segment look for more than others do, and how to test showing more of it."""
    more = [
        one
        for one in (segment_tools.differing(figures, row, _LOOKED_AT) if row else ())
        if one.verdict is Verdict.HIGHER
        and one.first.measure in _LOOKED_FOR
        and one.first.n >= FEW
        and one.first.value >= _COMMON
    ]
    if not more:
        return Finding(())
    said: tuple[Block, ...] = (max(more, key=_says), *notes(_SHOWN.format(_goal(figures))))
    return Finding(said, select("*", "differences", key=row))


def _says(one: Contrast) -> tuple[bool, float]:
    """How much a higher share says of a segment: whether it is clearly higher, and bits for each user."""
    here, there = one.first.value, max(one.second.value, 1 / max(1, one.second.n))
    return here >= _CLEARLY * there, here * math.log2(here / there)


def mend(figures: Figures, row: str) -> Finding:
    """The step at which most are lost on the way to the outcome, with the share of those who go on."""
    context, steps = figures.context, funnel_steps(figures.context)
    if not (context.funnel or context.tables.profiles.chosen):
        return Finding(())  # pages that many view are no way to anything
    where = users_of(row)
    reached = answering.answer(Query(measure=Quantity.FUNNEL, of=steps, where=where), context).facts
    pairs = enumerate(pairwise(reached), 1)
    lost = {at: before.value - after.value for at, (before, after) in pairs if before.value >= FEW}
    at = max(lost, key=lambda at: lost[at], default=0)
    if not lost.get(at):
        return Finding(())
    before, after = (steps.model_copy(update={"steps": steps.steps[:end]}) for end in (at, at + 1))
    found = answering.answer(Query(measure=Quantity.SHARE, of=after, where=both(before, where)), context)
    return Finding((*found.blocks, *notes(_MENDED)), found.query)


def reach(figures: Figures, row: str) -> Finding:
    """The rule that finds a segment, where one does; else how many other users are like it."""
    tables = figures.context.tables
    rules = {f"segment:{number}": found for number, found in tables.basis.rules(tables.partition).items()}
    if row not in rules:
        return Finding(())
    fit = rules[row].recommended
    by_rule = fit is not None and not fit.useless
    with suppress(InputError):
        found = (rule_tools.segment_rule if by_rule else like_tools.look_alikes)(figures, row)
        if found.facts[0].users < FEW:
            return Finding(())
        return Finding((*found.blocks, *notes(_REACHED.format(_goal(figures)))), found.query)
    return Finding(())


OPTIONS: Final[Mapping[str, Callable[..., Finding]]] = {SHOW: show, MEND: mend, REACH: reach}
"""Title of each thing to try → what says so of a row (its key); without blocks where nothing does."""


def funnel_steps(context: Context) -> Did:
    """The funnel that the analyst built on Journeys, or the usual way to the outcome."""
    basis, chosen = context.tables.basis, context.tables.profiles.chosen
    funnel = context.funnel or usual_funnel(basis.funnel_site, basis.data.outcomes, chosen)
    return Did(steps=funnel.steps, order=funnel.order, within=funnel.within)


def users_of(row: str) -> Is | None:
    """The condition of the users of a row; None for all."""
    return None if row == ALL else Is(dimension=By.SEGMENT, any_of=(row,))


def _goal(figures: Figures) -> str:
    """What two halves are compared by."""
    outcome = figures.context.tables.profiles.outcome
    return f"did {clean(outcome)}" if outcome else "came again"
