"""Tools about what users look at, come with, and do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from core.base.errors import InputError
from core.base.schema import View
from core.facts import arguments, items
from core.facts.answer import Fact
from core.facts.fact_book import slot
from core.facts.fact_maker import Figures, select
from core.facts.finding import Finding, fact_table, known, listing, present
from core.facts.items import PLURAL, Dimension, ItemMetric, table_of
from core.facts.measures import clean
from core.facts.segment_tools import ordered, superlative, tied
from core.profiles.paths import FROM, TO
from core.profiles.profile_columns import ROW, Col

VIEW_OF: Final = {"page": View.URL, "theme": View.THEME, "type": View.TYPE}
_SAID: Final = {
    ItemMetric.USERS: "with most users", ItemMetric.SHARE: "with most users",
    ItemMetric.LIFT: "that set it apart, by how many times the others' share of users",
    ItemMetric.VIEWS: "viewed most, by page views",
    ItemMetric.VIEW_SHARE: "viewed most, by share of page views",
    ItemMetric.VIEW_LIFT: "that set it apart, by how many times the others' share of page views",
}  # fmt: skip


def top_items(figures: Figures, asked: arguments.TopItems) -> Finding:
    """The top items of a row.

    Raises:
        InputError: If the data has nothing of that kind.
    """
    context, key = figures.context, known(figures.context, asked.segment)
    if key == "all" and asked.metric in (ItemMetric.LIFT, ItemMetric.VIEW_LIFT):
        raise InputError("All users cannot be set apart from anybody", remedy="Ask about one segment")
    found = items.top(context, key, asked.dimension, asked.metric, asked.n)
    facts = present(figures.item(key, asked.dimension, value, asked.metric) for value in found)
    heading = f"{PLURAL[asked.dimension].capitalize()} of {context.title(key)} {_SAID[asked.metric]}"
    listed = ", ".join(f"{fact.item} ({slot(fact)})" for fact in facts)
    text = f"{heading}: {listed}." if facts else f"{heading}: none."
    where = select(f"value, {asked.metric}", table_of(asked.dimension), key=key)
    query = f"{where} ORDER BY {asked.metric} DESC LIMIT {asked.n}"
    return Finding(text, facts, fact_table(context, facts), query)


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
    context = figures.context
    parts, facts = [], []
    for key in keys:
        fact = _needed(figures, known(context, key), dimension, value, metric)
        other = figures.item(key, dimension, value, _companion(metric))
        beside = (
            f" ({slot(other)} {'of its users' if other.metric.startswith('share') else 'users'})"
            if other
            else ""
        )
        parts.append(f"{context.title(key)} – {fact.label}, {clean(value)}: {slot(fact)}{beside}.")
        facts += [fact, *present([other])]
    query = select(metric.value, table_of(dimension), key=", ".join(keys), value=value)
    return Finding(" ".join(parts), tuple(facts), fact_table(context, facts), query)


def either(
    figures: Figures, key: str, dimension: Dimension, values: Sequence[str], metric: ItemMetric
) -> Finding:
    """Some items of one row beside each other, the most frequent first.

    Raises:
        InputError: If the data has no such item, or it is absent for the row.
    """
    context = figures.context
    found = [_needed(figures, known(context, key), dimension, one, metric) for one in values]
    facts = ordered(found, most=True)
    said = listing([f"{fact.item} ({slot(fact)})" for fact in facts])
    text = f"{context.title(key)} – {facts[0].label}: {said}."
    query = select(f"value, {metric}", table_of(dimension), key=key, value=", ".join(values))
    return Finding(text, tuple(facts), fact_table(context, facts), query)


def rank_item(
    figures: Figures, dimension: Dimension, value: str, metric: ItemMetric, order: arguments.Order
) -> Finding:
    """All segments in the order of a figure about one item."""
    context, most = figures.context, order is arguments.Order.MOST
    found = [_needed(figures, key, dimension, value, metric) for key in context.segment_keys]
    facts = ordered(found, most=most)
    word, best = "highest" if most else "lowest", tied(facts)
    where = select(f"key, {metric}", table_of(dimension), value=value)
    titles = [
        figures.name(
            f"{word}:{metric}:{dimension}", f"{word} {fact.label}", fact.segments[0], item=clean(value),
            query=where,
        )
        for fact in best
    ]  # fmt: skip
    text = (
        f"{listing([slot(title) for title in titles])} {'has' if len(titles) == 1 else 'share'} the "
        f"{superlative(facts[0].unit, most=most)} {facts[0].label}, {clean(value)}: {slot(facts[0])}."
    )
    if others := facts[len(best) :]:
        said = [f"{context.title(fact.segments[0])} ({slot(fact)})" for fact in others]
        text += f" Then come {listing(said)}."
    query = f"{where} ORDER BY {metric} {'DESC' if most else 'ASC'}"
    return Finding(text, (*titles, *facts), fact_table(context, facts), query)


def _needed(figures: Figures, key: str, dimension: Dimension, value: str, metric: ItemMetric) -> Fact:
    fact = figures.item(key, dimension, value, metric)
    if fact is None:
        raise InputError(f"There is no such figure for {figures.context.title(key)}")
    return fact


def _companion(metric: ItemMetric) -> ItemMetric:
    return ItemMetric.USERS if metric is not ItemMetric.USERS else ItemMetric.SHARE


def transitions(figures: Figures, asked: arguments.Transitions) -> Finding:
    """Where sessions begin or end, or which page, theme or type follows which.

    Raises:
        InputError: If the data has no such row or place.
    """
    key = known(figures.context, asked.segment)
    return _steps(figures, key, asked) if asked.where == "steps" else _ends(figures, key, asked)


def _ends(figures: Figures, key: str, asked: arguments.Transitions) -> Finding:
    context = figures.context
    table = context.tables.entries if asked.where == "entry" else context.tables.exits
    own = table[table[Col.KEY] == key].head(asked.n).reset_index(drop=True)
    facts = tuple(figures.session_end(key, row, asked.where) for row in _records(own))
    verb = {"entry": "begin", "exit": "end"}[asked.where]
    listed = ", ".join(f"{fact.item} ({slot(fact)} of sessions)" for fact in facts)
    query = f"{select('value, share', asked.where, key=key)} ORDER BY share DESC LIMIT {asked.n}"
    text = f"Sessions of {context.title(key)} {verb} most often with: {listed}."
    return Finding(text, facts, own.drop(columns=[*ROW]), query)


def _steps(figures: Figures, key: str, asked: arguments.Transitions) -> Finding:
    context, view = figures.context, VIEW_OF[asked.by]
    if view not in context.tables.basis.paths.steps:
        raise InputError(f"This data has no {PLURAL[Dimension(asked.by)]}", remedy="Label the pages first")
    counts = context.tables.steps(view)
    origin, target = (_place(counts.steps.values, name, asked.by) for name in (asked.origin, asked.target))
    table = items.top_steps(context, key, view, asked.n, origin, target)
    of = "from" if asked.origin else "to" if asked.target else ""
    facts = tuple(figures.step(key, row, asked.by, of) for row in _records(table))
    place = {
        "from": f"After {clean(asked.origin or '')}, ",
        "to": f"Before {clean(asked.target or '')}, ",
        "": "",
    }
    shown = {"from": TO, "to": FROM, "": ""}[of]
    said = [
        f"{clean(row[shown]) if shown else fact.item} ({slot(fact)})"
        for row, fact in zip(_records(table), facts, strict=True)
    ]
    who = f"users of {context.title(key)}" if key in context.segment_keys else context.title(key)
    what = {"from": "go on to", "to": "come from", "": "most often take these steps:"}[of]
    text = f"{place[of]}{who} {what} {', '.join(said)}." if said else (
        f"{who} take no such step."
    )  # fmt: skip
    limits = {"from": asked.origin, "to": asked.target}
    chosen = {name: place for name, place in limits.items() if place}
    where = select("from, to, share", f"steps_{asked.by}", key=key, **chosen)
    query = f"{where} ORDER BY steps DESC LIMIT {asked.n}"
    return Finding(text[0].upper() + text[1:], facts, table, query)


def _place(places: Sequence[str], name: str | None, by: str) -> int | None:
    if name is None:
        return None
    if name not in places:
        raise InputError(f"There is no {by} {name!r} in any step")
    return list(places).index(name)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
