"""Several processes that train together, as torchrun would start them, on this machine and without it."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Callable
from typing import Any, TypeAlias

Ended: TypeAlias = tuple[Any, str]
"""What a process returned, and the error that it ended with, in words."""

LIMIT_S = 240.0


def together(
    lead: Callable[..., Any],
    *arguments: Any,  # noqa: ANN401 - whatever it takes
    helper: Callable[[], Any] | None = None,
    size: int = 2,
    patience_s: float = 60.0,
) -> dict[int, Ended]:
    """Let the first process call ``lead``, and the others help; those that were killed are left out."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["core.model.training", "torch._dynamo"])  # seconds, once for all
    results = context.Queue()
    port = _free_port()
    started = [
        context.Process(target=_one, args=(rank, size, port, patience_s, lead, arguments, helper, results))
        for rank in range(size)
    ]
    for process in started:
        process.start()
    until = time.monotonic() + LIMIT_S
    found: dict[int, Ended] = {}
    while any(process.is_alive() for process in started) or not results.empty():
        while not results.empty():
            rank, *ended = results.get()
            found[rank] = (ended[0], ended[1])
        if time.monotonic() > until:
            for process in started:
                process.kill()
            raise AssertionError(f"the processes hang; these have ended: {found}")
        time.sleep(0.05)
    return found


def _one(
    rank: int,
    size: int,
    port: int,
    patience_s: float,
    lead: Callable[..., Any],
    arguments: tuple[Any, ...],
    helper: Callable[[], Any] | None,
    results: Any,  # noqa: ANN401 - a queue
) -> None:
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip
    from datetime import timedelta

    from core.base.errors import Beha2VecError
    from core.model import parallel
    from core.model.handover import lend_a_hand

    parallel.PATIENCE = timedelta(seconds=patience_s)
    returned, words = None, ""
    try:
        with parallel.joined():
            returned = (helper or lend_a_hand)() if rank else lead(*arguments)
    except Beha2VecError as error:
        words = f"{type(error).__name__}: {error}"
    results.put((rank, returned, words))


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
