"""The assistant: exact answers without a model, other answers with one, and a reason where that fails.

A model starts from facts, so that a good one needs few tools and a weak one none. For a segment's name and
description it chooses blocks, or the app takes its own. A question is answered by the grammar where it can,
by a model where it cannot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from core.base.errors import Beha2VecError
from core.base.safe_text import clean
from core.facts.answer import Answer, Fact, Reading
from core.facts.context import Context
from core.facts.fact_maker import Figures, Finding, answer_of, require_segment, without_none
from core.facts.segment_tools import Evidence, compared, paragraph, persona
from core.llm import ServerLlm
from core.llm.chat_types import Capabilities, Stop, never, price_of
from core.profiles.name_words import MAX_NAME_WORDS
from core.profiles.names import name_segments
from core.profiles.profile_columns import Col
from core.questions.answers import ask
from core.questions.topics import rows_named
from core.writing import prompts
from core.writing.answer_loop import AnswerLoop, FigureAccess, OnBlocks, Task, best_access
from core.writing.model_calls import AnswerCache, ModelCalls
from core.writing.payload import (
    MAX_OFFERED,
    AssistantSettings,
    Description,
    EarlierQuestion,
    OfferedFacts,
    Payload,
    message_key,
    payload_of,
)
from core.writing.remarks import makes_claim

_OVERVIEW: Final = (Col.USERS, Col.SHARE, Col.OUTCOME_RATE)
_MAX_ROWS: Final = 3
"""Most rows of a question that get all the evidence."""
MAX_FACTS: Final = 12
"""Most facts that a weak model is offered: on two busy cores, forty tokens a second are read."""


def _opening(figures: Figures, rows: Sequence[str], known: Iterable[Fact], *, all_of_it: bool) -> list[Fact]:
    """Facts that a model starts from: known ones, the overview, a comparison of two rows, and evidence.

    The overview is of every row; evidence is of the first :data:`_MAX_ROWS` that the question names.

    Args:
        figures: Where they come from.
        rows: Keys of the rows that the question names.
        known: Facts of the answer without a model.
        all_of_it: Whether the model cannot ask for more: without rows, all segments are compared.
    """
    facts = [*known, *overview(figures)]
    if len(rows) == 2 or (all_of_it and not rows):
        with suppress(Beha2VecError):  # where that cannot be done
            facts += compared(figures, rows).facts
    for key in rows[:_MAX_ROWS]:
        facts += evidence(figures, key)
    return facts


def _brief(figures: Figures, known: Iterable[Fact]) -> list[Fact]:
    """Facts for a weak model: the known ones of the app's own answer, else :func:`overview`."""
    return list(known) or overview(figures)


def overview(figures: Figures) -> list[Fact]:
    """Number of users, share and outcome rate of every row of the segments table."""
    keys = figures.context.keys
    return list(without_none(figures.measure(key, name) for key in keys for name in _OVERVIEW))


def evidence(figures: Figures, key: str) -> list[Fact]:
    """All facts that may be told about a row (:class:`core.facts.segment_tools.Evidence`)."""
    return list(Evidence(figures, key).everything)


def _neighbours(figures: Figures, key: str) -> list[Fact]:
    """Differences of the three segments nearest to one segment from the other clustered users."""
    nearest = [fact.segments[1] for fact in Evidence(figures, key).nearest]
    return [fact for other in nearest for fact in Evidence(figures, other).differences]


_NUMBER: Final = re.compile(r"\d")


def names_in_use(figures: Figures, key: str, more: Collection[str]) -> frozenset[str]:
    """Names that a segment must not get, in lower case: those of the other segments, and ``more``.

    Raises:
        InputError: If there is no such segment.
    """
    context = figures.context
    number = int(context.row(require_segment(context, key))[Col.SEGMENT])
    others = [name for segment, name in context.names.items() if segment != number]
    return frozenset(clean(name).casefold() for name in (*others, *more))


def _task_of(figures: Figures, key: str, can: Capabilities) -> Task:
    """Task for a model to name and describe a segment.

    Raises:
        InputError: If there is no such segment.
    """
    known = paragraph(figures, require_segment(figures.context, key)).facts
    if can.is_weak:
        facts = _brief(figures, known)
    else:
        facts = [*known, *overview(figures), *evidence(figures, key)]
        facts += _neighbours(figures, key)
    question = prompts.DESCRIBED.format(who=message_key(key))
    way = FigureAccess.TOOLS if can.tools else FigureAccess.FACTS
    return Task(question, facts, way, can, named=not can.is_weak)


def offline(figures: Figures, key: str, names_taken: Collection[str], reason: str = "") -> Description:
    """Name and describe a segment without a model; ``reason``: why none was used.

    Raises:
        InputError: If there is no such segment.
    """
    finding = paragraph(figures, key)
    summary = answer_of(finding.blocks, figures.context, query=finding.query, reason=reason)
    return Description(_own_name(figures, key, names_taken), summary)


