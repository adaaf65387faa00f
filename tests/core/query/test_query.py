"""The query as data: what it refuses, and how it is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import numpy as np
import pytest
from pydantic import ValidationError

from core.base.errors import SettingsError
from core.query.query import (
    MAX_DEPTH,
    MAX_PARTS,
    MAX_ROWS,
    MAX_STEPS,
    USUAL_ROWS,
    All,
    Is,
    Not,
    Period,
    Query,
    Range,
    both,
    denied,
    parts_of,
)
from tests.core.query.random_queries import queries

BUY: dict[str, Any] = {"kind": "did", "steps": [{"kind": "event", "any_of": ["purchase"]}]}
CART: dict[str, Any] = {"kind": "did", "steps": [{"kind": "page", "any_of": ["/cart"]}]}
BOTH: dict[str, Any] = {"kind": "did", "steps": [*CART["steps"], *BUY["steps"]]}
TWICE = BUY | {"times": {"at_least": 2}}
MOBILE: dict[str, Any] = {"kind": "is", "dimension": "device", "any_of": ["mobile"]}
LONG: dict[str, Any] = {"kind": "has", "count": "engagement", "range": {"above": 60}}
MARCH = {"first_day": "2025-03-01", "last_day": "2025-03-31"}


def deep(depth: int) -> dict[str, Any]:
    return MOBILE if depth == 1 else {"kind": "not", "of": deep(depth - 1)}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"measure": "lift"}, "lift needs “of”"),
        ({"measure": "session_rate"}, "session_rate needs “of”"),
        ({"measure": "events"}, "events needs “of”"),
        ({"measure": "events", "by": "device"}, "events needs “of”"),
        ({"measure": "events_per_user"}, "events_per_user needs “of”"),
        ({"measure": "time_to"}, "time_to needs “of”"),
        ({"measure": "funnel"}, "funnel needs “of”"),
        ({"measure": "events", "of": MOBILE}, "events is about pages or events: “of” must be"),
        ({"measure": "views", "of": MOBILE}, "views is about pages or events"),
        ({"measure": "users", "of": BUY}, "users takes no “of”: who counts is said by “where”"),
        ({"measure": "retention", "of": BUY}, "retention takes no “of”"),
        ({"measure": "revenue", "of": BUY}, "revenue takes no “of”"),
        ({"measure": "events", "of": BOTH}, "events is about a single step"),
        ({"measure": "time_to", "of": BOTH}, "time_to is about a single step"),
        ({"measure": "events", "of": TWICE}, "events counts a step each time"),
        ({"measure": "views", "of": CART | {"times": {"above": 1}}}, "views counts a step each time"),
        ({"measure": "funnel", "of": TWICE}, "funnel counts a step each time"),
        ({"measure": "funnel", "of": CART | {"at": "entry"}}, "funnel counts a step each time"),
        ({"measure": "net_revenue", "period": MARCH}, "net_revenue is known of the whole time only, not by"),
        ({"measure": "engagement", "period": MARCH}, "engagement is known of the whole time only"),
        ({"measure": "retention", "period": MARCH}, "retention is known of the whole time only"),
        ({"where": LONG, "period": MARCH}, "engagement is known of the whole time only"),
        ({"where": {"kind": "not", "of": LONG}, "period": MARCH}, "engagement is known of the whole time"),
        ({"where": deep(MAX_DEPTH + 1)}, f"conditions are at most {MAX_DEPTH} deep"),
        ({"measure": "share", "of": deep(MAX_DEPTH + 1)}, f"conditions are at most {MAX_DEPTH} deep"),
        ({"compare": deep(MAX_DEPTH + 1)}, f"conditions are at most {MAX_DEPTH} deep"),
        ({"by": "day", "where": MOBILE, "compare": "others"}, "either compare two kinds of users, or ask by"),
        ({"compare": "others"}, "all users have no others to compare with: say “where”"),
        ({"by": "next"}, "by next needs “of”: the page that comes before or after"),
        ({"by": "previous", "measure": "share", "of": BOTH}, "by previous needs “of”"),
        ({"by": "next", "of": CART | {"times": {"above": 1}}}, "by next counts every view of a page"),
        ({"by": "next", "measure": "sessions", "of": CART}, "by next are counted users, views and"),
        ({"by": "day", "measure": "refunds"}, "refunds is known of users in the whole time only, not by day"),
        ({"by": "hour", "measure": "lift", "of": BUY}, "lift is known of users in the whole time only"),
        ({"measure": "lift", "of": BUY, "where": MOBILE, "compare": "others"}, "lift compares with all"),
        ({"by": "day", "measure": "time_to", "of": BUY}, "time_to is counted by segment, visitor"),
        ({"by": "page", "measure": "time_to", "of": BUY}, "time_to is counted by segment, visitor"),
        ({"by": "device", "measure": "funnel", "of": BOTH}, "a funnel has a row a step"),
        ({"where": MOBILE, "compare": "others", "measure": "funnel", "of": BOTH}, "a funnel has a row"),
        ({"by": "device", "measure": "retention"}, "who comes again is asked by day or week"),
        ({"where": MOBILE, "compare": "others", "measure": "retention"}, "who comes again is asked by day"),
        ({"by": "event", "measure": "views"}, "by event are counted users, events and the share of users"),
        ({"by": "event", "measure": "events", "of": CART}, "“of” names some of them, no pages"),
        ({"by": "page", "measure": "events", "of": BUY}, "events are not counted by page"),
        ({"by": "entry", "measure": "events_per_user", "of": BUY}, "events are not counted by entry"),
        ({"keep": {"above": 3}}, "“keep” leaves out rows: ask by a dimension"),
        ({"limit": 0}, "greater than or equal to 1"),
        ({"limit": MAX_ROWS + 1}, f"less than or equal to {MAX_ROWS}"),
        ({"order": "up"}, "'most' or 'least'"),
        ({"measure": "mood"}, "Input should be"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
        ({"where": {"kind": "is", "dimension": "page", "any_of": ["/"]}}, "users have no page; they have"),
        ({"where": MOBILE | {"any_of": []}}, "at least 1 item"),
        ({"where": {"kind": "all", "of": [MOBILE, {"kind": "not", "of": MOBILE}]}}, "cannot both hold"),
        ({"where": {"kind": "all", "of": []}}, "at least 1 item"),
        ({"where": {"kind": "any", "of": [MOBILE] * (MAX_PARTS + 1)}}, f"at most {MAX_PARTS} items"),
        ({"where": {"kind": "did", "steps": []}}, "at least 1 item"),
        ({"where": BUY | {"steps": BUY["steps"] * (MAX_STEPS + 1)}}, f"at most {MAX_STEPS} items"),
        ({"where": BUY | {"within": "a while"}}, "it must be session, user, or a time such as 30 minutes"),
        ({"where": BOTH | {"times": {"above": 1}}}, "is counted of a single step"),
        ({"where": BOTH | {"at": "entry"}}, "is counted of a single step"),
        ({"where": BUY | {"at": "exit"}}, "sessions begin and end with pages, not with events"),
        ({"where": CART | {"times": {}}}, "a range needs above, at_least, below or at_most"),
        ({"where": CART | {"times": {"above": 5, "below": 2}}}, "no number is more than 5 and fewer than 2"),
        ({"where": CART | {"times": {"above": 2, "below": 2}}}, "no number is more than 2 and fewer than 2"),
        ({"where": CART | {"times": {"above": 2, "at_most": 2}}}, "no number is more than 2 and at most 2"),
        ({"where": CART | {"times": {"at_least": float("inf")}}}, "finite number"),
        ({"period": {}}, "a period needs a day, a weekday or an hour"),
        ({"period": {"weekdays": [], "hours": []}}, "a period needs a day, a weekday or an hour"),
        ({"period": {"first_day": "2025-03-02", "last_day": "2025-03-01"}}, "comes before the first"),
        ({"period": {"weekdays": [0]}}, "greater than or equal to 1"),
        ({"period": {"weekdays": [8]}}, "less than or equal to 7"),
        ({"period": {"hours": [24]}}, "less than or equal to 23"),
        ({"period": {"first_day": "soon"}}, "valid date"),
        ({"where": {"kind": "came", "period": {}}}, "a period needs a day, a weekday or an hour"),
        ({"where": {"kind": "likes"}}, "does not match any of the expected tags"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_in_words(made: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        Query.model_validate(made)
    with pytest.raises(SettingsError) as readable:
        Query.checked(**made)
    assert "\n" not in str(readable.value).strip()


@pytest.mark.parametrize(
    "made",
    [
        {"measure": "events", "by": "event"},
        {"measure": "events", "by": "event", "of": BUY},
        {"measure": "share", "by": "event", "of": BUY},
        {"measure": "views", "of": CART | {"at": "entry"}},
        {"measure": "session_rate", "of": BUY, "by": "day"},
        {"measure": "time_to", "of": BUY, "by": "segment"},
        {"measure": "retention", "by": "day"},
        {"measure": "funnel", "of": BOTH | {"within": "session", "order": "strict"}},
        {"where": LONG},
        {"where": MOBILE, "compare": "others"},
        {"where": deep(MAX_DEPTH)},
        {"by": "page", "keep": {"at_least": 0.5, "at_most": 0.5}},
        {"by": "next", "measure": "share", "of": CART | {"at": "entry"}},
    ],
)
def test_what_can_be_answered_is_taken(made: dict[str, Any]) -> None:
    assert Query.model_validate(made) == Query.checked(**made)


def test_queries_survive_json_and_are_equal_by_value() -> None:
    for query in queries(11, 200):
        again = Query.model_validate_json(query.model_dump_json())
        assert again == query
        assert hash(again) == hash(query)
        assert Query.model_validate_json(query.model_dump_json(exclude_none=True)) == query


def test_others_are_written_for_short() -> None:
    short = Query.model_validate({"where": MOBILE, "compare": "others"})
    assert Query.model_validate({"where": MOBILE, "compare": {"kind": "others"}}) == short


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from ([schema["$ref"]] if isinstance(schema.get("$ref"), str) else [])
        for part in schema.values():
            yield from _references(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def test_the_schema_says_all_that_it_refers_to() -> None:
    schema = json.loads(json.dumps(Query.model_json_schema()))
    named = {*_references(schema)}
    assert named
    assert named == {f"#/$defs/{name}" for name in schema["$defs"]}
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_schema_takes_what_queries_are_written_as_and_nothing_else() -> None:
    validator = jsonschema.Draft202012Validator(Query.model_json_schema())
    for query in queries(12, 100):
        validator.validate(json.loads(query.model_dump_json()))
    for wrong in ({"measure": "mood"}, {"colour": 1}, {"where": {"kind": "likes"}}, {"limit": 0}):
        assert not validator.is_valid(wrong), wrong


@pytest.mark.parametrize(
    ("limits", "inside"),
    [
        ({"above": 2}, [3.0, 4.0]), ({"at_least": 2}, [2.0, 3.0, 4.0]), ({"below": 2}, [0.0, 1.0]),
        ({"at_most": 2}, [0.0, 1.0, 2.0]), ({"at_least": 1, "below": 3}, [1.0, 2.0]),
        ({"above": 0, "at_least": 2, "at_most": 3}, [2.0, 3.0]), ({"at_least": 2, "at_most": 2}, [2.0]),
    ],
)  # fmt: skip
def test_a_range_holds_its_numbers(limits: dict[str, float], inside: list[float]) -> None:
    values = np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.nan])
    assert values[Range(**limits).holds(values)].tolist() == inside


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"above": 20}, "more than 20"), ({"at_least": 2, "at_most": 5}, "at least 2 and at most 5"),
        ({"at_least": 3, "at_most": 3}, "exactly 3"), ({"below": 1000}, "fewer than 1,000"),
    ],
)  # fmt: skip
def test_a_range_in_words(limits: dict[str, float], said: str) -> None:
    assert Range(**limits).in_words == said


def test_conditions_are_joined_flat_and_once() -> None:
    first, second = (Query.model_validate({"where": one}).where for one in (MOBILE, BUY))
    assert both(None, None) is None
    assert both(first, None) == first
    assert both(first, first) == first
    together = both(first, second)
    assert together == All(of=(first, second))
    assert both(together, first) == together


def test_the_opposite_of_the_opposite_is_the_condition_itself() -> None:
    condition = Is(dimension="device", any_of=("mobile",))
    assert denied(condition) == Not(of=condition)
    assert denied(denied(condition)) == condition
    assert [*parts_of(denied(condition))] == [Not(of=condition), condition]


@pytest.mark.parametrize(
    ("made", "most"),
    [
        ({"by": "page"}, USUAL_ROWS), ({"by": "page", "limit": 3}, 3), ({"by": "day"}, None),
        ({"by": "segment"}, None), ({"by": "source", "keep": {"above": 1}}, MAX_ROWS), ({}, None),
    ],
)  # fmt: skip
def test_an_answer_has_a_readable_number_of_rows(made: dict[str, Any], most: int | None) -> None:
    assert Query.model_validate(made).n_rows == most


def test_a_period_without_a_limit_is_none() -> None:
    with pytest.raises(ValidationError):
        Period()
