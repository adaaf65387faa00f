"""Facts that are made, not counted: any value of any row, and blocks of them at random."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from core.base.attributes import ATTRIBUTES
from core.facts.answer import (
    BY_KEY,
    MEASURES,
    Block,
    Chart,
    Contrast,
    Fact,
    FigureList,
    Measure,
    Note,
    Ranking,
    Title,
    Verdict,
)
from core.facts.fact_maker import make_fact, relation
from core.facts.items import ITEM_MEASURES, ItemMetric

TITLES = {
    "segment:0": Title(label="Segment 1", name="Sale hunters"),
    "segment:1": Title(label="Segment 2", name="Night owl"),
    "segment:2": Title(label="Segment 3"),
    "group:one_page": Title(label="One-page users"),
    "all": Title(label="All users"),
    "others": Title(label="The other clustered users"),
}


def fact(measure: str, value: float, row: str = "segment:0", **more: object) -> Fact:
    """A figure of the segments table."""
    made = BY_KEY[measure]
    return make_fact(measure, made.label, (row,), value, made.unit, **{"digits": made.digits, **more})


def item(metric: ItemMetric, dimension: str, name: str, value: float, row: str = "segment:0") -> Fact:
    """A figure about an item."""
    made = ITEM_MEASURES[metric]
    return make_fact(f"{metric}:{dimension}", made.label, (row,), value, made.unit, item=name)


ROWS = st.sampled_from(sorted(TITLES))
NAMES = st.sampled_from(["/cart", "/p/2024?id=7", "Tents 3000", "[x](http://e.example/9)", "**5** users"])
VALUES = st.floats(0, 1e7) | st.integers(0, 10_000).map(float)
ITEMS = st.builds(
    item,
    st.sampled_from(ItemMetric),
    st.sampled_from(["page", "theme", "type", *ATTRIBUTES]),
    NAMES,
    VALUES | st.just(math.inf),
    ROWS,
)


@st.composite
def measured(draw: st.DrawFn, measure: Measure | None = None, row: str = "") -> Fact:
    """A figure of the segments table, with or without its interval."""
    made = measure or draw(st.sampled_from(MEASURES))
    value = draw(st.floats(0, 1) if made.unit == "share" else VALUES)
    interval = (value / 2, (1 + value) / 2) if made.key == "outcome_rate" else None
    return fact(made.key, value, row or draw(ROWS), interval=interval)


@st.composite
def contrasts(draw: st.DrawFn) -> Contrast:
    """Two figures of one measure, whatever the verdict."""
    measure = draw(st.sampled_from(MEASURES))
    first, second = draw(st.permutations(sorted(TITLES)))[:2]
    one, other = draw(measured(measure, first)), draw(measured(measure, second))
    return Contrast(
        first=one, second=other, verdict=draw(st.sampled_from(Verdict)), relation=relation(one, other)
    )


@st.composite
def rankings(draw: st.DrawFn) -> Ranking:
    """Several figures of one measure, in any order."""
    measure = draw(st.sampled_from(MEASURES))
    rows = draw(st.permutations(sorted(TITLES)))[: draw(st.integers(2, 4))]
    reference = draw(st.none() | measured(measure, "all"))
    facts = tuple(draw(measured(measure, row)) for row in rows)
    return Ranking(facts=facts, most=draw(st.booleans()), sure=draw(st.booleans()), reference=reference)


BLOCKS: st.SearchStrategy[list[Block]] = st.lists(
    st.builds(FigureList, facts=st.lists(measured() | ITEMS, max_size=6).map(tuple))
    | contrasts()
    | rankings()
    | st.builds(Chart, facts=st.lists(measured(), max_size=3).map(tuple))
    | st.just(Note(text="Nothing more is counted.")),
    max_size=6,
)
