"""An answer put together from the pieces that come, and from one that comes whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.llm.chat_types import ChatReply, ToolCall


@dataclass
class Pieces:
    """What came so far.

    Args:
        text: What the model says.
        refusal: Why it says nothing, where the server tells that apart.
        calls: By their place: id, name, arguments.
        finish: Why it ended; empty while it has not.
        usage: As the server counts; None until it says so.
        any: Whether anything came.
    """

    text: str = ""
    refusal: str = ""
    calls: dict[int, list[str]] = field(default_factory=dict)
    finish: str = ""
    usage: dict[str, Any] | None = None
    any: bool = False

    def add(self, chunk: Any) -> bool | ToolCall:  # noqa: ANN401 - the SDK's, of whatever shape was sent
        """One piece of a stream.

        Returns:
            True if there is more text, else the tool call of which there is more, else False.
        """
        self.any = True
        self._count(chunk)
        if not chunk.choices:
            return False
        choice = chunk.choices[0]
        self.finish = choice.finish_reason or self.finish
        delta = choice.delta
        written: bool | ToolCall = False
        for call in (delta and delta.tool_calls) or ():
            self._call(call.index or 0, call)
            written = ToolCall(*self.calls[call.index or 0])
        self.refusal += str((delta and getattr(delta, "refusal", "")) or "")
        more = str((delta and delta.content) or "")
        self.text += more
        return bool(more) or written

    def whole(self, completion: Any) -> None:  # noqa: ANN401 - as above
        """An answer in one piece."""
        self.any = True
        self._count(completion)
        choice = completion.choices[0]
        self.finish = choice.finish_reason or "stop"
        self.text = str(choice.message.content or "")
        self.refusal = str(choice.message.refusal or "")
        for place, call in enumerate(choice.message.tool_calls or ()):
            self._call(place, call)

    def reply(self) -> ChatReply:
        """All of it."""
        named = [(place, parts) for place, parts in sorted(self.calls.items()) if parts[1]]
        calls = (ToolCall(parts[0] or f"call_{place}", parts[1], parts[2]) for place, parts in named)
        return ChatReply(self.text, tuple(calls))

    def _call(self, place: int, call: Any) -> None:  # noqa: ANN401 - as above
        parts = self.calls.setdefault(place, ["", "", ""])
        parts[0] = call.id or parts[0]
        if call.function:
            parts[1] += call.function.name or ""
            parts[2] += call.function.arguments or ""

    def _count(self, answer: Any) -> None:  # noqa: ANN401 - as above
        if getattr(answer, "usage", None):
            self.usage = answer.usage.model_dump()
