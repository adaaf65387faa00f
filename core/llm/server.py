"""A language model on a server that speaks OpenAI's Chat Completions: its answers, and what it can do.

Servers differ in what they can (llama.cpp obeys a JSON schema, others silently ignore it), so there are two
ways to ask for an object, tried in turn: the schema as ``response_format``, then the schema in words with one
chance to repair. Text is asked for as a stream, and whole where a server cannot stream. Retries, back-off and
``Retry-After`` are the SDK's.

What a server can do is found out by asking for it, with nothing of the analyst's. Its list of features does
not say: some accept a field and ignore it, and what a model can depends on the model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from core.base.errors import ResourceError
from core.llm import chat_types
from core.llm.chat_types import (
    Capabilities,
    ChatReply,
    EnoughText,
    Message,
    Schema,
    Stop,
    ToolCall,
    ToolSpec,
    Usage,
    json_in,
    never,
    without_thoughts,
)
from core.llm.llm_settings import LlmSettings
from core.llm.requests import (
    SHOWN_CHARACTERS,
    Budget,
    CallLog,
    CallResult,
    Emit,
    Refused,
    Requests,
    calls_as_text,
    failure,
    redacted,
)


@dataclass
class _Pieces:
    """An answer put together from the pieces of a stream, or taken whole.

    Args:
        text: What the model says.
        refusal: Why it says nothing, where the server tells that apart.
        calls: Position of a tool call → its id, name and arguments so far.
        finish: Why it ended; empty while it has not.
        usage: As the server counts; None until it says so.
        any: Whether any piece came.
    """

    text: str = ""
    refusal: str = ""
    calls: dict[int, list[str]] = field(default_factory=dict)
    finish: str = ""
    usage: dict[str, Any] | None = None
    any: bool = False

    def add(self, chunk: Any) -> bool | ToolCall:  # noqa: ANN401 - the SDK's, of whatever shape was sent
        """Add one piece of a stream.

        Returns:
            True if there is more text, else the tool call of which there is more, else False.
        """
        self.any = True
        self._count(chunk)
        if not chunk.choices:
            return False
        choice = chunk.choices[0]
        self.finish = choice.finish_reason or self.finish
        delta = choice.delta
        written: bool | ToolCall = False
        for call in (delta and delta.tool_calls) or ():
            self._call(call.index or 0, call)
            written = ToolCall(*self.calls[call.index or 0])
        self.refusal += str((delta and getattr(delta, "refusal", "")) or "")
        more = str((delta and delta.content) or "")
        self.text += more
        return bool(more) or written

    def whole(self, completion: Any) -> None:  # noqa: ANN401 - as above
        """Take an answer that comes in one piece."""
        self.any = True
        self._count(completion)
        choice = completion.choices[0]
        self.finish = choice.finish_reason or "stop"
        self.text = str(choice.message.content or "")
        self.refusal = str(choice.message.refusal or "")
        for place, call in enumerate(choice.message.tool_calls or ()):
            self._call(place, call)

    def reply(self) -> ChatReply:
        """The answer as text and tool calls."""
        named = [(place, parts) for place, parts in sorted(self.calls.items()) if parts[1]]
        calls = (ToolCall(parts[0] or f"call_{place}", parts[1], parts[2]) for place, parts in named)
        return ChatReply(self.text, tuple(calls))

    def _call(self, place: int, call: Any) -> None:  # noqa: ANN401 - as above
        parts = self.calls.setdefault(place, ["", "", ""])
        parts[0] = call.id or parts[0]
        if call.function:
            parts[1] += call.function.name or ""
            parts[2] += call.function.arguments or ""

    def _count(self, answer: Any) -> None:  # noqa: ANN401 - as above
        if getattr(answer, "usage", None):
            self.usage = answer.usage.model_dump()


_NOT_A_COMPLETION: Final = (ValueError, IndexError, TypeError, AttributeError)
"""Errors of the SDK, or of reading its objects, where an answer has no JSON or JSON of another shape."""
_SIZE: Final = re.compile(r"(?<![a-zA-Z0-9.])(\d+(?:\.\d+)?)([bBmM])(?![a-zA-Z0-9])")
"""A number of parameters in the name of a model: ``135M``, ``0.5b``."""
_Answer = TypeVar("_Answer", bound=BaseModel)
OnText = Callable[[str], None]
OnCall = Callable[[ToolCall], None]


class ServerLlm:
    """A model on a server: asks for text, tool calls or objects; nothing is sent by making it.

    Args:
        settings: Which server and model.
        log: Gets every call.
        known: Its capabilities, where they are known; else they are found out when first asked for.
    """

    def __init__(
        self, settings: LlmSettings, log: CallLog | None = None, known: Capabilities | None = None
    ) -> None:
        self._settings, self._requests = settings, Requests(settings, log)
        self.obeys_schemas = known.schema if known else True
        """Whether the server could be held to schemas so far."""
        self.streams = self._counts_streams = known.streaming if known else True
        """Whether answers came piece by piece so far."""
        self._capabilities = known

    def __repr__(self) -> str:
        return f"ServerLlm({self.identity})"

    @property
    def identity(self) -> str:
        """Model and address of the server as one text, for keys of caches."""
        return self._settings.identity

    @property
    def model(self) -> str:
        """Name of the model on its server."""
        return self._settings.model

    @property
    def host(self) -> str:
        """Host that requests are sent to."""
        return self._settings.host

    @property
    def usage(self) -> Usage:
        """Calls and tokens used so far."""
        return self._requests.usage

    @property
    def is_small(self) -> bool:
        """Whether its name says fewer than a billion parameters, or it was seen to be weak."""
        sizes = [float(size) / (1000 if unit in "mM" else 1) for size, unit in _SIZE.findall(self.model)]
        weak = self._capabilities is not None and self._capabilities.is_weak
        return weak or (bool(sizes) and max(sizes) < 1)

    def capabilities(
        self,
        should_stop: Stop = never,
        timeout_s: float | None = None,
        on_step: Callable[[str], None] = lambda _: None,
    ) -> Capabilities:
        """Capabilities of the model; the server is asked at the first call only.

        Args:
            should_stop: Whether to give up.
            timeout_s: For all questions together.
            on_step: Gets what is tried next, in words.

        Raises:
            ResourceError: If the server gives no answer at all.
            Cancelled: If ``should_stop`` says so.
        """
        if self._capabilities is None:
            self._capabilities = _probe(self, Budget.of(should_stop, timeout_s), on_step)
        return self._capabilities

    def parse(
        self,
        system: str,
        user: str,
        schema: type[_Answer],
        *,
        should_stop: Stop = never,
        timeout_s: float | None = None,
    ) -> _Answer:
        """Ask for an object that is valid under a schema.

        Args:
            system: Instructions.
            user: The material, as text.
            schema: Model of the answer.
            should_stop: Whether to give up.
            timeout_s: For all attempts together.

        Raises:
            ResourceError: If no valid answer came; the message says why.
            Cancelled: If ``should_stop`` says so.
        """
        budget = Budget.of(should_stop, timeout_s)
        answer = self._parse_by_schema(system, user, schema, budget) if self.obeys_schemas else None
        if answer is None:
            answer = self._parse_in_words(chat_types.in_words(system, user, schema), schema, budget)
            self.obeys_schemas = False  # that worked and the schema did not: ask in words from now on
        return answer

    def chat(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec] = (),
        on_text: OnText | None = None,
        should_stop: Stop = never,
        timeout_s: float | None = None,
        *,
        schema: Schema | None = None,
        on_call: OnCall | None = None,
    ) -> ChatReply:
        """Send a conversation, and get the model's reply.

        Args:
            messages: The conversation so far.
            tools: Tools that may be called.
            on_text: Gets all the text so far, whenever there is more; may raise :class:`EnoughText`.
            should_stop: Whether to give up; the call ends within a tenth of a second.
            timeout_s: For all attempts together; the settings' for each when None.
            schema: JSON schema that the text is held to, where the server can.
            on_call: Gets the tool call that is being written, whenever there is more of it.

        Raises:
            ResourceError: If no whole answer came; the message says why.
            Cancelled: If ``should_stop`` says so.
        """
        budget = Budget.of(should_stop, timeout_s)
        while True:
            try:
                pieces = self._ask(messages, self._options(tools, schema), on_text, on_call, budget)
                if pieces.any:
                    return self._whole(pieces, on_text)
            except EnoughText as enough:
                return ChatReply(enough.text)
            except Refused as refusal:
                if not self._step_down(refusal.reason):
                    raise self._error(refusal.reason) from refusal
                continue
            self.streams = False  # an answer that is no stream, though a stream was asked for

    def body(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec] = (), schema: Schema | None = None
    ) -> dict[str, Any]:
        """The JSON object that :meth:`chat` would send, in the order in which it is sent; nothing is sent."""
        parts = {**self._requests.fixed(messages), **self._options(tools, schema)}
        first = ("model", "stream", "messages")  # then by name: so the SDK lays it out
        return {name: parts[name] for name in (*first, *sorted(parts.keys() - first))}

    def _ask(
        self,
        messages: Sequence[Message],
        options: dict[str, Any],
        on_text: OnText | None,
        on_call: OnCall | None,
        budget: Budget,
    ) -> _Pieces:
        pieces = _Pieces()

        def part(chunk: Any) -> None:  # noqa: ANN401 - the SDK's
            more = pieces.add(chunk)
            if isinstance(more, ToolCall):
                if on_call:
                    on_call(more)
            elif more and on_text:
                on_text(pieces.text)

        def work(completions: Any, fixed: dict[str, Any], emit: Emit) -> None:  # noqa: ANN401 - the SDK's
            reply = completions.create(**fixed, **options)
            if not options["stream"]:
                pieces.whole(reply)
                return
            with reply:
                for chunk in reply:
                    emit(chunk)

        def came(_: None) -> CallResult:
            calls = [(call.name, call.arguments) for call in pieces.reply().calls]
            return CallResult(pieces.text or (calls_as_text(calls) if calls else ""), pieces.usage)

        tools = [str(tool["function"]["name"]) for tool in options.get("tools", ())]
        self._requests.send(messages, work, came, budget, part=part, tools=tools)
        pieces.text, pieces.refusal = (
            redacted(text, self._settings) for text in (pieces.text, pieces.refusal)
        )
        return pieces

    def _options(self, tools: Sequence[ToolSpec], schema: Schema | None) -> dict[str, Any]:
        options: dict[str, Any] = {"stream": self.streams}
        if schema:
            json_schema = {"name": "answer", "schema": dict(schema), "strict": True}
            options["response_format"] = {"type": "json_schema", "json_schema": json_schema}
        if tools:
            options["tools"] = [{"type": "function", "function": dict(tool)} for tool in tools]
        if self.streams and self._counts_streams:
            options["stream_options"] = {"include_usage": True}
        return options

    def _whole(self, pieces: _Pieces, on_text: OnText | None) -> ChatReply:
        if on_text and pieces.text and not self.streams:
            on_text(pieces.text)
        if pieces.refusal:
            raise self._error(self._declined(pieces.refusal))
        if pieces.finish == "content_filter":
            raise self._error("its answer was stopped by a filter")
        if pieces.finish == "length":
            raise self._error(f"its answer was cut off after {self._settings.max_output_tokens} tokens")
        if not pieces.finish:
            raise self._error("its answer was cut off")
        return pieces.reply()

    def _step_down(self, complaint: str) -> bool:
        """Ask for less after a refusal; False if there is nothing left to leave out."""
        if self._requests.rename_cap(complaint):
            return True
        if "stream" not in complaint or not self.streams:
            return False
        self.streams, self._counts_streams = self._counts_streams, False
        return True

    def _parse_by_schema(
        self, system: str, user: str, schema: type[_Answer], budget: Budget
    ) -> _Answer | None:
        """Ask with the schema; None if the server cannot be held to it."""
        try:
            raw = self._send(chat_types.messages(system, user), budget, response_format=schema)
        except Refused as refusal:
            if self._requests.rename_cap(refusal.reason):
                return self._parse_by_schema(system, user, schema, budget)
            return None
        read = self._read(raw, schema)
        if isinstance(read, str):
            raise self._error(read)
        return read

    def _read(self, raw: Any, schema: type[_Answer]) -> _Answer | str | None:  # noqa: ANN401 - the SDK's
        """Read the object, or why there is none; None if the server cannot be held to a schema."""
        import openai

        try:
            message = raw.parse().choices[0].message
            refused, parsed = message.refusal, message.parsed
        except openai.LengthFinishReasonError:
            return "its answer was cut off"
        except _NOT_A_COMPLETION:
            return None
        if refused:
            return self._declined(str(refused))
        return parsed if isinstance(parsed, schema) else None

    def _parse_in_words(self, messages: list[Message], schema: type[_Answer], budget: Budget) -> _Answer:
        text = self._say(messages, budget)
        try:
            return schema.model_validate_json(chat_types.json_in(text))
        except ValidationError as error:
            messages = [*messages, *chat_types.repair(text, error)]
        try:
            return schema.model_validate_json(chat_types.json_in(self._say(messages, budget)))
        except ValidationError as error:
            raise self._error(f"its answer was not valid twice: {chat_types.problem(error)}") from error

    def _say(self, messages: list[Message], budget: Budget) -> str:
        try:
            raw = self._send(messages, budget)
        except Refused as refusal:
            raise self._error(refusal.reason) from refusal
        text, problem = self._text(raw)
        if problem:
            raise self._error(problem)
        return text

    def _text(self, raw: Any) -> tuple[str, str]:  # noqa: ANN401 - the SDK's
        """Text of an answer, and why it is of no use, if so."""
        try:
            choice = raw.parse().choices[0]
            text, was_cut = str(choice.message.content or ""), choice.finish_reason == "length"
        except _NOT_A_COMPLETION:
            return "", "its answer is not a chat completion"
        return redacted(text, self._settings), "its answer was cut off" if was_cut else ""

    def _send(self, messages: list[Message], budget: Budget, **more: Any) -> Any:  # noqa: ANN401 - the SDK's
        """Send one request; what it used is counted before the answer is read."""

        def work(completions: Any, fixed: dict[str, Any], _: Emit) -> Any:  # noqa: ANN401 - the SDK's
            return completions.with_raw_response.parse(**fixed, **more)

        def came(raw: Any) -> CallResult:  # noqa: ANN401 - the SDK's
            return CallResult(raw.text, chat_types.reported_usage(raw.text))

        return self._requests.send(messages, work, came, budget)

    def _declined(self, refusal: str) -> str:
        return f"it declined: {redacted(refusal, self._settings)[:SHOWN_CHARACTERS]}"

    def _error(self, reason: str) -> ResourceError:
        return failure(self._settings, reason)


CHOSEN: Final = ({"kind": "figure", "of": "S3.users"}, {"kind": "contrast", "of": "S1.sales", "with": "S2"})
_BLOCKS: Final = (
    "Answer with JSON only: an object with a list `blocks`. A block is either "
    '{"kind": "figure", "of": ADDRESS} or {"kind": "contrast", "of": ADDRESS, "with": ROW}. '
    "ADDRESS is one of S1.users, S1.sales, S2.users, S2.sales, S3.users, S3.sales; ROW is S1, S2 or S3."
)
ASKED: Final = "How many users has S3? Then hold the sales of S1 against those of S2."
CHOOSE: Final = "Choose the colour of grass."
_CALL: Final = "Call the tool `weather` for the city of Paris. Do not answer in words."
_WEATHER: Final = {
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
    },
}  # fmt: skip
_MAX_PROBE_LENGTH: Final = 400
"""Characters of an answer that are waited for: what was asked for is shorter."""
_BEFORE_A_CALL: Final = 600
"""Characters before a tool is called that are waited for: some models first say what they will do."""


def _object(**fields: Sequence[str]) -> dict[str, object]:
    properties = {name: {"type": "string", "enum": list(values)} for name, values in fields.items()}
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_ROWS: Final = ("S1", "S2", "S3")
_OF: Final = [f"{row}.{measure}" for row in _ROWS for measure in ("users", "sales")]
_EITHER: Final = [
    _object(kind=["figure"], of=_OF),
    _object(**{"kind": ["contrast"], "of": _OF, "with": _ROWS}),
]
_SHAPE: Final = {
    "type": "object", "properties": {"blocks": {"type": "array", "items": {"anyOf": _EITHER}}},
    "required": ["blocks"], "additionalProperties": False,
}  # fmt: skip


class Colour(BaseModel):
    """What is asked for under a schema."""

    colour: Literal["red", "green", "blue"]


def _probe(llm: ServerLlm, budget: Budget, on_step: Callable[[str], None] = lambda _: None) -> Capabilities:
    """Find out what a server can do with a model, by three short questions.

    Args:
        llm: The model to ask.
        budget: Limit of all questions together.
        on_step: Gets what is tried next, in words.

    Raises:
        ResourceError: If not even plain text comes.
        Cancelled: If the budget says so.
    """
    on_step("an object that obeys a JSON schema")
    schema = _obeys_schemas(llm, budget)
    on_step("a choice of figures")
    blocks = _chooses_blocks(llm, budget, schema=schema)
    on_step("a call of a tool")
    return Capabilities(llm.streams, schema, _calls_tools(llm, budget), blocks)


def _chooses_blocks(llm: ServerLlm, budget: Budget, *, schema: bool) -> bool:
    reply = llm.chat(
        [{"role": "system", "content": _BLOCKS}, {"role": "user", "content": ASKED}],
        on_text=partial(_short, most=_MAX_PROBE_LENGTH), should_stop=budget.should_stop,
        timeout_s=budget.left, schema=_SHAPE if schema else None,
    ).text  # fmt: skip
    try:
        choice = json.loads(json_in(without_thoughts(reply)))
    except ValueError:
        return False
    return isinstance(choice, dict) and choice.get("blocks") == list(CHOSEN)


def _obeys_schemas(llm: ServerLlm, budget: Budget) -> bool:
    try:
        llm.parse(CHOOSE, "Grass.", Colour, should_stop=budget.should_stop, timeout_s=budget.left)
    except ResourceError:
        return False
    return llm.obeys_schemas


def _calls_tools(llm: ServerLlm, budget: Budget) -> bool:
    try:
        reply = llm.chat(
            [{"role": "user", "content": _CALL}], [_WEATHER], partial(_short, most=_BEFORE_A_CALL),
            should_stop=budget.should_stop, timeout_s=budget.left,
        )  # fmt: skip
    except ResourceError:
        return False
    return any(call.name == "weather" and "city" in call.arguments for call in reply.calls)


def _short(text: str, most: int) -> None:
    """Raise :class:`EnoughText` where a model does not come to an end; what it thinks aloud may be long."""
    if len(without_thoughts(text)) > most:
        raise EnoughText(text)
