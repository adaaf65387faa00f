import threading
from collections.abc import Callable
from typing import Any

import pytest

from core.errors import Cancelled
from core.llm.waiting import TooLate, wait_for


def test_parts_and_the_result_come_to_whoever_waits() -> None:
    seen: list[tuple[int, threading.Thread]] = []

    def work(emit: Callable[[Any], None]) -> str:
        emit(1)
        emit(2)
        return "done"

    assert wait_for(work, lambda part: seen.append((part, threading.current_thread()))) == "done"
    assert seen == [(1, threading.current_thread()), (2, threading.current_thread())]


def test_an_error_comes_too() -> None:
    def work(_: Callable[[Any], None]) -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        wait_for(work)


def test_whoever_stops_or_has_no_time_leaves_the_work_behind() -> None:
    go_on, ended = threading.Event(), threading.Event()

    def work(emit: Callable[[Any], None]) -> None:
        try:
            go_on.wait(20)
            emit("nobody hears this")
        finally:
            ended.set()

    for limits, error in (({"seconds": 0.01}, TooLate), ({"should_stop": lambda: True}, Cancelled)):
        go_on.clear()
        ended.clear()
        with pytest.raises(error):
            wait_for(work, **limits)
        go_on.set()
        assert ended.wait(20)
