"""What became of each page, and how that is counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from core.base.errors import InputError

EXAMPLES: Final = 5
"""Pages named for each outcome."""


class FetchOutcome(StrEnum):
    """What became of a page."""

    FETCHED = "fetched"
    CACHED = "cached"
    REFUSED = "refused"
    """Its URL must not be fetched: another host, personal, or a placeholder."""
    ADDRESS = "address not public"
    ROBOTS = "robots.txt"
    TIMEOUT = "too slow"
    UNREACHABLE = "unreachable"
    STATUS = "error status"
    BUSY = "asked to wait"
    REDIRECTS = "redirects"
    NOT_HTML = "not HTML"
    TOO_LARGE = "too large"
    BROKEN = "broken off"
    UNREADABLE = "unreadable"
    GAVE_UP = "host left alone"
    LEFT_OUT = "left out"
    """Over the limit of pages or of time."""


HOST_FAILURES: Final = frozenset(
    {
        FetchOutcome.TIMEOUT,
        FetchOutcome.UNREACHABLE,
        FetchOutcome.STATUS,
        FetchOutcome.BROKEN,
        FetchOutcome.BUSY,
    }
)
"""Outcomes that speak against asking the same host again; a page that is gone (4xx) is none."""


class PageFailed(InputError):
    """One page could not be fetched or read; the run goes on.

    Args:
        outcome: How it is counted.
        reason: What happened, in a few words.
        host_failed: Whether the host and not the page is to blame.
    """

    def __init__(self, outcome: FetchOutcome, reason: str, *, host_failed: bool | None = None) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason
        self.host_failed = outcome in HOST_FAILURES if host_failed is None else host_failed


@dataclass(frozen=True)
class Example:
    """A page of one outcome."""

    page: str
    reason: str


@dataclass(frozen=True)
class OutcomeTally:
    """How many pages had one outcome, and the first of them."""

    count: int
    examples: tuple[Example, ...]


@dataclass
class Tallies:
    """Counts outcomes as they come."""

    _counts: Counter[FetchOutcome] = field(default_factory=Counter)
    _examples: dict[FetchOutcome, list[Example]] = field(default_factory=dict)

    def add(self, outcome: FetchOutcome, page: str, reason: str = "") -> None:
        """Count one page."""
        self._counts[outcome] += 1
        examples = self._examples.setdefault(outcome, [])
        if len(examples) < EXAMPLES:
            examples.append(Example(page, reason))

    def all(self) -> dict[FetchOutcome, OutcomeTally]:
        """What was counted so far, most frequent first."""
        return {
            outcome: OutcomeTally(count, tuple(self._examples[outcome]))
            for outcome, count in self._counts.most_common()
        }
