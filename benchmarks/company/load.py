"""Several people at once: each moves the number of segments and switches pages, with pauses to look."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.company.server import Server
from benchmarks.company.session import InteractionFailed, Seen, Session, clock

K_MOVE: Final = "move K"
K_LOW: Final = 2
K_HIGH: Final = 15
FARTHEST: Final = 3
"""Numbers of segments that people try, and how far one move goes."""
PAGES: Final = ("explore", "profiles", "compare", "users", "export")
"""The pages that show the segments. Trust is left out: it starts a job of 20 s for each new K."""
STEERED: Final = ("explore", "profiles", "compare")
"""Those with the slider."""
MEMORY_EVERY_S: Final = 2.0


@dataclass(frozen=True)
class Done:
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
        done: Every interaction, of all sessions.
        memory_mb: The server's resident memory over time, every :data:`MEMORY_EVERY_S`.
        cpu_s: The server's CPU seconds for all of it.
        polls: Runs of fragments that run by themselves.
    """

    done: list[Done] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    polls: int = 0

    @property
    def failures(self) -> list[Done]:
        """Interactions that went wrong."""
        return [one for one in self.done if one.failure]


@dataclass(frozen=True)
class Load:
    """How many people do what for how long.

    Args:
        sessions: At once.
        seconds: Until nobody begins anything new.
        pause_s: The least and the most that somebody looks at a page.
        seed: Of what they do.
        moves: That each of them makes at most.
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
    until = clock() + load.seconds
    people = (
        _Person(random.Random(f"{load.seed} {one}"), load, until, measured) for one in range(load.sessions)
    )
    await asyncio.gather(*(person.work(server, link) for person in people))
    watch.cancel()
    measured.cpu_s = server.cpu_s() - before
    return measured


async def _watch_memory(server: Server, measured: Measured) -> None:
    while True:
        measured.memory_mb.append(server.memory_mb())
        await asyncio.sleep(MEMORY_EVERY_S)


@dataclass
class _Person:
    """Somebody at work.

    Args:
        choose: Decides what they do.
        load: How much of it.
        until: When they stop, by :func:`clock`.
        measured: Where it is written down.
        moved: What they did so far.
    """

    choose: random.Random
    load: Load
    until: float
    measured: Measured
    moved: int = 0

    @property
    def done(self) -> bool:
        """Whether they begin nothing new."""
        return clock() >= self.until or self.moved >= self.load.moves

    async def work(self, server: Server, link: Mapping[str, str]) -> None:
        """Work in one tab; one that broke is opened anew."""
        await asyncio.sleep(self.choose.uniform(0, self.load.pause_s[1]))
        while not self.done:
            async with Session(server.port, dict(link)) as session:
                await self._tab(session)
                self.measured.polls += session.n_polls

    async def _tab(self, session: Session) -> None:
        page = "explore"
        good = await self._timed(f"open {page}", session.open(page))
        while good and not self.done:
            await asyncio.sleep(self.choose.uniform(*self.load.pause_s))
            if page in STEERED and self.choose.random() < 0.5:
                k = next_k(int(session.link.get("k", "6")), self.choose)
                good = await self._timed(K_MOVE, session.slide("k", k))
            else:
                page = self.choose.choice([other for other in PAGES if other != page])
                good = await self._timed(page, session.open(page))

    async def _timed(self, kind: str, interaction: Coroutine[Any, Any, Seen]) -> bool:
        """Write down how long it took; whether it went well."""
        began, failure = clock(), ""
        try:
            await interaction
        except InteractionFailed as error:
            failure = str(error) or "failed"
        self.moved += 1
        self.measured.done.append(Done(kind, clock() - began, failure))
        return not failure


def next_k(now: int, choose: random.Random) -> int:
    """Another number of segments, not far from the one on screen."""
    near = range(max(K_LOW, now - FARTHEST), min(K_HIGH, now + FARTHEST) + 1)
    return choose.choice([k for k in near if k != now])
