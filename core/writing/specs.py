"""The tools as a language model sees them, and what it asks them for in the app's own terms."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, create_model

from core.base.errors import InputError
from core.facts.tools import TOOLS, Tool
from core.llm.chat_types import ToolCall, ToolSpec
from core.outgoing.quoting import Quotes

ROWS: Final = frozenset({"segment", "a", "b"})
"""Arguments that name a row."""
_ROW: Final = re.compile(r"(?:S|segment |cluster )?(\d{1,4})", re.IGNORECASE)
_OF_LATER_FACTS: Final = "calc"
"""Needs ids of facts, which are not known while a plan is made."""


@cache
def tool_specs() -> tuple[ToolSpec, ...]:
    """Every tool with a schema that refers to nothing outside itself: not every server can follow that."""
    return tuple(
        {
            "name": tool.name,
            "description": tool.description,
            "parameters": _inlined(tool.arguments.model_json_schema()),
        }
        for tool in TOOLS.values()
    )


def as_json(schemas: object) -> str:
    """Schemas as they are shown before they are sent, and counted."""
    return json.dumps(schemas, ensure_ascii=False)


@cache
def plan_of(most: int) -> type[BaseModel]:
    """The object that a model without tools is held to: at most so many calls.

    Returns:
        A model with ``calls``, each with ``tool`` and that tool's arguments.
    """
    calls = tuple(_call(tool) for name, tool in TOOLS.items() if name != _OF_LATER_FACTS)
    either: Any = calls[0]
    for call in calls[1:]:
        either = either | call
    one = Annotated[either, Field(discriminator="tool")]
    return create_model("Plan", calls=(list[one], Field(max_length=most)))


def planned(plan: BaseModel) -> list[tuple[str, dict[str, Any]]]:
    """The calls of a plan: tool and arguments."""
    calls = [dict(call) for call in plan.model_dump(mode="json", exclude_unset=True)["calls"]]
    return [(str(call.pop("tool")), call) for call in calls]


def arguments_of(call: ToolCall) -> dict[str, Any]:
    """The arguments as the model wrote them.

    Raises:
        InputError: If they are no JSON object.
    """
    try:
        values = json.loads(call.arguments or "{}")
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise InputError("The arguments are no JSON object", allowed="an object as the tool's schema says")
    return {str(name): value for name, value in values.items()}


def in_own_terms(values: Mapping[str, Any], quotes: Quotes) -> dict[str, Any]:
    """Arguments with rows by key and items by name: ``S2`` → ``segment:1``, ``P3`` → ``/cart``."""
    return {name: _own(name, value, quotes) for name, value in values.items() if value is not None}


def _own(name: str, value: object, quotes: Quotes) -> object:
    if not isinstance(value, str):
        return value
    if name in ROWS:
        match = _ROW.fullmatch(value.strip())
        return f"segment:{int(match[1]) - 1}" if match else value
    return quotes.texts.get(value, value)


def _call(tool: Tool) -> type[BaseModel]:
    named: Any = (Literal[tool.name], ...)
    return create_model(f"Call_{tool.name}", __base__=tool.arguments, __doc__=tool.description, tool=named)


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    parts = schema.pop("$defs", {})

    def inline(value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, list):
            return [inline(part) for part in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            value = {**parts[value["$ref"].rsplit("/", 1)[-1]], **value}
        return {name: inline(part) for name, part in value.items() if name not in ("$ref", "title")}

    made: dict[str, Any] = inline(schema)
    return made
