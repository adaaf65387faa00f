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
from core.facts.fact_maker import answer_of, without_none
from core.facts.segment_tools import of_segments
from core.llm.chat_types import (
    Capabilities,
    ChatReply,
    EnoughText,
    Message,
    ToolCall,
    ToolSpec,
    without_thoughts,
)
from core.writing import figure_tools, prompts, specs
from core.writing.model_calls import ModelCalls
from core.writing.payload import AssistantSettings, EarlierQuestion, OfferedFacts, key_of_message, message_key
from core.writing.remarks import Names, allowed_remarks
from core.writing.specs import MAX_BLOCKS, MAX_FIGURES, ORDERS


class FigureAccess(StrEnum):
    """Ways for a model to get at figures, the best one first."""

    TOOLS = "tools"
    """It calls tools; the answer is a call as well."""
    PLAN = "plan"
    """It is held to a schema: a list of calls, then the answer."""
    FACTS = "facts"
    """All it gets are the addresses of the first message."""


def best_access(can: Capabilities, settings: AssistantSettings) -> FigureAccess:
    """The best way to get at figures that a model's server is capable of."""
    if can.tools:
        return FigureAccess.TOOLS
    return FigureAccess.PLAN if can.schema and can.blocks and settings.max_tool_calls else FigureAccess.FACTS


@dataclass(frozen=True)
class Request:
    """What is sent to a model: messages, tools it may call, and the schema of its answer, if it obeys one."""

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
        ideas: Whether an answer may consist of ideas, without a figure.
        named: Whether the answer must also have a name for a segment.
    """

    question: str
    facts: Sequence[Fact]
    way: FigureAccess
    can: Capabilities
    history: Sequence[EarlierQuestion] = ()
    ideas: bool = False
    named: bool = False

    @property
    def brief(self) -> bool:
        """Whether the model is weak: little to read, a few addresses to choose, no second try."""
        return self.can.is_weak

    def first(self, offered_facts: OfferedFacts, settings: AssistantSettings) -> Request:
        """The first request; ``offered_facts`` then holds the facts that the model may choose from.

        Raises:
            InputError: If the question has a user id in it.
            ResourceError: If every figure is of too few users to be offered.
        """
        question = offered_facts.question(self.question, self.facts, () if self.brief else self.history)
        if not offered_facts.offered:
            raise ResourceError(
                "No figure of this is of enough users to be offered to a language model",
                remedy="Lower the limit in the settings, or go on without the model",
            )
        if self.way is FigureAccess.PLAN:
            most = settings.max_tool_calls
            return Request(_messages(prompts.PLAN.format(most=most), question), schema=specs.plan_shape(most))
        return self.request(_messages(self.instructions(settings), question), offered_facts, settings)

    def instructions(self, settings: AssistantSettings) -> str:
        """The system message of an answer's request."""
        if self.brief:
            return prompts.BRIEF + ("" if self.can.schema else prompts.IN_WORDS)
        parts = [prompts.ABOUT, prompts.SEEN if settings.send_values else prompts.UNSEEN, prompts.BLOCKS]
        parts += [prompts.NAME] if self.named else []
        if self.way is FigureAccess.TOOLS:
            parts.append(prompts.TOOLS.format(most=settings.max_tool_calls))
        elif not self.can.schema:
            parts.append(prompts.IN_WORDS)
        return "".join(parts)

    def request(
        self, conversation: list[Message], offered_facts: OfferedFacts, settings: AssistantSettings
    ) -> Request:
        """Request for an answer: the messages, with a schema or tool that allows the facts offered so far."""
        if self.brief:
            return Request(
                conversation, schema=specs.flat_shape(offered_facts.offered) if self.can.schema else None
            )
        shape = specs.answer_shape(
            offered_facts.offered, offered_facts.rows, offered_facts.measures, self.named
        )
        if self.way is not FigureAccess.TOOLS:
            return Request(conversation, schema=shape if self.can.schema else None)
        finders = figure_tools.tool_specs() if settings.max_tool_calls else ()
        return Request(conversation, (*finders, specs.answer_tool(shape)))


def _messages(system: str, user: str) -> list[Message]:
    """System and user message that begin a request."""
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[\s,]*")
_BARE: Final = re.compile(r'(?<!:)(?<!: )\[(?=\s*[{"])|\{(?=\s*"kind")')
"""Where an answer begins that is a list, or a block, without an object around it."""
_MAX_LENGTH: Final = 60_000
"""Characters of an answer that are read; it has a few hundred."""


