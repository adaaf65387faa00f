import subprocess
import sys
import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.base.errors import Cancelled, SettingsError
from core.base.progress import Progress, silent
from core.labels.fetching.extract import PROJECT
from core.labels.fetching.fetch_outcomes import FetchOutcome, OutcomeTally
from core.labels.fetching.fetching import fetch
from core.labels.fetching.limits import FetchLimits
from core.labels.fetching.page_store import known
from tests.core.labels.fetching.loopback_site import (
    Handler,
    Site,
    html,
    in_turn,
    loopback,
    raw,
    redirect,
    status,
)

HOSTS = ["shop.example", "blog.example"]
PRODUCT = '<script type="application/ld+json">{"@type": "Product"}</script>'


class Fetch:
    """Fetches from one site into one cache."""

    def __init__(self, site: Site, folder: Path, limits: FetchLimits) -> None:
        self.site, self.folder, self.limits = site, folder, limits

    def __call__(
        self,
        pages: Sequence[str],
        hosts: Collection[str] = HOSTS,
        progress: Progress = silent,
        **changes: Any,  # noqa: ANN401 - any of the limits
    ) -> dict[FetchOutcome, OutcomeTally]:
        limits = self.limits.model_copy(update=changes)
        return fetch(pages, hosts, HOSTS, self.folder, progress, limits, [self.site.address], loopback)


@pytest.fixture
def run(site: Site, tmp_path: Path, limits: FetchLimits) -> Fetch:
    return Fetch(site, tmp_path / "pages", limits)


def counts(report: dict[FetchOutcome, OutcomeTally]) -> dict[FetchOutcome, int]:
    return {outcome: tally.count for outcome, tally in report.items()}


def test_fetches_what_may_be_fetched_and_says_what_became_of_the_rest(run: Fetch, site: Site) -> None:
    site.pages |= {
        "/robots.txt": raw(b"User-agent: *\nDisallow: /secret", Content_Type="text/plain"),
        "/tea": html(PRODUCT),
        "/old": redirect("/tea"),
        "/gone": status(410),
        "/pdf": raw(b"%PDF", Content_Type="application/pdf"),
        "/away": redirect("http://127.0.0.1/"),
    }
    paths = ["/tea", "/old", "/gone", "/pdf", "/away", "/secret", "/cart", "/tea"]
    report = run([*map(site.url, paths), "https://other.example/", "(not set)"])
    documents = known(run.folder)
    assert set(documents) == {site.url("/tea"), site.url("/old")}
    assert documents[site.url("/old")].document.json_ld_types == ("Product",)
    assert counts(report) == {
        FetchOutcome.REFUSED: 4,
        FetchOutcome.FETCHED: 2,
        FetchOutcome.STATUS: 1,
        FetchOutcome.NOT_HTML: 1,
        FetchOutcome.ROBOTS: 1,
    }
    assert site.paths == ["/robots.txt", "/tea", "/old", "/tea", "/gone", "/pdf", "/away"]
    assert report[FetchOutcome.STATUS].reason == "the server answers 410"


def test_without_consent_nothing_is_asked(run: Fetch, site: Site) -> None:
    assert counts(run([site.url("/tea")], hosts=[])) == {FetchOutcome.REFUSED: 1}
    assert site.requests == []


def test_consent_is_checked_before_the_cache_is_looked_at(run: Fetch, site: Site) -> None:
    site.pages["/tea"] = html(PRODUCT)
    assert counts(run([site.url("/tea")])) == {FetchOutcome.FETCHED: 1}
    assert counts(run([site.url("/tea")], hosts=["blog.example"])) == {FetchOutcome.REFUSED: 1}


def test_a_second_run_asks_nothing_but_what_failed(run: Fetch, site: Site) -> None:
    site.pages |= {"/tea": html(PRODUCT), "/later": in_turn(status(404), html())}
    pages = [site.url("/tea"), site.url("/later")]
    run(pages)
    first = known(run.folder)
    site.requests.clear()
    second = run(pages)
    assert counts(second) == {FetchOutcome.CACHED: 1, FetchOutcome.FETCHED: 1}
    assert known(run.folder)[pages[0]] == first[pages[0]]
    assert site.paths == ["/robots.txt", "/later"]


