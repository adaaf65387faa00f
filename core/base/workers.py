"""Threads that compute a batch on all cores: each takes whole parts of it.

The operators of so small a network are too short to be split among threads themselves: waiting for each
other costs more than it saves, and on a machine that is also doing something else it costs tenfold. A
part is long enough, and PyTorch lets go of Python's lock while it computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, Protocol, TypeVar

import torch

from core.base.contention import available_cores

MAX_WORKERS: Final = 8
"""Most threads: a batch has too few parts for more."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Workers(Protocol):
    """Applies a function to items in parallel, in any order; the results keep the order of the items."""

    def __call__(self, do: Callable[[_Item], _Result], items: Iterable[_Item], /) -> Iterable[_Result]:
        """Apply ``do`` to every item, like :func:`map`."""


def sequential(do: Callable[[_Item], _Result], items: Iterable[_Item], /) -> Iterable[_Result]:
    """Apply ``do`` to every item in the caller's thread."""
    return map(do, items)


@contextmanager
def workers(device: torch.device) -> Iterator[Workers]:
    """Start one thread per core for a CPU; for a GPU, work stays in the caller's thread.

    Inside the block, a PyTorch operator runs only in the thread that called it.
    """
    if device.type != "cpu":
        yield sequential
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    count = max(1, min(available_cores(), MAX_WORKERS))
    try:  # set for each thread: OpenMP keeps the number for each, and a new thread has the default
        with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:

            def together(do: Callable[[_Item], _Result], items: Iterable[_Item], /) -> Iterable[_Result]:
                return pool.map(do, items)

            yield together
    finally:
        torch.set_num_threads(before)
