"""One answer of a model: figures first where it may ask for them, then blocks; one repair.

What a model is asked depends on what its server can: three ways down, each with its instructions and schemas.
Of its JSON the parts that are whole are read: while it is being written, cut off, or wrapped in words. They
become blocks: each address is looked up, what does not hold is dropped and counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

from core.base.errors import Beha2VecError, Cancelled, ResourceError
from core.facts import tools
from core.facts.answer import (
    BY_KEY,
    Answer,
    Block,
    Chart,
    ChartMark,
    Comment,
    Contrast,
    Fact,
    FigureList,
    Idea,
    Ranking,
    facts_of,
)
from core.facts.fact_maker import Figures, present, with_bases
from core.facts.segment_tools import of_segments
from core.llm.chat_types import Capabilities, ChatReply, Enough, Message, ToolCall, ToolSpec, without_thoughts
from core.writing import prompts, specs
from core.writing.payload import AssistantSettings, Outbox, Said, key_of_said, said_key
from core.writing.remarks import Names, kept
from core.writing.specs import MOST_BLOCKS, MOST_FIGURES, ORDERS
from core.writing.talk import Talk


class Way(StrEnum):
    """Ways for a model to get at figures: three steps down."""

    TOOLS = "tools"
    """It calls tools; the answer is a call as well."""
    PLAN = "plan"
    """It is held to a schema: a list of calls, then the answer."""
    FACTS = "facts"
    """All it gets are the addresses of the first message."""


def way_of(can: Capabilities, settings: AssistantSettings) -> Way:
    """The best way that a server can do."""
    if can.tools:
        return Way.TOOLS
    return Way.PLAN if can.schema and can.blocks and settings.max_tool_calls else Way.FACTS


@dataclass(frozen=True)
class Request:
    """Messages, tools, and the schema of the answer, to be sent."""

    messages: list[Message]
    tools: tuple[ToolSpec, ...] = ()
    schema: specs.Shape | None = None


@dataclass(frozen=True, eq=False)
class Task:
    """A question for a model, and how the model gets at figures.

    Args:
        question: The analyst's question, or one of the app.
        facts: Facts that the model starts from.
        way: Way to get more figures.
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
        """The first request; from then on the addresses in it may be chosen.

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
        """Instructions for the model before it answers."""
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
        """Request of messages, with the shape of an answer from what is offered by now."""
        if self.brief:
            return Request(said, schema=specs.flat_shape(outbox.offered) if self.can.schema else None)
        shape = specs.answer_shape(outbox.offered, outbox.rows, outbox.measures, self.named)
        if self.way is not Way.TOOLS:
            return Request(said, schema=shape if self.can.schema else None)
        finders = specs.tool_specs() if settings.max_tool_calls else ()
        return Request(said, (*finders, specs.answer_tool(shape)))


def messages(system: str, user: str) -> list[Message]:
    """System and user message that begin a request."""
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[\s,]*")
_BARE: Final = re.compile(r'(?<!:)(?<!: )\[(?=\s*[{"])|\{(?=\s*"kind")')
"""Where an answer begins that is a list, or a block, without an object around it."""
LONGEST: Final = 60_000
"""Characters of an answer that are read; it has a few hundred."""


@dataclass(frozen=True)
class Listed:
    """A list within a text.

    Args:
        parts: Its whole parts, in order.
        end: Where in the text the list ends; 0 while it does not.
        is_broken: Whether something follows that is no whole part.
    """

    parts: tuple[object, ...] = ()
    end: int = 0
    is_broken: bool = False


def listed(text: str, field: str) -> Listed:
    """The last list that a field holds and that is not empty; else a list, or a block, by itself.

    Args:
        text: JSON, perhaps in a fence or after some words.
        field: Name of the field.
    """
    text = text[:LONGEST]
    starts = [match.end() for match in re.finditer(rf'"{field}"\s*:\s*(?=[\[{{])', text)]
    if not starts and (bare := _BARE.search(text)):
        starts = [bare.start()]
    found = [_parts(text, start) for start in starts]
    return next((one for one in reversed(found) if one.parts), found[-1] if found else Listed())


def _parts(text: str, place: int) -> Listed:
    """Read the list that begins at a place; an object stands for a list of one."""
    is_list, parts = text[place] == "[", list[object]()
    place += is_list
    while True:
        place = _SPACE.match(text, place).end()  # type: ignore[union-attr]  # it matches nothing, too
        if is_list and text[place : place + 1] == "]":
            return Listed(tuple(parts), place + 1)
        try:
            part, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            return Listed(tuple(parts), is_broken=place < len(text))
        parts.append(part)
        if not is_list:
            return Listed(tuple(parts), place)


def string(text: str, field: str) -> str:
    """The text that a field of an object holds; empty if there is none."""
    start = re.search(rf'"{field}"\s*:\s*(?=")', text[:LONGEST])
    try:
        return str(_DECODER.raw_decode(text, start.end())[0]) if start else ""
    except ValueError:
        return ""


Raw: TypeAlias = Mapping[str, object]
_MOST_CHARTED: Final = 8
_REMARK: Final = "no number, comparison, measure or cause may be in its text"
RULES: Final = {
    "figures": f"its facts are at most {MOST_FIGURES} addresses of those offered, each said once",
    "contrast": "its fact is an address of those offered, against another row that has such a figure",
    "ranking": f"its measure and item are of an address offered, its order is {' or '.join(ORDERS)}",
    "chart": "its facts are addresses of one measure: of one item over rows, or of items of one row; its mark"
    f" is {', '.join(ChartMark)}",
    "comment": _REMARK,
    "idea": _REMARK,
}
"""Kind of block → what it must be: all that a model is told of its mistakes, nothing of what it wrote."""
UNKNOWN: Final = f"a block is an object whose kind is {', '.join(RULES)}"


@dataclass
class Resolved:
    """Blocks of a model's choice, and what was wrong with the rest.

    Args:
        blocks: Blocks that hold.
        problems: What was dropped, a line a piece, for the model: fixed sentences.
    """

    blocks: list[Block] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def resolve(chosen: Iterable[object], outbox: Outbox, names: Names) -> Resolved:
    """Make blocks of what a model chose.

    Args:
        chosen: Whole parts of its answer, of whatever shape.
        outbox: What it was offered.
        names: What segments and items are called in remarks.
    """
    made = Resolved()
    for number, raw in enumerate(chosen, 1):
        whole: Raw = raw if isinstance(raw, Mapping) else {}
        kind = str(whole.get("kind"))
        try:
            block, dropped = _made(kind, whole, made.blocks, outbox, names)
        except Beha2VecError:
            block, dropped = None, 1
        holds = block is not None and block not in made.blocks and len(made.blocks) < MOST_BLOCKS
        made.blocks += [block] if block and holds else []
        told = f"block {number}: {RULES.get(kind, UNKNOWN)}; at most {MOST_BLOCKS} blocks, none twice"
        made.problems += [told] * max(dropped, not holds)
    return made


def resolve_flat(addresses: Sequence[object], outbox: Outbox) -> Resolved:
    """Make one list of figures: all that a weak model chooses."""
    facts, dropped = _facts(addresses, MOST_FIGURES, outbox)
    return Resolved([FigureList(facts=facts)] if facts else [], [RULES["figures"]] * dropped)


def _made(
    kind: str, raw: Raw, before: Sequence[Block], outbox: Outbox, names: Names
) -> tuple[Block | None, int]:
    """Make a block, if it holds, and count the pieces of it that do not."""
    if kind == "contrast":
        return _contrast(raw, outbox), 0
    if kind == "ranking":
        return _ranking(raw, outbox), 0
    if kind in ("comment", "idea"):
        text = raw.get("text")
        shown, dropped = kept(text, names) if isinstance(text, str) else ("", 1)
        block = Comment(text=shown) if kind == "comment" else Idea(text=shown)
        return block if shown else None, dropped
    if kind not in RULES:
        return None, 1
    facts, dropped = _facts(raw.get("facts"), MOST_FIGURES if kind == "figures" else _MOST_CHARTED, outbox)
    if kind == "chart":
        return _chart(raw, facts, outbox), dropped
    said = {fact for one in before if isinstance(one, FigureList) for fact in one.facts}
    fresh = tuple(fact for fact in facts if fact not in said)
    return FigureList(facts=fresh) if fresh else None, dropped


def _facts(addresses: object, most: int, outbox: Outbox) -> tuple[tuple[Fact, ...], int]:
    """Facts that were offered, each once, and how many others there are: unknown, or beyond the limit."""
    listed = addresses if isinstance(addresses, list | tuple) else [addresses]
    found = present(_offered(address, outbox) for address in listed)
    unique = tuple(dict.fromkeys(found))
    return unique[:most], len(listed) - len(found) + len(unique[most:])


def _offered(address: object, outbox: Outbox) -> Fact | None:
    return outbox.offered.get(address.strip()) if isinstance(address, str) else None


def _contrast(raw: Raw, outbox: Outbox) -> Contrast | None:
    fact = _offered(raw.get("fact"), outbox)
    return outbox.figures.contrast(fact, key_of_said(str(raw.get("against")))) if fact else None


def _ranking(raw: Raw, outbox: Outbox) -> Ranking | None:
    measure, number, order = str(raw.get("measure")), raw.get("item") or "", raw.get("order", ORDERS[0])
    if order not in ORDERS:
        return None
    if not number and measure in BY_KEY:
        facts = of_segments(outbox.figures, measure)
    else:
        ends = f".{measure}.{number}"
        found = (fact for address, fact in outbox.offered.items() if address.endswith(ends))
        facts = _everywhere(next(found, None), outbox)
    return outbox.figures.ranking(facts, most=order == ORDERS[0])


def _everywhere(fact: Fact | None, outbox: Outbox) -> tuple[Fact, ...]:
    """Look up the measure and item of a fact for every segment."""
    keys = outbox.figures.context.segment_keys if fact else ()
    return present(outbox.figures.same(fact, key) for key in keys if fact)


def _chart(raw: Raw, facts: tuple[Fact, ...], outbox: Outbox) -> Chart | None:
    """Chart of one measure, over rows or items of a row; of a single address, over all segments."""
    if len(facts) == 1:
        facts = _everywhere(facts[0], outbox)
    mark, measures = raw.get("mark", ChartMark.BAR), {fact.measure for fact in facts}
    items, rows = {fact.item for fact in facts}, {fact.segments for fact in facts}
    is_one = len(measures) == 1 and min(len(items), len(rows)) == 1 and all(len(row) == 1 for row in rows)
    if len(facts) < 2 or not is_one or mark not in list(ChartMark):
        return None
    return Chart(facts=facts, mark=ChartMark(str(mark)))


OnBlocks = Callable[[tuple[Block, ...]], None]
_IDLE_ROUNDS: Final = 2
"""Rounds in which a model may go on asking for tools when no calls are left."""
_AFTERWORDS: Final = 200
"""Characters after an answer from which on the end of them is not waited for."""
_MOST_PROBLEMS: Final = 5
"""Most problems that the model is told when it is to answer once more."""


@dataclass(eq=False)
class Turn:
    """Runs a task with a model.

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
    _found: Listed = field(default_factory=Listed)

    def answer(self, talk: Talk, on_blocks: OnBlocks | None = None) -> Answer:
        """Get the model's answer in blocks.

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
        for call in listed(said, "calls").parts:
            values = dict(call) if isinstance(call, Mapping) else {}
            told.append(self._called(str(values.pop("tool", "")), values))
        return self._request(messages(self.task.instructions(self.settings), "\n".join(told)))

    def _again(self, request: Request, made: Resolved) -> Request:
        told = list(dict.fromkeys(made.problems))[:_MOST_PROBLEMS] or [prompts.NO_BLOCKS]
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
            found = self._found = listed(said, self._field)
            if len(found.parts) > seen:
                seen = len(found.parts)
                if on_blocks and (blocks := self._blocks(found).blocks):
                    on_blocks(tuple(blocks))
            if found.end and len(said) > found.end + _AFTERWORDS:
                raise Enough(said)

        for _ in range(self.settings.max_tool_calls + _IDLE_ROUNDS):
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
        self.name = string(said, "name")
        made = self._blocks(listed(said, self._field))
        if not self._holds(made) and not self.task.brief:
            self.outbox.check(ChatReply(said))
            request.messages.append({"role": "assistant", "content": said})
        return made

    def _blocks(self, found: Listed) -> Resolved:
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
        """Error for an answer that is not shown; what was wrong in it is not repeated."""
        wrong = f": {len(made.problems)} parts of its answer did not hold" if made.problems else ""
        return ResourceError(f"The language model {self.model!r} chose no figure of the data{wrong}")


def answer_of(blocks: Sequence[Block], figures: Figures, **more: Any) -> Answer:  # noqa: ANN401 - of Answer
    """Answer of some blocks, with the titles of its rows."""
    facts, context = facts_of(blocks), figures.context
    rows = dict.fromkeys(row for fact in facts for row in fact.segments)
    titles, population = context.titles(rows) if rows else {}, context.population_of(facts)
    return Answer(with_bases(blocks, context), titles, population=population, **more)


def _said(reply: ChatReply) -> str:
    """Arguments of the call that gives the answer where there is one, else the text."""
    calls = (call.arguments for call in reply.calls if call.name == specs.ANSWER)
    return next(calls, "") or without_thoughts(reply.text)


def _asking(reply: ChatReply) -> Message:
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in reply.calls
    ]
    return {"role": "assistant", "content": reply.text or None, "tool_calls": calls}
