"""Tools about the segments themselves: list, one figure, rank."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from core.base.errors import InputError
from core.facts import arguments
from core.facts.answer import Fact, Unit
from core.facts.fact_book import slot
from core.facts.fact_maker import Figures, select
from core.facts.finding import Finding, fact_table, known, listing, present
from core.facts.measures import BY_KEY
from core.profiles.formats import figure
from core.profiles.profile_columns import FIELDS, ROW, Col, RowKind

AVERAGES: Final = frozenset(one.field for one in FIELDS if one.n)
"""Figures that are a mean, a median or a share of something: those of all users are what is usual."""


def list_segments(figures: Figures, asked: arguments.ListSegments) -> Finding:
    """All rows with their keys and sizes."""
    context = figures.context
    keys, segments = context.keys, context.segment_keys
    sizes = {key: figures.needed(key, Col.USERS) for key in keys}
    shares = {key: figures.needed(key, Col.SHARE) for key in keys}
    count = figures.book.add(
        "segments", "number of segments", ("all",), len(segments), Unit.COUNT,
        n=context.tables.profiles.n_clustered, query=select("count(*)", "segments", kind=RowKind.SEGMENT),
    )  # fmt: skip
    said = listing(
        [f"{context.title(key)} with {slot(sizes[key])} users ({slot(shares[key])})" for key in segments]
    )
    outside = [key for key in keys if key.startswith("group:")]
    rest = listing([f"{context.title(key)} ({slot(sizes[key])})" for key in outside])
    text = f"There are {slot(count)} segments: {said}."
    table = pd.DataFrame(
        {
            Col.KEY: keys,
            "called": [context.title(key) for key in keys],
            Col.USERS: [int(float(sizes[key].value)) for key in keys],
            Col.SHARE: [float(shares[key].value) for key in keys],
        }
    )
    return Finding(
        text + (f" Outside them: {rest}." if rest else ""),
        (count, *sizes.values(), *shares.values()), table, select("key, users, share", "segments"),
    )  # fmt: skip


def metric(figures: Figures, asked: arguments.OneMetric) -> Finding:
    """One figure of one row."""
    return metrics(figures, [asked.segment], [asked.metric.value])


def metrics(figures: Figures, keys: Sequence[str], names: Sequence[str]) -> Finding:
    """Some figures of some rows.

    Raises:
        InputError: If there is no such row, or a figure is absent.
    """
    context = figures.context
    facts = [figures.needed(known(context, key), name) for key in keys for name in names]
    said = " ".join(f"{context.title(fact.segments[0])} – {fact.label}: {slot(fact)}." for fact in facts)
    where = select(", ".join(names), "segments", key=", ".join(keys))
    return Finding(said, tuple(facts), fact_table(context, facts), where)


def rank_segments(figures: Figures, asked: arguments.RankSegments) -> Finding:
    """All segments in the order of a metric.

    Raises:
        InputError: If the metric is absent.
    """
    name, most = asked.metric.value, asked.order is arguments.Order.MOST
    context = figures.context
    found = present([figures.measure(key, name) for key in context.segment_keys])
    if not found:
        figures.needed(context.segment_keys[0], name)
    if len(found) < 2:
        raise InputError("There are not two segments to rank")
    facts = ordered(found, most=most)
    best = tied(facts)
    word = "highest" if most else "lowest"
    titles = [
        figures.name(f"{word}:{name}", f"{word} {BY_KEY[name].label}", fact.segments[0],
                     query=select(f"{word}({name})", "segments"))
        for fact in best
    ]  # fmt: skip
    verb = "has" if len(titles) == 1 else "share"
    who = listing([slot(title) for title in titles])
    best_of = f"{superlative(BY_KEY[name].unit, most=most)} {BY_KEY[name].label}"
    text = f"{who} {verb} the {best_of}: {slot(facts[0])}."
    if others := facts[len(best) :]:
        text += f" Then come {listing([f'{_called(figures, fact)} ({slot(fact)})' for fact in others])}."
    text += _overlap_note(facts)
    way = "DESC" if most else "ASC"
    query = f"{select(f'key, {name}', 'segments', kind=RowKind.SEGMENT)} ORDER BY {name} {way}"
    table = context.tables.segments.loc[[fact.segments[0] for fact in facts], [*ROW, name]]
    called = [context.title(fact.segments[0]) for fact in facts]
    return Finding(text, (*titles, *facts), table.assign(label=called).reset_index(drop=True), query)


def beyond_average(figures: Figures, name: str, *, above: bool) -> Finding:
    """Segments whose figure is above, or below, that of all users; one that is written the same is neither.

    Raises:
        InputError: If the figure is absent, or a plain count, whose value over all users is a total.
    """
    context, label = figures.context, BY_KEY[name].label
    every = figures.needed("all", name)
    if name not in AVERAGES:
        raise InputError(
            f"The {label} of all users is a total and no average",
            allowed="a mean, a median or a rate, such as the sessions a user or the outcome rate",
        )
    found = ordered(present([figures.measure(key, name) for key in context.segment_keys]), most=above)
    beyond = [fact for fact in found if (float(fact.value) > float(every.value)) is above
              and fact.text != every.text]  # fmt: skip
    side = "above" if above else "below"
    said = listing([f"{_called(figures, fact)} ({slot(fact)})" for fact in beyond]) or "no segment"
    unsure = [
        _called(figures, fact)
        for fact in beyond
        if None not in (fact.low, fact.high) and (fact.low or 0) <= float(every.value) <= (fact.high or 0)
    ]
    text = f"{label.capitalize()} of all users: {slot(every)}. {side.capitalize()} that: {said}."
    if unsure:
        text += f" The interval of {listing(unsure)} holds that value: it may be chance."
    facts = (every, *beyond)
    sign = ">" if above else "<"
    query = (
        f"{select(f'key, {name}', 'segments', kind=RowKind.SEGMENT)} AND {name} {sign} {float(every.value)}"
    )
    return Finding(text, facts, fact_table(context, facts), query)


def superlative(unit: Unit, *, most: bool) -> str:
    """``most`` or ``fewest`` of what is counted, ``highest`` or ``lowest`` of anything else."""
    return {Unit.COUNT: ("fewest", "most")}.get(unit, ("lowest", "highest"))[most]


def ordered(facts: Sequence[Fact], *, most: bool) -> list[Fact]:
    """By value; equal ones by segment."""
    values = np.array([float(fact.value) for fact in facts])
    return [facts[place] for place in np.argsort(-values if most else values, kind="stable").tolist()]


def tied(facts: Sequence[Fact]) -> list[Fact]:
    """The first, and those with the same value."""
    return [fact for fact in facts if math.isclose(float(fact.value), float(facts[0].value), rel_tol=1e-12)]


def _called(figures: Figures, fact: Fact) -> str:
    return figures.context.title(fact.segments[0])


def _overlap_note(facts: Sequence[Fact]) -> str:
    first, second = facts[:2]
    if None in (first.low, first.high, second.low, second.high):
        return ""
    apart = float(first.low or 0) > float(second.high or 0) or float(first.high or 0) < float(second.low or 0)
    return "" if apart else " The intervals of the first two overlap: the order of these is not sure."


def chart(figures: Figures, asked: arguments.ChartSpec) -> Finding:
    """One metric over the segments as a chart of the table's columns."""
    ranked = rank_segments(figures, arguments.RankSegments(metric=asked.metric))
    measure = BY_KEY[asked.metric.value]
    table = ranked.table.sort_values(Col.SEGMENT).reset_index(drop=True)
    table["text"] = [figure(measure.key, float(value)) for value in table[measure.key]]
    spec = {
        "mark": asked.mark.value,
        "title": f"{measure.label.capitalize()} by segment",
        "x": {"field": Col.LABEL, "type": "nominal", "title": "Segment"},
        "y": {"field": measure.key, "type": "quantitative", "title": measure.label,
              "format": "percent" if measure.unit is Unit.SHARE else "number"},
        "color": {"field": Col.SEGMENT, "type": "nominal"},
        "tooltip": [Col.LABEL, "text"],
    }  # fmt: skip
    return Finding(ranked.text, ranked.facts, table, ranked.query, spec)
