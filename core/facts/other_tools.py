"""Tools about the map of segments, the last move of a slider, and sums of facts."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from core.base.errors import InputError
from core.base.schema import OUTSIDE
from core.facts import arguments
from core.facts.answer import Fact, Unit
from core.facts.fact_book import slot
from core.facts.fact_maker import Figures, select
from core.facts.finding import Finding, fact_table, listing, segment_only
from core.segments.identity import moved, overlap


def nearest_segments(figures: Figures, asked: arguments.NearestSegments) -> Finding:
    """The segments most like one, by their centroids.

    Raises:
        InputError: If there is no such segment.
    """
    context = figures.context
    key = segment_only(context, asked.segment)
    facts = tuple(figures.nearest(key, asked.n))
    sizes = [figures.needed(fact.segments[1], "users") for fact in facts]
    said = listing(
        [
            f"{context.title(fact.segments[1])} (distance {slot(fact)}, {slot(size)} users)"
            for fact, size in zip(facts, sizes, strict=True)
        ]
    )
    query = f"{select('key, distance', 'centroids', key=key)} ORDER BY distance LIMIT {asked.n}"
    return Finding(
        f"Most like {context.title(key)}: {said}.", (*facts, *sizes), fact_table(context, facts), query
    )  # fmt: skip


def what_changed(figures: Figures, asked: arguments.WhatChanged) -> Finding:
    """How many users changed their segment, and from where to where.

    Raises:
        InputError: If there is nothing earlier to compare with.
    """
    context = figures.context
    before, now = context.previous, context.tables.partition
    if before is None:
        raise InputError("Nothing changed yet: these are the first segments", remedy="Move a slider first")
    both = int(((before.labels != OUTSIDE) & (now.labels != OUTSIDE)).sum())
    count = moved(before, now)
    query = "SELECT before, now, count(*) FROM moved GROUP BY before, now"
    total = _moved_fact(figures, "moved", "users that changed their segment", count, both, query)
    share = figures.book.add(
        "moved_share", "share of clustered users that changed", ("all",),
        count / both if both else 0.0, Unit.SHARE, n=both, users=count, comparison=True, query=query,
    )  # fmt: skip
    table = _moves(figures, overlap(before, now))
    new = sorted(set(now.ids.tolist()) - set(before.ids.tolist()))
    gone = sorted(set(before.ids.tolist()) - set(now.ids.tolist()))
    text = f"{slot(total)} clustered users changed their segment, {slot(share)} of them all."
    if new:
        text += f" New: {listing([context.title(f'segment:{segment}') for segment in new])}."
    if gone:
        text += f" Gone: {listing([f'Segment {segment + 1}' for segment in gone])}."
    return Finding(text, (total, share), table, query)


def _moved_fact(figures: Figures, metric: str, label: str, count: int, n: int, query: str) -> Fact:
    return figures.book.add(
        metric, label, ("all",), count, Unit.COUNT, n=n, users=count, comparison=True, query=query
    )  # fmt: skip


def _moves(figures: Figures, shared: np.ndarray) -> pd.DataFrame:
    """From where to where, most users first; who stayed is left out."""
    before, now = figures.context.previous, figures.context.tables.partition
    if before is None:
        return pd.DataFrame()
    rows = [
        (f"Segment {old + 1}", f"Segment {new + 1}", int(shared[row, column]))
        for row, old in enumerate(before.ids.tolist())
        for column, new in enumerate(now.ids.tolist())
        if old != new and shared[row, column]
    ]
    table = pd.DataFrame(rows, columns=["before", "now", "users"])
    return table.sort_values("users", ascending=False, kind="stable").reset_index(drop=True)


def calc(figures: Figures, asked: arguments.Calc) -> Finding:
    """The difference, ratio or sum of two facts of this turn.

    Raises:
        InputError: If a fact is not of this turn, or the two cannot be put together.
    """
    first, second = (_number(figures, fact_id) for fact_id in (asked.first, asked.second))
    if first.unit is not second.unit:
        raise InputError(f"{first.id} ({first.unit}) and {second.id} ({second.unit}) have different units")
    one, other = float(first.value), float(second.value)
    if not math.isfinite(one) or not math.isfinite(other):
        raise InputError(f"{first.id} or {second.id} is without end: nothing can be derived from it")
    if asked.op == "sum" and first.unit not in (Unit.COUNT, Unit.MONEY):
        raise InputError(f"A sum of {first.unit} figures means nothing", allowed="counts and money")
    if asked.op == "ratio" and not other:
        raise InputError(f"{second.id} is 0: there is no ratio to it")
    value = {"difference": one - other, "sum": one + other, "ratio": one / other if other else 0.0}[asked.op]
    unit = {"ratio": Unit.RATIO, "sum": first.unit, "difference": first.unit}[asked.op]
    fact = figures.book.add(
        f"calc:{asked.op}:{first.id}:{second.id}:{first.metric}",
        f"{asked.op} of {first.label} and {second.label}",
        tuple(dict.fromkeys((*first.segments, *second.segments))), value,
        Unit.POINTS if unit is Unit.SHARE else unit, n=min(first.n, second.n), comparison=asked.op != "sum",
        users=min(figures.book.users(first), figures.book.users(second)),
        query=f"{asked.op}({first.query}, {second.query})",
    )  # fmt: skip
    facts = (first, second, fact)
    text = f"The {asked.op} of {slot(first)} and {slot(second)} is {slot(fact)}."
    return Finding(text, facts, fact_table(figures.context, facts), fact.query)


def _number(figures: Figures, fact_id: str) -> Fact:
    fact = figures.book.find(fact_id)
    if fact is None or isinstance(fact.value, str):
        raise InputError(f"{fact_id} is no figure of this turn")
    return fact
