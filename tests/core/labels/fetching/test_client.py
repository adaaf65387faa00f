import gzip
import socket
import struct
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from core.labels.fetching.client import AcceptedReply, Client, Reply
from core.labels.fetching.fetch_outcomes import FetchOutcome, PageFailed
from core.labels.fetching.guard import Guard
from core.labels.fetching.limits import FetchLimits
from tests.core.labels.fetching.loopback_site import (
    Handler,
    Page,
    Site,
    html,
    in_turn,
    loopback,
    raw,
    redirect,
    status,
)

HOSTS = ["shop.example", "blog.example"]


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(guard: Guard, limits: FetchLimits, clock: Clock) -> Iterator[Client]:
    with Client(guard, limits, clock, clock.sleep) as made:
        yield made


def get(
    client: Client, site: Site, guard: Guard, path: str = "/tea", want: AcceptedReply | None = None
) -> Reply:
    with client.sockets.page_time():
        return client.get(guard.check(site.url(path)), want or AcceptedReply(100_000))


def failure(client: Client, site: Site, guard: Guard, path: str = "/tea") -> PageFailed:
    with pytest.raises(PageFailed) as caught:
        get(client, site, guard, path)
    return caught.value


def test_fetches_a_page_under_its_own_name(client: Client, site: Site, guard: Guard) -> None:
    site.pages["/tea"] = raw(b"<p>Tea</p>", Content_Type="text/html; charset=ISO-8859-1", Set_Cookie="a=b")
    assert get(client, site, guard) == Reply(200, site.url("/tea"), b"<p>Tea</p>", "ISO-8859-1")
    get(client, site, guard)
    headers = site.requests[1][1]
    assert headers["Host"] == f"shop.example:{site.port}"
    assert headers["User-Agent"].startswith("Beha2Vec/")
    assert {"Cookie", "Authorization", "Referer"}.isdisjoint(headers)


