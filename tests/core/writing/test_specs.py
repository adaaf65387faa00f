import json
from typing import Any

import pytest

from core.base.errors import InputError
from core.facts.tools import TOOLS
from core.llm import ToolCall
from core.writing import specs
from core.writing.payload import MAX_OFFERED

ADDRESSES = [f"S{row}.view_lift_theme.P{item}" for row in range(1, 11) for item in range(15)]


def test_every_tool_is_there_with_a_schema_that_stands_alone() -> None:
    made = specs.tool_specs()
    assert [tool["name"] for tool in made] == list(TOOLS)
    rank = next(tool for tool in made if tool["name"] == "rank_segments")["parameters"]
    assert rank["properties"]["order"]["enum"] == ["most", "least"]
    assert rank["required"] == ["metric"]


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
        specs.arguments_of(ToolCall("1", "metric", text))


def test_no_arguments_are_an_empty_object() -> None:
    assert specs.arguments_of(ToolCall("1", "list_segments", "")) == {}