@dataclass(frozen=True)
class ParsedList:
    """A JSON list within a text that may be cut off or broken.

    Args:
        parts: Its complete items, in order.
        end: Index in the text behind the list; 0 while it has no end.
        is_broken: Whether text follows that is no complete item.
    """

    parts: tuple[object, ...] = ()
    end: int = 0
    is_broken: bool = False


def last_list(text: str, field: str) -> ParsedList:
    """The last list with an item that a field holds; without such a field, a list or object by itself.

    Args:
        text: JSON, perhaps in a fence or after some words.
        field: Name of the field.
    """
    text = text[:_MAX_LENGTH]
    starts = [match.end() for match in re.finditer(rf'"{field}"\s*:\s*(?=[\[{{])', text)]
    if not starts and (bare := _BARE.search(text)):
        starts = [bare.start()]
    lists = [_parts(text, start) for start in starts]
    return next((parsed for parsed in reversed(lists) if parsed.parts), lists[-1] if lists else ParsedList())


def _parts(text: str, place: int) -> ParsedList:
    """Read the list that begins at a place; an object stands for a list of one."""
    is_list, parts = text[place] == "[", list[object]()
    place += is_list
    while True:
        place = _SPACE.match(text, place).end()  # type: ignore[union-attr]  # it matches nothing, too
        if is_list and text[place : place + 1] == "]":
            return ParsedList(tuple(parts), place + 1)
        try:
            part, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            return ParsedList(tuple(parts), is_broken=place < len(text))
        parts.append(part)
        if not is_list:
            return ParsedList(tuple(parts), place)


def string_field(text: str, field: str) -> str:
    """The string that a field has in a text of JSON; empty if there is none, or it is not complete."""
    start = re.search(rf'"{field}"\s*:\s*(?=")', text[:_MAX_LENGTH])
    try:
        return str(_DECODER.raw_decode(text, start.end())[0]) if start else ""
    except ValueError:
        return ""


_Raw: TypeAlias = Mapping[str, object]
_MAX_CHARTED: Final = 8
_REMARK: Final = "no number, comparison, measure or cause may be in its text"
_RULES: Final = {
    "figures": f"its facts are at most {MAX_FIGURES} addresses of those offered, each said once",
    "contrast": "its fact is an address of those offered, against another row that has such a figure",
    "ranking": f"its measure and item are of an address offered, its order is {' or '.join(ORDERS)}",
    "chart": "its facts are addresses of one measure: of one item over rows, or of items of one row; its mark"
    f" is {', '.join(ChartMark)}",
    "comment": _REMARK,
    "idea": _REMARK,
}
"""Kind of block → what it must be: all that a model is told of its mistakes, nothing that it wrote."""
_UNKNOWN: Final = f"a block is an object whose kind is {', '.join(_RULES)}"


@dataclass
class Resolved:
    """Blocks that a model chose, and what was wrong with the rest.

    Args:
        blocks: Blocks that passed every check, with their facts.
        problems: A line for each dropped piece, for the model: fixed sentences.
    """

    blocks: list[Block] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def resolve(chosen: Iterable[object], offered_facts: OfferedFacts, names: Names) -> Resolved:
    """Make blocks of what a model chose; what fails a check is dropped, and nothing is raised.

    Args:
        chosen: Complete items of its list of blocks, parsed from JSON, of whatever shape.
        offered_facts: The facts it was offered, by address.
        names: What segments and items are called in remarks.
    """
    resolved = Resolved()
    for number, raw in enumerate(chosen, 1):
        whole: _Raw = raw if isinstance(raw, Mapping) else {}
        kind = str(whole.get("kind"))
        try:
            block, dropped = _made(kind, whole, resolved.blocks, offered_facts, names)
        except Beha2VecError:
            block, dropped = None, 1
        holds = block is not None and block not in resolved.blocks and len(resolved.blocks) < MAX_BLOCKS
        resolved.blocks += [block] if block and holds else []
        problem = f"block {number}: {_RULES.get(kind, _UNKNOWN)}; at most {MAX_BLOCKS} blocks, none twice"
        resolved.problems += [problem] * max(dropped, not holds)
    return resolved


def resolve_flat(addresses: Sequence[object], offered_facts: OfferedFacts) -> Resolved:
    """Make one list of figures of the addresses that a weak model chose; others than offered are dropped."""
    facts, dropped = _facts(addresses, MAX_FIGURES, offered_facts)
    return Resolved([FigureList(facts=facts)] if facts else [], [_RULES["figures"]] * dropped)


