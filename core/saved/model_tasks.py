"""Background tasks that ask a language model: prepared, agreed to, done, stopped.

A task runs in a thread, which fills it in; whoever looks sees what is there. What comes of it is written to
disk by the thread itself, so that it is there even if nobody looks any more.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from core.base.errors import Beha2VecError, Cancelled
from core.facts.answer import Block
from core.llm import LlmSettings
from core.writing import Assistant, AssistantSettings
from core.writing.payload import Payload

STOPPED: Final = "You stopped it."
_BROKEN_OFF: Final = "It broke off inside the program."
Make = Callable[[Callable[[], bool]], Assistant]
"""Makes the assistant, given a function that says whether to give up; may wait for its server."""


@dataclass(eq=False)
class ModelTask(ABC):
    """A background task that asks a language model, once the analyst has agreed to the text that is sent.

    Args:
        make: Makes the assistant; may wait for its server. Let go of in the end, with the key that it holds.
        server: Server and model, without the key.
        agreed: Whether text may be sent without asking.
        begun: When it began or was agreed to, by ``time.monotonic``.
        payloads: The first requests, for as long as the analyst has to agree to them; else empty.
        over: Set once it has ended.
        problem: Why there is no result, or it could not be saved; empty if it was.
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
        """Ask the model, and save its answer."""

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
        """Whether it waits for :meth:`agree` or :meth:`decline`."""
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
        threading.Thread(target=self._guarded, args=(work,), daemon=True, name="model task").start()

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
class AnswerTask(ModelTask):
    """A background task that makes one answer, and shows the parts of it that are complete.

    Args:
        blocks: Blocks of the answer that are complete so far.
    """

    blocks: tuple[Block, ...] = field(default=(), kw_only=True)

    def show(self, blocks: Sequence[Block]) -> None:
        """Set the blocks that are complete so far."""
        self.blocks = tuple(blocks)
