"""What a server can do with a model, found out by asking for it; what is sent has nothing of the analyst's.

A server's list of features does not say: some accept a field and ignore it, and what a model can depends on
the model.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel

from core.base.errors import ResourceError
from core.llm.chat_types import Capabilities, Enough
from core.llm.requests import Budget

if TYPE_CHECKING:
    from core.llm.server import ServerLlm

WRITE: Final = (
    "You write one sentence. Where a value belongs, write its id in double brackets, such as [[F1]], and "
    "never a digit. Example: F7 is the visitors of the blog. Answer: The blog has [[F7]] visitors."
)
WRITTEN_ABOUT: Final = "F1 is the visitors of the shop. Say how many visitors the shop has."
CHOOSE: Final = "Choose the colour of grass."
CALL: Final = "Call the tool `weather` for the city of Paris. Do not answer in words."
WEATHER: Final = {
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
    },
}  # fmt: skip
LONGEST: Final = 200
"""Characters of an answer that are waited for: what was asked for is shorter."""
BEFORE_A_CALL: Final = 600
"""The same of what is said before a tool is called: some models first tell what they are about to do."""
_THOUGHT: Final = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
"""It may be long, whatever is asked for."""
_OTHER_DIGIT: Final = re.compile(r"\d")


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
    on_step("a sentence with a place for a value")
    said = llm.chat(
        [{"role": "system", "content": WRITE}, {"role": "user", "content": WRITTEN_ABOUT}],
        on_text=partial(_short, most=LONGEST), should_stop=budget.should_stop, timeout_s=budget.left,
    ).text  # fmt: skip
    on_step("an object that obeys a JSON schema")
    schema = _obeys_schemas(llm, budget)
    on_step("a call of a tool")
    tools = _calls_tools(llm, budget)
    return Capabilities(
        streaming=llm.streams,
        schema=schema,
        tools=tools,
        slots="[[F1]]" in said and not _OTHER_DIGIT.search(said.replace("[[F1]]", "")),
    )


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
    """Raises Enough where a model does not come to an end."""
    if len(_THOUGHT.sub("", text)) > most:
        raise Enough(text)
