"""The assistant: exact answers without a model, other answers with one, and a reason where that fails."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from core.base.errors import Beha2VecError
from core.facts import arguments
from core.facts.answer import Answer
from core.facts.compare_segments import compare, compare_all
from core.facts.context import Context
from core.facts.fact_book import FactBook
from core.facts.fact_maker import Figures
from core.facts.finding import Finding
from core.llm.chat_types import Stop, never
from core.llm.server import ServerLlm
from core.writing import describing, material, prompts
from core.writing.cache import AnswerCache
from core.writing.contract import AssistantSettings, Description, Said
from core.writing.outbox import Outbox
from core.writing.privacy import Payload, price_of, said_key
from core.writing.routing import Route, route, without_model
from core.writing.talk import Talk
from core.writing.turn import OnText, Task, Turn, Way, first_message, way_of

Pair: TypeAlias = tuple[()] | tuple[str, str]
"""Two rows, or none where all segments are meant."""


@dataclass(frozen=True, eq=False)
class Assistant:
    """Answers about one set of segments with one model.

    Args:
        llm: The model; it remembers what its server can do, so keep one a session.
        context: The segments.
        user_ids: All ids of the data set; none of them is ever sent.
        settings: What may be sent and spent.
        cache: Earlier answers; None asks again each time.
    """

    llm: ServerLlm
    context: Context
    user_ids: Collection[str]
    settings: AssistantSettings = field(default_factory=AssistantSettings)
    cache: AnswerCache | None = None

    def answer_offline(self, question: str) -> Answer | None:
        """The answer where no model is needed: nothing is sent for it. None if the model would be asked."""
        found = route(question, self._figures())
        return None if found.needs_model else found.offline

    def preview(self, question: str, history: Sequence[Said] = ()) -> Payload:
        """The first message of :meth:`reply`, exactly as it would be sent; later ones hold more such facts.

        Asks the server what it can if that is not known yet, with nothing of the data in it.

        Raises:
            InputError: If the question has a user id in it: it is not sent.
            ResourceError: If the server gives no answer.
        """
        figures = self._figures()
        outbox = self._outbox(figures)
        task = self._task(question, history, figures, route(question, figures), never)
        return first_message(task, outbox, self.settings, self.llm.host, self.llm.model)

    def preview_description(self, key: str) -> Payload:
        """The first message of :meth:`describe`, exactly as it would be sent.

        Asks the server what it can if that is not known yet, with nothing of the data in it.

        Raises:
            InputError: If there is no such segment.
            ResourceError: If the server gives no answer.
        """
        can = self.llm.capabilities(never, self.settings.wall_s)
        outbox = self._outbox(self._figures())
        return describing.first(key, outbox, can, host=self.llm.host, model=self.llm.model)

    def reply(
        self,
        question: str,
        history: Sequence[Said] = (),
        on_text: OnText | None = None,
        should_stop: Stop = never,
    ) -> Answer:
        """Answer a question; whatever goes wrong, without the model and with the reason.

        Args:
            question: In the analyst's words.
            history: What was said before.
            on_text: Gets all that can be shown so far, as Markdown: only sentences that were checked.
            should_stop: Whether to give up on the model.
        """
        figures = self._figures()
        found = route(question, figures)
        if not found.needs_model:
            return found.offline
        return self._written(
            lambda: self._task(question, history, figures, found, should_stop),
            lambda: without_model(found, figures), figures, on_text, should_stop,
        )  # fmt: skip

    def preview_comparison(self, first: str | None = None, second: str | None = None) -> Payload:
        """The first message of :meth:`compare`, exactly as it would be sent.

        Asks the server what it can if that is not known yet, with nothing of the data in it.

        Raises:
            InputError: If there is no such row, or nothing to compare.
            ResourceError: If the server gives no answer.
        """
        figures = self._figures()
        both = _both(first, second)
        task = self._comparison(both, _compared(figures, both), figures, never)
        return first_message(task, self._outbox(figures), self.settings, self.llm.host, self.llm.model)

    def compare(
        self,
        first: str | None = None,
        second: str | None = None,
        on_text: OnText | None = None,
        should_stop: Stop = never,
    ) -> Answer:
        """Compare two rows, or all segments.

        Raises:
            InputError: If there is no such row, or nothing to compare.
        """
        figures = self._figures()
        both = _both(first, second)
        told = _compared(figures, both)
        offline = Answer(told.text, told.facts, told.table, told.query)
        answer = self._written(
            lambda: self._comparison(both, told, figures, should_stop),
            lambda: offline, figures, on_text, should_stop,
        )  # fmt: skip
        return answer if answer.reason else replace(answer, table=told.table, query=told.query)

    def describe(self, key: str, taken: Collection[str] = (), should_stop: Stop = never) -> Description:
        """Name and describe a segment; whatever goes wrong, without the model and with the reason.

        Args:
            key: The segment.
            taken: Names that are not free, beside those of the other segments.
            should_stop: Whether to give up on the model.

        Raises:
            InputError: If there is no such segment.
        """
        figures = self._figures()
        names = describing.taken(figures, key, taken)
        talk = self._talk(should_stop)
        try:
            can = self.llm.capabilities(should_stop, self.settings.wall_s)
            made = describing.by_model(
                key, self._outbox(figures), talk, names, can, host=self.llm.host, model=self.llm.model
            )
        except Beha2VecError as error:
            made = describing.offline(figures, key, names, str(error))
        return replace(made, summary=self._counted(made.summary, talk))

    def _written(
        self,
        task: Callable[[], Task],
        without: Callable[[], Answer],
        figures: Figures,
        on_text: OnText | None,
        should_stop: Stop,
    ) -> Answer:
        talk, outbox = self._talk(should_stop), self._outbox(figures)
        try:
            todo = task()
            payload = first_message(todo, outbox, self.settings, self.llm.host, self.llm.model)
            turn = Turn(todo, outbox, talk, self.settings, self.llm.model)
            answer = turn.answer(payload, on_text)
        except Beha2VecError as error:
            answer = replace(without(), reason=str(error))
        return self._counted(answer, talk)

    def _task(
        self, question: str, history: Sequence[Said], figures: Figures, found: Route, should_stop: Stop
    ) -> Task:
        can = self.llm.capabilities(should_stop, self.settings.wall_s)
        if can.is_weak:
            few = material.brief(figures, without_model(found, figures))
            return Task(question, few, Way.FACTS, can.slots, ideas=found.wants_ideas, brief=True)
        way = way_of(can, self.settings)
        known = () if found.offline.declined else found.offline.facts
        facts = material.opening(figures, found.parsed.rows, known, all_of_it=way is Way.FACTS)
        return Task(question, facts, way, can.slots, history, found.wants_ideas)

    def _comparison(self, both: Pair, told: Finding, figures: Figures, should_stop: Stop) -> Task:
        can = self.llm.capabilities(should_stop, self.settings.wall_s)
        facts = (
            material.brief(figures, told)
            if can.is_weak
            else material.opening(figures, both, told.facts, all_of_it=False)
        )
        who = " and ".join(map(said_key, both)) or "all segments"
        return Task(prompts.COMPARE.format(who=who), facts, Way.FACTS, can.slots, brief=can.is_weak)

    def _counted(self, answer: Answer, talk: Talk) -> Answer:
        usage = talk.usage
        prices = self.settings.prices
        cost = price_of(self.llm.model, usage.prompt_tokens, usage.completion_tokens, prices)
        return replace(answer, usage=usage, cost=cost)

    def _figures(self) -> Figures:
        return Figures(self.context, FactBook(self.context.tables.digest))

    def _outbox(self, figures: Figures) -> Outbox:
        return Outbox(figures, self.user_ids, self.settings)

    def _talk(self, should_stop: Stop) -> Talk:
        return Talk(self.llm, self.settings, self.cache, self.context.tables.digest, should_stop)


def _both(first: str | None, second: str | None) -> Pair:
    return (first, second) if first and second else ()


def _compared(figures: Figures, both: Pair) -> Finding:
    return compare(figures, arguments.Compare(a=both[0], b=both[1])) if both else compare_all(figures)
