"""What the tools of the MCP server do: describe the data, answer a query, check a sentence's figures.

Answers are sentences and rows, each figure with an address. All queries pass the floor of
:mod:`core.query.floor`, one for all clients of the server, so that nobody begins anew by connecting again.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

from core.base.errors import Beha2VecError, InputError
from core.base.safe_text import contains_user_id
from core.facts import sentences
from core.facts.answer import Answer, Fact, Unit
from core.facts.context import Context
from core.query import answering
from core.query.floor import FEWEST, Floor, Withheld
from core.query.in_words import MEANINGS, sentence
from core.query.query import By, Quantity, Query
from core.questions.reading import PossibleQueries, read

MOST_CHARACTERS: Final = 1_000
"""Longest question and sentence, in characters."""
MOST_NAMES: Final = 12
"""Names of a dimension that are listed: those of the most users."""
MOST_ANSWERS: Final = 1_000
"""Answers that sentences are checked against: the last ones."""
_NOT_READ: Final = (
    f"The question is not understood in full, or it names what fewer than {FEWEST} users did: ask with "
    "“query”, in the names that “describe” lists"
)
_LEFT_OUT: Final = f"Any rows of fewer than {FEWEST} users, and those that would tell of them, are left out."
_NO_SEGMENTS: Final = f"none of {FEWEST} users or more that can be told apart"
_NUMBER: Final = re.compile(
    r"(?<![\w.,/@-])(?P<number>[−-]?\d[\d,]*(?:\.\d+)?)"
    r"\s?(?P<unit>%|×|percent\b|percentage points\b)?(?![\w/@])"
)
_NO_FIGURE: Final = re.compile(
    r"\bsegment \d+|\b\d{4}-\d\d(?:-\d\d)?\b|\b\d\d:\d\d\b"
    r"|\b\d{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w*(?: \d{4})?\b",
    re.IGNORECASE,
)
"""Numbers that are the name of a segment, a day or an hour."""


@dataclass(frozen=True)
class ToolReply:
    """Reply of a tool.

    Args:
        text: For a reader.
        data: The same as data.
        refused: Whether nothing was answered.
    """

    text: str
    data: dict[str, Any]
    refused: bool = False


@dataclass(frozen=True)
class _Figure:
    address: str
    said: str
    fact: Fact


@dataclass(eq=False)
class McpSession:
    """Answers the tools, and remembers every figure that it gave.

    Args:
        context: The run.
    """

    context: Context
    _given: deque[_Figure] = field(default_factory=lambda: deque(maxlen=MOST_ANSWERS * 10))
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._floor = Floor(self.context.tables)
        self._ids = frozenset(self.context.tables.basis.sequences.user_id.to_pylist())

    def call(self, tool: str, arguments: Mapping[str, Any]) -> ToolReply:
        """Call a tool by its name; whatever is wrong is one line."""
        tools = {"describe": self._describe, "ask": self._ask, "check": self._check}
        if tool not in tools:
            return _refusal(f"There is no tool of that name: there are {', '.join(tools)}")
        try:
            with self._lock:
                reply = tools[tool](arguments)
        except Beha2VecError as error:
            return _refusal(str(error), self._nearest)
        if contains_user_id(f"{reply.text} {json.dumps(reply.data, ensure_ascii=False)}", self._ids):
            return _refusal("The answer holds what looks like a user's id, so it is not given")
        return reply

    # what is here

    def _describe(self, arguments: Mapping[str, Any]) -> ToolReply:
        _only(arguments)
        layout, common = self._floor.data, self._floor.common
        (first, last), title = layout.days, self.context.title
        try:
            rows = self._answered(Query(by=By.SEGMENT)).facts
        except Withheld:
            rows = ()
        names = {kind: list(some[:MOST_NAMES]) for kind, some in common.items() if some}
        data = {
            "users": layout.n_users, "first_day": str(first), "last_day": str(last),
            "segments": [{"key": row.row, "name": title(row.row), "users": int(row.value)} for row in rows],
            "segments_are": self.context.verdict,
            "names": names,
            "further_names": {kind: len(common[kind]) - len(some) for kind, some in names.items()},
            "measures": {measure.value: meaning for measure, meaning in MEANINGS.items()},
            "example_questions": list(self._nearest),
        }  # fmt: skip
        sizes = "; ".join(f"{row.row} is {title(row.row)}, {row.text} users" for row in rows)
        text = "\n".join((
            f"{layout.n_users:,} users with a page view, {first} to {last}.",
            f"Segments: {sizes or _NO_SEGMENTS}. {self.context.verdict}",
            f"Names by dimension (of {FEWEST} users or more, most first):",
            *(f"- {kind}: {', '.join(some)}" for kind, some in names.items()),
            f"Example questions: {' · '.join(self._nearest)}",
        ))  # fmt: skip
        return ToolReply(text, data)

    @property
    def _nearest(self) -> tuple[str, ...]:
        """Questions in words that can be answered here."""
        events = [name for name in ("purchase", "add_to_cart") if name in self._floor.common["event"]]
        tried = [
            "How many users are there by device?", "How many sessions are there by week?",
            "How many users came again?", *(f"How many users did {name}?" for name in events),
        ]  # fmt: skip
        return tuple(question for question in tried if self._is_read(question))

    def _is_read(self, question: str) -> bool:
        try:
            read(question, self.context)
        except Beha2VecError:
            return False
        return True

    # a query

    def _ask(self, arguments: Mapping[str, Any]) -> ToolReply:
        _only(arguments, "question", "query")
        question, query = arguments.get("question"), arguments.get("query")
        if (question is None) == (query is None):
            raise InputError("Give either “question” or “query”")
        possible = self._read(question) if question is not None else PossibleQueries((_checked(query),))
        first, others = self._as_data(possible.queries[0]), list[dict[str, Any]]()
        for other in possible.queries[1:]:
            with suppress(Beha2VecError):  # what few users did is no reading
                others.append(self._as_data(other))
        said = [
            f"Understood as: {one['reading']}.\n{one['text']}\n{one['population']}\nAddresses: "
            + ", ".join(row["address"] for row in one["rows"])
            for one in (first, *others)
        ]
        if possible.open_word and others:
            line = f"“{possible.open_word}” names several things here: settle which one is meant."
            declined = {"reason": line, "nearest": []}
            data = {"declined": declined, "readings": [first, *others]}
            return ToolReply("\n\n".join((line, *said)), data, refused=True)
        text = "\n\nIt can also be meant otherwise.\n".join(said)
        return ToolReply(text, {**first, "declined": None, "readings": others})

    def _as_data(self, query: Query) -> dict[str, Any]:
        """A query with its answer."""
        answer = self._answered(query)
        text = sentences.plain(answer.blocks, answer.titles)
        if query.by is not None or query.measure in (Quantity.FUNNEL, Quantity.RETENTION):
            text += f"\n{_LEFT_OUT}"
        return {
            "query": json.loads(query.model_dump_json(exclude_none=True)),
            "reading": sentence(query, self.context.title), "population": answer.population,
            "rows": [self._row(figure, query) for figure in self._kept(answer, query)], "text": text,
        }  # fmt: skip

    def _read(self, question: object) -> PossibleQueries:
        """Read a question in words; why it is not read would tell which rare names exist."""
        if not isinstance(question, str) or len(question) > MOST_CHARACTERS:
            raise InputError(f"A question is a text of at most {MOST_CHARACTERS:,} characters")
        try:
            return read(question, self.context)
        except Beha2VecError as error:
            raise InputError(_NOT_READ) from error

    def _answered(self, query: Query) -> Answer:
        return answering.answer_of(self._floor.answer(query), self.context)

    def _kept(self, answer: Answer, query: Query) -> list[_Figure]:
        digest = answer.facts[0].measure.rpartition(":")[2]
        found = [
            _Figure("/".join(filter(None, (f"{query.measure}@{digest}", fact.row, fact.called))),
                    sentence(query, self.context.title), fact)
            for fact in answer.facts
        ]  # fmt: skip
        self._given.extend(found)
        return found

    def _row(self, figure: _Figure, query: Query) -> dict[str, Any]:
        fact = figure.fact
        # a median is the time of one or two users: to the second it says no more than its text
        value = float(round(fact.value)) if query.measure is Quantity.TIME_TO else fact.value
        name = fact.called or self.context.title(fact.row)
        return {
            "name": name, "value": value, "text": fact.text, "low": fact.low, "high": fact.high, "n": fact.n,
            "address": figure.address,
        }  # fmt: skip

    # a sentence

    def _check(self, arguments: Mapping[str, Any]) -> ToolReply:
        _only(arguments, "sentence")
        text = arguments.get("sentence")
        if not isinstance(text, str) or len(text) > MOST_CHARACTERS:
            raise InputError(f"“sentence” is a text of at most {MOST_CHARACTERS:,} characters")
        found = [self._sourced(match) for match in _NUMBER.finditer(_NO_FIGURE.sub(" ", text))]
        lines = [
            f"{one['figure']}: {' or '.join(one['addresses']) or 'in no answer of this session'}"
            for one in found
        ]
        holds = all(one["addresses"] for one in found)
        head = "Every figure stands in an answer." if holds else "Not every figure stands in an answer."
        if not found:
            head = "The sentence has no figure."
        return ToolReply("\n".join((head, *lines)), {"all_found": holds, "figures": found})

    def _sourced(self, match: re.Match[str]) -> dict[str, Any]:
        """A figure of a sentence, with the addresses where it stands."""
        number, unit = match["number"], match["unit"] or ""
        value = float(number.replace(",", "").replace("−", "-"))
        digits = len(number.partition(".")[2])
        places = [one for one in self._given if _stands_in(one.fact, value, digits, unit)]
        addresses = list(dict.fromkeys(one.address for one in places))[:3]
        return {"figure": f"{number}{'' if unit in ('', '%', '×') else ' '}{unit}", "addresses": addresses,
                "said": list(dict.fromkeys(one.said for one in places))[:3]}  # fmt: skip


def _stands_in(fact: Fact, value: float, digits: int, unit: str) -> bool:
    """Whether a figure as it is written is one of a fact: its value, an end of its interval, or its users."""
    is_share = fact.unit in (Unit.SHARE, Unit.POINTS)
    if (unit in ("%", "percent", "percentage points")) != is_share:
        return unit == "" and value in (fact.n, round(fact.value * fact.n))
    scale = 100 if is_share else 1
    ends = [one * scale for one in (fact.value, fact.low, fact.high) if one is not None]
    return any(round(one, digits) == value for one in (*ends, *(() if is_share else (fact.n,))))


def _only(arguments: Mapping[str, Any], *names: str) -> None:
    unknown = [name for name in arguments if name not in names]
    if unknown:
        raise InputError("The tool has no such argument", allowed=", ".join(names) or "none")


def _checked(query: object) -> Query:
    if not isinstance(query, dict):
        raise InputError("“query” is an object", allowed='such as {"measure": "users", "by": "device"}')
    return Query.checked(**{str(name): value for name, value in query.items()})


def _refusal(reason: str, nearest: tuple[str, ...] = ()) -> ToolReply:
    line = " ".join(reason.split())[: 2 * MOST_CHARACTERS]
    return ToolReply(line, {"declined": {"reason": line, "nearest": list(nearest)}}, refused=True)