def test_a_page_that_breaks_the_reader_costs_that_page(run: Fetch, site: Site) -> None:
    site.pages |= {"/deep": raw(b"<div>" * 300_000), "/tea": html(PRODUCT)}
    report = run([site.url("/deep"), site.url("/tea")], extract_s=4.0, max_bytes=2_000_000)
    assert counts(report) == {FetchOutcome.UNREADABLE: 1, FetchOutcome.FETCHED: 1}


def test_the_first_pages_count(run: Fetch, site: Site) -> None:
    site.pages |= {f"/{number}": html() for number in range(5)}
    report = run([site.url(f"/{number}") for number in range(5)], max_pages=2)
    assert counts(report) == {FetchOutcome.LEFT_OUT: 3, FetchOutcome.FETCHED: 2}
    assert set(known(run.folder)) == {site.url("/0"), site.url("/1")}
    assert counts(run([site.url("/1"), site.url("/4")], max_pages=1)) == {
        FetchOutcome.CACHED: 1,
        FetchOutcome.FETCHED: 1,
    }


def test_a_run_ends_in_time(run: Fetch, site: Site) -> None:
    site.pages["/tea"] = html()
    assert counts(run([site.url("/tea")], run_s=1e-9)) == {FetchOutcome.LEFT_OUT: 1}


def test_a_host_that_keeps_failing_is_left_alone(run: Fetch, site: Site) -> None:
    site.pages |= {f"/{number}": status(500) for number in range(4)}
    pages = [site.url("/missing"), *(site.url(f"/{number}") for number in range(4))]
    report = run([*pages, site.url("/", "blog.example")], host_failures=2, retries=0)
    assert counts(report) == {FetchOutcome.STATUS: 4, FetchOutcome.GAVE_UP: 2}
    assert report[FetchOutcome.GAVE_UP].reason == "2 pages of shop.example failed in a row"


def test_a_name_that_leads_inside_is_never_connected_to(
    site: Site, tmp_path: Path, limits: FetchLimits
) -> None:
    """The guard stays closed unless a test opens it."""
    report = fetch(["http://shop.example:8080/"], HOSTS, HOSTS, tmp_path, silent, limits, look_up=loopback)
    assert counts(report) == {FetchOutcome.ADDRESS: 1}
    assert "not a public address" in report[FetchOutcome.ADDRESS].reason
    assert site.requests == []


def test_progress_is_told_and_reaches_the_end(run: Fetch, site: Site) -> None:
    site.pages |= {"/tea": html(), "/slow": slow}
    told: list[tuple[str, float]] = []

    def progress(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        told.append((stage, fraction))

    run([site.url("/tea"), site.url("/slow")], progress=progress, read_s=5)
    assert told[-1] == ("fetch", 1.0)
    assert ("fetch", 0.5) in told[:-1]
    assert [fraction for _, fraction in told] == sorted(fraction for _, fraction in told)
    assert sum(fraction == 0.5 for _, fraction in told) >= 2  # also while a page is waited for


def slow(handler: Handler) -> None:
    handler.server.site.closing.wait(0.8)
    html()(handler)


def test_cancelling_ends_in_the_middle_of_a_page(run: Fetch, site: Site) -> None:
    site.pages |= {"/tea": html(PRODUCT), "/hangs": lambda handler: handler.server.site.closing.wait(30)}

    def cancels(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        if "/hangs" in site.paths:
            raise Cancelled("Fetching pages")

    with pytest.raises(Cancelled):
        run([site.url("/tea"), site.url("/hangs"), site.url("/more")], progress=cancels, read_s=30, page_s=30)
    assert site.paths == ["/robots.txt", "/tea", "/hangs"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fetch")]
    assert counts(run([site.url("/tea")])) == {FetchOutcome.CACHED: 1}  # what was fetched stays


def test_settings_that_cannot_be_are_named(run: Fetch) -> None:
    with pytest.raises(SettingsError, match="is not a host"):
        run([], hosts=["https://shop.example/"])
    with pytest.raises(SettingsError, match="max_pages = 0"):
        FetchLimits.checked(max_pages=0)


def test_nothing_heavy_is_loaded_where_pages_are_read() -> None:
    code = (
        "import sys, core.labels.fetching.child\n"
        "print([name for name in ('requests', 'torch', 'pandas', 'trafilatura') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