def _described(
    figures: Figures, key: str, names_taken: Collection[str], name: str, summary: Answer
) -> Description:
    """Description by a model; a ``name`` that is taken or makes a claim gives way to :func:`_own_name`."""
    plain = clean(name)
    name_found = "" if _may_stand(plain, names_taken) else _own_name(figures, key, names_taken)
    return Description(name_found or plain, summary)


def _own_name(figures: Figures, key: str, names_taken: Collection[str]) -> str:
    """Name of a segment by what sets it apart, or ``Segment 3`` if that name is taken."""
    context = figures.context
    segment = int(context.row(key)[Col.SEGMENT])
    name = name_segments(context.tables.differences, context.tables.basis.site, context.names)[segment].text
    return name if name.casefold() not in names_taken else f"Segment {segment + 1}"


def _may_stand(name: str, names_taken: Collection[str]) -> bool:
    """Whether a name has one to five words, no number, nothing that compares or misleads, and is free."""
    fits = 1 <= len(name.split()) <= MAX_NAME_WORDS and name.casefold() not in names_taken
    return fits and not _NUMBER.search(name) and not makes_claim(name, {})


_IDEAS: Final = re.compile(
    r"\b(?:personas?|campaigns?|ideas?|suggest\w*|recommend\w*|slogans?|adverts?|ads?|newsletters?|e-?mails?"
    r"|headlines?|strateg\w+|tactics?|brainstorm|should we|could we|can we do"
    r"|how (?:do|can|could|should) we)\b",
    re.IGNORECASE,
)
_REASONS: Final = re.compile(r"\b(?:why|explain|reasons?|how come)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Route:
    """The grammar's answer to a question, and whether a model should answer it.

    Args:
        offline: The answer without a model.
        reading: What was understood to be asked, as far as it was.
        needs_model: Whether a model is to be asked: the grammar declined, or it asks for reasons or ideas.
        wants_ideas: Whether it asks for ideas, which no figure can give.
    """

    offline: Answer
    reading: Reading
    needs_model: bool
    wants_ideas: bool


def _route(question: str, figures: Figures, last: Reading | None, *, is_small: bool) -> _Route:
    """Answer a question without a model, and decide whether one is needed.

    A segment that does not exist is for the analyst to settle and for nobody to guess. A small model is asked
    nothing that was declined: it would put figures of something else in the place of the reason.

    Args:
        question: In the analyst's words.
        figures: Where facts come from.
        last: What the question before asked, for one that goes on with it.
        is_small: Whether the model is small.
    """
    offline = ask(question, figures.context, last)
    ideas = bool(_IDEAS.search(question))
    try:
        rows, settled = rows_named(question, figures.context), True
    except Beha2VecError:
        rows, settled = (), False
    is_clear = offline.change is None and not (offline.declined and (offline.readings or is_small))
    wants = is_clear and (offline.declined or ideas or bool(_REASONS.search(question)))
    return _Route(offline, offline.reading or Reading(rows=rows), settled and wants, ideas)


def _without_model(route_taken: _Route, figures: Figures) -> Answer:
    """Answer if no model's can be shown: the grammar's, else what the data say of the named segment."""
    if not route_taken.offline.declined or not route_taken.reading.rows:
        return route_taken.offline
    rows = route_taken.reading.rows
    try:
        finding = persona(figures, rows[0]) if len(rows) == 1 else compared(figures, rows)
    except Beha2VecError:
        return route_taken.offline
    return answer_of(finding.blocks, figures.context, query=finding.query)


@dataclass(frozen=True, eq=False)
class Assistant:
    """Answers questions about one set of segments: without a model where possible, else with one.

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
        route_taken = self._route(question, last)
        return None if route_taken.needs_model else route_taken.offline

    def preview(
        self, question: str, history: Sequence[EarlierQuestion] = (), last: Reading | None = None
    ) -> Payload:
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
        route_taken = self._route(question, last)
        return self._payload(self._task(question, history, route_taken, self._can()))

    def preview_description(self, key: str) -> Payload:
        """The first request of :meth:`describe`, exactly as it would be sent; see :meth:`preview`.

        Raises:
            InputError: If there is no such segment.
            ResourceError: If the server gives no answer.
        """
        return self._payload(_task_of(self._figures, key, self._can()))

    def preview_comparison(self, *rows: str) -> Payload:
        """The first request of :meth:`compare`, exactly as it would be sent; see :meth:`preview`.

        Raises:
            InputError: If there is no such row, or nothing to compare.
            ResourceError: If the server gives no answer.
        """
        return self._payload(self._comparison(rows, compared(self._figures, rows), self._can()))

    def reply(
        self,
        question: str,
        history: Sequence[EarlierQuestion] = (),
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
        route_taken = self._route(question, last)
        if not route_taken.needs_model:
            return route_taken.offline
        answer = self._answer(
            lambda: self._task(question, history, route_taken, self._can(should_stop)),
            lambda: _without_model(route_taken, self._figures), on_blocks, should_stop,
        )  # fmt: skip
        return replace(answer, reading=route_taken.reading)

    def compare(
        self, *rows: str, on_blocks: OnBlocks | None = None, should_stop: Stop = never
    ) -> Answer:  # fmt: skip
        """Compare two rows, by key, or all segments; where the model fails, without it and with the reason.

        Raises:
            InputError: If there is no such row, or nothing to compare.
        """
        finding = compared(self._figures, rows)
        answer = self._answer(
            lambda: self._comparison(rows, finding, self._can(should_stop)),
            lambda: answer_of(finding.blocks, self.context), on_blocks, should_stop,
        )  # fmt: skip
        return replace(answer, query=finding.query)

    def describe(self, key: str, taken: Collection[str] = (), should_stop: Stop = never) -> Description:
        """Name and describe a segment; whatever goes wrong, without the model and with the reason.

        Args:
            key: Key of the segment's row.
            taken: Names that are not free, beside those of the other segments.
            should_stop: Whether to give up on the model.

        Raises:
            InputError: If there is no such segment.
        """
        figures = self._figures
        names = names_in_use(figures, key, taken)
        model_calls = self._talk(should_stop)
        try:
            loop = self._turn(_task_of(figures, key, self._can(should_stop)))
            summary = loop.answer(model_calls)
            description = _described(figures, key, names, loop.name, summary)
        except Beha2VecError as error:
            description = offline(figures, key, names, str(error))
        return replace(description, summary=self._counted(description.summary, model_calls))

    def _answer(
        self,
        task: Callable[[], Task],
        without: Callable[[], Answer],
        on_blocks: OnBlocks | None,
        should_stop: Stop,
    ) -> Answer:
        model_calls = self._talk(should_stop)
        try:
            loop = self._turn(task())
            answer = loop.answer(model_calls, on_blocks)
        except Beha2VecError as error:
            answer = replace(without(), reason=str(error))
        return self._counted(answer, model_calls)

    def _task(
        self, question: str, history: Sequence[EarlierQuestion], route_taken: _Route, can: Capabilities
    ) -> Task:
        figures = self._figures
        if can.is_weak:
            few = _brief(figures, _without_model(route_taken, figures).facts)
            return Task(question, few, FigureAccess.FACTS, can, ideas=route_taken.wants_ideas)
        way = best_access(can, self.settings)
        known = () if route_taken.offline.declined else route_taken.offline.facts
        facts = _opening(figures, route_taken.reading.rows, known, all_of_it=way is FigureAccess.FACTS)
        return Task(question, facts, way, can, history, route_taken.wants_ideas)

    def _comparison(self, rows: Sequence[str], finding: Finding, can: Capabilities) -> Task:
        figures = self._figures
        facts = (
            _brief(figures, finding.facts)
            if can.is_weak
            else _opening(figures, rows, finding.facts, all_of_it=False)
        )
        who = " and ".join(map(message_key, rows)) or "all segments"
        way = FigureAccess.TOOLS if can.tools else FigureAccess.FACTS
        return Task(prompts.COMPARE.format(who=who), facts, way, can)

    def _payload(self, task: Task) -> Payload:
        request = task.first(self._offered_facts(task), self.settings)
        body = self.llm.body(request.messages, request.tools, request.schema)
        return payload_of(self.llm.host, self.llm.model, body, self.settings.prices)

    def _counted(self, answer: Answer, model_calls: ModelCalls) -> Answer:
        usage = model_calls.usage
        prices = self.settings.prices
        cost = price_of(self.llm.model, usage.prompt_tokens, usage.completion_tokens, prices)
        return replace(answer, usage=usage, cost=cost)

    def _route(self, question: str, last: Reading | None) -> _Route:
        return _route(question, self._figures, last, is_small=self.llm.is_small)

    def _can(self, should_stop: Stop = never) -> Capabilities:
        return self.llm.capabilities(should_stop, self.settings.wall_s)

    @property
    def _figures(self) -> Figures:
        return Figures(self.context)

    def _turn(self, task: Task) -> AnswerLoop:
        return AnswerLoop(task, self._offered_facts(task), self.settings, self.llm.model)

    def _offered_facts(self, task: Task) -> OfferedFacts:
        most = MAX_FACTS if task.brief else MAX_OFFERED
        return OfferedFacts(self._figures, self.user_ids, self.settings, most)

    def _talk(self, should_stop: Stop) -> ModelCalls:
        return ModelCalls(self.llm, self.settings, self.cache, self.context.tables.digest, should_stop)
