"""A real HTTP server on the loopback, which behaves as badly as a test asks."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

Page = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers a path with what the test put there."""

    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        site: Site = self.server.site
        site.requests.append((self.path, dict(self.headers)))
        try:
            site.pages.get(self.path, status(404))(self)
        except OSError:  # the client hung up, as it should
            site.hung_up.set()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(self, code: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")  # else a client may ask again before it sees the end
        self.end_headers()
        self.send(body)

    def send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.server.site.sent += len(data)


@dataclass
class Site:
    port: int
    pages: dict[str, Page] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    sent: int = 0
    hung_up: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str, host: str = "shop.example") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    @property
    def address(self) -> str:
        """What the guard is told to let pass."""
        return f"127.0.0.1:{self.port}"


def html(body: str = "<p>Tea</p>", **headers: str) -> Page:
    return raw(f"<html><body>{body}</body></html>".encode(), **headers)


def raw(body: bytes, **headers: str) -> Page:
    return lambda handler: handler.answer(200, body, **({"Content_Type": "text/html"} | headers))


def status(code: int, **headers: str) -> Page:
    return lambda handler: handler.answer(code, b"", **headers)


def redirect(place: str) -> Page:
    return status(302, Location=place)


def in_turn(*pages: Page) -> Page:
    """One answer after the other; the last one stays."""
    left = list(pages)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


def loopback(host: str, port: int) -> list[str]:
    """A resolver for which every name is this machine: no test asks a real one."""
    return ["127.0.0.1"]
