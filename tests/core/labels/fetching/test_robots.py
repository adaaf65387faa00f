from collections.abc import Iterator

import pytest

from core.labels.fetching.client import Client
from core.labels.fetching.fetch_outcomes import FetchOutcome, PageFailed
from core.labels.fetching.fetching import MAX_BYTES, Robots
from core.labels.fetching.guard import Guard
from core.labels.fetching.limits import FetchLimits
from tests.core.labels.fetching.loopback_site import Page, Site, in_turn, raw, redirect, status


@pytest.fixture
def client(guard: Guard, limits: FetchLimits) -> Iterator[Client]:
    with Client(guard, limits) as made, made.sockets.page_time():
        yield made


@pytest.fixture
def robots(client: Client, guard: Guard) -> Robots:
    return Robots(client, guard)


def text(content: str) -> Page:
    return raw(content.encode(), Content_Type="text/plain")


def allowed(robots: Robots, guard: Guard, url: str) -> bool:
    try:
        robots.check(guard.check(url))
    except PageFailed as error:
        assert error.outcome in (FetchOutcome.ROBOTS, FetchOutcome.BROKEN)
        return False
    return True


def test_keeps_to_what_is_asked_of_it(robots: Robots, guard: Guard, site: Site) -> None:
    site.pages["/robots.txt"] = text(
        "User-agent: *\nDisallow: /\n\n"
        "User-agent: beha2vec\nDisallow: /private\nDisallow: /*?sort=\nAllow: /private/tea"
    )
    assert allowed(robots, guard, site.url("/tea"))
    assert not allowed(robots, guard, site.url("/private/x"))
    assert allowed(robots, guard, site.url("/private/tea"))
    assert not allowed(robots, guard, site.url("/teas?sort=price"))
    assert site.paths == ["/robots.txt"]  # asked once


def test_everybody_means_us_too(robots: Robots, guard: Guard, site: Site) -> None:
    site.pages["/robots.txt"] = text("User-agent: *\nDisallow: /\n")
    assert not allowed(robots, guard, site.url("/tea"))


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410])
def test_no_robots_txt_allows(robots: Robots, guard: Guard, site: Site, code: int) -> None:
    site.pages["/robots.txt"] = status(code)
    assert allowed(robots, guard, site.url("/tea"))


@pytest.mark.parametrize("code", [204, 429, 500, 501, 503])
def test_a_server_in_trouble_disallows(robots: Robots, guard: Guard, site: Site, code: int) -> None:
    site.pages["/robots.txt"] = status(code)
    with pytest.raises(PageFailed, match=f"robots.txt cannot be read: the server answers {code}"):
        robots.check(guard.check(site.url("/tea")))


def test_a_robots_txt_that_never_comes_disallows(robots: Robots, guard: Guard, site: Site) -> None:
    site.pages["/robots.txt"] = lambda handler: handler.server.site.closing.wait(10)
    with pytest.raises(PageFailed, match=r"robots\.txt cannot be read: no answer") as caught:
        robots.check(guard.check(site.url("/tea")))
    assert caught.value.outcome is FetchOutcome.BROKEN


def test_it_may_lie_elsewhere_but_not_anywhere(robots: Robots, guard: Guard, site: Site) -> None:
    site.pages |= {"/robots.txt": redirect("/rules.txt"), "/rules.txt": text("User-agent: *\nDisallow: /x")}
    assert allowed(robots, guard, site.url("/tea"))
    assert not allowed(robots, guard, site.url("/x"))
    site.pages["/robots.txt"] = redirect("http://169.254.169.254/")
    assert not allowed(robots, guard, site.url("/tea", "blog.example"))


def test_each_host_has_its_own(robots: Robots, guard: Guard, site: Site) -> None:
    site.pages["/robots.txt"] = in_turn(text("User-agent: *\nDisallow: /"), status(404))
    assert not allowed(robots, guard, site.url("/tea"))
    assert allowed(robots, guard, site.url("/tea", "blog.example"))


def test_the_beginning_of_a_large_one_counts(robots: Robots, guard: Guard, site: Site) -> None:
    rules = "User-agent: *\nDisallow: /first\n" + "#" * MAX_BYTES + "\nDisallow: /last\n"
    site.pages["/robots.txt"] = text(rules)
    assert not allowed(robots, guard, site.url("/first"))
    assert allowed(robots, guard, site.url("/last"))


@pytest.mark.parametrize(
    "body", [b"\xff\xfe\x00junk", b"\xef\xbb\xbfUser-agent: *\nDisallow: /x", b"<html>", b""]
)
def test_odd_bytes_are_read_as_far_as_they_go(robots: Robots, guard: Guard, site: Site, body: bytes) -> None:
    site.pages["/robots.txt"] = raw(body)
    assert allowed(robots, guard, site.url("/tea"))
    assert allowed(robots, guard, site.url("/x")) is (b"Disallow" not in body)


def test_a_rule_of_many_stars_is_answered_at_once(robots: Robots, guard: Guard, site: Site) -> None:
    site.pages["/robots.txt"] = text("User-agent: *\nDisallow: /" + "*a" * 500 + "*b\n")
    assert allowed(robots, guard, site.url("/" + "a" * 1500))


def test_crawl_delay_is_passed_on(
    robots: Robots, client: Client, guard: Guard, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[tuple[str, float]] = []
    monkeypatch.setattr(client, "keep_delay", lambda host, seconds: kept.append((host, seconds)))
    site.pages["/robots.txt"] = text("User-agent: *\nCrawl-delay: 2.5\nDisallow: /x")
    assert allowed(robots, guard, site.url("/tea"))
    assert kept == [("shop.example", 2.5)]
