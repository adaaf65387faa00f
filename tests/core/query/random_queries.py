"""Random queries: every measure by every dimension, with all kinds of conditions and periods."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from pydantic import ValidationError

from core.query.query import OF_PAGES, By, Quantity, Query
from tests.core.query.made_site import FIRST, PAGES

EVENTS: Final = ("add_to_cart", "purchase", "refund", "scroll", "search")
VALUES: Final = {
    "segment": ("segment:0", "segment:1", "segment:2"),
    "device": ("mobile", "desktop", "MOBILE", "*e*"),
    "browser": ("Chrome", "safari", "F*"),
    "country": ("Germany", "Austria", "*a*"),
    "source": ("google / *", "news / email", "*(none)"),
    "visitor": ("came once", "came again"),
    "n_sessions": ("1", "2", "3", "5 or more"),
}
_OF_PAGES: Final = {
    "page": (*PAGES, "/shoes/*", "*a*"),
    "template": ("/shoes/:slug", "/blog/:slug", "/"),
    "theme": ("Shoes", "hats", "No theme"),
    "type": ("Product", "Article", "Cart & checkout", "*age"),
}
_OPTIONAL: Final = (
    Quantity.SHARE, Quantity.VIEWS, Quantity.VIEWS_PER_USER, Quantity.EVENTS, Quantity.SESSIONS,
)  # fmt: skip
"""Measures that take “of” and do not always need it."""


def queries(seed: int, n: int) -> Iterator[Query]:
    """Make ``n`` random queries that are valid, each measure equally often."""
    chance = random.Random(seed)
    measures: list[Quantity] = []
    for _ in range(n):
        if not measures:
            measures = list(Quantity)
            chance.shuffle(measures)
        yield _query(chance, measures.pop())


def _query(chance: random.Random, measure: Quantity) -> Query:
    """Draw queries of a measure until one is valid."""
    while True:
        by = chance.choice([None, None, *By])
        made: dict[str, Any] = {"measure": measure, "by": by, "of": _of(chance, measure, by)}
        if chance.random() < 0.6:
            made["where"] = _condition(chance, 3)
        if chance.random() < 0.4:
            made["period"] = _period(chance)
        if by is None and chance.random() < 0.3:
            made["compare"] = _condition(chance, 2) if chance.random() < 0.5 else "others"
        if by is not None and chance.random() < 0.25:
            made["keep"] = _range(chance, chance.choice([0.2, 5, 30]))
        if by is not None and chance.random() < 0.4:
            made["order"] = chance.choice(["most", "least"])
        if chance.random() < 0.3:
            made["limit"] = chance.choice([1, 3, 10, 100])
        with suppress(ValidationError):
            return Query.model_validate({name: value for name, value in made.items() if value is not None})


def _of(chance: random.Random, measure: Quantity, by: By | None) -> dict[str, Any] | None:
    if by in (By.NEXT, By.PREVIOUS):
        return {"kind": "did", "steps": [_step(chance, pages=True)]}
    if measure is Quantity.FUNNEL:
        return _sequence(chance, chance.choice([1, 2, 3, 4]))
    if measure is Quantity.LIFT or (measure is Quantity.SHARE and chance.random() < 0.8):
        return _condition(chance, 3)
    if measure is Quantity.USERS and by in OF_PAGES and chance.random() < 0.5:
        return {"kind": "did", "steps": [_step(chance, pages=True)], **_at(chance)}
    if measure in (Quantity.SESSION_RATE, Quantity.EVENTS_PER_USER, Quantity.TIME_TO) or (
        measure in _OPTIONAL[1:] and chance.random() < 0.6
    ):
        pages = measure in (Quantity.VIEWS, Quantity.VIEWS_PER_USER) or chance.random() < 0.3
        return {"kind": "did", "steps": [_step(chance, pages=pages)], **(_at(chance) if pages else {})}
    return None


def _condition(chance: random.Random, depth: int) -> dict[str, Any]:
    if depth > 1 and chance.random() < 0.5:
        kind = chance.choice(["all", "any", "not"])
        inner = [
            _condition(chance, depth - 1) for _ in range(1 if kind == "not" else chance.choice([2, 2, 3]))
        ]
        return {"kind": kind, "of": inner[0] if kind == "not" else inner}
    kind = chance.choice(["did", "did", "did", "sequence", "is", "is", "has", "came"])
    if kind == "is":
        dimension = chance.choice(list(VALUES))
        return {
            "kind": "is",
            "dimension": dimension,
            "any_of": chance.sample(VALUES[dimension], chance.choice([1, 2])),
        }
    if kind == "has":
        count = chance.choice(["views", "sessions", "days", "pages", "engagement"])
        return {"kind": "has", "count": count, "range": _range(chance, chance.choice([1, 2, 4]))}
    if kind == "came":
        return {"kind": "came", "period": _period(chance)}
    if kind == "sequence":
        return _sequence(chance, chance.choice([2, 2, 3]))
    pages = chance.random() < 0.5
    made: dict[str, Any] = {
        "kind": "did",
        "steps": [_step(chance, pages=pages)],
        **(_at(chance) if pages else {}),
    }
    return made | ({"times": _range(chance, chance.choice([0, 1, 2]))} if chance.random() < 0.3 else {})


def _sequence(chance: random.Random, length: int) -> dict[str, Any]:
    return {
        "kind": "did",
        "steps": [_step(chance, pages=chance.random() < 0.6) for _ in range(length)],
        "order": chance.choice(["loose", "loose", "strict"]),
        "within": chance.choice(["user", "session", "2 minutes", "3 hours", "2 days"]),
    }


def _step(chance: random.Random, *, pages: bool) -> dict[str, Any]:
    kind = chance.choice(list(_OF_PAGES)) if pages else "event"
    names: Sequence[str] = _OF_PAGES[kind] if pages else (*EVENTS, "*r*")
    return {"kind": kind, "any_of": chance.sample(names, chance.choice([1, 1, 2]))}


def _at(chance: random.Random) -> dict[str, str]:
    return {"at": chance.choice(["any", "any", "entry", "exit"])}


def _range(chance: random.Random, limit: float) -> dict[str, float]:
    return {chance.choice(["above", "at_least", "below", "at_most"]): limit} | (
        {"at_most": limit + 3} if chance.random() < 0.2 else {}
    )


def _period(chance: random.Random) -> dict[str, Any]:
    first = FIRST + timedelta(chance.randrange(28))
    made: dict[str, Any] = {}
    kind = chance.choice(["days", "from", "until", "weekdays", "hours", "days", "all"])
    if kind in ("days", "from", "all"):
        made["first_day"] = first.isoformat()
    if kind in ("days", "until", "all"):
        made["last_day"] = (first + timedelta(chance.randrange(12))).isoformat()
    if kind in ("weekdays", "all"):
        made["weekdays"] = chance.sample(range(1, 8), chance.choice([1, 3, 5]))
    if kind in ("hours", "all"):
        made["hours"] = chance.sample(range(24), chance.choice([2, 8, 14]))
    return made
