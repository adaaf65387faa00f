"""One answer of a model: figures first where it may ask for them, then blocks; one repair."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from core.base.errors import Beha2VecError, Cancelled, ResourceError
from core.facts import tools
from core.facts.answer import Answer, Block, facts_of
from core.facts.fact_maker import Figures
from core.facts.finding import with_bases
from core.llm.chat_types import ChatReply, Enough, Message, ToolCall
from core.llm.parsing import without_thoughts
from core.writing import prompts, reading, specs
from core.writing.contract import AssistantSettings
from core.writing.outbox import Outbox, said_key
from core.writing.resolving import Resolved, resolve, resolve_flat
from core.writing.talk import Talk
from core.writing.task import Request, Task, Way, messages

OnBlocks = Callable[[tuple[Block, ...]], None]
IDLE_ROUNDS: Final = 2
"""Rounds in which a model may go on asking for tools when no calls are left."""
AFTERWORDS: Final = 200
"""Characters after an answer, from which it is not waited for the end of them."""
MOST_PROBLEMS: Final = 5
"""Told to the model when it is to answer once more."""


@dataclass(eq=False)
class Turn:
    """Runs a task.

    Args:
        task: What to answer.
        outbox: What may be sent.
        settings: Limits.
        model: The model's name.
    """

    task: Task
    outbox: Outbox
    settings: AssistantSettings
    model: str
    name: str = ""
    _query: str = ""
    _calls: int = 0
    _found: reading.Listed = field(default_factory=reading.Listed)

    def answer(self, talk: Talk, on_blocks: OnBlocks | None = None) -> Answer:
        """The model's answer.

        Args:
            talk: With the model.
            on_blocks: Gets all blocks that are whole so far.

        Raises:
            Beha2VecError: If there is none that may be shown; the message says why.
        """
        request, reason = self.task.first(self.outbox, self.settings), ""
        try:
            if self.task.way is Way.PLAN:
                request = self._planned(talk, request)
            made = self._resolved(talk, request, on_blocks)
            if not self._holds(made) and not self.task.brief:
                made = self._resolved(talk, self._again(request, made), on_blocks)
        except (ResourceError, Cancelled) as error:
            made, reason = self._blocks(self._found), str(error)
            if not self._holds(made):
                raise
        if not self._holds(made):
            raise self._nothing(made)
        if not reason:
            talk.keep()
        return answer_of(
            made.blocks, self.outbox.figures, query=self._query, source=self.model, reason=reason,
            dropped=len(made.problems),
        )  # fmt: skip

    def _planned(self, talk: Talk, request: Request) -> Request:
        said = talk.chat(request.messages, (), request.schema, lambda _: None).text
        told = [str(request.messages[-1]["content"])]
        for call in reading.listed(said, "calls").parts:
            values = dict(call) if isinstance(call, Mapping) else {}
            told.append(self._called(str(values.pop("tool", "")), values))
        return self._request(messages(self.task.instructions(self.settings), "\n".join(told)))

    def _again(self, request: Request, made: Resolved) -> Request:
        told = list(dict.fromkeys(made.problems))[:MOST_PROBLEMS] or [prompts.NO_BLOCKS]
        problems = "\n".join(f"- {problem}" for problem in told)
        complaint = {"role": "user", "content": prompts.WRONG.format(problems=problems)}
        return self._request([*request.messages, complaint])

    def _request(self, said: list[Message]) -> Request:
        return self.task.request(said, self.outbox, self.settings)

    def _resolved(self, talk: Talk, request: Request, on_blocks: OnBlocks | None) -> Resolved:
        """Blocks of an answer, after as many calls of tools as the model asks for and may have."""
        seen = 0

        def part(reply: ChatReply) -> None:
            nonlocal seen
            said = _said(reply)
            found = self._found = reading.listed(said, self._field)
            if len(found.parts) > seen:
                seen = len(found.parts)
                if on_blocks and (blocks := self._blocks(found).blocks):
                    on_blocks(tuple(blocks))
            if found.end and len(said) > found.end + AFTERWORDS:
                raise Enough(said)

        for _ in range(self.settings.max_tool_calls + IDLE_ROUNDS):
            reply = talk.chat(request.messages, request.tools, request.schema, part)
            asked = [call for call in reply.calls if call.name != specs.ANSWER]
            if not asked or len(asked) < len(reply.calls):
                return self._read(_said(reply), request)
            self.outbox.check(reply)
            results = [self._result(call) for call in reply.calls]
            request = self._request([*request.messages, _asking(reply), *results])
        raise ResourceError(
            f"The language model {self.model!r} went on asking for figures instead of answering",
            remedy="Ask a narrower question",
        )

    @property
    def _field(self) -> str:
        return "facts" if self.task.brief else "blocks"

    def _read(self, said: str, request: Request) -> Resolved:
        self.name = reading.string(said, "name")
        made = self._blocks(reading.listed(said, self._field))
        if not self._holds(made) and not self.task.brief:
            self.outbox.check(ChatReply(said))
            request.messages.append({"role": "assistant", "content": said})
        return made

    def _blocks(self, found: reading.Listed) -> Resolved:
        made = (
            resolve_flat(found.parts, self.outbox)
            if self.task.brief
            else resolve(found.parts, self.outbox, self._names)
        )
        made.problems += ["a block is not whole"] if found.is_broken else []
        return made

    @property
    def _names(self) -> dict[str, str]:
        context = self.outbox.figures.context
        rows = {said_key(key): context.title(key) for key in context.segment_keys}
        return {name: f"“{text}”" for name, text in self.outbox.quotes.data().items()} | rows

    def _result(self, call: ToolCall) -> Message:
        try:
            told = self._called(call.name, specs.arguments_of(call))
        except Beha2VecError as error:
            told = self.outbox.problem(error)
        return {"role": "tool", "tool_call_id": call.id, "content": told}

    def _called(self, name: str, values: dict[str, Any]) -> str:
        if self._calls >= self.settings.max_tool_calls:
            return self.outbox.problem(ResourceError(prompts.NO_CALLS_LEFT))
        self._calls += 1
        try:
            finding = tools.call(self.outbox.figures, name, self.outbox.own_terms(values))
        except Beha2VecError as error:
            return self.outbox.problem(error)
        self._query = finding.query or self._query
        return self.outbox.result(finding.facts)

    def _holds(self, made: Resolved) -> bool:
        return bool(facts_of(made.blocks) or (made.blocks and self.task.ideas))

    def _nothing(self, made: Resolved) -> ResourceError:
        """Why an answer is not shown; what was wrong in it is not repeated."""
        wrong = f": {len(made.problems)} parts of its answer did not hold" if made.problems else ""
        return ResourceError(f"The language model {self.model!r} chose no figure of the data{wrong}")


def answer_of(blocks: Sequence[Block], figures: Figures, **more: Any) -> Answer:  # noqa: ANN401 - of Answer
    """An answer with what its rows are called."""
    facts, context = facts_of(blocks), figures.context
    rows = dict.fromkeys(row for fact in facts for row in fact.segments)
    titles, population = context.titles(rows) if rows else {}, context.population_of(facts)
    return Answer(with_bases(blocks, context), titles, population=population, **more)


def _said(reply: ChatReply) -> str:
    """The answer's call where there is one, else the text."""
    calls = (call.arguments for call in reply.calls if call.name == specs.ANSWER)
    return next(calls, "") or without_thoughts(reply.text)


def _asking(reply: ChatReply) -> Message:
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in reply.calls
    ]
    return {"role": "assistant", "content": reply.text or None, "tool_calls": calls}
