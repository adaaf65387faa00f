import json
from typing import Any

import jsonschema
import pytest

from core.base.errors import InputError
from core.llm import ToolCall
from core.query.query import Query
from core.writing import figure_tools, specs
from core.writing.payload import MAX_OFFERED

ADDRESSES = [f"S{row}.view_lift_theme.P{item}" for row in range(1, 11) for item in range(15)]


def test_every_tool_is_there_with_a_schema_that_stands_alone() -> None:
    query, topic = figure_tools.tool_specs()
    assert (query["name"], topic["name"]) == ("query", "topic")
    assert query["parameters"]["required"] == ["measure"]
    assert set(query["parameters"]["properties"]) == set(Query.model_fields)
    assert "describe" in topic["parameters"]["properties"]["topic"]["enum"]


@pytest.mark.parametrize(
    "asked",
    [
        {"measure": "users", "by": "device"},
        {"measure": "share", "of": {"kind": "did", "steps": [{"kind": "event", "any_of": ["purchase"]}]},
         "where": {"kind": "all", "of": [{"kind": "not", "of": {"kind": "is", "dimension": "device",
                                                                 "any_of": ["mobile"]}}]}},
        {"measure": "sessions", "period": {"weekdays": [6, 7]}, "compare": {"kind": "is",
         "dimension": "country", "any_of": ["Germany"]}},
    ],
)  # fmt: skip
def test_what_the_schema_of_a_query_allows_is_a_query(asked: dict[str, Any]) -> None:
    jsonschema.validate(asked, figure_tools.query_shape())
    assert Query.checked(**asked)


@pytest.mark.parametrize(
    "shape",
    [
        specs.plan_shape(6),
        specs.flat_shape(ADDRESSES),
        specs.answer_shape(ADDRESSES, ["S1"], ["users"], True),
    ],
)
def test_no_shape_refers_outside_itself_and_all_are_small(shape: dict[str, Any]) -> None:
    assert "$" not in json.dumps(shape)
    assert len(ADDRESSES) == MAX_OFFERED
    assert len(json.dumps(shape)) < 16_000
    assert shape["additionalProperties"] is False


def test_an_answer_is_held_to_what_is_offered() -> None:
    shape = specs.answer_shape(["S1.users"], ["S1", "all"], ["users"], name=False)
    kinds = {
        one["properties"]["kind"]["enum"][0]: one for one in shape["properties"]["blocks"]["items"]["anyOf"]
    }
    assert list(kinds) == ["figures", "contrast", "ranking", "chart", "comment", "idea"]
    assert kinds["figures"]["properties"]["facts"]["items"]["enum"] == ["S1.users"]
    assert kinds["contrast"]["properties"]["against"]["enum"] == ["S1", "all"]
    assert kinds["chart"]["properties"]["mark"]["enum"] == ["bar", "line", "point"]
    assert "name" not in shape["properties"]


@pytest.mark.parametrize("text", ["{", "[]", "3", '"x"'])
def test_arguments_that_are_no_object_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="no JSON object"):
        specs.arguments_of(ToolCall("1", "topic", text))


def test_no_arguments_are_an_empty_object() -> None:
    assert specs.arguments_of(ToolCall("1", "topic", "")) == {}
