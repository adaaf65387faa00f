"""What is different and what is alike between two rows, and over all segments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from core.base.errors import InputError
from core.facts import arguments
from core.facts.answer import Fact, Unit
from core.facts.evidence import Evidence
from core.facts.fact_book import slot
from core.facts.fact_maker import Figures, select
from core.facts.finding import Finding, bullets, fact_table, items, known, listing, paragraphs, present
from core.facts.items import Dimension
from core.facts.measures import BY_KEY
from core.facts.segment_tools import ordered, tied
from core.profiles.profile_columns import HEAT_MAP, Col

ALIKE: Final = 0.1
"""Two means are alike where they differ by less than a tenth; two rates where their intervals overlap."""
COMPARED: Final = (Col.USERS, *HEAT_MAP)


def compare(figures: Figures, asked: arguments.Compare) -> Finding:
    """Two rows side by side.

    Raises:
        InputError: If there is no such row, both are the same, or a metric asked for is absent.
    """
    context = figures.context
    first, second = known(context, asked.a), known(context, asked.b)
    if first == second:
        raise InputError(f"{context.title(first)} cannot be compared with itself", allowed="two segments")
    names = [one.value for one in asked.metrics] or _present(figures, (first, second))
    pairs = [(figures.needed(first, name), figures.needed(second, name)) for name in names]
    related = {name: _related(figures, first, second, name) for name in names}
    different = [pair for pair in pairs if not alike(*pair)]
    same = [pair for pair in pairs if alike(*pair)]
    parts = [f"{context.title(first)} against {context.title(second)}."]
    for heading, those in (("Different:", different), ("Alike:", same)):
        if those:
            parts.append(bullets(heading, [_said(*pair, related[pair[0].metric]) for pair in those]))
    apart = () if asked.metrics else _apart(figures, (first, second))
    if apart:
        parts.append(_apart_said(figures, (first, second), apart))
    facts = (*(fact for pair in pairs for fact in pair), *related.values(), *apart)
    query = select(", ".join(names), "segments", key=f"{first}, {second}")
    return Finding(paragraphs(parts), facts, fact_table(context, facts), query)


def compare_all(figures: Figures) -> Finding:
    """All segments: who has most and least of each metric, and what each views more often than the others."""
    context = figures.context
    keys = context.segment_keys
    if len(keys) < 2:
        raise InputError("There are not two segments to compare")
    said, facts = [], list[Fact]()
    for name in _present(figures, keys):
        found = ordered(present([figures.measure(key, name) for key in keys]), most=True)
        sentence, cited = _extremes(figures, name, found)
        said.append(sentence)
        facts += [*found, *cited]
    apart = [fact for key in keys for fact in _apart(figures, (key,))]
    facts += apart
    parts = [bullets("Size, activity and outcome:", said)]
    if apart:
        parts.append(_apart_said(figures, keys, apart))
    table = fact_table(context, [fact for fact in facts if fact.unit is not Unit.TEXT])
    return Finding(paragraphs(parts), tuple(facts), table, select("*", "segments", kind="segment"))


def alike(first: Fact, second: Fact) -> bool:
    """Whether two figures are too close to be called different."""
    if None not in (first.low, first.high, second.low, second.high):
        return float(first.low or 0) <= float(second.high or 0) and float(second.low or 0) <= float(
            first.high or 0
        )
    one, other = float(first.value), float(second.value)
    return math.isclose(one, other, rel_tol=ALIKE)


def _present(figures: Figures, keys: Iterable[str]) -> list[str]:
    listed = list(keys)
    return [name for name in COMPARED if all(figures.measure(key, name) for key in listed)]


def _related(figures: Figures, first: str, second: str, name: str) -> Fact:
    """Shares by their difference in points, other figures by their ratio."""
    share = BY_KEY[name].unit is Unit.SHARE
    return figures.gap(first, second, name) if share else (
        figures.times(first, second, name) or figures.gap(first, second, name)
    )  # fmt: skip


def _said(first: Fact, second: Fact, related: Fact) -> str:
    return f"{first.label} {slot(first)} against {slot(second)} ({slot(related)})"


def _extremes(figures: Figures, name: str, found: Sequence[Fact]) -> tuple[str, list[Fact]]:
    """The highest and the lowest; nothing to say where all are the same."""
    label = BY_KEY[name].label
    if len(tied(found)) == len(found):
        return f"All segments have the same {label}: {slot(found[0])}.", []
    ends = {"highest": tied(found), "lowest": tied(found[::-1])}
    titles = {
        word: [
            figures.name(f"{word}:{name}", f"{word} {label}", fact.segments[0], query=select(word, name))
            for fact in own
        ]
        for word, own in ends.items()
    }
    parts = [
        f"{word} in {listing([slot(title) for title in titles[word]])} ({slot(ends[word][0])})"
        for word in ends
    ]
    return f"{label.capitalize()}: {' and '.join(parts)}.", [*titles["highest"], *titles["lowest"]]


def _apart(figures: Figures, keys: Iterable[str]) -> tuple[Fact, ...]:
    """The strongest page, theme and type of each."""
    made = [
        Evidence(figures, key, fewest=1).lifts_of(dimension, 1)[:1]
        for key in keys if key != "all"
        for dimension in (Dimension.THEME, Dimension.TYPE, Dimension.PAGE)
    ]  # fmt: skip
    return tuple(fact for facts in made for fact in facts)


def _of(facts: Iterable[Fact], key: str) -> list[Fact]:
    return [fact for fact in facts if fact.segments == (key,)]


def _apart_said(figures: Figures, keys: Iterable[str], facts: Sequence[Fact]) -> str:
    return bullets(
        "Viewed more often than by the others:",
        [f"{figures.context.title(key)}: {items(_of(facts, key))}" for key in keys if _of(facts, key)],
    )
