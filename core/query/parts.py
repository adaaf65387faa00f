"""The parts of a query, each with the query without it and with what it could be instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.base.errors import SettingsError
from core.facts import items
from core.facts.context import Context
from core.query.in_words import by_words, limits, measured, people, when, who
from core.query.layout import AGAIN, ONCE, layout_of
from core.query.query import (
    MONEY,
    OF_ITEMS,
    OF_STEPS,
    OF_TIME,
    All,
    By,
    Condition,
    Did,
    Dimension,
    Has,
    Is,
    Not,
    Others,
    Quantity,
    Query,
    Range,
    both,
    is_of_users,
)

_NUMBERS: Final = (1, 2, 3, 5, 10, 20)
_LIMITS: Final = (3, 5, 10, 20, 50)
_MOST_VALUES: Final = 30
"""Values of an attribute that are offered, at most."""
_OF_OWN_ROWS: Final = (Quantity.FUNNEL, Quantity.RETENTION, Quantity.LIFT)
_WITHOUT_ROWS: Final = {"by": None, "keep": None, "order": None, "limit": None}


@dataclass(frozen=True)
class Part:
    """A part of a query.

    Args:
        text: What it says.
        without: The query without it; None where it cannot be taken out.
        instead: What it could say → the query that does.
    """

    text: str
    without: Query | None
    instead: dict[str, Query]


def parts(query: Query, context: Context) -> tuple[Part, ...]:
    """The measure, conditions, dimension, period, limits and order of a query."""
    found = [Part(measured(query, context.title), None, _measures(query, context))]
    found += _conditions(query, context)
    if isinstance(query.compare, Others):
        found.append(Part("beside all other users", _changed(query, compare=None), {}))
    elif query.compare:
        text = f"beside {people(query.compare, context.title)}"
        found.append(Part(text, _changed(query, compare=None), {}))
    if query.by and query.by not in OF_STEPS:
        rows = _changed(query, **_WITHOUT_ROWS)
        found.append(Part(f"by {by_words(query.by)}", rows, _dimensions(query, context)))
    if query.keep:
        found.append(Part(limits(query), _changed(query, keep=None), {}))
    if query.order or query.limit:
        now, other, order = (
            ("fewest", "most", "most") if query.order == "least" else ("most", "fewest", "least")
        )
        found.append(Part(f"{now} first", None, _known({f"{other} first": _changed(query, order=order)})))
    if query.limit:
        others = {f"{n} rows": _changed(query, limit=n) for n in _LIMITS if n != query.limit}
        found.append(Part(f"{query.limit} rows", _changed(query, limit=None), _known(others)))
    if query.period:
        found.append(Part(when(query.period), _changed(query, period=None), {}))
    return tuple(found)


def _changed(query: Query, **changes: object) -> Query | None:
    """The query with other parts; None where they do not fit together."""
    try:
        return Query.checked(**{**dict(query), **changes})
    except SettingsError:
        return None


def _known(found: dict[str, Query | None]) -> dict[str, Query]:
    return {text: query for text, query in found.items() if query is not None}


def _measures(query: Query, context: Context) -> dict[str, Query]:
    """Other measures of the same users: what a share is of says whom other measures count."""
    events = context.tables.basis.data.outcomes.events.values()
    paid, itemised = any(had.money for had in events), any(had.items is not None for had in events)
    found: dict[str, Query | None] = {}
    for measure in Quantity:
        unknown = (measure in MONEY and not paid) or (measure in OF_ITEMS and not itemised)
        if measure in (query.measure, *_OF_OWN_ROWS) or unknown:
            continue
        of_whom = {"of": None, "where": both(query.where, query.of)}
        if measure is Quantity.SHARE and query.of is None and query.where:
            of_whom = {"of": query.where, "where": None}
        plain = {"measure": measure, "keep": None}
        keeps_of = _changed(query, **plain) if query.of and measure is not Quantity.SHARE else None
        made = keeps_of or _changed(query, **plain, **of_whom)
        if made is not None and (made.of or measure is not Quantity.SHARE):
            found.setdefault(measured(made, context.title), made)
    return _known(found)


def _dimensions(query: Query, context: Context) -> dict[str, Query]:
    layout = layout_of(context.tables.basis)
    others: tuple[Dimension, ...] = (
        By.SEGMENT,
        By.VISITOR,
        *layout.known_attributes,
        *layout.known_pages,
        *OF_TIME,
        *((By.SESSION_CHANNEL,) if len(layout.session_channels) else ()),
    )
    return _known({f"by {by_words(by)}": _changed(query, by=by) for by in others if by != query.by})


def _conditions(query: Query, context: Context) -> Iterator[Part]:
    where = query.where
    each = where.of if isinstance(where, All) else (where,) if where else ()
    for place, condition in enumerate(each):
        left = _joined([*each[:place], *each[place + 1 :]])
        alone = left is None and isinstance(query.compare, Others)
        without = _changed(query, where=left, **({"compare": None} if alone else {}))
        others = {
            who(other, context.title): _changed(
                query, where=_joined([*each[:place], other, *each[place + 1 :]])
            )
            for other in _others(condition, context)
        }
        yield Part(who(condition, context.title), without, _known(others))


def _joined(conditions: Sequence[Condition]) -> Condition | None:
    joined = None
    for one in conditions:
        joined = both(joined, one)
    return joined


def _others(condition: Condition, context: Context) -> Iterator[Condition]:
    """The condition with another number, or another value of the attribute."""
    match condition:
        case Not():
            yield from (Not(of=other) for other in _others(condition.of, context))
        case Has():
            yield from (condition.model_copy(update={"range": one}) for one in _ranges(condition.range))
        case Did(times=Range() as times):
            yield from (condition.model_copy(update={"times": one}) for one in _ranges(times))
        case Is():
            known = _values(condition.dimension, context)[:_MOST_VALUES]
            yield from (
                Is(dimension=condition.dimension, any_of=(value,))
                for value in known
                if (value,) != condition.any_of
            )


def _values(dimension: Dimension, context: Context) -> Sequence[str]:
    match dimension:
        case By.SEGMENT:
            return context.segment_keys
        case By.VISITOR:
            return ONCE, AGAIN
        case _:
            return items.values(context, dimension) if is_of_users(dimension) else ()


def _ranges(limits: Range) -> Iterator[Range]:
    """The range with another number in the place of its only one."""
    said = limits.model_dump(exclude_none=True)
    number, *more = {*said.values()}
    if not more:
        yield from (Range(**dict.fromkeys(said, other)) for other in _NUMBERS if other != number)
