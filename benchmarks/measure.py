"""Run a function in a fresh process and measure it."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any


@dataclass(frozen=True)
class Measured:
    """What one step took.

    Args:
        wall_s: Seconds by the clock, imports included.
        cpu_s: Seconds of CPU, user and system, all threads.
        peak_mb: Largest resident memory of the process, or of the largest process that it started.
        value: What the function returned.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    value: Any


def measure(function: Callable[..., Any], *args: object) -> Measured:
    """Call ``function(*args)`` in a new process, so that peaks do not add up."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(there, function, args))
    child.start()
    there.close()
    try:
        wall, cpu, peak, value = here.recv()
    except EOFError:
        child.join()
        raise RuntimeError(f"{function.__name__} ended without a result ({child.exitcode})") from None
    child.join()
    return Measured(wall, cpu, peak, value)


def _child(pipe: Connection, function: Callable[..., Any], args: tuple[object, ...]) -> None:
    began = time.perf_counter()
    value = function(*args)
    wall = time.perf_counter() - began
    mine, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = sum(used.ru_utime + used.ru_stime for used in (mine, children))
    pipe.send((wall, cpu, max(mine.ru_maxrss, children.ru_maxrss) / 1024, value))
