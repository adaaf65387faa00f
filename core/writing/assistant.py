"""The assistant: exact answers without a model, other answers with one, and a reason where that fails."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from core.base.errors import Beha2VecError
from core.facts.answer import Answer, Reading
from core.facts.compare_segments import compared
from core.facts.context import Context
from core.facts.fact_maker import Figures
from core.facts.finding import Finding
from core.llm import ServerLlm
from core.llm.chat_types import Capabilities, Stop, never
from core.writing import describing, material, prompts
from core.writing.cache import AnswerCache
from core.writing.contract import AssistantSettings, Description, Said
from core.writing.outbox import MOST_OFFERED, Outbox, said_key
from core.writing.privacy import Payload, payload_of, price_of
from core.writing.routing import Route, route, without_model
from core.writing.talk import Talk
from core.writing.task import Task, Way, way_of
from core.writing.turn import OnBlocks, Turn, answer_of


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

    def answer_offline(self, question: str, last: Reading | None = None) -> Answer | None:
        """The answer where no model is needed: nothing is sent for it. None if the model would be asked.

        Args:
            question: In the analyst's words.
            last: What the question before asked, for one that goes on with it.
        """
        found = route(question, self._figures, last)
        return None if found.needs_model else found.offline

    def preview(self, question: str, history: Sequence[Said] = (), last: Reading | None = None) -> Payload:
        """The first request of :meth:`reply`, exactly as it would be sent; later ones hold more addresses.

        Asks the server what it can if that is not known yet, with nothing of the data in it.

        Args:
            question: In the analyst's words.
            history: What was asked before.
            last: What the question before asked, for one that goes on with it.

        Raises:
            InputError: If the question has a user id in it: it is not sent.
            ResourceError: If the server gives no answer.
        """
        found = route(question, self._figures, last)
        return self._payload(self._task(question, history, found, self._can()))

    def preview_description(self, key: str) -> Payload:
        """The first request of :meth:`describe`; see :meth:`preview`.

        Raises:
            InputError: If there is no such segment.
            ResourceError: If the server gives no answer.
        """
        return self._payload(describing.task_of(self._figures, key, self._can()))

    def preview_comparison(self, *rows: str) -> Payload:
        """The first request of :meth:`compare`; see :meth:`preview`.

        Raises:
            InputError: If there is no such row, or nothing to compare.
            ResourceError: If the server gives no answer.
        """
        return self._payload(self._comparison(rows, compared(self._figures, rows), self._can()))

    def reply(
        self,
        question: str,
        history: Sequence[Said] = (),
        last: Reading | None = None,
        on_blocks: OnBlocks | None = None,
        should_stop: Stop = never,
    ) -> Answer:
        """Answer a question; whatever goes wrong, without the model and with the reason.

        Args:
            question: In the analyst's words.
            history: What was asked before.
            last: What the question before asked, for one that goes on with it.
            on_blocks: Gets all blocks that are whole so far, each time there are more.
            should_stop: Whether to give up on the model; blocks that are whole by then are kept.
        """
        found = route(question, self._figures, last)
        if not found.needs_model:
            return found.offline
        answer = self._answer(
            lambda: self._task(question, history, found, self._can(should_stop)),
            lambda: without_model(found, self._figures), on_blocks, should_stop,
        )  # fmt: skip
        return replace(answer, reading=found.reading)

    def compare(
        self, *rows: str, on_blocks: OnBlocks | None = None, should_stop: Stop = never
    ) -> Answer:  # fmt: skip
        """Compare two rows, or all segments.

        Raises:
            InputError: If there is no such row, or nothing to compare.
        """
        told = compared(self._figures, rows)
        answer = self._answer(
            lambda: self._comparison(rows, told, self._can(should_stop)),
            lambda: answer_of(told.blocks, self._figures), on_blocks, should_stop,
        )  # fmt: skip
        return replace(answer, query=told.query)

    def describe(self, key: str, taken: Collection[str] = (), should_stop: Stop = never) -> Description:
        """Name and describe a segment; whatever goes wrong, without the model and with the reason.

        Args:
            key: The segment.
            taken: Names that are not free, beside those of the other segments.
            should_stop: Whether to give up on the model.

        Raises:
            InputError: If there is no such segment.
        """
        figures = self._figures
        names = describing.taken(figures, key, taken)
        talk = self._talk(should_stop)
        try:
            turn = self._turn(describing.task_of(figures, key, self._can(should_stop)))
            summary = turn.answer(talk)
            made = describing.described(figures, key, names, turn.name, summary)
        except Beha2VecError as error:
            made = describing.offline(figures, key, names, str(error))
        return replace(made, summary=self._counted(made.summary, talk))

    def _answer(
        self,
        task: Callable[[], Task],
        without: Callable[[], Answer],
        on_blocks: OnBlocks | None,
        should_stop: Stop,
    ) -> Answer:
        talk = self._talk(should_stop)
        try:
            turn = self._turn(task())
            answer = turn.answer(talk, on_blocks)
        except Beha2VecError as error:
            answer = replace(without(), reason=str(error))
        return self._counted(answer, talk)

    def _task(self, question: str, history: Sequence[Said], found: Route, can: Capabilities) -> Task:
        figures = self._figures
        if can.is_weak:
            few = material.brief(figures, without_model(found, figures).facts)
            return Task(question, few, Way.FACTS, can, ideas=found.wants_ideas)
        way = way_of(can, self.settings)
        known = () if found.offline.declined else found.offline.facts
        facts = material.opening(figures, found.reading.rows, known, all_of_it=way is Way.FACTS)
        return Task(question, facts, way, can, history, found.wants_ideas)

    def _comparison(self, rows: Sequence[str], told: Finding, can: Capabilities) -> Task:
        figures = self._figures
        facts = (
            material.brief(figures, told.facts)
            if can.is_weak
            else material.opening(figures, rows, told.facts, all_of_it=False)
        )
        who = " and ".join(map(said_key, rows)) or "all segments"
        way = Way.TOOLS if can.tools else Way.FACTS
        return Task(prompts.COMPARE.format(who=who), facts, way, can)

    def _payload(self, task: Task) -> Payload:
        request = task.first(self._outbox(task), self.settings)
        body = self.llm.body(request.messages, request.tools, request.schema)
        return payload_of(self.llm.host, self.llm.model, body, self.settings.prices)

    def _counted(self, answer: Answer, talk: Talk) -> Answer:
        usage = talk.usage
        prices = self.settings.prices
        cost = price_of(self.llm.model, usage.prompt_tokens, usage.completion_tokens, prices)
        return replace(answer, usage=usage, cost=cost)

    def _can(self, should_stop: Stop = never) -> Capabilities:
        return self.llm.capabilities(should_stop, self.settings.wall_s)

    @property
    def _figures(self) -> Figures:
        return Figures(self.context)

    def _turn(self, task: Task) -> Turn:
        return Turn(task, self._outbox(task), self.settings, self.llm.model)

    def _outbox(self, task: Task) -> Outbox:
        most = material.MOST_FACTS if task.brief else MOST_OFFERED
        return Outbox(self._figures, self.user_ids, self.settings, most)

    def _talk(self, should_stop: Stop) -> Talk:
        return Talk(self.llm, self.settings, self.cache, self.context.tables.digest, should_stop)
