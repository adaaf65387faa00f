"""Tools about what users look at, come with, and do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from core.base.errors import InputError
from core.base.schema import View
from core.facts import arguments, items
from core.facts.answer import Fact, FigureList
from core.facts.context import Context
from core.facts.fact_maker import Figures, select
from core.facts.finding import Finding, known, notes, present
from core.facts.items import PLURAL, Dimension, ItemMetric, table_of
from core.profiles.profile_columns import Col

VIEW_OF: Final = {"page": View.URL, "theme": View.THEME, "type": View.TYPE}


def top_items(figures: Figures, asked: arguments.TopItems) -> Finding:
    """The top items of a row.

    Raises:
        InputError: If the data has nothing of that kind, or none that sets the row apart.
    """
    context, key = figures.context, known(figures.context, asked.segment)
    if key == "all" and asked.metric in items.LIFTS:
        raise InputError("All users cannot be set apart from anybody", remedy="Ask about one segment")
    found = items.top(context, key, asked.dimension, asked.metric, asked.n)
    facts = present(figures.item(key, asked.dimension, value, asked.metric) for value in found)
    where = select(f"value, {asked.metric}", table_of(asked.dimension), key=key)
    query = f"{where} ORDER BY {asked.metric} DESC LIMIT {asked.n}"
    none = (
        f"There are no {PLURAL[asked.dimension]} that {context.title(key)} surely views more than the others."
    )
    return Finding((FigureList(facts=facts),) if facts else notes(none), query)


def item_share(figures: Figures, asked: arguments.ItemShare) -> Finding:
    """How many users of a row saw or have something, of how many."""
    return item_shares(figures, [asked.segment], asked.dimension, asked.value, asked.metric)


def item_shares(
    figures: Figures, keys: Sequence[str], dimension: Dimension, value: str, metric: ItemMetric
) -> Finding:
    """The same for several rows.

    Raises:
        InputError: If the data has no such item or it is absent for a row.
    """
    facts = [
        fact
        for key in keys
        for fact in (
            needed(figures, known(figures.context, key), dimension, value, metric),
            figures.item(key, dimension, value, _companion(metric)),
        )
    ]
    query = select(metric.value, table_of(dimension), key=", ".join(keys), value=value)
    return Finding((FigureList(facts=present(facts)),), query)


def either(
    figures: Figures, key: str, dimension: Dimension, values: Sequence[str], metric: ItemMetric
) -> Finding:
    """Some items of one row beside each other, the most frequent first.

    Raises:
        InputError: If the data has no such item, or it is absent for the row.
    """
    found = [needed(figures, known(figures.context, key), dimension, value, metric) for value in values]
    facts = sorted(found, key=lambda fact: fact.value, reverse=True)
    query = select(f"value, {metric}", table_of(dimension), key=key, value=", ".join(values))
    return Finding((FigureList(facts=tuple(facts)),), query)


def rank_item(
    figures: Figures, dimension: Dimension, value: str, metric: ItemMetric, order: arguments.Order
) -> Finding:
    """All segments in the order of a figure about one item."""
    most = order is arguments.Order.MOST
    found = [needed(figures, key, dimension, value, metric) for key in figures.context.segment_keys]
    where = select(f"key, {metric}", table_of(dimension), value=value)
    query = f"{where} ORDER BY {metric} {'DESC' if most else 'ASC'}"
    return Finding((figures.ranking(found, most=most),), query)


def needed(figures: Figures, key: str, dimension: Dimension, value: str, metric: ItemMetric) -> Fact:
    """A figure about an item.

    Raises:
        InputError: If the data has no such item, or it is absent for the row.
    """
    fact = figures.item(key, dimension, value, metric)
    if fact is None:
        raise InputError(f"There is no such figure for {figures.context.title(key)}")
    return fact


def _companion(metric: ItemMetric) -> ItemMetric:
    return ItemMetric.USERS if metric is not ItemMetric.USERS else ItemMetric.SHARE


def transitions(figures: Figures, asked: arguments.Transitions) -> Finding:
    """Where sessions begin or end, which page, theme or type follows which, or whole sessions.

    Raises:
        InputError: If the data has no such row or place.
    """
    key = known(figures.context, asked.segment)
    told = {"steps": _steps, "routes": _routes}.get(asked.where, _ends)
    return told(figures, key, asked)


def _ends(figures: Figures, key: str, asked: arguments.Transitions) -> Finding:
    tables = figures.context.tables
    table = tables.entries if asked.where == "entry" else tables.exits
    own = table[table[Col.KEY] == key].head(asked.n)
    facts = tuple(figures.session_end(key, row, asked.where) for row in _records(own))
    query = f"{select('value, share', asked.where, key=key)} ORDER BY share DESC LIMIT {asked.n}"
    return Finding((FigureList(facts=facts),), query)


def _routes(figures: Figures, key: str, asked: arguments.Transitions) -> Finding:
    context = figures.context
    users = context.tables.rows.members(context.place(key))
    routes = context.tables.basis.routes(view_of(context, asked.by))
    table = routes.listed(users, np.zeros_like(users), None, asked.n)
    facts = tuple(figures.route(key, row, asked.by) for row in _records(table))
    query = f"{select('route, share', f'routes_{asked.by}', key=key)} ORDER BY users DESC LIMIT {asked.n}"
    return Finding((FigureList(facts=facts),), query)


def view_of(context: Context, by: str) -> View:
    """Of pages, themes or types.

    Raises:
        InputError: If the data has none.
    """
    view = VIEW_OF[by]
    if view not in context.tables.basis.paths.steps:
        raise InputError(f"This data has no {PLURAL[Dimension(by)]}", remedy="Label the pages first")
    return view


def _steps(figures: Figures, key: str, asked: arguments.Transitions) -> Finding:
    context, view = figures.context, view_of(figures.context, asked.by)
    counts = context.tables.steps(view)
    origin, target = (_place(counts.steps.values, name, asked.by) for name in (asked.origin, asked.target))
    table = items.top_steps(context, key, view, asked.n, origin, target)
    of = "from" if asked.origin else "to" if asked.target else ""
    facts = tuple(figures.step(key, row, asked.by, of) for row in _records(table))
    limits = {"from": asked.origin, "to": asked.target}
    chosen = {name: place for name, place in limits.items() if place}
    where = select("from, to, share", f"steps_{asked.by}", key=key, **chosen)
    none = f"{context.title(key)}: no such step."
    blocks = (FigureList(facts=facts),) if facts else notes(none)
    return Finding(blocks, f"{where} ORDER BY steps DESC LIMIT {asked.n}")


def _place(places: Sequence[str], name: str | None, by: str) -> int | None:
    if name is None:
        return None
    if name not in places:
        raise InputError(f"There is no {by} {name!r} in any step")
    return list(places).index(name)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
