"""What to try: options that the figures suggest, each with its figure and what would test it.

They say what goes together, never what causes what; an option whose figure is of too few, or not shown to
differ, is left out.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import Final

from core.base.errors import InputError
from core.base.safe_text import clean
from core.facts import like_tools, rule_tools, segment_tools
from core.facts.answer import Block, Contrast, Verdict
from core.facts.context import ALL, Context
from core.facts.fact_maker import Figures, Finding, notes, select
from core.journeys.funnel_start import usual_funnel
from core.profiles.profile_columns import Col
from core.query import answering
from core.query.execute import FEW
from core.query.query import By, Did, Is, Quantity, Query, both

NOTHING: Final = (
    "Nothing here is clear enough to act on: nothing is shown to differ, no step of the funnel loses enough "
    "users to count, and no rule finds them."
)
CHANGE: Final = "What differs most:"
MEND: Final = "Where most are lost on the way to the outcome:"
REACH: Final = "How to reach more of them:"
_CHANGED: Final = "To test it, change that for a random half of them, and compare how many of each half {}."
_MENDED: Final = (
    "To test it, change that step for a random half of those who reach it, and compare how many of each half "
    "go on."
)
_REACHED: Final = "To test it, address a random half of them, and compare how many of each half {}."


def advise(figures: Figures, segment: str) -> Finding:
    """Up to three things to try: what to change, where users are lost, and how more of them are reached.

    Args:
        figures: Where facts come from.
        segment: Key of the row that it is about; empty to take the segment with the highest outcome rate, if
            that is shown to be higher than the others'.
    """
    lead, row = ((), segment) if segment else _highest(figures)
    options = [_change(figures, row), _mend(figures, segment or ALL), _reach(figures, row)]
    blocks = [block for one in options for block in one.blocks]
    if not blocks:
        return Finding(notes(NOTHING))
    query = "\n".join(one.query for one in options if one.blocks)
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


def _change(figures: Figures, row: str) -> Finding:
    """What sets a segment apart most, beside its outcome."""
    said = segment_tools.why(figures, row, None).blocks if row else ()
    apart = [one for one in said if isinstance(one, Contrast) and not segment_tools.is_rate(one.first)][:1]
    enough = apart and apart[0].first.n >= FEW
    if not enough:
        return Finding(())
    told: tuple[Block, ...] = (*notes(CHANGE), *apart, *notes(_CHANGED.format(_goal(figures))))
    return Finding(told, select("*", "differences", key=row))


def _mend(figures: Figures, row: str) -> Finding:
    """The step of the funnel at which most users are lost, with the share of those who go on."""
    context, steps = figures.context, funnel_steps(figures.context)
    where = users_of(row)
    reached = answering.answer(Query(measure=Quantity.FUNNEL, of=steps, where=where), context).facts
    pairs = enumerate(pairwise(reached), 1)
    lost = {at: before.value - after.value for at, (before, after) in pairs if before.value >= FEW}
    at = max(lost, key=lambda at: lost[at], default=0)
    if not lost.get(at):
        return Finding(())
    before, after = (steps.model_copy(update={"steps": steps.steps[:end]}) for end in (at, at + 1))
    found = answering.answer(Query(measure=Quantity.SHARE, of=after, where=both(before, where)), context)
    return Finding((*notes(MEND), *found.blocks, *notes(_MENDED)), found.query)


def _reach(figures: Figures, row: str) -> Finding:
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
        said = (*notes(REACH), *found.blocks, *notes(_REACHED.format(_goal(figures))))
        return Finding(said, found.query)
    return Finding(())


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
