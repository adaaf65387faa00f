"""What a segment is like, and what a persona of it may rest on."""

from __future__ import annotations

from typing import Final

from core.facts.answer import Block, Fact, FigureList
from core.facts.evidence import Evidence
from core.facts.fact_maker import Figures, select
from core.facts.finding import Finding, known, notes, present
from core.facts.items import Dimension, ItemMetric
from core.facts.segment_tools import AVERAGES
from core.profiles.profile_columns import Col

NO_CAUSE: Final = "These are differences that go together; the data cannot show that one causes the other."
NOT_IN_DATA: Final = (
    "Age, income and motives are not in the data; a name or a story for them would be invented."
)
NOTHING_APART: Final = "No page, theme or type is surely viewed more often here than by the others."
SIZE: Final = (Col.USERS, Col.SHARE)
HABITS: Final = (Col.PAGE_VIEWS_MEAN, Col.SESSIONS_MEAN, Col.ENGAGEMENT_MEAN)
LIFTS: Final = 3


def paragraph(figures: Figures, key: str) -> Finding:
    """What a row is like: size, activity, outcome, what sets it apart, where its sessions begin.

    Raises:
        InputError: If there is no such row.
    """
    evidence = Evidence(figures, known(figures.context, key), fewest=1)
    size = tuple(figures.needed(key, name) for name in (SIZE[:1] if key == "all" else SIZE))
    habits = present(figures.measure(key, name) for name in HABITS)
    ways = (*evidence.entries[:1], *evidence.steps[:1], *evidence.nearest[:1])
    blocks = (
        FigureList(facts=size), FigureList(facts=habits), *_outcome(figures, key), *_apart(evidence),
        FigureList(facts=ways),
    )  # fmt: skip
    return Finding(blocks, select("*", "segments", key=key))


def persona(figures: Figures, key: str) -> Finding:
    """What a buyer persona may rest on; who these people are beyond it, the data cannot tell.

    Raises:
        InputError: If there is no such row.
    """
    described = paragraph(figures, key)
    comes_with = FigureList(facts=Evidence(figures, key, fewest=1).shares)
    return Finding((*described.blocks, comes_with, *notes(NOT_IN_DATA)), described.query)


def why(figures: Figures, key: str, metric: str | None) -> Finding:
    """What goes together with a segment's figure, against all users.

    Raises:
        InputError: If there is no such row, or the figure is absent.
    """
    evidence = Evidence(figures, known(figures.context, key), fewest=1)
    lead: tuple[Block, ...] = ()
    if metric in AVERAGES:  # a part is smaller than the whole: that explains no total
        lead = (figures.contrast(figures.needed(key, metric), "all"),)
    elif metric:
        lead = (FigureList(facts=(figures.needed(key, metric), figures.needed("all", metric))),)
    apart = _apart(evidence) or notes(NOTHING_APART)
    return Finding((*lead, *apart, *notes(NO_CAUSE)), select("*", "pages", key=key))


def _outcome(figures: Figures, key: str) -> tuple[Block, ...]:
    rate = figures.measure(key, Col.OUTCOME_RATE)
    if rate is None:
        return ()
    return (FigureList(facts=(rate,)) if key == "all" else figures.contrast(rate, "all"),)


def _apart(evidence: Evidence) -> tuple[Block, ...]:
    facts = tuple(
        fact
        for dimension in (Dimension.THEME, Dimension.TYPE, Dimension.PAGE)
        for fact in _lifts(evidence, dimension)
    )
    return (FigureList(facts=facts),) if facts else ()


def _lifts(evidence: Evidence, dimension: Dimension) -> list[Fact]:
    lifts = (ItemMetric.LIFT, ItemMetric.VIEW_LIFT)
    return [
        fact for fact in evidence.lifts if fact.measure in {f"{lift}:{dimension}" for lift in lifts}
    ][:LIFTS]  # fmt: skip
