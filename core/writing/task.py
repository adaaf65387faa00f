"""What a model is asked, by what its server can: three ways down, each with its instructions and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.base.errors import ResourceError
from core.facts.answer import Fact
from core.llm.chat_types import Capabilities, Message, ToolSpec
from core.writing import prompts, specs
from core.writing.contract import AssistantSettings, Said
from core.writing.outbox import Outbox


class Way(StrEnum):
    """How a model gets at figures: three steps down."""

    TOOLS = "tools"
    """It calls tools; the answer is a call as well."""
    PLAN = "plan"
    """It is held to a schema: a list of calls, then the answer."""
    FACTS = "facts"
    """All it gets are the addresses of the first message."""


def way_of(can: Capabilities, settings: AssistantSettings) -> Way:
    """The best way that a server can."""
    if can.tools:
        return Way.TOOLS
    return Way.PLAN if can.schema and can.blocks and settings.max_tool_calls else Way.FACTS


@dataclass(frozen=True)
class Request:
    """What is sent: messages, tools, and the schema of the answer."""

    messages: list[Message]
    tools: tuple[ToolSpec, ...] = ()
    schema: specs.Shape | None = None


@dataclass(frozen=True, eq=False)
class Task:
    """What a model is to answer.

    Args:
        question: Of the analyst, or ours.
        facts: It starts from.
        way: How it gets more.
        can: What its server can.
        history: What was asked before.
        ideas: Whether an answer may be ideas alone.
        named: Whether a name is wanted as well.
    """

    question: str
    facts: Sequence[Fact]
    way: Way
    can: Capabilities
    history: Sequence[Said] = ()
    ideas: bool = False
    named: bool = False

    @property
    def brief(self) -> bool:
        """Whether the model is weak: little to read, a few addresses to choose, no second try."""
        return self.can.is_weak

    def first(self, outbox: Outbox, settings: AssistantSettings) -> Request:
        """What it begins with; from then on the addresses in it may be chosen.

        Raises:
            InputError: If the question has a user id in it.
            ResourceError: If no figure may be offered.
        """
        said = outbox.question(self.question, self.facts, () if self.brief else self.history)
        if not outbox.offered:
            raise ResourceError(
                "No figure of this is of enough users to be offered to a language model",
                remedy="Lower the limit in the settings, or go on without the model",
            )
        if self.way is Way.PLAN:
            most = settings.max_tool_calls
            return Request(messages(prompts.PLAN.format(most=most), said), schema=specs.plan_shape(most))
        return self.request(messages(self.instructions(settings), said), outbox, settings)

    def instructions(self, settings: AssistantSettings) -> str:
        """What the model is told before it answers."""
        if self.brief:
            return prompts.BRIEF + ("" if self.can.schema else prompts.IN_WORDS)
        parts = [prompts.ABOUT, prompts.SEEN if settings.send_values else prompts.UNSEEN, prompts.BLOCKS]
        parts += [prompts.NAME] if self.named else []
        if self.way is Way.TOOLS:
            parts.append(prompts.TOOLS.format(most=settings.max_tool_calls))
        elif not self.can.schema:
            parts.append(prompts.IN_WORDS)
        return "".join(parts)

    def request(self, said: list[Message], outbox: Outbox, settings: AssistantSettings) -> Request:
        """Messages with the shape of an answer from what is offered by now."""
        if self.brief:
            return Request(said, schema=specs.flat_shape(outbox.offered) if self.can.schema else None)
        shape = specs.answer_shape(outbox.offered, outbox.rows, outbox.measures, self.named)
        if self.way is not Way.TOOLS:
            return Request(said, schema=shape if self.can.schema else None)
        finders = specs.tool_specs() if settings.max_tool_calls else ()
        return Request(said, (*finders, specs.answer_tool(shape)))


def messages(system: str, user: str) -> list[Message]:
    """A conversation that begins."""
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]
