"""Outcomes of fetching a page, the exception that carries one, and their tally."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.base.errors import InputError


class FetchOutcome(StrEnum):
    """Outcome of fetching a page, as it is shown to the analyst."""

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
    """Not fetched because of the limit of pages or of time, or because the run was stopped."""


_HOST_FAILURES: Final = frozenset(
    {
        FetchOutcome.TIMEOUT,
        FetchOutcome.UNREACHABLE,
        FetchOutcome.STATUS,
        FetchOutcome.BROKEN,
        FetchOutcome.BUSY,
    }
)
"""Outcomes that count as a failure of the host; a missing page (4xx) does not."""


class PageFailed(InputError):
    """One page could not be fetched or read; the run goes on.

    Args:
        outcome: Outcome that it is counted as.
        reason: What happened, in a few words.
        host_failed: Whether it counts as a failure of the host; by default, depends on the outcome.
    """

    def __init__(self, outcome: FetchOutcome, reason: str, *, host_failed: bool | None = None) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason
        self.host_failed = outcome in _HOST_FAILURES if host_failed is None else host_failed


@dataclass
class OutcomeTally:
    """Number of pages with one outcome; ``page`` is the first of them, ``reason`` why it has it."""

    page: str
    reason: str = ""
    count: int = 0
