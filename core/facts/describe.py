"""What a segment is like, and what a persona of it may rest on."""

from __future__ import annotations

from typing import Final

from core.facts.answer import Block, FigureList, Note
from core.facts.arguments import Key
from core.facts.context import ALL, ONE_PAGE, Context
from core.facts.differing import differing, q_values
from core.facts.evidence import Evidence
from core.facts.fact_maker import Figures, select
from core.facts.finding import Finding, known, notes, present
from core.facts.segment_tools import AVERAGES
from core.profiles.profile_columns import Col, RowKind
from core.segments.certificate import KEPT_BACK

NO_CAUSE: Final = "These are differences that go together; the data cannot show that one causes the other."
NOT_IN_DATA: Final = (
    "Age, income and motives are not in the data; a name or a story for them would be invented."
)
NOTHING_APART: Final = "Nothing is shown to differ here from the others by more than a little."
NO_SEGMENTS: Final = "No separate kinds of users here: they differ by degree, or in nothing that lasts."
WITHHELD: Final = f"{NO_SEGMENTS} {KEPT_BACK} To have them told: Name them anyway, on Explore."
UNSUPPORTED: Final = f"{NO_SEGMENTS} This describes these very users, no kinds of users."
SIZE: Final = (Col.USERS, Col.SHARE)
HABITS: Final = (Col.PAGE_VIEWS_MEAN, Col.SESSIONS_MEAN, Col.ENGAGEMENT_MEAN)


def paragraph(figures: Figures, segment: Key) -> Finding:
    """Everything that describes one segment.

    Size, activity, outcome, what sets it apart, where its sessions begin; of a segment that other users would
    not show, no more than the first three.

    Raises:
        InputError: If there is no such row.
    """
    key = known(figures.context, segment)
    evidence = Evidence(figures, key)
    size = tuple(figures.needed(key, name) for name in (SIZE[:1] if key == ALL else SIZE))
    by_rule = key == ONE_PAGE or figures.context.row(key)[Col.KIND] == RowKind.ONE_PAGE
    habits = () if by_rule else present(figures.measure(key, name) for name in HABITS)
    begin: tuple[Block, ...] = (FigureList(facts=size), FigureList(facts=habits))
    if withheld(figures.context, key):
        rate = present([figures.measure(key, Col.OUTCOME_RATE)])
        said: tuple[Block, ...] = (FigureList(facts=rate), *doubts(figures.context, key))
        return Finding((*begin, *said), select("*", "segments", key=key))
    ways = (*evidence.entries[:1], *evidence.steps[:1], *evidence.nearest[:1])
    blocks = (*begin, *_apart(figures, key), FigureList(facts=ways), *doubts(figures.context, key))
    return Finding(blocks, select("*", "segments", key=key))


def persona(figures: Figures, segment: Key) -> Finding:
    """The facts that a buyer persona may rest on.

    Who these people are beyond it, the data cannot tell.

    Raises:
        InputError: If there is no such row.
    """
    described = paragraph(figures, segment)
    if withheld(figures.context, segment):
        return described
    comes_with = FigureList(facts=Evidence(figures, segment).shares)
    return Finding((*described.blocks, comes_with, *notes(NOT_IN_DATA)), described.query)


def why(figures: Figures, key: str, metric: str | None) -> Finding:
    """What goes together with a segment's figure, against all users.

    Raises:
        InputError: If there is no such row, or the figure is absent.
    """
    context = figures.context
    lead: tuple[Block, ...] = ()
    if metric in AVERAGES:  # a part is smaller than the whole: that explains no total
        tested = q_values(context, context.tables.differences, known(context, key))
        lead = (figures.contrast(figures.needed(key, metric), ALL, tested.get((metric, ""))),)
    elif metric:
        lead = (FigureList(facts=(figures.needed(key, metric), figures.needed(ALL, metric))),)
    apart = differing(figures, known(context, key)) or notes(NOTHING_APART)
    blocks = dict.fromkeys((*doubts(context, key), *lead, *apart, *notes(NO_CAUSE)))
    return Finding((*blocks,), select("*", "differences", key=key))


def withheld(context: Context, *keys: str) -> bool:
    """Whether one of the rows is a segment of which it is not told what kind of users it is."""
    return context.withheld and not set(keys).isdisjoint(context.segment_keys)


def doubts(context: Context, *keys: str) -> tuple[Note, ...]:
    """That no segments are supported, and what that means for what is said; nothing of other rows."""
    if not context.unsupported or set(keys).isdisjoint(context.segment_keys):
        return ()
    return notes(WITHHELD if context.withheld else UNSUPPORTED)


def _apart(figures: Figures, key: str) -> tuple[Block, ...]:
    """The outcome and what differs most, each held against the other clustered users."""
    apart, rate = differing(figures, key), figures.measure(key, Col.OUTCOME_RATE)
    if rate is None or rate in {block.first for block in apart}:
        return apart
    if key == ALL:
        return (FigureList(facts=(rate,)),)
    q_value = q_values(figures.context, figures.context.tables.differences, key).get((Col.OUTCOME_RATE, ""))
    return (figures.contrast(rate, ALL, q_value), *apart)
