"""What one interaction of one person costs the server, in CPU seconds, with nobody else there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.company.load import PAGES
from benchmarks.company.server import Server
from benchmarks.company.session import Seen, Session

EXPLORE_K: Final = (7, 8, 9, 10, 11, 10, 9, 8, 12, 5)
COMPARE_K: Final = (6, 4, 5, 6, 4)
"""Numbers of segments in the order in which they are set; the second time one comes is a way back."""
ROUNDS: Final = 4
SETTLE_S: Final = 0.15


@dataclass(frozen=True)
class Cost:
    """What one interaction took.

    Args:
        kind: What was done.
        cpu_s: Of the server.
        seconds: By the clock.
        received: Bytes.
    """

    kind: str
    cpu_s: float
    seconds: float
    received: int


async def costs(server: Server, link: Mapping[str, str]) -> list[Cost]:
    """Open the app, move K on Explore and on Compare, and turn the pages, one after another."""
    async with Session(server.port, dict(link), polls=False) as session:
        return [await _cost(kind, server, do) async for kind, do in _interactions(session)]


async def _interactions(session: Session) -> AsyncIterator[tuple[str, Awaitable[Seen]]]:
    for number in (1, 2):
        yield f"open, {number}. time", session.open("explore")
    for kind, k in _moves("explore", session, EXPLORE_K):
        yield kind, session.slide("k", k)
    for number in range(ROUNDS):
        for page in PAGES:
            yield f"{page}, {'again' if number else 'new'}", session.open(page)
    await session.open("compare")
    for kind, k in _moves("compare", session, COMPARE_K):
        yield kind, session.slide("k", k)


def _moves(page: str, session: Session, values: tuple[int, ...]) -> list[tuple[str, int]]:
    visited = (int(session.link.get("k", "6")), *values)
    return [(f"K on {page}, {'back' if k in visited[: at + 1] else 'new'}", k) for at, k in enumerate(values)]


async def _cost(kind: str, server: Server, do: Awaitable[Seen]) -> Cost:
    cpu, began = server.cpu_s(), time.monotonic()
    seen = await do
    seconds = time.monotonic() - began
    await asyncio.sleep(SETTLE_S)  # what it does after the page is drawn counts too
    return Cost(kind, server.cpu_s() - cpu, seconds, seen.received)
