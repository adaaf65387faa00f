"""Conversations on disk: one file each, below the model whose segments they are about."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pandas as pd

from core.base.errors import ResourceError
from core.facts.answer import Answer, Fact, Mark
from core.outgoing.quoting import clean
from core.storage.disk import PRIVATE
from core.storage.json_file import JsonFile
from core.storage.store import Store

FOLDER: Final = "conversations"
ROWS_KEPT: Final = 50
TITLE_CHARACTERS: Final = 48
_ID: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Message:
    """A question or an answer.

    Args:
        role: ``user`` or ``assistant``.
        text: As written; an answer's holds ``[[F12]]`` where values stand.
        facts: What an answer cites.
        rows: The table behind an answer, at most :data:`ROWS_KEPT` rows.
        query: What was asked of the data.
        source: Who answered.
        chart: A chart over the rows.
        marks: What in the text is a suggestion, or unverified.
        reason: Why a model's answer is not shown.
        tokens: Sent to a model and received.
        cost: Of that, in US dollars; None if no price is known.
        called: Segment → what it was called in the text when a model wrote it.
    """

    role: str
    text: str
    facts: tuple[Fact, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    query: str = ""
    source: str = ""
    chart: Mapping[str, Any] | None = None
    marks: tuple[Mark, ...] = ()
    reason: str = ""
    tokens: int = 0
    cost: float | None = None
    called: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Conversation:
    """What was said.

    Args:
        id: Of the file.
        model: Content key of the model it is about.
        messages: In order.
        begun: When.
    """

    id: str
    model: str
    messages: tuple[Message, ...] = ()
    begun: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def title(self) -> str:
        """The first question, cut."""
        first = next(
            (message.text for message in self.messages if message.role == "user"), "New conversation"
        )
        return first if len(first) <= TITLE_CHARACTERS else f"{first[: TITLE_CHARACTERS - 1]}…"

    def saying(self, *messages: Message) -> Conversation:
        """The same with more said."""
        return replace(self, messages=(*self.messages, *messages))


@dataclass(frozen=True)
class Listed:
    """A conversation in a menu.

    Args:
        id: Of the file.
        title: Its first question, cut.
    """

    id: str
    title: str


def begin(model: str) -> Conversation:
    """A new conversation; it is written when something is said."""
    return Conversation(uuid4().hex[:16], model)


def to_message(answer: Answer, names: Mapping[int, str] | None = None) -> Message:
    """An answer as it is kept; ``names`` of segments that stand in it may change while it is kept."""
    called = {str(segment): clean(name) for segment, name in (names or {}).items()}
    chart = dict(answer.chart) if answer.chart else None
    rows = plain_rows(answer.table)
    return Message(
        "assistant", answer.text, answer.facts, rows, answer.query, answer.source, chart,
        answer.marks, answer.reason, answer.usage.tokens, answer.cost,
        {segment: name for segment, name in called.items() if f"({name})" in answer.text},
    )  # fmt: skip


def plain_rows(table: pd.DataFrame | None) -> tuple[Mapping[str, Any], ...]:
    """The first rows of a table as plain data."""
    if table is None or table.empty:
        return ()
    return tuple(json.loads(table.head(ROWS_KEPT).to_json(orient="records")))


def save(store: Store, conversation: Conversation) -> None:
    """Write a conversation, in place of what was said before.

    Raises:
        ResourceError: If the disk is full.
    """
    _file(_folder(store, conversation.model) / f"{conversation.id}.json").write(conversation)


def load(store: Store, model: str, name: str) -> Conversation | None:
    """Read a conversation; None where there is none or it is damaged."""
    if not _ID.fullmatch(name):  # it may come from a link
        return None
    return _read(_folder(store, model) / f"{name}.json")


def earlier(store: Store, model: str, most: int = 12) -> list[Listed]:
    """The latest conversations about a model, the latest first; each is read once for as long as it stays."""
    files = (path for path in _folder(store, model).glob("*.json") if _ID.fullmatch(path.stem))
    times = ((when, path) for path in files if (when := _written(path)))
    found = (_title(path, when) for when, path in sorted(times, reverse=True))
    return list(islice((one for one in found if one is not None), most))


def forget(store: Store, conversation: Conversation) -> None:
    """Delete a conversation."""
    _file(_folder(store, conversation.model) / f"{conversation.id}.json").delete()


def _folder(store: Store, model: str) -> Path:
    return store.root / FOLDER / model


def _written(path: Path) -> int:
    """When a file was written, in nanoseconds; 0 if another tab has just deleted it."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=512)
def _title(path: Path, written: int) -> Listed | None:
    """What a file that was written then is listed as; None if it is damaged or nothing was said."""
    found = _read(path)
    return Listed(found.id, found.title) if found is not None and found.messages else None


def _read(path: Path) -> Conversation | None:
    with suppress(ResourceError):
        return _file(path).read()
    return None


def _file(path: Path) -> JsonFile[Conversation]:
    return JsonFile(path, Conversation, PRIVATE)
