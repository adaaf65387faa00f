"""A site on the loopback, and who may reach it."""

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest

from core.labels.fetching.guard import Guard
from core.labels.fetching.limits import FetchLimits
from tests.core.labels.fetching.loopback_site import Handler, Site, loopback


@pytest.fixture
def site() -> Iterator[Site]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        made = Site(server.server_port)
        server.site = made  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield made
        made.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def guard(site: Site) -> Guard:
    hosts = ["shop.example", "blog.example"]
    return Guard(hosts, hosts, [site.address], loopback)


@pytest.fixture
def limits() -> FetchLimits:
    """Short ones."""
    return FetchLimits.checked(
        connect_s=2,
        read_s=0.5,
        page_s=5,
        max_bytes=100_000,
        backoff_s=0.01,
        retry_after_s=2,
        request_every_s=0,
    )
