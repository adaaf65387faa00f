"""Limits of fetching pages: amounts, rates and time-outs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from core.base.settings import Settings

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Wait = Annotated[float, Field(ge=0, le=600)]


class FetchLimits(Settings):
    """Limits of a run, whatever a server does; names ending in ``_s`` are seconds."""

    max_pages: Annotated[int, Field(ge=1, le=5_000)] = 200
    """Most pages that are requested in a run; cached ones do not count."""
    connect_s: Seconds = 5.0
    """Time limit of a connection, and of resolving a name."""
    read_s: Seconds = 10.0
    """Longest silence of a server."""
    page_s: Seconds = 40.0
    """Time limit of a page with its robots.txt, redirects, retries and waits."""
    run_s: Seconds = 1_800.0
    max_bytes: Annotated[int, Field(ge=1_000, le=50_000_000)] = 2_000_000
    """Most bytes of a page, after decompression."""
    redirects: Annotated[int, Field(ge=0, le=10)] = 5
    retries: Annotated[int, Field(ge=0, le=5)] = 3
    backoff_s: Wait = 0.5
    """Base of the wait before a retry, which doubles with each."""
    retry_after_s: Wait = 20.0
    """Longest wait that a server may ask for before its page is given up."""
    request_every_s: Wait = 1.0
    """Least time between two requests to a host."""
    crawl_delay_s: Wait = 10.0
    """Longest ``Crawl-delay`` that is respected."""
    host_failures: Annotated[int, Field(ge=1, le=100)] = 5
    """Failures in a row after which a host is given up."""
    extract_s: Seconds = 20.0
    """Time limit of reading a fetched page."""
    extract_bytes: Annotated[int, Field(ge=50_000_000, le=16_000_000_000)] = 1_000_000_000
    """Address space for reading a fetched page, in bytes."""
    cache_days: Annotated[float, Field(gt=0, le=3_650)] = 30.0
