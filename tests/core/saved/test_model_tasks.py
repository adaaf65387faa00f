"""Errands: agreed to once, stopped at any moment, and let go of with the key they hold."""

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
    errand = Noted(made, SERVER, False)
    errand.gate.set()
    errand.begin()
    until(lambda: errand.waits)
    return errand


def test_stopped_while_its_text_is_prepared_it_never_asks() -> None:
    errand = Noted(made, SERVER, False)
    errand.begin()
    until(lambda: errand.noted)
    errand.stop()
    errand.gate.set()
    until(lambda: errand.done)
    assert (errand.waits, errand.noted) == (False, ["preview", f"without {STOPPED}"])


def test_where_there_is_nothing_to_agree_to_the_model_is_not_asked() -> None:
    errand = Noted(made, SERVER, False, asks=())
    errand.gate.set()
    errand.begin()
    until(lambda: errand.done)
    assert errand.noted == ["preview", "without"]


def test_of_many_answers_at_once_the_first_counts() -> None:
    errand = waiting()
    start = threading.Barrier(8)

    def answer() -> None:
        start.wait()
        errand.agree()

    threads = [threading.Thread(target=answer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: errand.done)
    errand.decline()
    assert errand.noted == ["preview", "work"]


def test_stopped_before_its_server_has_answered_it_does_nothing() -> None:
    def slow(should_stop: Callable[[], bool]) -> Assistant:
        until(should_stop)
        return made(should_stop)

    errand = Noted(slow, SERVER, True)
    errand.begin()
    errand.stop()
    until(lambda: errand.done)
    assert errand.noted == [f"without {STOPPED}"]


def test_closed_without_an_answer_it_ends_and_says_so() -> None:
    errand = waiting()
    errand.decline("You left.")
    assert errand.done
    assert errand.noted == ["preview", "without You left."]


def test_what_made_it_is_let_go_of_in_the_end() -> None:
    errand = waiting()
    errand.agree()
    until(lambda: errand.done)
    assert errand.make is not made
    assert errand._assistant is None
