"""The calls of a model for one question, within limits of time and tokens, and a cache of good answers.

An answer that was good enough to be shown is kept, so that the same question is free again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from core.base.errors import ResourceError
from core.llm import ServerLlm
from core.llm.chat_types import ChatReply, Message, Schema, Stop, ToolCall, ToolSpec, Usage, tokens_of
from core.storage.json_cache import JsonCache
from core.writing.payload import AssistantSettings

_VERSION: Final = 2
"""Version of the cache, raised when what a model is told changes in a way that its messages do not show."""
_SIZE_BYTES: Final = 64 * 2**20


class AnswerCache:
    """Cached answers of models, as JSON in a folder that only its owner can open.

    Args:
        folder: Made if missing.

    Raises:
        ResourceError: If the folder cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._kept = JsonCache(folder, _SIZE_BYTES)

    def get(self, key: str) -> Any:  # noqa: ANN401 - any JSON
        """Read a cached answer by its :func:`key_of`; None if there is none, or the disk refuses."""
        try:
            return self._kept.get(key)
        except ResourceError:
            return None

    def put(self, answers: Mapping[str, Any]) -> None:
        """Keep answers by key; without an error where the disk refuses."""
        try:
            self._kept.put(answers)
        except ResourceError:
            return


def key_of(**asked: object) -> str:
    """Cache key: SHA-256, as hex, over everything that an answer depends on."""
    plain = json.dumps({"version": _VERSION, **asked}, sort_keys=True, default=str)
    return hashlib.sha256(plain.encode()).hexdigest()


def to_json(reply: ChatReply) -> dict[str, Any]:
    """A reply as plain data."""
    return {"text": reply.text, "calls": [[call.id, call.name, call.arguments] for call in reply.calls]}


def from_json(content: object) -> ChatReply | None:
    """A reply from plain data; None if it is of another shape."""
    try:
        text, calls = content["text"], content["calls"]  # type: ignore[index]  # whatever lies in the cache
        return ChatReply(str(text), tuple(ToolCall(*map(str, call)) for call in calls))
    except (KeyError, TypeError):
        return None


class ModelCalls:
    """The calls of a model for one question, within limits and from the cache where possible.

    Args:
        llm: The model.
        settings: Limits of seconds and tokens for all calls together.
        cache: Earlier answers; None keeps none.
        data: Digest of the data set and its segments.
        should_stop: Whether to give up.
    """

    def __init__(
        self,
        llm: ServerLlm,
        settings: AssistantSettings,
        cache: AnswerCache | None,
        data: str,
        should_stop: Stop,
    ) -> None:
        self._llm, self._settings, self._cache, self._data = llm, settings, cache, data
        self._should_stop, self._before = should_stop, llm.usage
        self._until = time.monotonic() + settings.wall_s
        self._estimated = 0
        self._new: dict[str, Any] = {}

    @property
    def usage(self) -> Usage:
        """Calls and tokens of this question, as the server counts."""
        return self._llm.usage.since(self._before)

    def chat(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        schema: Schema | None,
        on_part: Callable[[ChatReply], None],
    ) -> ChatReply:
        """The model's reply to a conversation, from the cache if it is there; ``on_part`` gets all so far.

        Raises:
            ResourceError: If no complete answer came, or a limit is reached.
            Cancelled: If ``should_stop`` says so.
        """
        body = self._llm.body(messages, tools, schema)
        key = key_of(model=self._llm.identity, data=self._data, body=body)
        reply = from_json(self._cache.get(key) if self._cache else None)
        if reply is not None:
            on_part(reply)
            return reply
        self._afford(body)

        def part(said: ChatReply) -> None:
            self._within(tokens_of(said.text + "".join(call.arguments for call in said.calls)))
            on_part(said)

        reply = self._llm.chat(
            messages, tools, lambda text: part(ChatReply(text)), self._should_stop, self._left(),
            schema=schema, on_call=lambda call: part(ChatReply("", (call,))),
        )  # fmt: skip
        self._new[key] = to_json(reply)
        self._estimated += tokens_of(json.dumps(self._new[key]))
        if not reply.text.strip() and not reply.calls:
            raise ResourceError(f"The language model {self._llm.model!r} said nothing", remedy="Ask again")
        return reply

    def keep(self) -> None:
        """Write the replies of this question to the cache; to be called once they turned out to be good."""
        if self._cache and self._new:
            self._cache.put(self._new)

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise ResourceError(
                f"The answer took more than {self._settings.wall_s:g} s",
                remedy="Ask again, or raise the limit",
            )
        return left

    def _afford(self, body: Mapping[str, Any]) -> None:
        """Count the tokens about to be sent.

        Raises:
            ResourceError: If that is more than the limit.
        """
        size = tokens_of(json.dumps(body, default=str))
        self._within(size)
        self._estimated += size

    def _within(self, more: int) -> None:
        if max(self._estimated, self.usage.tokens) + more > self._settings.max_tokens:
            raise ResourceError(
                f"The answer would take more than {self._settings.max_tokens:,} tokens",
                remedy="Ask a narrower question, or raise the limit",
            )
