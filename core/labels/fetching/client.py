"""An HTTP client with limits on everything: time, bytes, redirects, retries, rate.

:class:`_Sockets` opens connections to checked addresses, and shuts them when a page's time is up or the run
is stopped. Time limits of single reads do not help against a server that sends a byte now and then, in
headers, in a TLS handshake or in a body; so a timer shuts the socket, and whatever reads from it returns at
once.

:class:`Client` sends requests with ``requests``. ``Retry`` of ``urllib3`` computes how often and how long to
wait; the loops here do the waiting, so that it can be cut short and counts against the page's time.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from http.cookiejar import DefaultCookiePolicy
from typing import Final, Self, TypeAlias

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError
from urllib3.util.retry import Retry

from core.labels.fetching.fetch_outcomes import FetchOutcome, PageFailed
from core.labels.fetching.guard import Guard, Target
from core.labels.fetching.limits import FetchLimits

_Connect: TypeAlias = Callable[[str, int], socket.socket]
"""Connector: host and port → a connected socket."""
_ADDRESSES: Final = 3
"""Most addresses of a host that are tried."""


class _Sockets:
    """Open connections of the page that is being fetched; only :meth:`abort` is thread-safe.

    Args:
        guard: Checks addresses.
        limits: Time limits of a page and a connection.
    """

    def __init__(self, guard: Guard, limits: FetchLimits) -> None:
        self._guard = guard
        self._limits = limits
        self._over = threading.Event()
        self._aborted = False
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []

    @contextmanager
    def page_time(self) -> Iterator[None]:
        """Context in which all connections are shut when the time limit of a page is reached."""
        if not self._aborted:
            self._over.clear()
        timer = threading.Timer(self._limits.page_s, self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self.close()

    def abort(self) -> None:
        """Shut all connections and refuse new ones; may be called from any thread."""
        self._aborted = True
        self._end()

    def check_time(self) -> None:
        """Check that the page's time is not up and the run not stopped.

        Raises:
            PageFailed: If it is.
        """
        if self._aborted:
            raise PageFailed(FetchOutcome.LEFT_OUT, "the run was stopped")
        if self._over.is_set():
            raise PageFailed(FetchOutcome.TIMEOUT, f"it took longer than {self._limits.page_s:g} s")

    def sleep(self, seconds: float) -> None:
        """Wait some seconds, or less if the page's time is up."""
        self._over.wait(seconds)

    def connect(self, host: str, port: int) -> socket.socket:
        """Resolve a host, check its addresses, and connect to one of these.

        Raises:
            PageFailed: If the host has an address that is not allowed, or none that answers.
        """
        self.check_time()
        problem: OSError | None = None
        for address in self._guard.addresses(host, port, self._limits.connect_s)[:_ADDRESSES]:
            self.check_time()
            try:
                return self._watched(socket.create_connection((address, port), self._limits.connect_s))
            except OSError as error:
                problem = error
        why = problem and (problem.strerror or "no answer")
        raise PageFailed(FetchOutcome.UNREACHABLE, f"no connection to {host}: {why}")

    def close(self) -> None:
        """Close all open connections."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()

    def _watched(self, connection: socket.socket) -> socket.socket:
        with self._lock:  # a copy, since TLS takes the original away
            self._open.append(connection.dup())
        if self._over.is_set():  # the time was up before the copy could be shut
            connection.close()
        return connection

    def _end(self) -> None:
        self._over.set()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


AGENT: Final = "Beha2Vec"
"""User agent by which robots.txt files can address this client."""
_HEADERS: Final = {
    "User-Agent": f"{AGENT}/0.1 (labels pages for the site's own analyst; honours robots.txt)",
    "Accept": "text/html,application/xhtml+xml;q=0.9,text/plain;q=0.5",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "close",  # each request looks its host up again
}
_RETRIED: Final = frozenset({429, 500, 502, 503, 504})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_HTML: Final = ("text/html", "application/xhtml+xml")
_BLOCK: Final = 65_536


@dataclass(frozen=True)
class Reply:
    """The answer of a server; ``body`` only with status 200."""

    status: int
    url: str
    """URL after redirects."""
    body: bytes = b""
    charset: str = ""
    """Charset of the header; empty if there is none."""


@dataclass(frozen=True)
class AcceptedReply:
    """Conditions under which a server's answer is accepted.

    Args:
        max_bytes: Most decoded bytes to read.
        html: Whether to refuse answers that are not HTML.
        cut: Whether to keep the beginning of a larger answer, instead of refusing it.
    """

    max_bytes: int
    html: bool = True
    cut: bool = False


class Client:
    """Sends one request at a time; only ``sockets.abort`` is thread-safe.

    Args:
        guard: Checks URLs and addresses.
        limits: Limits of time, bytes, redirects, retries and rate.
        clock: Monotonic time in seconds.
        sleep: Waits some seconds; by default :meth:`_Sockets.sleep`.
    """

    def __init__(
        self,
        guard: Guard,
        limits: FetchLimits,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._guard = guard
        self._limits = limits
        self._clock = clock
        self.sockets = _Sockets(guard, limits)
        self._sleep = sleep or self.sockets.sleep
        self._asked: dict[str, float] = {}
        self._delays: defaultdict[str, float] = defaultdict(lambda: limits.request_every_s)
        self._session = _Session(self.sockets.connect)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()
        self.sockets.close()

    def keep_delay(self, host: str, seconds: float) -> None:
        """Set the time between requests to a host, as its robots.txt asks, within the limits."""
        self._delays[host] = max(self._limits.request_every_s, min(seconds, self._limits.crawl_delay_s))

    def get(
        self, target: Target, want: AcceptedReply, check: Callable[[Target], None] | None = None
    ) -> Reply:
        """Fetch a URL with retries, following redirects.

        Args:
            target: A URL that the guard has checked.
            want: Which answers are accepted.
            check: Called before each request, the first one too; raises PageFailed to stop.

        Returns:
            The last answer, of any status that is not retried.

        Raises:
            PageFailed: If there is no answer, or it is not accepted.
        """
        for _ in range(self._limits.redirects + 1):
            if check is not None:
                check(target)
            with closing(self._answer(target)) as response:
                if response.status_code not in _REDIRECTS or "location" not in response.headers:
                    return _read(response, target.url, want, self.sockets.check_time)
                target = self._next(response.headers["location"], target)
        raise PageFailed(FetchOutcome.REDIRECTS, f"more than {self._limits.redirects} redirects")

    def _next(self, place: str, target: Target) -> Target:
        # http.client reads headers as Latin-1, browsers as UTF-8
        place = place.encode("latin-1", "replace").decode("utf-8", "replace")
        try:
            return self._guard.check(place, base=target.url)
        except PageFailed as error:
            reason = f"it redirects to {place[:100]!r}: {error.reason}"
            raise PageFailed(FetchOutcome.REFUSED, reason) from None

    def _answer(self, target: Target) -> requests.Response:
        """Send a request, and again as long as the answer or failure is worth a retry."""
        retry = Retry(total=self._limits.retries, backoff_factor=self._limits.backoff_s)
        while True:
            wait = 0.0
            try:
                response = self._ask(target)
                if response.status_code not in _RETRIED:
                    return response
                response.close()
                failure = PageFailed(FetchOutcome.STATUS, f"the server answers {response.status_code}")
                wait = self._retry_after(response)
            except PageFailed as error:
                if error.outcome not in (FetchOutcome.UNREACHABLE, FetchOutcome.BROKEN):
                    raise
                failure = error
            try:
                retry = retry.increment("GET", target.url)
            except MaxRetryError:
                raise failure from None
            self._pause(max(wait, retry.get_backoff_time()))

    def _ask(self, target: Target) -> requests.Response:
        self._pause(self._until_turn(target.host))
        self._asked[target.host] = self._clock()
        limits = self._limits
        times = (limits.connect_s, limits.read_s)
        try:
            response = self._session.get(target.url, stream=True, allow_redirects=False, timeout=times)
        except requests.Timeout as error:
            self.sockets.check_time()
            raise PageFailed(FetchOutcome.BROKEN, f"no answer within {limits.read_s:g} s") from error
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            self.sockets.check_time()
            raise _failed(error) from error
        self.sockets.check_time()  # a socket that was shut ends headers as if they were complete
        return response

    def _until_turn(self, host: str) -> float:
        if host not in self._asked:
            return 0.0
        return self._asked[host] + self._delays[host] - self._clock()

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._sleep(seconds)
        self.sockets.check_time()

    def _retry_after(self, response: requests.Response) -> float:
        """Seconds of the ``Retry-After`` header; 0 if it is absent or unreadable."""
        try:
            wait = Retry().get_retry_after(response.raw) or 0.0
        except (InvalidHeader, ValueError, OverflowError):
            return 0.0
        if wait > self._limits.retry_after_s:
            raise PageFailed(FetchOutcome.BUSY, f"the server asks to come back in {wait:,.0f} s")
        return wait


def _failed(error: Exception) -> PageFailed:
    if isinstance(error, requests.exceptions.SSLError):
        return PageFailed(
            FetchOutcome.UNREACHABLE, "no secure connection: is its certificate valid for this name?"
        )
    reason = f"the connection failed before an answer came ({type(error).__name__})"
    return PageFailed(FetchOutcome.BROKEN, reason)


def _read(
    response: requests.Response, url: str, want: AcceptedReply, check_time: Callable[[], None]
) -> Reply:
    """Read the body of a response.

    Args:
        response: Opened with ``stream=True``.
        url: URL of the response.
        want: Which answers are accepted.
        check_time: Raises PageFailed when the page's time is up.

    Raises:
        PageFailed: If the response is not accepted, or breaks off.
    """
    if response.status_code != 200:
        return Reply(response.status_code, url)
    kind, charset = _content_type(response.headers.get("content-type", ""))
    if want.html and kind not in _HTML:
        raise PageFailed(FetchOutcome.NOT_HTML, f"it is {kind[:60] or 'of no stated type'}, not HTML")
    return Reply(200, url, _body(response, want, check_time), charset)


def _body(response: requests.Response, want: AcceptedReply, check_time: Callable[[], None]) -> bytes:
    """Read decoded bytes, at most a block beyond the limit: a decompressor stops there as well."""
    body = bytearray()
    try:
        while len(body) <= want.max_bytes and (block := response.raw.read1(_BLOCK, decode_content=True)):
            body += block
            check_time()
    except (HTTPError, OSError) as error:
        check_time()
        raise PageFailed(FetchOutcome.BROKEN, f"the answer broke off ({type(error).__name__})") from error
    check_time()  # a socket that was shut reads like the end
    if len(body) > want.max_bytes and not want.cut:
        raise PageFailed(FetchOutcome.TOO_LARGE, f"it has more than {want.max_bytes:,} bytes")
    return bytes(body[: want.max_bytes])


def _content_type(text: str) -> tuple[str, str]:
    message = Message()
    message["content-type"] = text.replace("\r", " ").replace("\n", " ") or "unknown"
    kind = text.partition(";")[0].strip().lower()
    return kind, str(message.get_param("charset", "") or "")


class _Session(requests.Session):
    """A session whose sockets ``connect`` opens, which checks the address.

    It takes no proxies or passwords from the environment, and retries nothing, so that two layers do not
    multiply. It sees no redirect: requests would read the whole body of one, even without following it.
    """

    def __init__(self, connect: _Connect) -> None:
        super().__init__()
        self.trust_env = False
        self.headers.clear()
        self.headers.update(_HEADERS)
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(max_retries=0)
        adapter.poolmanager.pool_classes_by_scheme = _pools(connect)
        self.mount("http://", adapter)
        self.mount("https://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return None: no redirect is followed."""
        return None


def _pools(connect: _Connect) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self.host, self.port or 80)

    class Tls(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self.host, self.port or 443)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}
