"""Several people at once: each moves the number of segments and switches pages, with pauses to look."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final

from benchmarks.company.server import Server
from benchmarks.company.session import InteractionFailed, Session

K_MOVE: Final = "move K"
K_LOW, K_HIGH, FARTHEST = 2, 15, 3
"""Numbers of segments that people try, and how far one move goes."""
PAGES: Final = ("explore", "profiles", "compare", "users", "export")
"""The pages that show the segments. Trust is left out: it starts a job of 20 s for each new K."""
STEERED: Final = ("explore", "profiles", "compare")
"""Pages that have the slider for the number of segments."""
MEMORY_EVERY_S: Final = 2.0


@dataclass(frozen=True)
class Interaction:
    """One interaction.

    Args:
        kind: A page's address, or :data:`K_MOVE`.
        seconds: Until the page was drawn whole.
        failure: What went wrong; empty if nothing did.
    """

    kind: str
    seconds: float
    failure: str = ""


@dataclass
class Measured:
    """What a load cost.

    Args:
        interactions: Interactions of all sessions.
        memory_mb: The server's resident memory, looked at every :data:`MEMORY_EVERY_S`.
        cpu_s: The server's CPU seconds for all of it.
        polls: Runs of fragments that run by themselves.
    """

    interactions: list[Interaction] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    polls: int = 0

    @property
    def failures(self) -> list[Interaction]:
        """Interactions that went wrong."""
        return [each for each in self.interactions if each.failure]


@dataclass(frozen=True)
class Load:
    """How many people do what for how long.

    Args:
        sessions: People at once.
        seconds: Time after which nobody begins anything new.
        pause_s: The least and the most seconds that somebody looks at a page.
        seed: Seed of what they do.
        moves: Interactions of each of them, at most.
    """

    sessions: int
    seconds: float
    pause_s: tuple[float, float] = (3.0, 8.0)
    seed: int = 0
    moves: int = 1_000


async def drive(server: Server, link: Mapping[str, str], load: Load) -> Measured:
    """Let everybody work until the time is up.

    Args:
        server: The running app.
        link: Query parameters of the address that everybody opens.
        load: How many people do what.
    """
    measured, before = Measured(), server.cpu_s()
    watch = asyncio.create_task(_watch_memory(server, measured))
    until = time.monotonic() + load.seconds
    people = (_work(server, link, load, number, until, measured) for number in range(load.sessions))
    await asyncio.gather(*people)
    watch.cancel()
    measured.cpu_s = server.cpu_s() - before
    return measured


async def _watch_memory(server: Server, measured: Measured) -> None:
    while True:
        measured.memory_mb.append(server.memory_mb())
        await asyncio.sleep(MEMORY_EVERY_S)


async def _work(
    server: Server, link: Mapping[str, str], load: Load, number: int, until: float, measured: Measured
) -> None:
    """One person works in one tab; one that broke is opened anew."""
    choose = random.Random(f"{load.seed} {number}")
    turns = takewhile(lambda _: time.monotonic() < until, range(load.moves))
    await asyncio.sleep(choose.uniform(0, load.pause_s[1]))
    for _ in turns:
        async with Session(server.port, dict(link)) as session:
            await _use(session, turns, load.pause_s, choose, measured)
            measured.polls += session.n_polls


async def _use(
    session: Session,
    turns: Iterator[int],
    pause_s: tuple[float, float],
    choose: random.Random,
    measured: Measured,
) -> None:
    page = "explore"
    good = await _timed(measured, f"open {page}", session.open(page))
    while good and next(turns, None) is not None:
        await asyncio.sleep(choose.uniform(*pause_s))
        if page in STEERED and choose.random() < 0.5:
            k = next_k(int(session.link.get("k", "6")), choose)
            good = await _timed(measured, K_MOVE, session.slide("k", k))
        else:
            page = choose.choice([other for other in PAGES if other != page])
            good = await _timed(measured, page, session.open(page))


async def _timed(measured: Measured, kind: str, interaction: Coroutine[Any, Any, None]) -> bool:
    """Write down how long it took; whether it went well."""
    began, failure = time.monotonic(), ""
    try:
        await interaction
    except InteractionFailed as error:
        failure = str(error) or "failed"
    measured.interactions.append(Interaction(kind, time.monotonic() - began, failure))
    return not failure


def next_k(now: int, choose: random.Random) -> int:
    """Draw another number of segments, not far from the one on screen."""
    near = range(max(K_LOW, now - FARTHEST), min(K_HIGH, now + FARTHEST) + 1)
    return choose.choice([k for k in near if k != now])
