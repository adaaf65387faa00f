import threading
from collections.abc import Callable
from typing import Any

import pytest

from core.base.errors import Cancelled
from core.llm.requests import TimedOut, wait_for


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
    begun, go_on, ended = (threading.Event() for _ in range(3))

    def work(emit: Callable[[Any], None]) -> None:
        begun.set()
        try:
            go_on.wait(20)
            emit("nobody hears this")
        finally:
            ended.set()

    for limits, error in (({"seconds": 0.05}, TimedOut), ({"should_stop": begun.is_set}, Cancelled)):
        for event in (begun, go_on, ended):
            event.clear()
        with pytest.raises(error):
            wait_for(work, **limits)
        go_on.set()
        assert ended.wait(20)


@pytest.mark.parametrize(
    ("limits", "error"), [({"should_stop": lambda: True}, Cancelled), ({"seconds": -1}, TimedOut)]
)
def test_what_nobody_would_wait_for_is_not_begun(limits: dict[str, Any], error: type[Exception]) -> None:
    begun = threading.Event()
    with pytest.raises(error):
        wait_for(lambda _: begun.set(), **limits)
    assert not begun.wait(0.2)
