"""The two tools by which a language model gets figures: a query, and a topic about segments.

Their schemas stand alone, without a reference, as not every server can follow one. So conditions are not
nested freely: “where” is all or any of some, each of which “not” may deny.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field

from core.base.errors import InputError
from core.base.settings import Settings
from core.facts.fact_maker import Figures, Finding, require_row
from core.llm.chat_types import ToolSpec
from core.query import answering
from core.query.query import OF_USERS, Query
from core.questions import topics
from core.questions.topics import TOPICS, TopicKind, TopicQuestion

Shape: TypeAlias = dict[str, Any]
_WORDLESS: Final = (
    "title", "default", "discriminator", "description", "additionalProperties", "maxItems", "minItems",
    "minimum", "maximum", "format",
)  # fmt: skip
"""Keys of a schema that tell a model nothing that the rest does not, or that are checked afterwards."""
_NO_FIGURES: Final = (TopicKind.HELP, TopicKind.SAMPLE)


class _TopicCall(Settings):
    topic: TopicKind
    segments: Annotated[tuple[str, ...], Field(max_length=12)] = ()
    by: Literal["", "page", "theme", "type"] = ""


def _query(figures: Figures, values: Mapping[str, Any]) -> Finding:
    found = answering.answer(Query.checked(**values), figures.context)
    return Finding(found.blocks, found.query)


def _topic(figures: Figures, values: Mapping[str, Any]) -> Finding:
    asked = _TopicCall.checked(**values)
    rows = tuple(require_row(figures.context, row) for row in asked.segments)
    found = topics.answer(TopicQuestion(asked.topic, rows, by=asked.by), figures.context)
    return Finding(found.blocks, found.query)


_RUN: Final[Mapping[str, Callable[[Figures, Mapping[str, Any]], Finding]]] = {
    "query": _query,
    "topic": _topic,
}


def call(figures: Figures, name: str, values: Mapping[str, Any]) -> Finding:
    """Run a tool by its name.

    Args:
        figures: Where facts come from.
        name: The tool.
        values: Argument → value as it came, unchecked.

    Raises:
        InputError: If there is no such tool or row, or a figure is absent.
        SettingsError: If an argument is missing, unknown or not possible.
    """
    if name not in _RUN:
        raise InputError(f"There is no tool {name!r}", allowed=", ".join(_RUN))
    return _RUN[name](figures, {str(argument): value for argument, value in values.items()})


@cache
def tool_specs() -> tuple[ToolSpec, ...]:
    """Name, description and JSON schema of the arguments of each tool."""
    told = [topic for topic in TOPICS if topic not in _NO_FIGURES]
    about = "; ".join(f"{topic}: {TOPICS[topic].says}" for topic in told)
    names = {"type": "array", "items": {"type": "string"}}
    return (
        {
            "name": "query",
            "description": "Count a measure, of the users for whom “where” holds, by a dimension. “of” is "
            "what share, lift, session_rate, events, time_to and funnel are about. Segments are S1, S2, …",
            "parameters": query_shape(),
        },
        {
            "name": "topic",
            "description": f"What no query counts, of segments S1, S2, … Topics: {about}.",
            "parameters": _object(
                {"topic": {"type": "string", "enum": [topic.value for topic in told]}, "segments": names,
                 "by": {"type": "string", "enum": ["page", "theme", "type"]}},
                "topic",
            ),
        },
    )  # fmt: skip


def query_shape() -> Shape:
    """JSON schema of a :class:`core.query.query.Query`, without references."""
    whole = Query.model_json_schema()
    parts = whole.pop("$defs")
    plain = [_tagged(name, _inlined(parts[name], parts)) for name in ("Did", "Is", "Has", "Came")]
    denied = [*plain, _object({"kind": _tag("not"), "of": {"anyOf": plain}}, "kind", "of")]
    several = {"type": "array", "items": {"anyOf": denied}, "minItems": 1}
    group = _object({"kind": _tag("all", "any"), "of": several}, "kind", "of")
    own = {
        "of": {"anyOf": plain},
        "where": group,
        "compare": {"anyOf": [*plain, _object({"kind": _tag("others")}, "kind")]},
    }
    rest = {name: _inlined(value, parts) for name, value in whole["properties"].items() if name not in own}
    return _object({**rest, **own}, "measure")


def _tagged(name: str, shape: Shape) -> Shape:
    """The schema of a condition, whose kind must be told."""
    properties = {**shape["properties"], "kind": _tag(name.lower())}
    if "dimension" in properties:
        properties["dimension"] = {"type": "string", "description": OF_USERS}
    return _object(properties, "kind", *shape.get("required", ()))


def _tag(*kinds: str) -> Shape:
    return {"type": "string", "enum": [*kinds]}


def _object(properties: Shape, *required: str) -> Shape:
    return {
        "type": "object", "properties": properties, "required": [*required], "additionalProperties": False,
    }  # fmt: skip


def _inlined(value: Any, parts: Mapping[str, Shape]) -> Any:  # noqa: ANN401 - any JSON
    """A schema with its parts in place of references, without what may be absent and what says nothing."""
    if isinstance(value, list):
        return [_inlined(one, parts) for one in value if one != {"type": "null"}]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _inlined(parts[value["$ref"].rsplit("/", 1)[-1]], parts)
    made = {
        name: {key: _inlined(one, parts) for key, one in inner.items()} if name == "properties"
        else _inlined(inner, parts)
        for name, inner in value.items() if name not in _WORDLESS
    }  # fmt: skip
    options = made.get("anyOf", [])
    return options[0] if len(options) == 1 else made
