"""All that may be said about a segment, as facts, and as plain data for a language model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from core.errors import InputError
from core.profiles.columns import Col
from core.schema import View
from core.words import items
from core.words.contract import Fact
from core.words.figures import Figures
from core.words.findings import present
from core.words.items import ATTRIBUTES, LABELLED, Dimension, ItemMetric
from core.words.measures import MEASURES

FEWEST: Final = 20
"""Users below which a figure does not leave the machine."""
LIFTS, ENDS, STEPS, NEAREST, VISITED, SHARES = 5, 3, 5, 3, 8, 3
HIDDEN: Final = "…"
LIFT_OF: Final = {
    Dimension.PAGE: ItemMetric.LIFT, Dimension.THEME: ItemMetric.VIEW_LIFT,
    Dimension.TYPE: ItemMetric.VIEW_LIFT,
}  # fmt: skip
SHARE_OF: Final = {
    Dimension.PAGE: ItemMetric.SHARE, Dimension.THEME: ItemMetric.VIEW_SHARE,
    Dimension.TYPE: ItemMetric.VIEW_SHARE,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Evidence:
    """What may be said about one row, over at least ``fewest`` users each.

    Args:
        figures: Where facts come from.
        key: The row.
        fewest: Users below which a figure is left out; 1 for what stays on the machine.
    """

    figures: Figures
    key: str
    fewest: int = FEWEST

    @cached_property
    def measures(self) -> tuple[Fact, ...]:
        """Every column of the segments table."""
        return self._enough(self.figures.measure(self.key, one.key) for one in MEASURES)

    @cached_property
    def lifts(self) -> tuple[Fact, ...]:
        """What sets it apart: the lift of each page, theme and type, followed by its share."""
        if self.key == "all":
            return ()
        return tuple(fact for dimension in LIFT_OF for fact in self.lifts_of(dimension))

    def lifts_of(self, dimension: Dimension, count: int = LIFTS) -> tuple[Fact, ...]:
        """What sets it apart in one dimension, surest first for pages, else strongest first."""
        if dimension in LABELLED and not items.values(self.figures.context, dimension):
            return ()
        lift, share = LIFT_OF[dimension], SHARE_OF[dimension]
        names = items.top(self.figures.context, self.key, dimension, lift, count)
        made = [self.figures.item(self.key, dimension, name, one) for name in names for one in (lift, share)]
        return self._enough(made)

    @cached_property
    def shares(self) -> tuple[Fact, ...]:
        """The most frequent devices, browsers, countries and sources."""
        context, made = self.figures.context, []
        for dimension in ATTRIBUTES:
            if items.values(context, dimension):
                names = items.top(context, self.key, dimension, ItemMetric.SHARE, SHARES)
                made += [self.figures.item(self.key, dimension, name, ItemMetric.SHARE) for name in names]
        return self._enough(made)

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
        """The most frequent steps, between page types where pages are labelled."""
        context = self.figures.context
        view, by = (
            (View.TYPE, "type") if View.TYPE in context.tables.basis.paths.steps else (View.URL, "page")
        )
        table = context.tables.steps(view).most(context.place(self.key), STEPS)
        return self._enough(
            self.figures.step(self.key, _plain(row), by, "") for row in table.to_dict("records")
        )

    @cached_property
    def nearest(self) -> tuple[Fact, ...]:
        """The segments most like it."""
        context = self.figures.context
        return tuple(self.figures.nearest(self.key, NEAREST)) if self.key in context.segment_keys else ()

    @cached_property
    def visitors(self) -> tuple[tuple[str, ...], ...]:
        """Pages of the most typical users, in order; one that fewer than ``fewest`` of them saw is ``…``."""
        context = self.figures.context
        if self.key not in context.segment_keys:
            return ()
        segment = int(context.row(self.key)[Col.SEGMENT])
        return tuple(self._visited(int(user)) for user in context.typical.get(segment, ()))

    @property
    def groups(self) -> dict[str, tuple[Fact, ...]]:
        """All of it by what it is about."""
        return {
            "figures": self.measures, "sets_apart": self.lifts, "comes_with": self.shares,
            "sessions_begin": self.entries, "sessions_end": self.exits, "steps": self.steps,
            "nearest": self.nearest,
        }  # fmt: skip

    def pack(self) -> dict[str, Any]:
        """As plain data; values are text, so that nobody has to format or round."""
        title = self.figures.context.title(self.key)
        groups = {name: [as_dict(fact) for fact in facts] for name, facts in self.groups.items()}
        return {"segment": self.key, "called": title, "facts": groups, "typical_visitors": self.visitors}

    def _ends(self, kind: str) -> tuple[Fact, ...]:
        tables = self.figures.context.tables
        table = tables.entries if kind == "entry" else tables.exits
        own = table[table[Col.KEY] == self.key].head(ENDS).to_dict("records")
        return self._enough(self.figures.session_end(self.key, _plain(row), kind) for row in own)

    def _enough(self, facts: Iterable[Fact | None]) -> tuple[Fact, ...]:
        return tuple(fact for fact in present(facts) if self.figures.book.users(fact) >= self.fewest)

    def _visited(self, user: int) -> tuple[str, ...]:
        basis = self.figures.context.tables.basis
        begin = int(basis.sequences.offsets[user])
        pages = basis.sequences.page[begin : int(basis.sequences.offsets[user + 1])][:VISITED].tolist()
        return tuple(self._page(basis.pages[page]) for page in pages)

    def _page(self, name: str) -> str:
        try:
            seen = self.figures.item(self.key, Dimension.PAGE, name, ItemMetric.USERS)
        except InputError:
            return HIDDEN
        return seen.item if seen and self.figures.book.users(seen) >= self.fewest else HIDDEN


def evidence_pack(figures: Figures, key: str, fewest: int = FEWEST) -> dict[str, Any]:
    """What may be said about one row as plain data, for a language model.

    Args:
        figures: Where facts come from.
        key: The row.
        fewest: Users below which a figure is left out.

    Returns:
        ``segment``, ``called``, ``facts`` by what they are about, ``typical_visitors`` (the pages of each),
        and ``contrast``: what sets each of the nearest segments apart.
    """
    evidence = Evidence(figures, key, fewest)
    others = [fact.segments[1] for fact in evidence.nearest]
    contrast = {other: [as_dict(fact) for fact in Evidence(figures, other, fewest).lifts] for other in others}
    return {**evidence.pack(), "contrast": contrast}


def as_dict(fact: Fact) -> dict[str, Any]:
    """A fact as plain data."""
    ends = {"low": fact.low, "high": fact.high} if fact.low is not None else {}
    return {
        "id": fact.id, "metric": fact.metric, "says": fact.label, "segments": list(fact.segments),
        "item": fact.item, "value": fact.text, "of": fact.n, **ends,
    }  # fmt: skip


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}
