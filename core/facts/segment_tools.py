"""What is told about the segments themselves.

What differs most, as the table of differences ranks it, for sentences.

All that may be said about a segment, as facts.

What a segment is like, and what a persona of it may rest on.

What is different and what is not shown to differ between two rows, and over all segments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from core.base.errors import InputError
from core.facts import items
from core.facts.answer import (
    BY_KEY,
    MEASURES,
    Block,
    Contrast,
    Fact,
    FigureList,
    Note,
    Unit,
)
from core.facts.context import ALL, ONE_PAGE, Context
from core.facts.fact_maker import Figures, Finding, make_fact, notes, require_row, select, without_none
from core.facts.items import ItemMetric
from core.facts.steps import end_facts, step_facts, step_view
from core.profiles.differences import Diff, is_apart, top_differences
from core.profiles.profile_columns import FIELDS, HEAT_MAP, Col, MetricRole, RowKind
from core.profiles.user_items import Family
from core.segments.certificate import NAMES_WITHHELD

AVERAGES: Final = frozenset(field.field for field in FIELDS if field.n)
"""Columns that are a mean, a median or a share, so that a row can be above or below all users."""


def list_segments(figures: Figures) -> Finding:
    """All segments, the groups made by rule and all users, with their keys and sizes."""
    context = figures.context
    count = make_fact(
        "segments", "number of segments", ("all",), len(context.segment_keys), Unit.COUNT,
        n=context.tables.profiles.n_clustered,
    )  # fmt: skip
    sizes = [
        figures.needed(key, name)
        for key in context.keys if key != "all"
        for name in (Col.USERS, Col.SHARE)
    ]  # fmt: skip
    query = select("key, users, share", "segments")
    return Finding((FigureList(facts=(count,)), FigureList(facts=tuple(sizes))), query)


def of_segments(figures: Figures, name: str) -> tuple[Fact, ...]:
    """A column of the segments table, as a fact of every segment that has a value.

    Raises:
        InputError: If none has.
    """
    keys = figures.context.segment_keys
    return without_none([figures.measure(key, name) for key in keys]) or (figures.needed(keys[0], name),)


MAX_NAMED: Final = 3
"""Differences of a row that sentences name, at most."""


def differing(figures: Figures, key: str, count: int = MAX_NAMED) -> tuple[Contrast, ...]:
    """The strongest differences of a row from the other clustered users; none of a row of totals.

    Args:
        figures: Where facts come from.
        key: Key of the row.
        count: Most differences.
    """
    return _contrasts(figures, top_differences(figures.context.tables.differences, key, count), key, ALL)


def _pair_differing(
    figures: Figures, first: str, second: str, count: int = MAX_NAMED
) -> tuple[Contrast, ...]:
    """What sets a row apart from another one, neither of them all users."""
    pair = figures.context.tables.pair(first, second)
    return _contrasts(figures, top_differences(pair, first, count), first, second)


def _q_values(context: Context, table: pd.DataFrame, key: str) -> dict[tuple[str, str], float]:
    """Measure and item → q, of what was tested of a row."""
    rows = table[(table[Col.KEY] == key) & table[Diff.Q_VALUE].notna()]
    return dict(zip(addresses(context, rows), rows[Diff.Q_VALUE].tolist(), strict=True))


def addresses(context: Context, table: pd.DataFrame) -> Iterable[tuple[str, str]]:
    """(measure, item) of the fact of each row of a table of differences; of a column the item is empty."""
    main = next(iter(context.tables.outcomes), "")
    for family, item in zip(table[Diff.FAMILY], table[Diff.ITEM], strict=True):
        if family == Family.MEASURE:
            yield item, ""
        elif (family, item) == (Family.OUTCOME, main):
            yield Col.OUTCOME_RATE, ""
        else:
            yield f"{ItemMetric.SHARE}:{family}", item


def _contrasts(figures: Figures, rows: pd.DataFrame, key: str, other: str) -> tuple[Contrast, ...]:
    q_value = rows[Diff.Q_VALUE].where(rows[Diff.ROLE] == MetricRole.HELD_OUT)  # of the rest none decides
    pairs = zip(addresses(figures.context, rows), q_value.tolist(), strict=True)
    return tuple(
        figures.contrast(fact, other, None if np.isnan(q) else q)
        for (measure, item), q in pairs
        if (fact := _fact(figures, key, measure, item))
    )


def _fact(figures: Figures, key: str, measure: str, item: str) -> Fact | None:
    if not item:
        return figures.measure(key, measure)
    metric, _, family = measure.partition(":")
    return figures.item(key, family, item, ItemMetric(metric))


_DIFFERENCES, _ENDS, _STEPS, _NEAREST, _SHARES = 8, 3, 5, 3, 3


@dataclass(frozen=True, eq=False)
class Evidence:
    """All facts that may be told about one row of the segments table.

    Args:
        figures: Where facts come from.
        key: Key of the row.
    """

    figures: Figures
    key: str

    @cached_property
    def measures(self) -> tuple[Fact, ...]:
        """Every column of the segments table that has a value."""
        return without_none(self.figures.measure(self.key, measure.key) for measure in MEASURES)

    @cached_property
    def differences(self) -> tuple[Fact, ...]:
        """What sets it apart from the other clustered users, in the order of the table of differences."""
        return without_none(block.first for block in differing(self.figures, self.key, _DIFFERENCES))

    @cached_property
    def shares(self) -> tuple[Fact, ...]:
        """Shares of its most frequent browsers, devices, countries and sources, three of each."""
        context, shares = self.figures.context, []
        for dimension in context.tables.basis.data.attributes:
            if items.values(context, dimension):
                names = items.top(context, self.key, dimension, ItemMetric.SHARE, _SHARES)
                shares += [self.figures.item(self.key, dimension, name, ItemMetric.SHARE) for name in names]
        return without_none(shares)

    @cached_property
    def entries(self) -> tuple[Fact, ...]:
        """The three most frequent first pages of its sessions."""
        return end_facts(self.figures, self.key, "entry", _ENDS)

    @cached_property
    def exits(self) -> tuple[Fact, ...]:
        """The three most frequent last pages of its sessions."""
        return end_facts(self.figures, self.key, "exit", _ENDS)

    @cached_property
    def steps(self) -> tuple[Fact, ...]:
        """Its five most frequent steps between page types, or between pages where no page has a type."""
        view = step_view(self.figures.context)
        return step_facts(self.figures, self.key, view, _STEPS, between=True)

    @cached_property
    def nearest(self) -> tuple[Fact, ...]:
        """The three segments with the nearest centroids; empty for a row that is no segment."""
        context = self.figures.context
        return tuple(self.figures.nearest(self.key, _NEAREST)) if self.key in context.segment_keys else ()

    @property
    def everything(self) -> tuple[Fact, ...]:
        """The facts of all other properties, in their order."""
        own_facts = (*self.measures, *self.differences, *self.shares)
        return (*own_facts, *self.entries, *self.exits, *self.steps, *self.nearest)


NO_CAUSE: Final = "These are differences that go together; the data cannot show that one causes the other."
NOT_IN_DATA: Final = (
    "Age, income and motives are not in the data; a name or a story for them would be invented."
)
NOTHING_APART: Final = "Nothing is shown to differ here from the others by more than a little."
_NO_SEGMENTS: Final = "No separate kinds of users here: they differ by degree, or in nothing that lasts."
WITHHELD: Final = f"{_NO_SEGMENTS} {NAMES_WITHHELD} To have them told: Name them anyway, on Segments."
UNSUPPORTED: Final = f"{_NO_SEGMENTS} This describes these very users, no kinds of users."
_SIZE: Final = (Col.USERS, Col.SHARE)
HABITS: Final = (Col.PAGE_VIEWS_MEAN, Col.SESSIONS_MEAN, Col.ENGAGEMENT_MEAN)


def paragraph(figures: Figures, segment: str) -> Finding:
    """Everything that describes one segment.

    Size, activity, outcome, what sets it apart, where its sessions begin; of a segment that other users would
    not show, no more than the first three.

    Raises:
        InputError: If there is no such row.
    """
    key = require_row(figures.context, segment)
    evidence = Evidence(figures, key)
    size = tuple(figures.needed(key, name) for name in (_SIZE[:1] if key == ALL else _SIZE))
    by_rule = key == ONE_PAGE or figures.context.row(key)[Col.KIND] == RowKind.ONE_PAGE
    habits = () if by_rule else without_none(figures.measure(key, name) for name in HABITS)
    begin: tuple[Block, ...] = (FigureList(facts=size), FigureList(facts=habits))
    if _withheld(figures.context, key):
        rate = without_none([figures.measure(key, Col.OUTCOME_RATE)])
        lines: tuple[Block, ...] = (FigureList(facts=rate), *doubts(figures.context, key))
        return Finding((*begin, *lines), select("*", "segments", key=key))
    ways = (*evidence.entries[:1], *evidence.steps[:1], *evidence.nearest[:1])
    blocks = (*begin, *_apart(figures, key), FigureList(facts=ways), *doubts(figures.context, key))
    return Finding(blocks, select("*", "segments", key=key))


def persona(figures: Figures, segment: str) -> Finding:
    """The facts that a buyer persona may rest on.

    Who these people are beyond it, the data cannot tell.

    Raises:
        InputError: If there is no such row.
    """
    described = paragraph(figures, segment)
    if _withheld(figures.context, segment):
        return described
    comes_with = FigureList(facts=Evidence(figures, segment).shares)
    return Finding((*described.blocks, comes_with, *notes(NOT_IN_DATA)), described.query)


def why(figures: Figures, key: str, metric: str | None) -> Finding:
    """A figure of a row beside all users, and what else sets the row apart; without a metric only the latter.

    Raises:
        InputError: If there is no such row, or the figure is absent.
    """
    context = figures.context
    lead: tuple[Block, ...] = ()
    if metric in AVERAGES:  # a part is smaller than the whole: that explains no total
        tested = _q_values(context, context.tables.differences, require_row(context, key))
        lead = (figures.contrast(figures.needed(key, metric), ALL, tested.get((metric, ""))),)
    elif metric:
        lead = (FigureList(facts=(figures.needed(key, metric), figures.needed(ALL, metric))),)
    apart = differing(figures, require_row(context, key)) or notes(NOTHING_APART)
    blocks = dict.fromkeys((*doubts(context, key), *lead, *apart, *notes(NO_CAUSE)))
    return Finding((*blocks,), select("*", "differences", key=key))


def _withheld(context: Context, *keys: str) -> bool:
    """Whether one of the rows is a segment, and names of segments are withheld as none are supported."""
    return context.withheld and not set(keys).isdisjoint(context.segment_keys)


def doubts(context: Context, *keys: str) -> tuple[Note, ...]:
    """Note that no number of segments is supported, if one of the rows is a segment; else empty."""
    if not context.unsupported or set(keys).isdisjoint(context.segment_keys):
        return ()
    return notes(WITHHELD if context.withheld else UNSUPPORTED)


_RATES: Final = (Col.OUTCOME_RATE, Col.SESSION_RATE, Col.OUTCOME_USERS)
"""Measures that are 0 or 100 % by definition for users grouped by the outcome."""


def is_rate(fact: Fact) -> bool:
    """Whether a figure is of the outcome."""
    return fact.measure in _RATES or fact.measure.endswith(f":{Family.OUTCOME}")


def _apart(figures: Figures, key: str) -> tuple[Block, ...]:
    """The outcome and what differs most, each held against the other clustered users."""
    apart, rate = differing(figures, key), figures.measure(key, Col.OUTCOME_RATE)
    if rate is None or rate in {block.first for block in apart}:
        return apart
    if key == ALL:
        return (FigureList(facts=(rate,)),)
    q_value = _q_values(figures.context, figures.context.tables.differences, key).get((Col.OUTCOME_RATE, ""))
    return (figures.contrast(rate, ALL, q_value), *apart)


NOT_SHOWN: Final = "Not shown to differ between any segment and the others: {}."


def compare(figures: Figures, a: str, b: str) -> Finding:
    """Two segments side by side.

    What differs most, then the usual measures; as many are looked at, q decides.

    Raises:
        InputError: If there is no such row, or both are the same.
    """
    context = figures.context
    first, second = require_row(context, a), require_row(context, b)
    if first == second:
        raise InputError(f"{context.title(first)} cannot be compared with itself", allowed="two segments")
    names = _present(figures, (first, second))
    other = {first: second, second: first}.get(ALL)
    table = context.tables.differences if other else context.tables.pair(first, second)
    tested = _q_values(context, table, other or first)
    apart = differing(figures, other) if other else _pair_differing(figures, first, second)
    measures = {block.first.measure for block in apart}
    contrasts = [
        figures.contrast(fact, second, tested.get((name, "")))
        for name in names if name not in measures
        for fact in figures.each(first, name)
    ]  # fmt: skip
    query = select(", ".join(names), "segments", key=f"{first}, {second}")
    contrasts.sort(key=lambda contrast: not contrast.verdict.is_sure)
    return Finding((*doubts(context, first, second), *apart, *contrasts), query)


def compare_all(figures: Figures) -> Finding:
    """All segments: who has most and least of what differs, and what sets each apart most.

    Raises:
        InputError: If there are not two segments.
    """
    keys = figures.context.segment_keys
    if len(keys) < 2:
        raise InputError("There are not two segments to compare")
    table = figures.context.tables.differences
    differs = set(addresses(figures.context, table[is_apart(table) & table[Col.KEY].isin(keys)]))
    present = _present(figures, keys)
    ranked = [figures.ranking(of_segments(figures, name)) for name in present if (name, "") in differs]
    alike = ", ".join(BY_KEY[name].label for name in present if (name, "") not in differs)
    unshown = notes(NOT_SHOWN.format(alike)) if alike else ()
    apart = [block for key in keys for block in differing(figures, key, 1)]
    blocks = doubts(figures.context, *keys)
    return Finding((*blocks, *ranked, *unshown, *apart), select("*", "segments", kind="segment"))


def compared(figures: Figures, rows: Sequence[str]) -> Finding:
    """Compare two rows by key; all segments where not exactly two are named.

    Raises:
        InputError: If there is no such row, or nothing to compare.
    """
    return compare(figures, rows[0], rows[1]) if len(rows) == 2 else compare_all(figures)


def _present(figures: Figures, keys: Iterable[str]) -> list[str]:
    listed = list(keys)
    return [name for name in HEAT_MAP if all(figures.measure(key, name) for key in listed)]
