"""Tools about the segments themselves: list, figures, rank, chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.base.errors import InputError
from core.facts.answer import Chart, ChartMark, Fact, FigureList, Ranking, Unit, Verdict
from core.facts.arguments import Key, Metric, Order
from core.facts.context import ALL
from core.facts.fact_maker import Figures, make_fact, select
from core.facts.finding import Finding, known, present
from core.facts.measures import BY_KEY
from core.profiles.profile_columns import FIELDS, Col, RowKind

AVERAGES: Final = frozenset(field.field for field in FIELDS if field.n)
"""Figures that are a mean, a median or a share of something: those of all users are what is usual."""


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


def one_metric(figures: Figures, segment: Key, metric: Metric) -> Finding:
    """One figure of one segment."""
    return metrics(figures, [segment], [metric.value])


def metrics(figures: Figures, keys: Sequence[str], names: Sequence[str]) -> Finding:
    """Some figures of some rows.

    Raises:
        InputError: If there is no such row, or a figure is absent.
    """
    rows = [known(figures.context, key) for key in keys]
    unseen = figures.without_page_view(names) if ALL in keys else ()
    absent = len(figures.currencies) < 2 and figures.measure(ALL, Col.REVENUE) is None
    only_theirs = {fact.measure for fact in unseen} & {Col.REVENUE} if absent else ()  # no row has any
    facts = [
        fact for key in rows for name in names if name not in only_theirs for fact in figures.each(key, name)
    ]
    query = select(", ".join(names), "segments", key=", ".join(keys))
    return Finding((FigureList(facts=(*facts, *unseen)),), query)


def rank_segments(figures: Figures, metric: Metric, order: Order = Order.MOST) -> Finding:
    """All segments in the order of a metric.

    Raises:
        InputError: If the metric is absent.
    """
    name, most = metric.value, order is Order.MOST
    chosen = select(f"key, {name}", "segments", kind=RowKind.SEGMENT)
    query = f"{chosen} ORDER BY {name} {'DESC' if most else 'ASC'}"
    rankings = (figures.ranking(found, most=most) for found in by_currency(figures, name))
    return Finding((*rankings,), query)


def of_segments(figures: Figures, name: str) -> tuple[Fact, ...]:
    """A measure of every segment that has it.

    Raises:
        InputError: If none has.
    """
    keys = figures.context.segment_keys
    return present([figures.measure(key, name) for key in keys]) or (figures.needed(keys[0], name),)


def by_currency(figures: Figures, name: str, keys: Sequence[str] = ()) -> list[tuple[Fact, ...]]:
    """A measure of some rows, or of every segment that has it; of money in several currencies, each apart.

    Raises:
        InputError: If it is absent.
    """
    if not keys and len(figures.currencies) < 2:
        return [of_segments(figures, name)]
    found = [figures.each(key, name) for key in keys or figures.context.segment_keys]
    return list(zip(*found, strict=True))


def beyond_average(figures: Figures, name: str, *, above: bool) -> Finding:
    """Segments whose figure is above, or below, that of all users; one that is written the same is neither.

    Raises:
        InputError: If the figure is absent, or a plain count, whose value over all users is a total.
    """
    label = BY_KEY[name].label
    every = figures.needed("all", name)
    if name not in AVERAGES:
        raise InputError(
            f"The {label} of all users is a total and no average",
            allowed="a mean, a median or a rate, such as the sessions a user or the outcome rate",
        )
    ranked = figures.ranking(of_segments(figures, name), most=above)
    beyond = [
        fact for fact in ranked.facts
        if fact.text != every.text and (fact.value > every.value) is above
    ]  # fmt: skip
    sign = ">" if above else "<"
    query = f"{select(f'key, {name}', 'segments', kind=RowKind.SEGMENT)} AND {name} {sign} {every.value}"
    unsure = [
        contrast for fact in beyond if (contrast := figures.contrast(fact, "all")).verdict is Verdict.UNSURE
    ]
    block = Ranking(facts=tuple(beyond), most=above, reference=every)
    return Finding((block, *unsure), query)


def chart(figures: Figures, metric: Metric, mark: ChartMark = ChartMark.BAR) -> Finding:
    """A chart of one metric over the segments."""
    ranked = rank_segments(figures, metric)
    drawn = (Chart(facts=facts, mark=mark) for facts in by_currency(figures, metric.value))
    return Finding((*ranked.blocks, *drawn), ranked.query)
