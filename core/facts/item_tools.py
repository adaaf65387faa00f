"""Tools about what users look at and come with."""

from __future__ import annotations

from collections.abc import Sequence

from core.base.errors import InputError
from core.facts import items
from core.facts.answer import Called, Count, Fact, FigureList, Key, Order
from core.facts.fact_maker import Figures, Finding, notes, require_row, select, without_none
from core.facts.items import PLURAL, Dimension, ItemMetric, table_of


def top_items(
    figures: Figures, dimension: Dimension, segment: Key, metric: ItemMetric, n: Count = 5
) -> Finding:
    """The top pages, themes, page types, browsers, devices, countries or sources of a segment.

    Raises:
        InputError: If the data has nothing of that kind, or none that sets the row apart.
    """
    context, key = figures.context, require_row(figures.context, segment)
    if key == "all" and metric in items.LIFTS:
        raise InputError("All users cannot be set apart from anybody", remedy="Ask about one segment")
    found = items.top(context, key, dimension, metric, n)
    facts = without_none(figures.item(key, dimension, value, metric) for value in found)
    where = select(f"value, {metric}", table_of(dimension), key=key)
    query = f"{where} ORDER BY {metric} DESC LIMIT {n}"
    none = f"There are no {PLURAL[dimension]} that {context.title(key)} surely views more than the others."
    return Finding((FigureList(facts=facts),) if facts else notes(none), query)


def item_share(
    figures: Figures, segment: Key, dimension: Dimension, value: Called, metric: ItemMetric = ItemMetric.SHARE
) -> Finding:
    """How many users of a segment saw a page, theme or type, or have a browser, device, country or source."""
    return item_shares(figures, [segment], dimension, value, metric)


def item_shares(
    figures: Figures, keys: Sequence[str], dimension: Dimension, value: str, metric: ItemMetric
) -> Finding:
    """A metric of one item for several rows, each with its users (of the metric ``users``: their share).

    Raises:
        InputError: If the data has no such item or it is absent for a row.
    """
    facts = [
        fact
        for key in keys
        for fact in (
            needed(figures, require_row(figures.context, key), dimension, value, metric),
            figures.item(key, dimension, value, _companion(metric)),
        )
    ]
    query = select(metric.value, table_of(dimension), key=", ".join(keys), value=value)
    return Finding((FigureList(facts=without_none(facts)),), query)


def either(
    figures: Figures, key: str, dimension: Dimension, values: Sequence[str], metric: ItemMetric
) -> Finding:
    """Some items of one row beside each other, the most frequent first.

    Raises:
        InputError: If the data has no such item, or it is absent for the row.
    """
    found = [needed(figures, require_row(figures.context, key), dimension, value, metric) for value in values]
    facts = sorted(found, key=lambda fact: fact.value, reverse=True)
    query = select(f"value, {metric}", table_of(dimension), key=key, value=", ".join(values))
    return Finding((FigureList(facts=tuple(facts)),), query)


def rank_item(
    figures: Figures, dimension: Dimension, value: str, metric: ItemMetric, order: Order
) -> Finding:
    """All segments in the order of a metric of one item.

    Raises:
        InputError: If the data has no such item, it is absent for a segment, or there are not two segments.
    """
    most = order is Order.MOST
    found = [needed(figures, key, dimension, value, metric) for key in figures.context.segment_keys]
    where = select(f"key, {metric}", table_of(dimension), value=value)
    query = f"{where} ORDER BY {metric} {'DESC' if most else 'ASC'}"
    return Finding((figures.ranking(found, most=most),), query)


def needed(figures: Figures, key: str, dimension: Dimension, value: str, metric: ItemMetric) -> Fact:
    """A metric of an item for a row, by the row's key.

    Raises:
        InputError: If the data has no such item, or it is absent for the row.
    """
    fact = figures.item(key, dimension, value, metric)
    if fact is None:
        raise InputError(f"There is no such figure for {figures.context.title(key)}")
    return fact


def _companion(metric: ItemMetric) -> ItemMetric:
    return ItemMetric.USERS if metric is not ItemMetric.USERS else ItemMetric.SHARE