def test_environment_and_netrc_are_not_looked_at(
    client: Client, site: Site, guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    site.pages["/tea"] = html()
    assert get(client, site, guard).status == 200


def test_a_missing_page_is_an_answer(client: Client, site: Site, guard: Guard) -> None:
    assert get(client, site, guard) == Reply(404, site.url("/tea"))
    assert site.paths == ["/tea"]


# --- where it goes ---------------------------------------------------------------------------------------


def test_the_name_is_looked_up_once_and_that_address_is_asked(site: Site, limits: FetchLimits) -> None:
    """A second answer of the DNS changes nothing (rebinding)."""
    answers = [["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1"]]
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers.pop(0)

    site.pages["/tea"] = html()
    guard = Guard(HOSTS, HOSTS, [site.address], rebinding)
    with Client(guard, limits) as client:
        assert get(client, site, guard).status == 200
        assert asked == ["shop.example"]
        assert failure(client, site, guard).outcome is FetchOutcome.ADDRESS
    assert site.paths == ["/tea"]


def test_names_that_lead_inside_are_not_connected_to(site: Site, limits: FetchLimits) -> None:
    guard = Guard(HOSTS, HOSTS, ["127.0.0.2:" + str(site.port)], loopback)
    with Client(guard, limits) as client:
        assert failure(client, site, guard).outcome is FetchOutcome.ADDRESS
    assert site.requests == []


def test_tls_names_the_host_and_not_the_address(limits: FetchLimits) -> None:
    hello = bytearray()

    def answer(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            hello.extend(connection.recv(4096))

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=answer, args=(server,), daemon=True)
        thread.start()
        guard = Guard(HOSTS, HOSTS, [f"127.0.0.1:{port}"], loopback)
        once = limits.model_copy(update={"retries": 0})
        with (
            Client(guard, once) as client,
            pytest.raises(PageFailed, match="no secure"),
            client.sockets.page_time(),
        ):
            client.get(guard.check(f"https://shop.example:{port}/"), AcceptedReply(1000))
        thread.join(5)
    assert hello[0] == 0x16  # a TLS handshake
    assert b"shop.example" in hello


def test_follows_redirects_within_the_hosts(client: Client, site: Site, guard: Guard) -> None:
    site.pages |= {"/tea": redirect("/teas"), "/teas": redirect(site.url("/post", "blog.example"))}
    site.pages["/post"] = html("<p>Post</p>")
    assert get(client, site, guard).url == site.url("/post", "blog.example")
    assert [headers["Host"].split(":")[0] for _, headers in site.requests] == [
        *["shop.example"] * 2,
        "blog.example",
    ]


@pytest.mark.parametrize(
    "place",
    [
        "http://127.0.0.1/",
        "http://127.0.0.1:{port}/tea",
        "http://localhost:{port}/tea",
        "http://169.254.169.254/latest/meta-data/",
        "//evil.example/",
        "file:///etc/passwd",
        "gopher://shop.example/",
        "http://shop.example:22/",
        "http://shop.example@evil.example/",
        "/login?next=/tea",
        "http://[::1/",
    ],
)
def test_redirects_elsewhere_are_refused(client: Client, site: Site, guard: Guard, place: str) -> None:
    site.pages["/tea"] = redirect(place.format(port=site.port))
    found = failure(client, site, guard)
    assert found.outcome is FetchOutcome.REFUSED
    assert found.reason.startswith("it redirects to")
    assert site.paths == ["/tea"]


def test_redirects_end(client: Client, site: Site, guard: Guard) -> None:
    site.pages["/tea"] = redirect("/tea")
    assert failure(client, site, guard).outcome is FetchOutcome.REDIRECTS
    assert len(site.requests) == 6


# --- patience --------------------------------------------------------------------------------------------


def test_an_error_that_passes_is_waited_for(client: Client, site: Site, guard: Guard, clock: Clock) -> None:
    site.pages["/tea"] = in_turn(status(500), status(500), status(500), html())
    assert get(client, site, guard).status == 200
    assert clock.slept == [0.02, 0.04]


def test_an_error_that_stays_is_named(client: Client, site: Site, guard: Guard) -> None:
    site.pages["/tea"] = status(503)
    found = failure(client, site, guard)
    assert (found.outcome, found.reason) == (FetchOutcome.STATUS, "the server answers 503")
    assert len(site.requests) == 4


def test_retry_after_is_kept_to(client: Client, site: Site, guard: Guard, clock: Clock) -> None:
    site.pages["/tea"] = in_turn(status(429, Retry_After="2"), status(503, Retry_After="soon"), html())
    assert get(client, site, guard).status == 200
    assert clock.slept == [2.0, 0.02]


@pytest.mark.parametrize("wait", ["3", "3600", "9" * 30, "Fri, 31 Dec 2199 23:59:59 GMT"])
def test_a_server_that_asks_for_a_long_wait_is_left_alone(
    client: Client, site: Site, guard: Guard, wait: str
) -> None:
    site.pages["/tea"] = status(429, Retry_After=wait)
    assert failure(client, site, guard).outcome is FetchOutcome.BUSY
    assert len(site.requests) == 1


def test_one_host_is_asked_at_one_rate(guard: Guard, site: Site, limits: FetchLimits, clock: Clock) -> None:
    site.pages["/tea"] = html()
    patient = {"connect_s": 30.0, "read_s": 30.0, "page_s": 60.0}  # a retry would wait as well
    slow = limits.model_copy(update={"request_every_s": 1.0, "crawl_delay_s": 5.0, **patient})
    with Client(guard, slow, clock, clock.sleep) as client:
        get(client, site, guard)
        clock.now += 0.25
        get(client, site, guard)
        with client.sockets.page_time():  # another host has its own rate
            client.get(guard.check(site.url("/tea", "blog.example")), AcceptedReply(1000))
        client.keep_delay("shop.example", 3)
        get(client, site, guard)
        client.keep_delay("shop.example", 3600)
        get(client, site, guard)
        client.keep_delay("shop.example", 0)
        get(client, site, guard)
    assert clock.slept == [0.75, 3.0, 5.0, 1.0]


# --- servers that behave badly ---------------------------------------------------------------------------


def hangs(handler: Handler) -> None:
    handler.server.site.closing.wait(10)


def test_a_server_that_hangs_is_given_up(client: Client, site: Site, guard: Guard) -> None:
    site.pages["/tea"] = hangs
    found = failure(client, site, guard)
    assert (found.outcome, found.reason) == (FetchOutcome.BROKEN, "no answer within 0.5 s")
    assert len(site.requests) == 4


def test_a_server_that_refuses_is_unreachable(limits: FetchLimits) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]  # nobody listens there a moment later
    guard = Guard(HOSTS, HOSTS, [f"127.0.0.1:{port}"], loopback)
    with Client(guard, limits) as client, pytest.raises(PageFailed) as caught, client.sockets.page_time():
        client.get(guard.check(f"http://shop.example:{port}/"), AcceptedReply(1000))
    assert caught.value.outcome is FetchOutcome.UNREACHABLE
    assert "refused" in caught.value.reason


