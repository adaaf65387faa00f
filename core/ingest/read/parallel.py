"""Work on several blocks at once, results in order: what comes out does not depend on the threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar

from core.base.contention import available_cores

MAX_WORKERS = 4

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(items: Iterator[Item], submit: Callable[[Executor, Item], Future[Result]]) -> Iterator[Result]:
    """Give the results of all items in their order, a few of them computed ahead.

    Args:
        items: What to work on; taken one by one, never more than a few ahead.
        submit: Starts the work on one item. Called in the thread of the caller, so it may look at what the
            results before have changed.
    """
    workers = min(MAX_WORKERS, available_cores())
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for item in items:
            waiting.append(submit(pool, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
