"""A JSON object out of what a model says."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from core.llm.chat_types import Message

IN_WORDS: Final = "Answer with one JSON object that is valid under this JSON schema, and with nothing else:\n"
REPAIR: Final = "That was not valid: {problem}\nAnswer again, with the JSON object only."
_THOUGHT: Final = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
REPAIR_CHARACTERS: Final = 4_000
"""Of a broken answer, when the model is asked to repair it."""


def messages(system: str, user: str) -> list[Message]:
    """A conversation that begins."""
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def in_words(system: str, user: str, schema: type[BaseModel]) -> list[Message]:
    """The question with the schema spelt out, for a server that cannot be held to it."""
    wanted = json.dumps(schema.model_json_schema(), ensure_ascii=False)
    return messages(f"{system}\n\n{IN_WORDS}{wanted}", user)


def repair(text: str, error: ValidationError) -> list[Message]:
    """What is added to ask for a broken answer once more."""
    return [
        {"role": "assistant", "content": text[:REPAIR_CHARACTERS]},
        {"role": "user", "content": REPAIR.format(problem=problem(error))},
    ]


def without_thoughts(text: str) -> str:
    """A text without what a model thinks aloud before it answers, to the end where it still does."""
    return _THOUGHT.sub("", text)


def json_in(text: str) -> str:
    """From the first brace to the last: small models put words or fences around their JSON."""
    return text[text.find("{") : text.rfind("}") + 1]


def reported_usage(body: str) -> dict[str, Any] | None:
    """The ``usage`` of an answer, before it is known whether the rest of it can be read."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    usage = answer.get("usage") if isinstance(answer, dict) else None
    return usage if isinstance(usage, dict) else None


def problem(error: ValidationError) -> str:
    """The first thing that is wrong, in one line."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"]
