"""Conversations on disk, and background tasks that ask a language model.

A conversation is a file, below the model whose segments it is about. A task runs in a thread: prepared,
agreed to, done, stopped. The thread fills the task in, and whoever looks sees what is there; what comes of it
is written to disk by the thread itself, so that it is there even if nobody looks any more.
"""

from __future__ import annotations

import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Annotated, Final, Literal
from uuid import uuid4

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field

from core.base.errors import Beha2VecError, Cancelled, ResourceError
from core.facts.answer import Answer, Block, Comment, Note, Reading
from core.facts.context import Context
from core.llm import LlmSettings
from core.storage.disk import PRIVATE
from core.storage.json_cache import JsonFile
from core.storage.store import Store
from core.writing import Assistant, AssistantSettings
from core.writing.payload import Payload

FOLDER: Final = "conversations"
RULES: Final = "rules"
"""Source of answers that were made without a model."""
TITLE_CHARACTERS: Final = 48
_ID: Final = re.compile(r"[0-9a-f]{16}")
_SLOT: Final = re.compile(r"\[\[(F\d+)\]\]")
"""Place of a value in texts of an older version."""


@dataclass(frozen=True)
class Exchange:
    """A question and its answer.

    Args:
        question: As it was typed.
        answer: None as long as it waits for one.
        digest: Digest of the data set and the segments that the answer is about.
        segments: Number of these segments.
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
        """The first question, cut to :data:`TITLE_CHARACTERS`."""
        first = self.exchanges[0].question if self.exchanges else "New conversation"
        return first if len(first) <= TITLE_CHARACTERS else f"{first[: TITLE_CHARACTERS - 1]}…"

    def reading(self, place: int) -> Reading | None:
        """Reading of the last answered question before a place, for a question that goes on with it."""
        answers = [one.answer for one in self.exchanges[:place] if one.answer and not one.answer.declined]
        return answers[-1].reading if answers else None


@dataclass(frozen=True)
class ConversationEntry:
    """A conversation in a menu.

    Args:
        id: Name of the file, without its ending.
        title: Its first question, cut.
    """

    id: str
    title: str


def begin(model: str) -> Conversation:
    """A new conversation; it is written when something is said."""
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
        conversation: Any state of it.
        place: Position of the exchange.
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
    """Read a conversation; None where there is none or it is damaged."""
    if not _ID.fullmatch(name):  # it may come from a link
        return None
    return _read(_folder(store, model) / f"{name}.json")


def earlier(store: Store, model: str, most: int = 12) -> list[ConversationEntry]:
    """The latest conversations about a model, the latest first; each is read once for as long as it stays."""
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


STOPPED: Final = "You stopped it."
_BROKEN_OFF: Final = "It broke off inside the program."
Make = Callable[[Callable[[], bool]], Assistant]
"""Makes the assistant once its server has said what it can, given what says whether to give up."""


@dataclass(eq=False)
class Errand(ABC):
    """A background task that asks a language model.

    Args:
        make: Makes the assistant; may wait for its server. Let go of in the end, with the key that it holds.
        server: Whose model it is, without its key.
        agreed: Whether text may be sent without asking.
        begun: Time of the beginning, by the monotonic clock.
        payloads: What would be sent first; there while the analyst has to agree to it.
        over: Set once it has ended.
        problem: Why what came of it could not be kept.
    """

    make: Make
    server: LlmSettings
    agreed: bool
    begun: float = field(default_factory=time.monotonic, kw_only=True)
    payloads: tuple[Payload, ...] = field(default=(), kw_only=True)
    over: threading.Event = field(default_factory=threading.Event, kw_only=True, repr=False)
    problem: str = field(default="", kw_only=True)
    _assistant: Assistant | None = field(default=None, kw_only=True)
    _stopped: threading.Event = field(default_factory=threading.Event, kw_only=True)
    _lock: threading.Lock = field(default_factory=threading.Lock, kw_only=True, repr=False)

    @abstractmethod
    def preview(self, assistant: Assistant) -> tuple[Payload, ...]:
        """First requests, exactly as they would be sent; calls may follow. Empty if no model is needed."""

    @abstractmethod
    def work(self, assistant: Assistant) -> None:
        """Ask the model, and keep what comes of it."""

    @abstractmethod
    def without(self, reason: str) -> None:
        """End the task without the model.

        Args:
            reason: Why; empty if the analyst wants it so.
        """

    @property
    def done(self) -> bool:
        """Whether the task has ended."""
        return self.over.is_set()

    @property
    def waits(self) -> bool:
        """Whether the analyst has to agree or to refuse first."""
        return bool(self.payloads)

    @property
    def seconds(self) -> float:
        """Seconds since the task began, or was agreed to."""
        return time.monotonic() - self.begun

    def begin(self) -> None:
        """Start the task in a thread."""
        self._in_thread(self._prepare)

    def agree(self) -> None:
        """Allow the text to be sent, and go on."""
        if self._taken():
            self.agreed, self.begun = True, time.monotonic()
            self._in_thread(self._prepare)

    def decline(self, reason: str = "") -> None:
        """Send nothing, and end; ``reason`` says why, where the analyst has not said so."""
        if self._taken():
            self._end(reason)

    def settle(self, settings: AssistantSettings) -> None:
        """Prepare anew what waits to be agreed to, as the settings of what may be sent have changed.

        Raises:
            Beha2VecError: If nothing can be sent so.
        """
        with self._lock:
            if self.waits and self._assistant:
                self._assistant = replace(self._assistant, settings=settings)
                self.payloads = self.preview(self._assistant)

    def stop(self) -> None:
        """Give up the task, whatever is going on."""
        with self._lock:
            self._stopped.set()
        self.decline()

    def should_stop(self) -> bool:
        """Whether the task is to give up."""
        return self._stopped.is_set()

    def _taken(self) -> bool:
        """Whether the task waited until now; of several answers at once only the first finds it so."""
        with self._lock:
            waited, self.payloads = self.waits, ()
        return waited

    def _in_thread(self, work: Callable[[], None]) -> None:
        threading.Thread(target=self._guarded, args=(work,), daemon=True, name="errand").start()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Cancelled:
            self._end(STOPPED)
        except Beha2VecError as error:
            self._end(str(error))
        except Exception:
            self._end(_BROKEN_OFF)
            raise

    def _prepare(self) -> None:
        self._assistant = self._assistant or self.make(self.should_stop)
        agreed = self.agreed
        payloads = () if agreed else self.preview(self._assistant)
        with self._lock:  # a Stop comes either before, and ends it here, or finds it waiting
            self._go_on()
            self.payloads = payloads
        if agreed:
            self.work(self._assistant)
            self._let_go()
        elif not payloads:  # nobody was asked, so nothing is sent
            self._end("")

    def _go_on(self) -> None:
        if self.should_stop():
            raise Cancelled("The answer")

    def _end(self, reason: str) -> None:
        try:
            self.without(reason)
        except Beha2VecError as error:  # the disk is full
            self.problem = str(error)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        self.make, self._assistant = _over, None
        self.over.set()


def _over(_: Callable[[], bool]) -> Assistant:
    raise Cancelled("The answer")


@dataclass(eq=False)
class Writing(Errand):
    """A background task that makes one answer.

    Args:
        blocks: Blocks of the answer that are whole so far.
    """

    blocks: tuple[Block, ...] = field(default=(), kw_only=True)

    def show(self, blocks: Sequence[Block]) -> None:
        """Take over the blocks that are whole so far."""
        self.blocks = tuple(blocks)
