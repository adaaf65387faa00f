"""One question's talk with a model: within limits of time and tokens, and free where it was had before."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.base.errors import ResourceError
from core.llm import ServerLlm
from core.llm.chat_types import ChatReply, Message, Schema, Stop, ToolSpec, Usage, tokens_of
from core.writing.cache import AnswerCache, from_json, key_of, to_json
from core.writing.contract import AssistantSettings


class Talk:
    """See the module.

    Args:
        llm: The model.
        settings: Limits.
        cache: Earlier answers.
        data: Names the data set and its segments.
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
        """Used so far, as the server counts."""
        return self._llm.usage.since(self._before)

    def chat(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        schema: Schema | None,
        on_part: Callable[[ChatReply], None],
    ) -> ChatReply:
        """Go on with the conversation; ``on_part`` gets what came so far.

        Raises:
            ResourceError: If no whole answer came, or a limit is reached.
            Cancelled: If told to give up.
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
        """Remember what was said, now that it turned out to be good."""
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
        """Count what is about to be sent.

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
