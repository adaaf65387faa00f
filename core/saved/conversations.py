"""Conversations on disk: a file each, below the model whose segments it is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Annotated, Final, Literal
from uuid import uuid4

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field

from core.base.errors import ResourceError
from core.facts.answer import Answer, Block, Comment, Note, Reading
from core.facts.context import Context
from core.storage.disk import PRIVATE
from core.storage.json_cache import JsonFile
from core.storage.store import Store

FOLDER: Final = "conversations"
RULES: Final = "rules"
"""Source of answers that were made without a model."""
_TITLE_CHARACTERS: Final = 48
_ID: Final = re.compile(r"[0-9a-f]{16}")
_SLOT: Final = re.compile(r"\[\[(F\d+)\]\]")
"""Place of a value in texts of an older version."""


@dataclass(frozen=True)
class Exchange:
    """A question and its answer.

    Args:
        question: As it was typed.
        answer: None as long as it waits for one.
        digest: :attr:`core.facts.context.Tables.digest` of the segments that the answer is about.
        segments: Number of those segments.
    """

    question: str
    answer: Answer | None = None
    digest: str = ""
    segments: int = 0


class _OldFact(BaseModel):
    id: str
    text: str


class _OldMessage(BaseModel):
    role: Literal["user", "assistant"]
    text: str
    facts: tuple[_OldFact, ...] = ()
    source: str = ""
    reason: str = ""

    def block(self) -> Block:
        """The message as a block: a note if the app wrote it, a comment if a model did."""
        values = {fact.id: fact.text for fact in self.facts}
        text = _SLOT.sub(lambda slot: values.get(slot[1], slot[0]), self.text)
        return Comment(text=text) if self.source not in ("", RULES) else Note(text=text)


def _as_exchanges(kept: object) -> object:
    """Turn messages of an older version into exchanges."""
    if not isinstance(kept, list) or not any(isinstance(one, Mapping) and "role" in one for one in kept):
        return kept
    found: list[Exchange] = []
    for one in map(_OldMessage.model_validate, kept):
        if one.role == "user":
            found.append(Exchange(one.text))
        elif found:
            answer = Answer((one.block(),), source=one.source or RULES, reason=one.reason)
            found[-1] = replace(found[-1], answer=answer)
    return found


Exchanges = Annotated[
    tuple[Exchange, ...],
    Field(validation_alias=AliasChoices("exchanges", "messages")),
    BeforeValidator(_as_exchanges),
]


@dataclass(frozen=True)
class Conversation:
    """A conversation about the segments of a model.

    Args:
        id: Name of the file, without its ending.
        model: Content key of the model it is about.
        exchanges: Questions and answers in order.
        begun: Time of the beginning, UTC, ISO 8601.
    """

    id: str
    model: str
    exchanges: Exchanges = ()
    begun: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def title(self) -> str:
        """The first question, cut to :data:`_TITLE_CHARACTERS`."""
        first = self.exchanges[0].question if self.exchanges else "New conversation"
        return first if len(first) <= _TITLE_CHARACTERS else f"{first[: _TITLE_CHARACTERS - 1]}…"

    def reading(self, place: int) -> Reading | None:
        """How the last question answered before index ``place`` was understood; None if not known."""
        answers = [one.answer for one in self.exchanges[:place] if one.answer and not one.answer.declined]
        return answers[-1].reading if answers else None


@dataclass(frozen=True)
class ConversationEntry:
    """A conversation in a menu: what it is read and called by.

    Args:
        id: Name of the file, without its ending.
        title: Its first question, cut.
    """

    id: str
    title: str


def begin(model: str) -> Conversation:
    """A new conversation about a model (content key); nothing is written before :func:`ask`."""
    return Conversation(uuid4().hex[:16], model)


def ask(store: Store, conversation: Conversation, question: str) -> Conversation:
    """Add a question to a conversation and save it.

    Returns:
        The conversation as it is now: another tab may have gone on with it.

    Raises:
        ResourceError: If the disk is full.
    """
    with store.in_turn():
        found = load(store, conversation.model, conversation.id) or conversation
        return _save(store, replace(found, exchanges=(*found.exchanges, Exchange(question))))


def answer(store: Store, conversation: Conversation, place: int, said: Answer, about: Context | None) -> None:
    """Save an answer; nothing is saved where the conversation has been deleted meanwhile.

    Args:
        store: Where it is kept.
        conversation: Any state of it: only its id and model are used.
        place: Index of the question among ``exchanges``.
        said: The answer.
        about: The segments that it is about; None before there are any.

    Raises:
        ResourceError: If the disk is full.
    """
    with store.in_turn():
        found = load(store, conversation.model, conversation.id)
        if found is None or place >= len(found.exchanges):
            return
        kept, asked = list(found.exchanges), found.exchanges[place]
        digest, segments = (about.tables.digest, len(about.segment_keys)) if about else ("", 0)
        kept[place] = replace(asked, answer=said, digest=digest, segments=segments)
        _save(store, replace(found, exchanges=tuple(kept)))


def _save(store: Store, conversation: Conversation) -> Conversation:
    _file(_folder(store, conversation.model) / f"{conversation.id}.json").write(conversation)
    return conversation


def load(store: Store, model: str, name: str) -> Conversation | None:
    """Read a conversation by its model's content key and its id; None if there is none, or damaged."""
    if not _ID.fullmatch(name):  # it may come from a link
        return None
    return _read(_folder(store, model) / f"{name}.json")


def earlier(store: Store, model: str, most: int = 12) -> list[ConversationEntry]:
    """The latest conversations about a model (content key), ``most`` of them, the latest first."""
    files = (path for path in _folder(store, model).glob("*.json") if _ID.fullmatch(path.stem))
    times = ((when, path) for path in files if (when := _written(path)))
    found = (_title(path, when) for when, path in sorted(times, reverse=True))
    return list(islice((one for one in found if one is not None), most))


def forget(store: Store, conversation: Conversation) -> None:
    """Delete a conversation from the disk."""
    with store.in_turn():
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
def _title(path: Path, written: int) -> ConversationEntry | None:
    """Menu entry of a file that was written then; None if it is damaged or nothing was said."""
    found = _read(path)
    return ConversationEntry(found.id, found.title) if found is not None and found.exchanges else None


def _read(path: Path) -> Conversation | None:
    with suppress(ResourceError):
        return _file(path).read()
    return None


def _file(path: Path) -> JsonFile[Conversation]:
    return JsonFile(path, Conversation, PRIVATE)
