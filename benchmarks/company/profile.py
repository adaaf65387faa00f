"""What one interaction of one person costs the server, in CPU seconds, with nobody else there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.company.load import PAGES
from benchmarks.company.server import Server
from benchmarks.company.session import Seen, Session

THERE: Final = (7, 8, 9, 10, 11, 10, 9, 8, 12, 5)
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
    found: list[Cost] = []
    async with Session(server.port, dict(link), polls=False) as session:
        for number in range(2):
            found.append(await _cost(f"open, {number + 1}. time", server, lambda: session.open("explore")))
        found += await _moves("explore", server, session, THERE)
        for number in range(ROUNDS):
            for page in PAGES:
                name = f"{page}, again" if number else f"{page}, new"
                found.append(await _cost(name, server, lambda page=page: session.open(page)))  # type: ignore[misc]
        await session.open("compare")
        found += await _moves("compare", server, session, (6, 4, 5, 6, 4))
    return found


async def _moves(page: str, server: Server, session: Session, values: tuple[int, ...]) -> list[Cost]:
    found, visited = [], {int(session.link.get("k", "6"))}
    for k in values:
        name = f"K on {page}, {'back' if k in visited else 'new'}"
        visited.add(k)
        found.append(await _cost(name, server, lambda k=k: session.slide("k", k)))  # type: ignore[misc]
    return found


async def _cost(kind: str, server: Server, do: Callable[[], Awaitable[Seen]]) -> Cost:
    cpu, began = server.cpu_s(), time.monotonic()
    seen = await do()
    seconds = time.monotonic() - began
    await asyncio.sleep(SETTLE_S)  # what it does after the page is drawn counts too
    return Cost(kind, server.cpu_s() - cpu, seconds, seen.received)
