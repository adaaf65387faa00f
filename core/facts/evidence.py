"""All that may be said about a segment, as facts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from core.facts import items
from core.facts.answer import Fact
from core.facts.differing import differing
from core.facts.fact_maker import Figures
from core.facts.finding import present
from core.facts.items import ATTRIBUTES, ItemMetric
from core.facts.measures import MEASURES
from core.facts.steps import end_facts, step_facts, step_view

DIFFERENCES, ENDS, STEPS, NEAREST, SHARES = 8, 3, 5, 3, 3


@dataclass(frozen=True, eq=False)
class Evidence:
    """What may be said about one row.

    Args:
        figures: Where facts come from.
        key: The row.
    """

    figures: Figures
    key: str

    @cached_property
    def measures(self) -> tuple[Fact, ...]:
        """Every column of the segments table."""
        return present(self.figures.measure(self.key, one.key) for one in MEASURES)

    @cached_property
    def differences(self) -> tuple[Fact, ...]:
        """What sets it apart, in the order of the table of differences."""
        return present(block.first for block in differing(self.figures, self.key, DIFFERENCES))

    @cached_property
    def shares(self) -> tuple[Fact, ...]:
        """The most frequent devices, browsers, countries and sources."""
        context, made = self.figures.context, []
        for dimension in ATTRIBUTES:
            if items.values(context, dimension):
                names = items.top(context, self.key, dimension, ItemMetric.SHARE, SHARES)
                made += [self.figures.item(self.key, dimension, name, ItemMetric.SHARE) for name in names]
        return present(made)

    @cached_property
    def entries(self) -> tuple[Fact, ...]:
        """Where sessions begin."""
        return end_facts(self.figures, self.key, "entry", ENDS)

    @cached_property
    def exits(self) -> tuple[Fact, ...]:
        """Where sessions end."""
        return end_facts(self.figures, self.key, "exit", ENDS)

    @cached_property
    def steps(self) -> tuple[Fact, ...]:
        """The most frequent steps from place to place, between page types where pages are labelled."""
        view = step_view(self.figures.context)
        return step_facts(self.figures, self.key, view, STEPS, between=True)

    @cached_property
    def nearest(self) -> tuple[Fact, ...]:
        """The segments most like it."""
        context = self.figures.context
        return tuple(self.figures.nearest(self.key, NEAREST)) if self.key in context.segment_keys else ()

    @property
    def everything(self) -> tuple[Fact, ...]:
        """All of it."""
        own = (*self.measures, *self.differences, *self.shares)
        return (*own, *self.entries, *self.exits, *self.steps, *self.nearest)
