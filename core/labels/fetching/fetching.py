"""Fetch pages of hosts that the analyst agreed to, as robots.txt allows, and count the outcomes.

The robots.txt of each host (RFC 9309) is read once a run through the same guarded client.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from protego import Protego

from core.base.progress import Progress
from core.labels.fetching.client import AGENT, AcceptedReply, Client
from core.labels.fetching.extract import Extractor
from core.labels.fetching.fetch_outcomes import FetchOutcome, OutcomeTally, PageFailed
from core.labels.fetching.guard import Guard, Resolve, Target, resolve
from core.labels.fetching.limits import FetchLimits
from core.labels.fetching.page_store import PageStore
from core.labels.label_types import Document

MAX_BYTES: Final = 512_000
"""Bytes of a robots.txt that are read; RFC 9309 asks for at least 500 KiB."""
_NO_ANSWER: Final = frozenset(
    {
        FetchOutcome.ADDRESS,
        FetchOutcome.UNREACHABLE,
        FetchOutcome.TIMEOUT,
        FetchOutcome.BROKEN,
        FetchOutcome.BUSY,
    }
)
"""Outcomes of reading robots.txt that are reported as they are, since the host failed, not its rules."""


@dataclass(frozen=True)
class _Rules:
    """Rules of a host's robots.txt; without a parser, nothing is allowed if there is a refusal, else all."""

    parser: Protego | None = None
    refusal: str = ""
    outcome: FetchOutcome = FetchOutcome.ROBOTS
    """Outcome of a page that is refused."""


class Robots:
    """Checks whether robots.txt allows to fetch a page.

    A missing robots.txt (4xx) allows everything; one that cannot be read (5xx, a time-out, a redirect that
    the guard refuses) allows nothing.
    """

    def __init__(self, client: Client, guard: Guard) -> None:
        self._client = client
        self._guard = guard
        self._known: dict[str, _Rules] = {}

    def check(self, target: Target) -> None:
        """Check that robots.txt allows to fetch a page.

        Raises:
            PageFailed: If it does not, or cannot be read.
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
        want = AcceptedReply(MAX_BYTES, html=False, cut=True)
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


_STAGE: Final = "fetch"
_LOOK_EVERY_S: Final = 0.25


def fetch(
    pages: Sequence[str],
    hosts: Collection[str],
    own_hosts: Collection[str],
    cache_dir: Path,
    progress: Progress,
    limits: FetchLimits = FetchLimits(),  # noqa: B008 - frozen
    allow_addresses: Collection[str] = (),
    look_up: Resolve = resolve,
) -> dict[FetchOutcome, OutcomeTally]:
    """Fetch pages one after the other, as robots.txt allows, and cache their documents.

    Args:
        pages: Full URLs, the most important first.
        hosts: Hosts that the analyst agreed to; with none, nothing is fetched.
        own_hosts: Hosts of the export's pages; others are never asked.
        cache_dir: Where documents are kept between runs.
        progress: Called several times a second; may raise Cancelled.
        limits: Limits of the run, of hosts and of pages.
        allow_addresses: For tests, see :class:`core.labels.fetching.guard.Guard`.
        look_up: Resolves a host name; another one for tests.

    Returns:
        Outcome → tally of the different pages that had it, most frequent first.

    Raises:
        SettingsError: If one of ``hosts`` is no host.
        ResourceError: If the cache or a process cannot be made.
        Cancelled: From ``progress``; documents fetched so far stay in the cache.
    """
    guard = Guard(hosts, own_hosts, allow_addresses, look_up)
    extractor = Extractor(limits)
    with (
        PageStore(cache_dir, limits.cache_days) as store,
        Client(guard, limits) as client,
    ):
        run = _Run(guard, client, Robots(client, guard), extractor, store, limits)
        _watch(run, list(dict.fromkeys(pages)), progress)
    return dict(sorted(run.tallies.items(), key=lambda item: -item[1].count))


@dataclass
class _Run:
    """State of a run; one thread fetches pages and another reports progress."""

    guard: Guard
    client: Client
    robots: Robots
    extractor: Extractor
    store: PageStore
    limits: FetchLimits
    tallies: dict[FetchOutcome, OutcomeTally] = field(default_factory=dict)
    read: int = 0
    asked: int = 0
    started: float = field(default_factory=time.monotonic)
    _failures: Counter[str] = field(default_factory=Counter)

    def abort(self) -> None:
        """Stop the run; called from the other thread."""
        self.client.sockets.abort()
        self.extractor.abort()

    def page(self, page: str) -> None:
        """Fetch a page's document into the cache if it is not there, and count the outcome."""
        try:
            target = self.guard.check(page)
            outcome, reason = FetchOutcome.CACHED, ""
            if self.store.get(target.url) is None:
                self._fetch(target)
                outcome = FetchOutcome.FETCHED
            self.read += 1
        except PageFailed as error:
            outcome, reason = error.outcome, error.reason
        self.tallies.setdefault(outcome, OutcomeTally(page, reason)).count += 1

    def _fetch(self, target: Target) -> None:
        self._check_budget(target.host)
        self.asked += 1
        try:
            document = self._document(target)
        except PageFailed as error:
            if error.host_failed:
                self._failures[target.host] += 1
            raise
        self._failures[target.host] = 0
        self.store.put(target.url, document)

    def _document(self, target: Target) -> Document:
        with self.client.sockets.page_time():
            reply = self.client.get(target, AcceptedReply(self.limits.max_bytes), self.robots.check)
        if reply.status != 200:
            broken = reply.status >= 500
            reason = f"the server answers {reply.status}"
            raise PageFailed(FetchOutcome.STATUS, reason, host_failed=broken)
        return self.extractor.extract(reply.body, reply.charset)

    def _check_budget(self, host: str) -> None:
        limits = self.limits
        if self._failures[host] >= limits.host_failures:
            reason = f"{limits.host_failures} pages of {host} failed in a row"
            raise PageFailed(FetchOutcome.GAVE_UP, reason)
        if self.asked >= limits.max_pages:
            raise PageFailed(FetchOutcome.LEFT_OUT, f"{limits.max_pages:,} pages is the limit of a run")
        if time.monotonic() - self.started > limits.run_s:
            raise PageFailed(FetchOutcome.LEFT_OUT, f"{limits.run_s:g} s is the limit of a run")


def _watch(run: _Run, pages: list[str], progress: Progress) -> None:
    """Fetch in a thread and report progress meanwhile, so that cancelling ends a page half-way."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="fetch") as pool:
        try:
            for number, page in enumerate(pages):
                work = pool.submit(run.page, page)
                while not wait([work], timeout=_LOOK_EVERY_S).done:
                    _tell(run, number, len(pages), progress)
                work.result()
                _tell(run, number + 1, len(pages), progress)
        except BaseException:
            run.abort()
            raise


def _tell(run: _Run, number: int, total: int, progress: Progress) -> None:
    message = f"{run.read:,} of {total:,} pages read"
    progress(_STAGE, number / total, message, documents=run.read)
