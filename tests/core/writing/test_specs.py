import json
from typing import Any

import pytest
from pydantic import ValidationError

from core.base.errors import InputError
from core.facts.tools import TOOLS
from core.llm import ToolCall
from core.outgoing.quoting import Quotes
from core.writing import specs


def test_every_tool_is_there_with_a_schema_that_stands_alone() -> None:
    made = specs.tool_specs()
    assert [tool["name"] for tool in made] == list(TOOLS)
    assert "$" not in json.dumps([tool["parameters"] for tool in made]).replace("^F\\\\d+$", "")
    rank = next(tool for tool in made if tool["name"] == "rank_segments")["parameters"]
    assert rank["properties"]["order"]["enum"] == ["most", "least"]
    assert rank["required"] == ["metric"]


def test_a_plan_is_a_list_of_calls() -> None:
    plan = specs.plan_of(2).model_validate({
        "calls": [{"tool": "metric", "segment": "S1", "metric": "users"}, {"tool": "list_segments"}]
    })  # fmt: skip
    assert specs.planned(plan) == [("metric", {"segment": "S1", "metric": "users"}), ("list_segments", {})]


@pytest.mark.parametrize(
    "calls",
    [
        [{"tool": "calc", "op": "sum", "first": "F1", "second": "F2"}],
        [{"tool": "drop"}],
        [{"tool": "metric", "segment": "S1"}],
        [{"tool": "list_segments"}] * 3,
    ],
)
def test_a_plan_with_anything_else_is_none(calls: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError):
        specs.plan_of(2).model_validate({"calls": calls})


def test_rows_and_items_are_named_by_number() -> None:
    quotes = Quotes()
    number = quotes.id_of("P", "/cart")
    asked = {
        "segment": "S2",
        "a": "segment 3",
        "b": "all",
        "value": number,
        "origin": None,
        "n": 3,
        "target": "/x",
    }
    assert specs.in_own_terms(asked, quotes) == {
        "segment": "segment:1", "a": "segment:2", "b": "all", "value": "/cart", "n": 3, "target": "/x"
    }  # fmt: skip


@pytest.mark.parametrize("text", ["{", "[]", "3", '"x"'])
def test_arguments_that_are_no_object_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="no JSON object"):
        specs.arguments_of(ToolCall("1", "metric", text))


def test_no_arguments_are_an_empty_object() -> None:
    assert specs.arguments_of(ToolCall("1", "list_segments", "")) == {}
