"""What each host's robots.txt allows (RFC 9309), read once a run through the same guarded client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from protego import Protego

from core.labels.fetching.client import AGENT, Client, Want
from core.labels.fetching.fetch_outcomes import FetchOutcome, PageFailed
from core.labels.fetching.guard import Guard, Target

MAX_BYTES: Final = 512_000
"""RFC 9309 asks to read at least 500 KiB; what follows is not looked at."""
_NO_ANSWER: Final = frozenset(
    {
        FetchOutcome.ADDRESS,
        FetchOutcome.UNREACHABLE,
        FetchOutcome.TIMEOUT,
        FetchOutcome.BROKEN,
        FetchOutcome.BUSY,
    }
)
"""The host and not its rules stand in the way, and the analyst is told so."""


@dataclass(frozen=True)
class _Rules:
    """What a host allows; without a parser, everything or, for a reason, nothing."""

    parser: Protego | None = None
    refusal: str = ""
    outcome: FetchOutcome = FetchOutcome.ROBOTS
    """How a page is counted that is refused."""


class Robots:
    """Says whether a page may be fetched.

    A robots.txt that is not there (4xx) allows everything; one that cannot be had (5xx, a time-out, a
    redirect that the guard refuses) allows nothing.
    """

    def __init__(self, client: Client, guard: Guard) -> None:
        self._client = client
        self._guard = guard
        self._known: dict[str, _Rules] = {}

    def check(self, target: Target) -> None:
        """Look whether a page may be fetched.

        Raises:
            PageFailed: If not.
        """
        rules = self._rules(target)
        if rules.refusal:
            raise PageFailed(rules.outcome, rules.refusal)
        if rules.parser is not None and not rules.parser.can_fetch(target.url, AGENT):
            raise PageFailed(FetchOutcome.ROBOTS, "the site's robots.txt asks robots to leave it alone")

    def _rules(self, target: Target) -> _Rules:
        place = target.robots
        if place not in self._known:
            self._known[place] = rules = self._fetch(place)
            delay = rules.parser.crawl_delay(AGENT) if rules.parser is not None else None
            if delay is not None:
                self._client.keep_delay(target.host, delay)
        return self._known[place]

    def _fetch(self, place: str) -> _Rules:
        want = Want(MAX_BYTES, html=False, cut=True)
        try:
            reply = self._client.get(self._guard.check(place), want)
        except PageFailed as error:
            if error.outcome is FetchOutcome.LEFT_OUT:
                raise
            outcome = error.outcome if error.outcome in _NO_ANSWER else FetchOutcome.ROBOTS
            return _Rules(refusal=f"its robots.txt cannot be read: {error.reason}", outcome=outcome)
        if reply.status == 200:
            return _Rules(Protego.parse(reply.body.decode("utf-8-sig", "replace")))
        if 400 <= reply.status < 500:
            return _Rules()
        return _Rules(refusal=f"its robots.txt cannot be read: the server answers {reply.status}")
