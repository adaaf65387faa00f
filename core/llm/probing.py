"""What a server can do with a model, found out by asking for it; what is sent has nothing of the analyst's.

A server's list of features does not say: some accept a field and ignore it, and what a model can depends on
the model.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel

from core.base.errors import ResourceError
from core.llm.chat_types import Capabilities, Enough
from core.llm.parsing import json_in, without_thoughts
from core.llm.requests import Budget

if TYPE_CHECKING:
    from core.llm.server import ServerLlm

CHOSEN: Final = ({"kind": "figure", "of": "S3.users"}, {"kind": "contrast", "of": "S1.sales", "with": "S2"})
BLOCKS: Final = (
    "Answer with JSON only: an object with a list `blocks`. A block is either "
    '{"kind": "figure", "of": ADDRESS} or {"kind": "contrast", "of": ADDRESS, "with": ROW}. '
    "ADDRESS is one of S1.users, S1.sales, S2.users, S2.sales, S3.users, S3.sales; ROW is S1, S2 or S3."
)
ASKED: Final = "How many users has S3? Then hold the sales of S1 against those of S2."
CHOOSE: Final = "Choose the colour of grass."
CALL: Final = "Call the tool `weather` for the city of Paris. Do not answer in words."
WEATHER: Final = {
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
    },
}  # fmt: skip
LONGEST: Final = 400
"""Characters of an answer that are waited for: what was asked for is shorter."""
BEFORE_A_CALL: Final = 600
"""Characters before a tool is called that are waited for: some models first say what they will do."""


def _object(**fields: Sequence[str]) -> dict[str, object]:
    properties = {name: {"type": "string", "enum": list(values)} for name, values in fields.items()}
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_ROWS: Final = ("S1", "S2", "S3")
_OF: Final = [f"{row}.{measure}" for row in _ROWS for measure in ("users", "sales")]
_EITHER: Final = [
    _object(kind=["figure"], of=_OF),
    _object(**{"kind": ["contrast"], "of": _OF, "with": _ROWS}),
]
_SHAPE: Final = {
    "type": "object", "properties": {"blocks": {"type": "array", "items": {"anyOf": _EITHER}}},
    "required": ["blocks"], "additionalProperties": False,
}  # fmt: skip


class Colour(BaseModel):
    """What is asked for under a schema."""

    colour: Literal["red", "green", "blue"]


def probe(llm: ServerLlm, budget: Budget, on_step: Callable[[str], None] = lambda _: None) -> Capabilities:
    """Three short questions.

    Args:
        llm: Whom to ask.
        budget: How long it may take.
        on_step: Gets what is asked for next, in words.

    Raises:
        ResourceError: If not even plain text comes.
        Cancelled: If the budget says so.
    """
    on_step("an object that obeys a JSON schema")
    schema = _obeys_schemas(llm, budget)
    on_step("a choice of figures")
    blocks = _chooses_blocks(llm, budget, schema=schema)
    on_step("a call of a tool")
    return Capabilities(llm.streams, schema, _calls_tools(llm, budget), blocks)


def _chooses_blocks(llm: ServerLlm, budget: Budget, *, schema: bool) -> bool:
    said = llm.chat(
        [{"role": "system", "content": BLOCKS}, {"role": "user", "content": ASKED}],
        on_text=partial(_short, most=LONGEST), should_stop=budget.should_stop, timeout_s=budget.left,
        schema=_SHAPE if schema else None,
    ).text  # fmt: skip
    try:
        found = json.loads(json_in(without_thoughts(said)))
    except ValueError:
        return False
    return isinstance(found, dict) and found.get("blocks") == list(CHOSEN)


def _obeys_schemas(llm: ServerLlm, budget: Budget) -> bool:
    try:
        llm.parse(CHOOSE, "Grass.", Colour, should_stop=budget.should_stop, timeout_s=budget.left)
    except ResourceError:
        return False
    return llm.obeys_schemas


def _calls_tools(llm: ServerLlm, budget: Budget) -> bool:
    try:
        reply = llm.chat(
            [{"role": "user", "content": CALL}], [WEATHER], partial(_short, most=BEFORE_A_CALL),
            should_stop=budget.should_stop, timeout_s=budget.left,
        )  # fmt: skip
    except ResourceError:
        return False
    return any(call.name == "weather" and "city" in call.arguments for call in reply.calls)


def _short(text: str, most: int) -> None:
    """Raises Enough where a model does not come to an end; what it thinks aloud may be long."""
    if len(without_thoughts(text)) > most:
        raise Enough(text)
