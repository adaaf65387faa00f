"""Answers of a language model that were good enough to be shown, so that the same question is free again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from core.base.errors import ResourceError
from core.llm.chat_types import ChatReply, ToolCall
from core.storage.json_cache import JsonCache

VERSION: Final = 2
"""Raised when what a model is told changes in a way that its messages do not show."""
SIZE_BYTES: Final = 64 * 2**20


class AnswerCache:
    """Answers in a folder that only its owner can open; one that cannot be used holds nothing.

    Args:
        folder: Made if missing.

    Raises:
        ResourceError: If the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._kept = JsonCache(folder, SIZE_BYTES)

    def get(self, key: str) -> Any:  # noqa: ANN401 - any JSON
        """What was answered, or None."""
        try:
            return self._kept.get(key)
        except ResourceError:
            return None

    def put(self, answers: Mapping[str, Any]) -> None:
        """Keep these; where they cannot be kept they are asked for again."""
        try:
            self._kept.put(answers)
        except ResourceError:
            return


def key_of(**asked: object) -> str:
    """SHA-256 over everything that an answer rests on: model, server, data, messages, tools."""
    plain = json.dumps({"version": VERSION, **asked}, sort_keys=True, default=str)
    return hashlib.sha256(plain.encode()).hexdigest()


def to_json(reply: ChatReply) -> dict[str, Any]:
    """A reply as plain data."""
    return {"text": reply.text, "calls": [[call.id, call.name, call.arguments] for call in reply.calls]}


def from_json(held: object) -> ChatReply | None:
    """A reply from plain data; None if it is of another shape."""
    try:
        text, calls = held["text"], held["calls"]  # type: ignore[index]  # whatever lies in the cache
        return ChatReply(str(text), tuple(ToolCall(*map(str, call)) for call in calls))
    except (KeyError, TypeError):
        return None
