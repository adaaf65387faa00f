"""Random queries of a made shop: the executor's figures against those counted by hand from the raw rows."""

from __future__ import annotations

import os
from collections import Counter
from functools import cache

import pytest

from core.base.errors import InputError
from core.query.execute import Result, execute
from core.query.query import By, Quantity, Query
from tests.core.query.by_hand import Answered, ByHand, Impossible, Line
from tests.core.query.made_site import ORIGIN, PAGES, ZONE, made_site
from tests.core.query.random_queries import queries

N = int(os.environ.get("RANDOM_QUERIES", "300"))
"""How many are asked; a longer run takes more."""
_PARTS = 6


@cache
def by_hand() -> ByHand:
    return ByHand(made_site().rows, ZONE, PAGES, ORIGIN)


def _executed(query: Query) -> Answered | None:
    try:
        result = execute(query, made_site().tables)
    except InputError:
        return None
    return _plain(result)


def _plain(result: Result) -> Answered:
    lines = [Line(row.name, row.value, row.n, row.users) for row in result.rows]
    return Answered(lines, result.users, result.base, result.unseen, result.few, result.more)


def _expected(query: Query) -> Answered | None:
    try:
        return by_hand().answer(query)
    except Impossible:
        return None


def _as_text(answered: Answered | None) -> list[str]:
    """An answer as lines; values to twelve digits, as sums of the two are made in another order."""
    if answered is None:
        return ["impossible"]
    head = f"{answered.users} of {answered.base}, {answered.unseen} not counted"
    head += f", {answered.few} few, {answered.more} more"
    return [head, *(f"{one.name}: {one.value:.12g} of {one.n}, {one.users} users" for one in answered.lines)]


@pytest.mark.parametrize("part", range(_PARTS))
def test_random_queries_are_answered_as_by_hand(part: int) -> None:
    for query in queries(part, N // _PARTS):
        assert _as_text(_executed(query)) == _as_text(_expected(query)), query.model_dump_json(
            exclude_defaults=True
        )


def test_random_queries_are_of_all_kinds() -> None:
    asked = [query for part in range(_PARTS) for query in queries(part, 600 // _PARTS)]
    answered = Counter(len(found.lines) > 0 for query in asked[::7] if (found := _executed(query)))
    assert {query.measure for query in asked} == {*Quantity}
    assert {query.by for query in asked} == {None, *By}
    text = " ".join(query.model_dump_json() for query in asked)
    for kind in ("did", "is", "has", "came", "all", "any", "not", "others"):
        assert f'"kind":"{kind}"' in text, kind
    assert answered[True] > 3 * answered[False]
