"""One answer of a model: facts first, then text, checked; a mistake may be repaired once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from core.base.errors import Beha2VecError, ResourceError
from core.facts import tools
from core.facts.answer import Answer, Fact
from core.facts.finding import Finding, fact_table
from core.llm.chat_types import Capabilities, ChatReply, Enough, ToolCall
from core.writing import prompts, specs
from core.writing.checking import Checker, Draft, streamed
from core.writing.contract import AssistantSettings, Said
from core.writing.outbox import Outbox
from core.writing.privacy import Payload
from core.writing.prose.sentence import split_sentences
from core.writing.talk import Talk

OnText = Callable[[str], None]
IDLE_ROUNDS: Final = 2
"""Rounds in which a model may go on asking for tools when no calls are left."""
MOST_SENTENCES: Final = 4
"""Of a weak model, which does not come to an end by itself."""


class Way(StrEnum):
    """How a model gets at figures: three steps down."""

    TOOLS = "tools"
    """It calls tools."""
    PLAN = "plan"
    """It is held to a schema: a list of calls, made before it writes."""
    FACTS = "facts"
    """All it gets are the facts of the first message."""


def way_of(can: Capabilities, settings: AssistantSettings) -> Way:
    """The best way that a server can."""
    if settings.max_tool_calls == 0:
        return Way.FACTS
    return Way.TOOLS if can.tools else Way.PLAN if can.schema else Way.FACTS


@dataclass(frozen=True, eq=False)
class Task:
    """What a model is to write.

    Args:
        question: Of the analyst, or ours.
        facts: It starts from.
        way: How it gets more.
        slots: Whether it can be held to slots.
        history: What was said before.
        ideas: Whether it may say what no fact says, and nothing else.
        brief: Whether the model is weak: few words to read, few to write, no second try, and no ideas alone.
    """

    question: str
    facts: Sequence[Fact]
    way: Way
    slots: bool
    history: Sequence[Said] = ()
    ideas: bool = False
    brief: bool = False

    def instructions(self, most: int) -> str:
        """What the model is told to do first."""
        if self.brief:
            return prompts.BRIEF
        if self.way is Way.PLAN:
            return prompts.PLAN.format(most=most)
        more = prompts.TOOLS.format(most=most) if self.way is Way.TOOLS else ""
        return prompts.ABOUT + (prompts.SLOTS if self.slots else prompts.DIGITS) + more

    def schemas(self, most: int) -> str:
        """What goes beside the first message: the tools, or the shape of a plan."""
        if self.way is Way.PLAN:
            return specs.as_json(specs.plan_of(most).model_json_schema())
        return specs.as_json(specs.tool_specs()) if self.way is Way.TOOLS else ""


def first_message(task: Task, outbox: Outbox, settings: AssistantSettings, host: str, model: str) -> Payload:
    """The message that a task begins with.

    Raises:
        InputError: If the question has a user id in it.
    """
    return outbox.first(
        task.instructions(settings.max_tool_calls), task.question, task.facts, task.history,
        host=host, model=model, schemas=task.schemas(settings.max_tool_calls), brief=task.brief,
    )  # fmt: skip


@dataclass(eq=False)
class Turn:
    """Runs a task.

    Args:
        task: What to write.
        outbox: What may be sent.
        talk: With the model.
        settings: Limits.
        model: The model's name.
    """

    task: Task
    outbox: Outbox
    talk: Talk
    settings: AssistantSettings
    model: str
    found: list[Finding] = field(default_factory=list)
    calls: int = 0

    def answer(self, payload: Payload, on_text: OnText | None = None) -> Answer:
        """The model's answer.

        Raises:
            Beha2VecError: If there is none that may be shown; the message says why.
        """
        checker = Checker(self.outbox, self.task.question, slots=self.task.slots)
        messages = self._opened(payload)
        shown = streamed(checker, on_text)
        reply = self._replied(messages, self._cut(shown) if self.task.brief else shown)
        draft = checker.draft(reply.text)
        if draft.complaint and not self.task.brief:
            self.outbox.check(reply)
            messages += [
                {"role": "assistant", "content": reply.text},
                {"role": "user", "content": prompts.WRONG.format(complaint=draft.complaint)},
            ]
            draft = checker.draft(self._replied(messages, streamed(checker, on_text)).text)
        self._accept(draft)
        self.talk.keep()
        return self._answer(draft)

    def _opened(self, payload: Payload) -> list[dict[str, Any]]:
        if self.task.way is not Way.PLAN:
            return _messages(payload.system, payload.user)
        plan = self.talk.parse(payload.system, payload.user, specs.plan_of(self.settings.max_tool_calls))
        system = replace(self.task, way=Way.FACTS).instructions(0)
        messages = _messages(system, payload.user)
        for name, values in specs.planned(plan):
            messages[-1]["content"] += f"\n{self._called(name, values)}"
        return messages

    def _replied(self, messages: list[dict[str, Any]], on_text: OnText | None) -> ChatReply:
        """The text, after as many calls of tools as the model asks for and may have."""
        offered = specs.tool_specs() if self.task.way is Way.TOOLS else ()
        for _ in range(self.settings.max_tool_calls + IDLE_ROUNDS):
            reply = self.talk.chat(messages, offered, on_text)
            if not reply.calls:
                return reply
            self.outbox.check(reply)
            messages.append(_asking(reply))
            messages += [_told(call, self._result(call)) for call in reply.calls]
        raise ResourceError(
            f"The language model {self.model!r} went on asking for figures instead of answering",
            remedy="Ask a narrower question",
        )

    def _result(self, call: ToolCall) -> str:
        try:
            return self._called(call.name, specs.arguments_of(call))
        except Beha2VecError as error:
            return self.outbox.problem(error)

    def _called(self, name: str, values: dict[str, Any]) -> str:
        if self.calls >= self.settings.max_tool_calls:
            return self.outbox.problem(ResourceError(prompts.NO_CALLS_LEFT))
        self.calls += 1
        try:
            own = specs.in_own_terms(values, self.outbox.quotes)
            finding = tools.call(self.outbox.figures, name, own)
        except Beha2VecError as error:
            return self.outbox.problem(error)
        self.found.append(finding)
        return self.outbox.result(finding.facts)

    def _accept(self, draft: Draft) -> None:
        """Raises ResourceError if a draft may not be shown."""
        if draft.complaint:
            raise does_not_hold(
                self.model, len(draft.complaint.splitlines()), tries=1 if self.task.brief else 2
            )
        may_do_without = self.task.ideas and not self.task.brief
        if not draft.facts and not may_do_without:
            raise without_figures(self.model)

    def _cut(self, on_text: OnText | None) -> OnText:
        """Ends a text after some sentences, or after those that are whole when the time is nearly over."""

        def part(text: str) -> None:
            if on_text:
                on_text(text)
            starts = [start for start, _ in split_sentences(text)]
            if len(starts) > MOST_SENTENCES:
                raise Enough(text[: starts[MOST_SENTENCES]])
            if len(starts) > 1 and self.talk.is_late:
                raise Enough(text[: starts[-1]])

        return part

    def _answer(self, draft: Draft) -> Answer:
        last = self.found[-1] if self.found else None
        chart = next((one for one in reversed(self.found) if one.chart), None)
        shown = chart or last
        table = shown.table if shown else fact_table(self.outbox.figures.context, draft.facts)
        return Answer(
            draft.text, draft.facts, table, shown.query if shown else "", self.model,
            chart=chart.chart if chart else None, marks=draft.marks,
        )  # fmt: skip


def _messages(system: str, user: str) -> list[dict[str, Any]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def _asking(reply: ChatReply) -> dict[str, Any]:
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in reply.calls
    ]
    return {"role": "assistant", "content": reply.text or None, "tool_calls": calls}


def _told(call: ToolCall, result: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call.id, "content": result}


def without_figures(model: str) -> ResourceError:
    """Why a text is not shown that says nothing of the data."""
    return ResourceError(f"The language model {model!r} answered without any figure of the data")


def does_not_hold(model: str, count: int, tries: int = 2) -> ResourceError:
    """Why a text is not shown in which so many statements were wrong; they are not repeated."""
    what = f"{count} statements" if count > 1 else "a statement"
    again = ", twice" if tries > 1 else ""
    return ResourceError(f"The language model {model!r} made {what} that no figure of the data backs{again}")
