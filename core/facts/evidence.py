"""All that may be said about a segment, as facts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from core.base.schema import View
from core.facts import items
from core.facts.answer import Fact
from core.facts.differing import differing
from core.facts.fact_maker import Figures
from core.facts.finding import present
from core.facts.items import ATTRIBUTES, ItemMetric
from core.facts.measures import MEASURES
from core.facts.steps import most_steps, session_ends, step_view

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
        return self._ends("entry")

    @cached_property
    def exits(self) -> tuple[Fact, ...]:
        """Where sessions end."""
        return self._ends("exit")

    @cached_property
    def steps(self) -> tuple[Fact, ...]:
        """The most frequent steps from place to place, between page types where pages are labelled."""
        context = self.figures.context
        view = step_view(context)
        by = "type" if view is View.TYPE else "page"
        table = most_steps(context, self.key, view, STEPS, between=True)
        return tuple(self.figures.step(self.key, row, by, "") for row in table.to_dict("records"))

    @cached_property
    def nearest(self) -> tuple[Fact, ...]:
        """The segments most like it."""
        context = self.figures.context
        return tuple(self.figures.nearest(self.key, NEAREST)) if self.key in context.segment_keys else ()

    @property
    def groups(self) -> dict[str, tuple[Fact, ...]]:
        """All of it by what it is about."""
        return {
            "figures": self.measures, "sets_apart": self.differences, "comes_with": self.shares,
            "sessions_begin": self.entries, "sessions_end": self.exits, "steps": self.steps,
            "nearest": self.nearest,
        }  # fmt: skip

    def _ends(self, kind: str) -> tuple[Fact, ...]:
        table = session_ends(self.figures.context, self.key, kind, ENDS)
        return tuple(self.figures.session_end(self.key, row, kind) for row in table.to_dict("records"))
