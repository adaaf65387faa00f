"""One question's talk with a model: within limits of time and tokens, and free where it was had before."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from core.base.errors import ResourceError
from core.llm.chat_types import ChatReply, Message, Stop, ToolSpec, Usage, tokens_of
from core.llm.server import ServerLlm
from core.writing.cache import AnswerCache, from_json, key_of, to_json
from core.writing.contract import AssistantSettings

PARSE_REQUESTS: Final = 3
"""That an object may take: held to the schema, asked in words, asked to repair it."""
LATE: Final = 0.1
"""Part of the time that is left when it is nearly over."""
T = TypeVar("T", bound=BaseModel)


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

    @property
    def is_late(self) -> bool:
        """Whether the time is nearly over."""
        return self._until - time.monotonic() < LATE * self._settings.wall_s

    def chat(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        on_text: Callable[[str], None] | None = None,
    ) -> ChatReply:
        """Go on with the conversation.

        Raises:
            ResourceError: If no whole answer came, or a limit is reached.
            Cancelled: If told to give up.
        """
        key = key_of(model=self._llm.identity, data=self._data, messages=messages, tools=tools)
        reply = from_json(self._held(key))
        if reply is not None:
            if on_text:
                on_text(reply.text)
            return reply
        self._afford(messages, tools)
        reply = self._llm.chat(messages, tools, self._paid(on_text), self._should_stop, self._left())
        self._came(key, to_json(reply))
        if not reply.text.strip() and not reply.calls:
            raise ResourceError(f"The language model {self._llm.model!r} said nothing", remedy="Ask again")
        return reply

    def parse(self, system: str, user: str, schema: type[T]) -> T:
        """Ask for an object.

        Raises:
            ResourceError: If no valid one came, or a limit is reached.
            Cancelled: If told to give up.
        """
        shape = schema.model_json_schema()
        key = key_of(model=self._llm.identity, data=self._data, messages=[system, user], schema=shape)
        try:
            return schema.model_validate(self._held(key))
        except ValidationError:
            size, before = self._afford([system, user], [shape], requests=PARSE_REQUESTS), self.usage.calls
        found = self._llm.parse(system, user, schema, should_stop=self._should_stop, timeout_s=self._left())
        self._estimated += size * max(0, self.usage.calls - before - 1)
        self._came(key, found.model_dump(mode="json", exclude_unset=True))
        return found

    def keep(self) -> None:
        """Remember what was said, now that it turned out to be good."""
        if self._cache and self._new:
            self._cache.put(self._new)

    def _held(self, key: str) -> Any:  # noqa: ANN401 - any JSON
        return self._cache.get(key) if self._cache else None

    def _came(self, key: str, answer: dict[str, Any]) -> None:
        self._estimated += tokens_of(json.dumps(answer))
        self._new[key] = answer

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise ResourceError(
                f"The answer took more than {self._settings.wall_s:g} s",
                remedy="Ask again, or raise the limit",
            )
        return left

    def _paid(self, on_text: Callable[[str], None] | None) -> Callable[[str], None]:
        """Passes a text on while it is within the limit: not every server keeps to the length asked for."""

        def part(text: str) -> None:
            self._within(tokens_of(text))
            if on_text:
                on_text(text)

        return part

    def _afford(self, *sent: Sequence[object], requests: int = 1) -> int:
        """Count what is about to be sent.

        Args:
            sent: Of one request.
            requests: That it may take.

        Returns:
            Tokens of one request.

        Raises:
            ResourceError: If that is more than the limit.
        """
        size = sum(tokens_of(json.dumps(part, default=str)) for part in sent)
        self._within(size * requests)
        self._estimated += size
        return size

    def _within(self, more: int) -> None:
        if max(self._estimated, self.usage.tokens) + more > self._settings.max_tokens:
            raise ResourceError(
                f"The answer would take more than {self._settings.max_tokens:,} tokens",
                remedy="Ask a narrower question, or raise the limit",
            )
