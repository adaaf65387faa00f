"""Answers that a language model is writing into a conversation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from core.desk import conversations
from core.desk.conversations import Conversation
from core.desk.errand import Writing
from core.facts.answer import Answer
from core.storage.store import Store
from core.writing import Assistant, Said
from core.writing.privacy import Payload


@dataclass(eq=False)
class Turn(Writing):
    """One answer on its way.

    Args:
        store: Where the conversation is kept.
        conversation: What was said so far, the question included.
        offline: What is answered without the model.
    """

    store: Store
    conversation: Conversation
    offline: Answer
    _unwanted: bool = field(default=False, kw_only=True)

    def preview(self, assistant: Assistant) -> tuple[Payload, ...]:
        """See :class:`Errand`."""
        return (assistant.preview(self._question, self._history),)

    def work(self, assistant: Assistant) -> None:
        """See :class:`Errand`."""
        self._keep(assistant.reply(self._question, self._history, self.show, self.should_stop))

    def without(self, reason: str) -> None:
        """See :class:`Errand`."""
        self._keep(replace(self.offline, reason=reason))

    def discard(self) -> None:
        """Give up, and keep nothing: the conversation is being deleted."""
        self._unwanted = True
        self.stop()

    def _keep(self, answer: Answer) -> None:
        if not self._unwanted:
            conversations.save(self.store, self.conversation.saying(conversations.to_message(answer)))

    @property
    def _question(self) -> str:
        return self.conversation.messages[-1].text

    @property
    def _history(self) -> list[Said]:
        return [
            Said("user" if one.role == "user" else "assistant", one.text, one.facts, one.source)
            for one in self.conversation.messages[:-1]
        ]
