"""What became of each page, and how that is counted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.base.errors import InputError


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


_HOST_FAILURES: Final = frozenset(
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
        self.host_failed = outcome in _HOST_FAILURES if host_failed is None else host_failed


@dataclass
class OutcomeTally:
    """How many pages had one outcome, and the first of them with its reason."""

    page: str
    reason: str = ""
    count: int = 0
