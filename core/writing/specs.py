"""Schemas that a language model is held to: the tools it may call, and the shape of its answer.

Every schema stands alone, without a reference: not every server can follow one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final, TypeAlias

from core.base.errors import InputError
from core.facts.answer import ChartMark
from core.llm.chat_types import ToolCall, ToolSpec
from core.writing.figure_tools import tool_specs

Shape: TypeAlias = dict[str, Any]
ANSWER: Final = "answer"
"""The tool by which a model that calls tools gives its answer."""
MAX_FIGURES: Final = 4
"""Most addresses of one block."""
MAX_BLOCKS: Final = 8
ORDERS: Final = ("most", "least")
_TEXT: Final[Shape] = {"type": "string"}


def answer_tool(shape: Shape) -> ToolSpec:
    """Specification of the tool by which the answer is given; ``shape``: schema of the answer."""
    return {"name": ANSWER, "description": "The answer, given once and last.", "parameters": shape}


@cache
def plan_shape(most: int) -> Shape:
    """Schema of a list of at most ``most`` tool calls, for a model that cannot call tools by itself."""
    calls = [
        {
            **tool["parameters"],
            "properties": {"tool": _one_of([tool["name"]]), **tool["parameters"].get("properties", {})},
            "required": ["tool", *tool["parameters"].get("required", [])],
        }
        for tool in tool_specs()
    ]
    return _object(calls={"type": "array", "items": {"anyOf": calls}, "maxItems": most})


def answer_shape(addresses: Iterable[str], rows: Sequence[str], measures: Iterable[str], name: bool) -> Shape:
    """Schema of an answer in blocks.

    Args:
        addresses: Addresses of facts that may be chosen.
        rows: Names in messages of the rows that a figure may be compared with.
        measures: Measures that rows may be ranked by.
        name: Whether the answer has a name for a segment as well.
    """
    address = _one_of(addresses)
    several = {"type": "array", "items": address, "minItems": 1, "maxItems": MAX_FIGURES}
    blocks = [
        _object(kind=_one_of(["figures"]), facts=several),
        _object(kind=_one_of(["contrast"]), fact=address, against=_one_of(rows)),
        _object(kind=_one_of(["ranking"]), measure=_one_of(measures), item=_TEXT, order=_one_of(ORDERS)),
        _object(kind=_one_of(["chart"]), facts=several, mark=_one_of(ChartMark)),
        _object(kind=_one_of(["comment"]), text=_TEXT),
        _object(kind=_one_of(["idea"]), text=_TEXT),
    ]
    listed = {"type": "array", "items": {"anyOf": blocks}, "maxItems": MAX_BLOCKS}
    return _object(name={"type": "string"}, blocks=listed) if name else _object(blocks=listed)


def flat_shape(addresses: Iterable[str]) -> Shape:
    """Schema of a list of a few addresses: all that a weak model is asked for."""
    items = _one_of(addresses)
    return _object(facts={"type": "array", "items": items, "minItems": 1, "maxItems": MAX_FIGURES})


def arguments_of(call: ToolCall) -> Shape:
    """Parse the arguments of a tool call: name → value.

    Raises:
        InputError: If they are no JSON object.
    """
    try:
        values = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InputError("The arguments are no JSON object", allowed="an object as the tool's schema says")
    return {str(name): value for name, value in values.items()}


def _one_of(values: Iterable[str]) -> Shape:
    return {"type": "string", "enum": [str(value) for value in values]}


def _object(**properties: Shape) -> Shape:
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