def _made(
    kind: str, raw: _Raw, before: Sequence[Block], offered_facts: OfferedFacts, names: Names
) -> tuple[Block | None, int]:
    """Make a block, if it holds, and count the pieces of it that do not."""
    if kind == "contrast":
        return _contrast(raw, offered_facts), 0
    if kind == "ranking":
        return _ranking(raw, offered_facts), 0
    if kind in ("comment", "idea"):
        text = raw.get("text")
        shown, dropped = allowed_remarks(text, names) if isinstance(text, str) else ("", 1)
        block = Comment(text=shown) if kind == "comment" else Idea(text=shown)
        return block if shown else None, dropped
    if kind not in _RULES:
        return None, 1
    facts, dropped = _facts(
        raw.get("facts"), MAX_FIGURES if kind == "figures" else _MAX_CHARTED, offered_facts
    )
    if kind == "chart":
        return _chart(raw, facts, offered_facts), dropped
    said = {fact for earlier in before if isinstance(earlier, FigureList) for fact in earlier.facts}
    fresh = tuple(fact for fact in facts if fact not in said)
    return FigureList(facts=fresh) if fresh else None, dropped


def _facts(addresses: object, most: int, offered_facts: OfferedFacts) -> tuple[tuple[Fact, ...], int]:
    """Facts that were offered, each once, and how many others there are: unknown, or beyond the limit."""
    listed = addresses if isinstance(addresses, list | tuple) else [addresses]
    facts = without_none(_offered(address, offered_facts) for address in listed)
    unique = tuple(dict.fromkeys(facts))
    return unique[:most], len(listed) - len(facts) + len(unique[most:])


def _offered(address: object, offered_facts: OfferedFacts) -> Fact | None:
    return offered_facts.offered.get(address.strip()) if isinstance(address, str) else None


def _contrast(raw: _Raw, offered_facts: OfferedFacts) -> Contrast | None:
    fact = _offered(raw.get("fact"), offered_facts)
    return offered_facts.figures.contrast(fact, key_of_message(str(raw.get("against")))) if fact else None


def _ranking(raw: _Raw, offered_facts: OfferedFacts) -> Ranking | None:
    measure, number, order = str(raw.get("measure")), raw.get("item") or "", raw.get("order", ORDERS[0])
    if order not in ORDERS:
        return None
    if not number and measure in BY_KEY:
        facts = of_segments(offered_facts.figures, measure)
    else:
        ends = f".{measure}.{number}"
        offered = (fact for address, fact in offered_facts.offered.items() if address.endswith(ends))
        facts = _everywhere(next(offered, None), offered_facts)
    return offered_facts.figures.ranking(facts, most=order == ORDERS[0])


def _everywhere(fact: Fact | None, offered_facts: OfferedFacts) -> tuple[Fact, ...]:
    """Look up the measure and item of a fact for every segment."""
    keys = offered_facts.figures.context.segment_keys if fact else ()
    return without_none(offered_facts.figures.same(fact, key) for key in keys if fact)


def _chart(raw: _Raw, facts: tuple[Fact, ...], offered_facts: OfferedFacts) -> Chart | None:
    """Chart of one measure, over rows or items of a row; of a single address, over all segments."""
    if len(facts) == 1:
        facts = _everywhere(facts[0], offered_facts)
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
_MAX_PROBLEMS: Final = 5
"""Most problems that the model is told when it is to answer once more."""


