"""Types of a conversation with a language model, its price, and ways to read JSON out of its answers."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

Message = Mapping[str, Any]
"""One message of a conversation: ``role``, ``content``, …, as OpenAI's Chat Completions has it."""
ToolSpec = Mapping[str, Any]
"""A tool that may be called: name, description, JSON schema of its arguments."""
Schema = Mapping[str, Any]
"""A JSON schema that an answer is held to."""
Stop = Callable[[], bool]
"""Whether to give up; asked many times a second."""
AnswerT = TypeVar("AnswerT", bound=BaseModel)
CHARACTERS_PER_TOKEN: Final = 3.5
"""Characters of a token, for estimates."""


def never() -> bool:
    """A :data:`Stop` that never gives up."""
    return False


def tokens_of(text: str) -> int:
    """Estimate the number of tokens of a text."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


class EnoughText(Exception):
    """Raised by a callback that gets a text piece by piece, to end the request without an error.

    Args:
        text: The part of it that is the answer.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True)
class Usage:
    """Calls and tokens so far, as the server counts; estimated where an answer was ended before it did.

    Args:
        calls: Answers that came; a repaired question has several.
        prompt_tokens: Tokens sent.
        completion_tokens: Tokens received.
    """

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def plus(self, reported: object) -> Usage:
        """Usage with one more call; ``reported``: the ``usage`` of its answer, whatever the server sent."""
        counts = reported if isinstance(reported, dict) else {}
        sent, received = (counts.get(name) for name in ("prompt_tokens", "completion_tokens"))
        return Usage(
            self.calls + 1,
            self.prompt_tokens + (sent if isinstance(sent, int) else 0),
            self.completion_tokens + (received if isinstance(received, int) else 0),
        )

    def since(self, earlier: Usage) -> Usage:
        """Calls and tokens that were used after ``earlier``."""
        return Usage(
            self.calls - earlier.calls,
            self.prompt_tokens - earlier.prompt_tokens,
            self.completion_tokens - earlier.completion_tokens,
        )

    @property
    def tokens(self) -> int:
        """Number of tokens sent and received."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class Price:
    """Price of a model's tokens, in the currency of the price table.

    Args:
        sent: For a million tokens that are sent.
        received: For a million tokens of answers.
    """

    sent: float
    received: float


PRICES: Final[Mapping[str, Price]] = {
    "gpt-4o-mini": Price(0.15, 0.60),
    "gpt-4o": Price(2.50, 10.00),
    "gpt-4.1-mini": Price(0.40, 1.60),
    "gpt-4.1": Price(2.00, 8.00),
}
"""Model → price in US dollars; examples that an analyst edits. A model that is not in the table has no
price."""


def price_of(model: str, sent: int, received: int, prices: Mapping[str, Price]) -> float | None:
    """Price of tokens sent and received; None if the model is not in ``prices``."""
    price = prices.get(model)
    return None if price is None else (sent * price.sent + received * price.received) / 1e6


@dataclass(frozen=True)
class Capabilities:
    """Capabilities of a server with a model, found out by trying.

    Args:
        streaming: Sends an answer piece by piece.
        schema: Obeys a JSON schema.
        tools: Calls tools.
        blocks: Fills in objects of several kinds, each with its own fields, as asked.
    """

    streaming: bool = False
    schema: bool = False
    tools: bool = False
    blocks: bool = False

    @property
    def is_weak(self) -> bool:
        """Whether it has neither ``tools`` nor ``blocks``: a small model, most likely on a small machine."""
        return not (self.tools or self.blocks)


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool that the model asks for.

    Args:
        id: Id of this call.
        name: Name of the tool, as the model wrote it.
        arguments: JSON text; as the model wrote it.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class ChatReply:
    """One answer of the model.

    Args:
        text: What it says.
        calls: Tools it wants called first.
    """

    text: str
    calls: tuple[ToolCall, ...] = ()


_IN_WORDS: Final = (
    "Answer with one JSON object that is valid under this JSON schema, and with nothing else:\n"
)
_REPAIR: Final = "That was not valid: {problem}\nAnswer again, with the JSON object only."
_THOUGHT: Final = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_REPAIR_CHARACTERS: Final = 4_000
"""Characters of a broken answer that are sent when the model is asked to repair it."""


def messages(system: str, user: str) -> list[Message]:
    """Messages that begin a conversation."""
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def in_words(system: str, user: str, schema: type[BaseModel]) -> list[Message]:
    """Messages with the schema spelt out, for a server that cannot be held to it."""
    wanted = json.dumps(schema.model_json_schema(), ensure_ascii=False)
    return messages(f"{system}\n\n{_IN_WORDS}{wanted}", user)


def repair(text: str, error: ValidationError) -> list[Message]:
    """The broken answer, and a message with its first error that asks for it once more."""
    return [
        {"role": "assistant", "content": text[:_REPAIR_CHARACTERS]},
        {"role": "user", "content": _REPAIR.format(problem=problem(error))},
    ]


def without_thoughts(text: str) -> str:
    """Remove what a model thinks aloud (``<think>…``) before it answers, to the end if that is not closed."""
    return _THOUGHT.sub("", text)


def json_in(text: str) -> str:
    """Cut a text from the first brace to the last: small models put words or fences around their JSON."""
    return text[text.find("{") : text.rfind("}") + 1]


def reported_usage(body: str) -> dict[str, Any] | None:
    """The ``usage`` of an answer's JSON text; None if there is none, or it is no JSON."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    usage = answer.get("usage") if isinstance(answer, dict) else None
    return usage if isinstance(usage, dict) else None


def problem(error: ValidationError) -> str:
    """The first error of a validation, in one line."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"]
