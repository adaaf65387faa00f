"""Both cores, by plain threads: each takes whole parts of a batch.

The operators of so small a network are too short to be split among threads themselves: waiting for each
other costs more than it saves, and on a machine that is also doing something else it costs tenfold. A
part is long enough, and PyTorch lets go of Python's lock while it computes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, Protocol, TypeVar

import torch

from core.base.contention import available_cores

MOST_WORKERS: Final = 8
"""More do not find enough parts to work on."""

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Workers(Protocol):
    """Does the same with each of some things, in any order, and returns the results in their order."""

    def __call__(self, do: Callable[[_Item], _Result], items: Iterable[_Item], /) -> Iterable[_Result]:
        """Like :func:`map`."""


def alone(do: Callable[[_Item], _Result], items: Iterable[_Item], /) -> Iterable[_Result]:
    """No workers but the caller."""
    return map(do, items)


@contextmanager
def workers(device: torch.device) -> Iterator[Workers]:
    """Threads for a CPU, one a core; a GPU is fed by the caller's thread.

    While they are there, a PyTorch operator uses the thread that called it and no other.
    """
    if device.type != "cpu":
        yield alone
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    beside = int(os.environ.get("LOCAL_WORLD_SIZE", 1))  # processes that train together here: torchrun says
    count = max(1, min(available_cores() // beside, MOST_WORKERS))
    try:  # each thread is told: OpenMP keeps the number for each, and a new thread has the default
        with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:

            def together(do: Callable[[_Item], _Result], items: Iterable[_Item], /) -> Iterable[_Result]:
                return pool.map(do, items)

            yield together
    finally:
        torch.set_num_threads(before)
