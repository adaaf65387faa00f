"""Answers of queries as blocks: the query in words, its figures as facts, and who is counted."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from core.base.errors import InputError
from core.base.wording import pluralise, uncapitalised
from core.facts.answer import QUERY, Answer, Block, Fact, FigureTable, Reading, Unit
from core.facts.context import ALL, Context
from core.facts.fact_maker import make_fact, notes
from core.journeys.funnel import StepKind
from core.query.execute import FEW, FigureComparison, Result, ResultRow, execute
from core.query.in_words import UNITS, people, sentence
from core.query.layout import layout_of
from core.query.query import (
    MONEY,
    OF_ORDERS,
    SESSION_MEANS,
    By,
    Did,
    Is,
    Others,
    Quantity,
    Query,
    is_attribute,
    parts_of,
)

_DIGITS: Final = {Unit.NUMBER: 2, Unit.MONEY: 2}


def answer(query: Query, context: Context) -> Answer:
    """Answer a query: what was asked, its figures with intervals, and who is not counted.

    Raises:
        InputError: If it names what is not in the data, or nothing is left to count.
    """
    return answer_of(execute(query, context.tables), context)


def answer_of(result: Result, context: Context) -> Answer:
    """Put a result into words.

    Raises:
        InputError: If it has no rows.
    """
    query = result.query
    if query.by is None and not all(math.isfinite(row.value) for row in result.rows):
        raise InputError(
            f"Nothing is left to count: {sentence(query, context.title)}", remedy="Leave a condition out"
        )
    facts = tuple(_fact(row, result, context, place) for place, row in enumerate(result.rows))
    reading = Reading(query=query.model_dump_json(exclude_none=True), rows=_focus(query, facts))
    if query.keep and not (facts or result.few):
        none = notes(f"{sentence(query, context.title)}: none.")
        return Answer(none, query=_shown(query), reading=reading, population=population(result))
    if not facts:
        raise InputError(
            f"No row has a figure of at least {FEW} users",
            remedy="Ask for more users, or without a dimension",
        )
    said: list[Block] = [FigureTable(heading=sentence(query, context.title), facts=facts)]
    said += notes(
        _verdict(result.comparison),
        _left_out(result),
        _in_no_row(query, context),
        _of_nobody(query, context),
        _given_away(query, context),
    )
    rows = dict.fromkeys((*(fact.row for fact in facts), *_segments(query)))
    return Answer(
        tuple(said), context.titles(rows), _shown(query), reading=reading, population=population(result)
    )


def _shown(query: Query) -> str:
    return query.model_dump_json(exclude_none=True, indent=1)


def _focus(query: Query, facts: Sequence[Fact]) -> tuple[str, ...]:
    """The segments that an answer speaks of: those named, or the first of a ranking."""
    first = (facts[0].row,) if facts and query.by is By.SEGMENT and query.order else ()
    return first or tuple(dict.fromkeys(_segments(query)))


def _segments(query: Query) -> Iterator[str]:
    """Keys of the segments that the conditions name."""
    for one in (query.where, query.of, query.compare):
        for part in parts_of(one) if one is not None and not isinstance(one, Others) else ():
            if isinstance(part, Is) and part.dimension is By.SEGMENT:
                yield from part.any_of


def _fact(row: ResultRow, result: Result, context: Context, place: int) -> Fact:
    query, by_segment = result.query, result.query.by is By.SEGMENT
    unit = UNITS[query.measure]
    digest = hashlib.blake2b(query.model_dump_json().encode(), digest_size=4).hexdigest()
    name = row.name
    if result.comparison:
        other = (
            "all other users" if isinstance(query.compare, Others) else people(query.compare, context.title)
        )
        name = people(query.where, context.title) if place == 0 else other
    key = row.name if by_segment else ALL
    asked = uncapitalised(sentence(query, context.title))
    return make_fact(
        f"{QUERY}:{query.measure}:{digest}", asked, (key,), row.value, unit, n=row.n,
        users=row.users, item="" if by_segment else name, digits=_DIGITS.get(unit, 1), currency=row.currency,
        interval=None if math.isnan(row.low) else (row.low, row.high),
    )  # fmt: skip


def _in_no_row(query: Query, context: Context) -> str:
    """What no channel of a session holds, if there is any."""
    if query.by is not By.SESSION_CHANNEL:
        return ""
    of_views = (Quantity.USERS, Quantity.SESSIONS, Quantity.VIEWS, *SESSION_MEANS)
    found = layout_of(context.tables.basis).of_moments(query.by, events=query.measure not in of_views)
    if (found.code >= 0).all():
        return ""
    return (
        "Sessions whose channel is not known, and what came in sessions without a page view, are in no row."
    )


def _of_nobody(query: Query, context: Context) -> str:
    """That money of visitors without a user id is left out, if there is any."""
    nobody = context.tables.basis.data.outcomes.without_user_id.values()
    if query.measure not in MONEY or query.where is not None or not any(one.revenue for one in nobody):
        return ""
    return "Purchases without a user id are not in it; Data and Profiles say what they come to."


def _given_away(query: Query, context: Context) -> str:
    """Warning that the segments were made from pages that give the outcome asked about away, if they were."""
    of = query.of if query.by is By.SEGMENT else None
    steps = chain(*(part.steps for part in parts_of(of) if isinstance(part, Did))) if of else ()
    names = dict.fromkeys(name for step in steps if step.kind is StepKind.EVENT for name in step.any_of)
    index = context.tables.basis.data.outcomes
    return index.warning(tuple(name for name in names if name in index.events))


def _verdict(found: FigureComparison | None) -> str:
    if found is None or math.isnan(found.low):
        return ""
    if not found.differs:
        return "They are not shown to differ: the 95 % interval of the difference holds 0."
    which = "first is higher" if found.low > 0 else "second is higher"
    return f"The {which}: the 95 % interval of the difference leaves out 0."


def _left_out(result: Result) -> str:
    parts = []
    if result.few:
        parts.append(f"{pluralise(result.few, 'row')} of fewer than {FEW} {_base(result.query)} left out")
    if result.more:
        parts.append(f"{result.more:,} further rows not shown")
    return f"{'; '.join(parts).capitalize()}." if parts else ""


def _base(query: Query) -> str:
    if query.measure in OF_ORDERS:
        return "purchases"
    return "sessions" if query.measure in SESSION_MEANS else "users"


def population(result: Result) -> str:
    """Sentence on who is counted, and who is not."""
    when = " in that time" if result.query.period else ""
    said = f"Of {pluralise(result.base, 'user')} with a page view{when}"
    counted = "all are counted" if result.users == result.base else f"{result.users:,} are asked about"
    by = result.query.by
    if (by is By.SEGMENT or is_attribute(by)) and not (result.few or result.more or result.query.keep):
        in_rows = sum(row.users for row in result.rows)
        where = "these segments" if by is By.SEGMENT else "these rows"
        counted = counted if in_rows == result.users else f"{in_rows:,} are in {where}"
    left = (
        f"; {result.unseen:,} who did it without a page view{when} are not counted." if result.unseen else "."
    )
    return f"{said}, {counted}{left}"
