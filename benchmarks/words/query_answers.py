"""Call the figures of a query what the oracle calls them, by what the query counts.

A figure that the oracle has no name for keeps its own: it is then none of those asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from core.base.attributes import ATTRIBUTES
from core.facts.answer import Answer, Block, Chart, Fact, FigureList, FigureTable
from core.journeys.funnel import StepKind
from core.query.query import All, By, Condition, Did, Is, Not, Others, Quantity, Query

OUTCOME: Final = ("purchase",)
_COLUMNS: Final = {
    Quantity.USERS: "users", Quantity.SESSIONS: "sessions", Quantity.SESSIONS_PER_USER: "sessions_mean",
    Quantity.VIEWS: "page_views", Quantity.VIEWS_PER_USER: "page_views_mean",
    Quantity.VIEWS_PER_SESSION: "pages_per_session", Quantity.PAGES_PER_USER: "different_pages_mean",
    Quantity.ENGAGEMENT: "engagement_s_mean", Quantity.REVENUE: "revenue",
    Quantity.NET_REVENUE: "net_revenue", Quantity.REVENUE_PER_USER: "revenue_per_user",
    Quantity.SESSION_RATE: "session_rate",
}  # fmt: skip
_ITEMS: Final = (*ATTRIBUTES, By.PAGE, By.THEME, By.TYPE)
_ENDS: Final = {"(end of the session)": "(end of session)", "(start of the session)": "(start)"}
_SHARES: Final = {"users": "share", "outcome_users": "outcome_rate"}


def in_words_of_the_oracle(answer: Answer) -> Answer:
    """The answer with each figure of a query under the address that the oracle counts it by."""
    queries = _queries(answer)

    def told(facts: Sequence[Fact]) -> tuple[Fact, ...]:
        query = queries.get(facts[0].measure.rpartition(":")[2]) if facts else None
        return tuple(_named(fact, query, place) if query else fact for place, fact in enumerate(facts))

    blocks: list[Block] = []
    for block in answer.blocks:
        if isinstance(block, FigureTable):
            blocks.append(FigureList(facts=told(block.facts)))
        elif isinstance(block, Chart):
            blocks.append(Chart(facts=told(block.facts), mark=block.mark))
        else:
            blocks.append(block)
    return replace(answer, blocks=tuple(blocks))


def _queries(answer: Answer) -> dict[str, Query]:
    """The queries behind an answer, by the digest that the measure of their facts ends with."""
    found, text, decoder = {}, answer.query, json.JSONDecoder()
    while text.startswith("{"):
        values, end = decoder.raw_decode(text)
        query, text = Query.model_validate(values), text[end:].lstrip()
        found[hashlib.blake2b(query.model_dump_json().encode(), digest_size=4).hexdigest()] = query
    return found


def is_of_query(answer: Answer) -> bool:
    """Whether an answer is that of a query."""
    return bool(answer.reading and answer.reading.query)


def _named(fact: Fact, query: Query, place: int) -> Fact:
    where = query.where if place == 0 or not query.compare else query.compare
    if isinstance(where, Others) or query.period or (query.keep and query.by is not By.SEGMENT):
        return fact
    parts = where.of if isinstance(where, All) else (where,) if where else ()
    rows = [key for part in parts if _is_segment(part) for key in part.any_of]  # type: ignore[union-attr]
    others = [part for part in parts if not _is_segment(part)]
    row = fact.row if query.by is By.SEGMENT else rows[0] if len(rows) == 1 else "" if rows else "all"
    measure, item = _address(fact, query, others)
    if not (row and measure):
        return fact
    if measure == "in":  # the share of users who are in a segment
        row, measure = item, "share"
        item = ""
    return fact.model_copy(update={"measure": measure, "segments": (row,), "item": item})


def _is_segment(part: Condition) -> bool:
    return isinstance(part, Is) and part.dimension is By.SEGMENT


def _address(fact: Fact, query: Query, others: Sequence[Condition]) -> tuple[str, str]:
    """Measure and item as the oracle calls them; empty where it has none."""
    by, listed = query.by, query.by in _ITEMS
    if by in (By.ENTRY, By.EXIT) and query.measure is Quantity.SESSIONS and not others:
        return f"{by}_sessions:page", fact.item
    if by in (By.NEXT, By.PREVIOUS) and isinstance(query.of, Did) and not others:
        (place,) = query.of.steps[0].any_of
        of = "from" if by is By.NEXT else "to"
        other = _ENDS.get(fact.item, fact.item)
        ends = (place, other) if by is By.NEXT else (other, place)
        return f"step:page:{of}", " → ".join(ends)
    if by not in (None, By.SEGMENT) and not listed:
        return "", ""
    if listed:
        own = {Quantity.USERS: "users", Quantity.SHARE: "share", Quantity.VIEWS: "views"}.get(query.measure)
        return (f"{own}:{by}", fact.item) if own and not others and query.of is None else ("", "")
    if query.measure is Quantity.SHARE and query.of is not None and not others:
        measure, item = _condition(query.of)
        return _share(measure), item
    if query.measure is Quantity.USERS and len(others) == 1:
        return _condition(others[0])
    if query.measure is Quantity.VIEWS and isinstance(query.of, Did) and not others:
        measure, item = _condition(query.of)
        return measure.replace("users:", "views:"), item
    about = _COLUMNS.get(query.measure, "") if not others and query.of is None else ""
    if query.measure is Quantity.SESSION_RATE and not others:
        about = "session_rate"
    return about, ""


def _share(measure: str) -> str:
    denied = "not_" * measure.startswith("not_")
    kind, _, dimension = measure.removeprefix(denied).partition(":")
    share = _SHARES.get(kind, "" if kind != "in" else "in")
    return f"{denied}{share}{':' * bool(dimension)}{dimension}" if share else ""


def _condition(condition: Condition) -> tuple[str, str]:
    """What counts the users of one condition: measure and item."""
    if isinstance(condition, Not):
        measure, item = _condition(condition.of)
        return f"not_{measure}" if measure else "", item
    if isinstance(condition, Is) and len(condition.any_of) == 1:
        if condition.dimension is By.SEGMENT:
            return "in", condition.any_of[0]
        return f"users:{condition.dimension}", condition.any_of[0]
    if isinstance(condition, Did) and len(condition.steps) == 1 and condition.times is None:
        (step,) = condition.steps
        if step.kind is StepKind.EVENT:
            return ("outcome_users", "") if step.any_of == OUTCOME else ("", "")
        return (f"users:{step.kind}", step.any_of[0]) if step.any_of[0] else ("", "")
    return "", ""
