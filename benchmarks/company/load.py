"""Several people at once: each moves the number of segments and switches pages, with pauses to look."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

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
        texts: Session → what its last page said.
    """

    done: list[Done] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    polls: int = 0
    texts: dict[int, list[str]] = field(default_factory=dict)

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
    """

    sessions: int
    seconds: float
    pause_s: tuple[float, float] = (3.0, 8.0)
    seed: int = 0


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
    people = (_person(number, server, link, load, until, measured) for number in range(load.sessions))
    await asyncio.gather(*people)
    watch.cancel()
    measured.cpu_s = server.cpu_s() - before
    return measured


async def _watch_memory(server: Server, measured: Measured) -> None:
    while True:
        measured.memory_mb.append(server.memory_mb())
        await asyncio.sleep(MEMORY_EVERY_S)


async def _person(
    number: int, server: Server, link: Mapping[str, str], load: Load, until: float, measured: Measured
) -> None:
    """Work in one tab; one that broke is opened anew."""
    choose = random.Random(f"{load.seed} {number}")
    await asyncio.sleep(choose.uniform(0, load.pause_s[1]))
    while clock() < until:
        async with Session(server.port, dict(link)) as session:
            await _tab(session, choose, load, until, measured)
            measured.polls += session.n_polls
            measured.texts[number] = session.texts


async def _tab(session: Session, choose: random.Random, load: Load, until: float, measured: Measured) -> None:
    page = "explore"
    if not await timed(f"open {page}", lambda: session.open(page), measured):
        return
    while clock() < until:
        await asyncio.sleep(choose.uniform(*load.pause_s))
        if page in STEERED and choose.random() < 0.5:
            value = next_k(int(session.link.get("k", "6")), choose)
            good = await timed(K_MOVE, lambda value=value: session.slide("k", value), measured)  # type: ignore[misc]
        else:
            page = choose.choice([other for other in PAGES if other != page])
            good = await timed(page, lambda page=page: session.open(page), measured)  # type: ignore[misc]
        if not good:
            return


def next_k(now: int, choose: random.Random) -> int:
    """Another number of segments, not far from the one on screen."""
    near = range(max(K_LOW, now - FARTHEST), min(K_HIGH, now + FARTHEST) + 1)
    return choose.choice([k for k in near if k != now])


async def timed(kind: str, do: Callable[[], Awaitable[Seen]], measured: Measured) -> bool:
    """Do something, write down how long it took, and say whether it went well."""
    began = clock()
    try:
        await do()
    except InteractionFailed as error:
        measured.done.append(Done(kind, clock() - began, str(error)))
        return False
    measured.done.append(Done(kind, clock() - began))
    return True