def drips(data: bytes) -> Iterator[bytes]:
    for place in range(len(data)):
        yield data[place : place + 1]


def drip_body(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for byte in drips(b"x" * 1000):
        handler.send(byte)
        time.sleep(0.05)


def drip_headers(handler: Handler) -> None:
    for byte in drips(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000):
        handler.send(byte)
        time.sleep(0.05)


def drip_chunk_sizes(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for byte in drips(b"0" * 1000):
        handler.send(byte)
        time.sleep(0.05)


@pytest.mark.parametrize("drip", [drip_body, drip_headers, drip_chunk_sizes])
def test_a_trickle_ends_when_the_pages_time_is_up(
    guard: Guard, site: Site, limits: FetchLimits, drip: Page
) -> None:
    site.pages["/tea"] = drip
    with Client(guard, limits.model_copy(update={"page_s": 0.6})) as client:
        found = failure(client, site, guard)
        assert (found.outcome, found.reason) == (FetchOutcome.TIMEOUT, "it took longer than 0.6 s")
        site.pages["/tea"] = html()
        assert get(client, site, guard).status == 200  # the next page has its own time
    assert site.hung_up.wait(5)
    assert site.sent < 500


def test_waits_count_against_the_pages_time(guard: Guard, site: Site, limits: FetchLimits) -> None:
    site.pages["/tea"] = status(503, Retry_After="100")
    short = limits.model_copy(update={"page_s": 0.3, "retry_after_s": 200.0})
    with Client(guard, short) as client:
        assert failure(client, site, guard).outcome is FetchOutcome.TIMEOUT


def test_a_run_that_is_stopped_asks_nothing_more(client: Client, site: Site, guard: Guard) -> None:
    site.pages["/tea"] = hangs
    threading.Timer(0.1, client.sockets.abort).start()
    assert failure(client, site, guard).reason == "the run was stopped"
    assert failure(client, site, guard).reason == "the run was stopped"
    assert len(site.requests) == 1


def endless(handler: Handler) -> None:
    """A gigabyte in chunks."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    for _ in range(1000):
        handler.send(chunk)


def announced(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", str(10**9))
    handler.end_headers()
    for _ in range(1000):
        handler.send(b"x" * 10**6)


@pytest.mark.parametrize("page", [endless, announced])
def test_a_gigabyte_is_not_read(client: Client, site: Site, guard: Guard, page: Page) -> None:
    site.pages["/tea"] = page
    found = failure(client, site, guard)
    assert (found.outcome, found.reason) == (FetchOutcome.TOO_LARGE, "it has more than 100,000 bytes")
    assert site.hung_up.wait(10)
    assert site.sent < 50_000_000  # what the system's buffers took before the server noticed


def error_without_end(handler: Handler) -> None:
    handler.send_response(500)
    endless_body(handler)


def redirect_without_end(handler: Handler) -> None:
    handler.send_response(302)
    handler.send_header("Location", "/teas")
    endless_body(handler)


def endless_body(handler: Handler) -> None:
    handler.send_header("Content-Length", str(10**9))
    handler.end_headers()
    for _ in range(1000):
        handler.send(b"x" * 10**6)


@pytest.mark.parametrize("first", [error_without_end, redirect_without_end])
def test_a_body_that_nobody_needs_is_not_read(client: Client, site: Site, guard: Guard, first: Page) -> None:
    site.pages |= {"/tea": in_turn(first, html()), "/teas": html()}
    assert get(client, site, guard).status == 200
    assert site.hung_up.wait(10)
    assert site.sent < 50_000_000


def test_as_much_as_allowed_is_read(client: Client, site: Site, guard: Guard) -> None:
    site.pages |= {"/tea": raw(b"x" * 100_000), "/more": raw(b"x" * 100_001)}
    assert len(get(client, site, guard).body) == 100_000
    assert failure(client, site, guard, "/more").outcome is FetchOutcome.TOO_LARGE
    assert len(get(client, site, guard, "/more", AcceptedReply(100_000, cut=True)).body) == 100_000


ZEROS = b"\0" * 50_000_000


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [
        ("gzip", gzip.compress(ZEROS)),
        ("deflate", zlib.compress(ZEROS)),
        ("gzip, gzip", gzip.compress(gzip.compress(ZEROS))),
    ],
)
def test_a_bomb_is_counted_as_it_unfolds(
    client: Client, site: Site, guard: Guard, encoding: str, bomb: bytes
) -> None:
    site.pages["/tea"] = raw(bomb, Content_Encoding=encoding)
    tracemalloc.start()
    try:
        assert failure(client, site, guard).outcome is FetchOutcome.TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_compressed_pages_are_read(client: Client, site: Site, guard: Guard) -> None:
    site.pages["/tea"] = raw(gzip.compress(b"<p>Tea</p>"), Content_Encoding="gzip")
    assert get(client, site, guard).body == b"<p>Tea</p>"


def broken_length(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.send(b"<p>half a p")


def broken_chunk(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.send(b"ff\r\n<p>half a p")


def reset(handler: Handler) -> None:
    broken_length(handler)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    "page",
    [broken_length, broken_chunk, reset, raw(b"no gzip", Content_Encoding="gzip")],
    ids=["length", "chunk", "reset", "encoding"],
)
def test_what_breaks_off_is_not_used(client: Client, site: Site, guard: Guard, page: Page) -> None:
    site.pages["/tea"] = page
    assert failure(client, site, guard).outcome is FetchOutcome.BROKEN


def test_what_is_no_http_is_given_up(client: Client, site: Site, guard: Guard) -> None:
    site.pages["/tea"] = lambda handler: handler.send(b"SSH-2.0-OpenSSH_9.6\r\n")
    assert failure(client, site, guard).outcome is FetchOutcome.BROKEN


@pytest.mark.parametrize("kind", ["application/pdf", "image/png", "application/json", "text/htmlx", ""])
def test_what_is_no_html_is_not_read(client: Client, site: Site, guard: Guard, kind: str) -> None:
    site.pages["/tea"] = raw(b"%PDF", Content_Type=kind)
    assert failure(client, site, guard).outcome is FetchOutcome.NOT_HTML


def test_xhtml_is_html(client: Client, site: Site, guard: Guard) -> None:
    site.pages["/tea"] = raw(b"<p/>", Content_Type="Application/XHTML+XML;charset=utf-8")
    assert get(client, site, guard).charset == "utf-8"
