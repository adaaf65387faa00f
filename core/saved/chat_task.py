"""Background task that answers a question of a conversation."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.facts.answer import Answer
from core.facts.context import Context
from core.questions.answers import ask
from core.saved import conversations
from core.saved.conversations import Conversation
from core.saved.model_tasks import AnswerTask
from core.storage.store import Store
from core.writing import Assistant, EarlierQuestion
from core.writing.payload import Payload


@dataclass(eq=False)
class ChatTask(AnswerTask):
    """Background task that answers one question of a conversation and saves the answer there.

    Args:
        store: Where the conversation is kept.
        conversation: As it was when the question was asked; answers that came meanwhile are read again.
        place: Index of the question among ``exchanges``.
        context: The segments that it was asked about.
    """

    store: Store
    conversation: Conversation
    place: int
    context: Context

    def preview(self, assistant: Assistant) -> tuple[Payload, ...]:
        """The first request of the answer; empty where no model is needed."""
        now = self._now
        last = now.reading(self.place)
        if assistant.answer_offline(self._question, last) is not None:
            return ()
        return (assistant.preview(self._question, _history(now, self.place), last),)

    def work(self, assistant: Assistant) -> None:
        """Ask the model, and keep its answer."""
        now = self._now
        before, last = _history(now, self.place), now.reading(self.place)
        self._keep(assistant.reply(self._question, before, last, self.show, self.should_stop))

    def without(self, reason: str) -> None:
        """Keep the answer that needs no model."""
        offline = ask(self._question, self.context, self._now.reading(self.place))
        self._keep(replace(offline, reason=reason))

    def _keep(self, answer: Answer) -> None:
        conversations.answer(self.store, self.conversation, self.place, answer, self.context)

    @property
    def _question(self) -> str:
        return self.conversation.exchanges[self.place].question

    @property
    def _now(self) -> Conversation:
        """The conversation with the answers that came meanwhile."""
        found = conversations.load(self.store, self.conversation.model, self.conversation.id)
        return found or self.conversation


def _history(conversation: Conversation, place: int) -> list[EarlierQuestion]:
    """Questions and answers before the one of index ``place``, as an assistant takes them."""
    return [EarlierQuestion(one.question, one.answer) for one in conversation.exchanges[:place]]
