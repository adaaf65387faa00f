"""Background tasks: agreed to once, stopped at any moment, and let go of with the key they hold."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from core.llm import LlmSettings
from core.saved.model_tasks import STOPPED, ModelTask
from core.writing import Assistant
from core.writing.payload import Payload

SERVER = LlmSettings.checked(model="m", base_url="http://127.0.0.1:9/v1")
PATIENCE_S = 10.0


@dataclass(eq=False)
class Noted(ModelTask):
    """Notes what it is told to do; waits at its gate before it previews, and before it works."""

    asks: tuple[Payload, ...] = field(default=(Payload("h", "m", {"messages": []}, None),), kw_only=True)
    noted: list[str] = field(default_factory=list, kw_only=True)
    gate: threading.Event = field(default_factory=threading.Event, kw_only=True)

    def preview(self, assistant: Assistant) -> tuple[Payload, ...]:
        self.noted.append("preview")
        assert self.gate.wait(PATIENCE_S)
        return self.asks

    def work(self, assistant: Assistant) -> None:
        self.noted.append("work")

    def without(self, reason: str) -> None:
        self.noted.append(f"without {reason}".strip())


def made(_: Callable[[], bool]) -> Assistant:
    return cast(Assistant, object())


def until(holds: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def waiting() -> Noted:
    """One that has to be agreed to."""
    task = Noted(made, SERVER, False)
    task.gate.set()
    task.begin()
    until(lambda: task.waits)
    return task


def test_stopped_while_its_text_is_prepared_it_never_asks() -> None:
    task = Noted(made, SERVER, False)
    task.begin()
    until(lambda: task.noted)
    task.stop()
    task.gate.set()
    until(lambda: task.done)
    assert (task.waits, task.noted) == (False, ["preview", f"without {STOPPED}"])


def test_where_there_is_nothing_to_agree_to_the_model_is_not_asked() -> None:
    task = Noted(made, SERVER, False, asks=())
    task.gate.set()
    task.begin()
    until(lambda: task.done)
    assert task.noted == ["preview", "without"]


def test_of_many_answers_at_once_the_first_counts() -> None:
    task = waiting()
    start = threading.Barrier(8)

    def answer() -> None:
        start.wait()
        task.agree()

    threads = [threading.Thread(target=answer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: task.done)
    task.decline()
    assert task.noted == ["preview", "work"]


def test_stopped_before_its_server_has_answered_it_does_nothing() -> None:
    def slow(should_stop: Callable[[], bool]) -> Assistant:
        until(should_stop)
        return made(should_stop)

    task = Noted(slow, SERVER, True)
    task.begin()
    task.stop()
    until(lambda: task.done)
    assert task.noted == [f"without {STOPPED}"]


def test_closed_without_an_answer_it_ends_and_says_so() -> None:
    task = waiting()
    task.decline("You left.")
    assert task.done
    assert task.noted == ["preview", "without You left."]


def test_what_made_it_is_let_go_of_in_the_end() -> None:
    task = waiting()
    task.agree()
    until(lambda: task.done)
    assert task.make is not made
    assert task._assistant is None
