"""How much is fetched, how fast, and when it is given up."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from core.base.settings import Settings

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Wait = Annotated[float, Field(ge=0, le=600)]


class FetchLimits(Settings):
    """Limits of one run; nothing about a server can make it use more."""

    max_pages: Annotated[int, Field(ge=1, le=5_000)] = 200
    """Pages asked for in a run; cached ones do not count."""
    connect_s: Seconds = 5.0
    """Also the limit for looking up a name."""
    read_s: Seconds = 10.0
    """The longest silence of a server."""
    page_s: Seconds = 40.0
    """All of one page: robots.txt, redirects, retries and waits."""
    run_s: Seconds = 1_800.0
    max_bytes: Annotated[int, Field(ge=1_000, le=50_000_000)] = 2_000_000
    """Of a page, after decompression."""
    redirects: Annotated[int, Field(ge=0, le=10)] = 5
    retries: Annotated[int, Field(ge=0, le=5)] = 3
    backoff_s: Wait = 0.5
    """The second retry waits twice as long, the third four times."""
    retry_after_s: Wait = 20.0
    """A server that asks for a longer wait is not asked again."""
    request_every_s: Wait = 1.0
    """Time between two requests to one host."""
    crawl_delay_s: Wait = 10.0
    """The longest ``Crawl-delay`` that is kept to."""
    host_failures: Annotated[int, Field(ge=1, le=100)] = 5
    """Failures in a row after which a host is left alone."""
    extract_s: Seconds = 20.0
    """Reading one fetched page."""
    extract_bytes: Annotated[int, Field(ge=50_000_000, le=16_000_000_000)] = 1_000_000_000
    """Address space for that."""
    cache_days: Annotated[float, Field(gt=0, le=3_650)] = 30.0