@dataclass(eq=False)
class AnswerLoop:
    """Gets the answer of a task from a model, with one attempt to repair it.

    Args:
        task: What to answer.
        offered_facts: Collects the facts that may be sent.
        settings: Limits.
        model: The model's name.
    """

    task: Task
    offered_facts: OfferedFacts
    settings: AssistantSettings
    model: str
    name: str = ""
    _query: str = ""
    _calls: int = 0
    _found: ParsedList = field(default_factory=ParsedList)

    def answer(self, model_calls: ModelCalls, on_blocks: OnBlocks | None = None) -> Answer:
        """Get the model's answer in blocks; afterwards ``name`` is the segment's name, if one was asked for.

        Args:
            model_calls: Calls of the model, within their limits.
            on_blocks: Gets all complete blocks so far, each time there are more.

        Raises:
            Beha2VecError: If there is none that may be shown; the message says why.
        """
        request, reason = self.task.first(self.offered_facts, self.settings), ""
        try:
            if self.task.way is FigureAccess.PLAN:
                request = self._planned(model_calls, request)
            resolved = self._resolved(model_calls, request, on_blocks)
            if not self._holds(resolved) and not self.task.brief:
                resolved = self._resolved(model_calls, self._again(request, resolved), on_blocks)
        except (ResourceError, Cancelled) as error:
            resolved, reason = self._blocks(self._found), str(error)
            if not self._holds(resolved):
                raise
        if not self._holds(resolved):
            raise self._nothing(resolved)
        if not reason:
            model_calls.keep()
        context, dropped = self.offered_facts.figures.context, len(resolved.problems)
        return answer_of(
            resolved.blocks, context, query=self._query, source=self.model, reason=reason, dropped=dropped
        )

    def _planned(self, model_calls: ModelCalls, request: Request) -> Request:
        plan = model_calls.chat(request.messages, (), request.schema, lambda _: None).text
        parts = [str(request.messages[-1]["content"])]
        for call in last_list(plan, "calls").parts:
            values = dict(call) if isinstance(call, Mapping) else {}
            parts.append(self._called(str(values.pop("tool", "")), values))
        return self._request(_messages(self.task.instructions(self.settings), "\n".join(parts)))

    def _again(self, request: Request, resolved: Resolved) -> Request:
        reasons = list(dict.fromkeys(resolved.problems))[:_MAX_PROBLEMS] or [prompts.NO_BLOCKS]
        problems = "\n".join(f"- {problem}" for problem in reasons)
        complaint = {"role": "user", "content": prompts.WRONG.format(problems=problems)}
        return self._request([*request.messages, complaint])

    def _request(self, conversation: list[Message]) -> Request:
        return self.task.request(conversation, self.offered_facts, self.settings)

    def _resolved(self, model_calls: ModelCalls, request: Request, on_blocks: OnBlocks | None) -> Resolved:
        """Blocks of an answer, after as many calls of tools as the model asks for and may have."""
        seen = 0

        def part(reply: ChatReply) -> None:
            nonlocal seen
            text = _said(reply)
            parsed = self._found = last_list(text, self._field)
            if len(parsed.parts) > seen:
                seen = len(parsed.parts)
                if on_blocks and (blocks := self._blocks(parsed).blocks):
                    on_blocks(tuple(blocks))
            if parsed.end and len(text) > parsed.end + _AFTERWORDS:
                raise EnoughText(text)

        for _ in range(self.settings.max_tool_calls + _IDLE_ROUNDS):
            reply = model_calls.chat(request.messages, request.tools, request.schema, part)
            calls = [call for call in reply.calls if call.name != specs.ANSWER]
            if not calls or len(calls) < len(reply.calls):
                return self._read(_said(reply), request)
            self.offered_facts.check(reply)
            results = [self._result(call) for call in reply.calls]
            request = self._request([*request.messages, _asking(reply), *results])
        raise ResourceError(
            f"The language model {self.model!r} went on asking for figures instead of answering",
            remedy="Ask a narrower question",
        )

    @property
    def _field(self) -> str:
        return "facts" if self.task.brief else "blocks"

    def _read(self, text: str, request: Request) -> Resolved:
        self.name = string_field(text, "name")
        resolved = self._blocks(last_list(text, self._field))
        if not self._holds(resolved) and not self.task.brief:
            self.offered_facts.check(ChatReply(text))
            request.messages.append({"role": "assistant", "content": text})
        return resolved

    def _blocks(self, parsed: ParsedList) -> Resolved:
        resolved = (
            resolve_flat(parsed.parts, self.offered_facts)
            if self.task.brief
            else resolve(parsed.parts, self.offered_facts, self._names)
        )
        resolved.problems += ["a block is not whole"] if parsed.is_broken else []
        return resolved

    @property
    def _names(self) -> dict[str, str]:
        context = self.offered_facts.figures.context
        rows = {message_key(key): context.title(key) for key in context.segment_keys}
        return {name: f"“{text}”" for name, text in self.offered_facts.quotes.data().items()} | rows

    def _result(self, call: ToolCall) -> Message:
        try:
            result = self._called(call.name, specs.arguments_of(call))
        except Beha2VecError as error:
            result = self.offered_facts.problem(error)
        return {"role": "tool", "tool_call_id": call.id, "content": result}

    def _called(self, name: str, values: dict[str, Any]) -> str:
        if self._calls >= self.settings.max_tool_calls:
            return self.offered_facts.problem(ResourceError(prompts.NO_CALLS_LEFT))
        self._calls += 1
        try:
            finding = figure_tools.call(
                self.offered_facts.figures, name, self.offered_facts.own_terms(values)
            )
        except Beha2VecError as error:
            return self.offered_facts.problem(error)
        self._query = finding.query or self._query
        return self.offered_facts.result(finding.facts)

    def _holds(self, resolved: Resolved) -> bool:
        return bool(facts_of(resolved.blocks) or (resolved.blocks and self.task.ideas))

    def _nothing(self, resolved: Resolved) -> ResourceError:
        """Error for an answer that is not shown; what was wrong in it is not repeated."""
        wrong = f": {len(resolved.problems)} parts of its answer did not hold" if resolved.problems else ""
        return ResourceError(f"The language model {self.model!r} chose no figure of the data{wrong}")


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
