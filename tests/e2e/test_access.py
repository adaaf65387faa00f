"""Who may drive the app: a real server, asked by real WebSocket clients and by a page of another port."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from pages.ui.shell.server import TOOLS
from tests.e2e.conftest import OpenPage, Server, running_server

pytestmark = pytest.mark.e2e

OPEN = """([address]) => new Promise(done => {
    const socket = new WebSocket(address, ["streamlit"])
    socket.onopen = () => done("open")
    socket.onerror = () => done("refused")
})"""


def stream(server: Server) -> str:
    return server.url.replace("http://", "ws://") + "/_stcore/stream"


def let_in(server: Server, origin: str | None) -> bool:
    """Whether a client that says it comes from there gets a session."""
    try:
        with connect(stream(server), origin=origin, subprotocols=["streamlit"]):  # type: ignore[arg-type]
            return True
    except InvalidStatus as error:
        assert error.response.status_code == 403
        return False


@contextmanager
def another_port(folder: Path) -> Iterator[str]:
    """A page that another program of this machine serves."""

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *parts: object) -> None:
            super().__init__(*parts, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    (folder / "index.html").write_text("<title>another program</title>")
    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_port}"
        site.shutdown()


def test_only_the_app_s_own_page_may_drive_it(server: Server) -> None:
    port = server.url.rsplit(":", 1)[1]
    assert let_in(server, server.url)
    foreign = (
        "http://127.0.0.1:3000", f"http://localhost:{port}", "http://127.0.0.1", "http://localhost",
        "http://evil.example", "null", "file://", f"http://127.0.0.1:{port}@evil.example", None,
    )  # fmt: skip
    assert [origin for origin in foreign if let_in(server, origin)] == []
    assert "Origin" in server.log.read_text()


def test_a_page_of_another_port_of_this_machine_cannot_drive_it(
    server: Server, new_page: OpenPage, tmp_path: Path
) -> None:
    with another_port(tmp_path) as elsewhere:
        foreign, own = new_page(elsewhere), new_page(server.url)
        assert foreign.evaluate(OPEN, [stream(server)]) == "refused"
        assert own.evaluate(OPEN, [stream(server)]) == "open"
        answer = requests.get(f"{server.url}/_stcore/health", headers={"Origin": elsewhere}, timeout=30)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/", "//_stcore/metrics"])
def test_the_server_s_figures_are_not_handed_out(server: Server, path: str) -> None:
    request = requests.Request("GET", server.url).prepare()
    request.url = server.url + path  # as it is: no client tidies it up
    with requests.Session() as session:
        answer = session.send(request, timeout=30)
    assert "openmetrics" not in answer.headers.get("content-type", "")
    assert "active_sessions" not in answer.text


def test_what_the_page_itself_asks_for_is_there(server: Server) -> None:
    for path in ("/_stcore/health", "/_stcore/host-config", "/"):
        for headers in ({}, {"Origin": server.url}):
            assert requests.get(server.url + path, headers=headers, timeout=30).status_code == 200


def test_tools_are_let_in_where_that_is_asked_for_and_foreign_pages_are_not(tmp_path: Path) -> None:
    with running_server(tmp_path / "tools", **{TOOLS: "1"}) as server:
        assert let_in(server, None)
        assert not let_in(server, "http://127.0.0.1:3000")
        assert "active_sessions" in requests.get(f"{server.url}/_stcore/metrics", timeout=30).text


def test_behind_a_proxy_the_public_address_is_named(tmp_path: Path) -> None:
    variables = {
        "STREAMLIT_SERVER_BASE_URL_PATH": "shop",
        "STREAMLIT_SERVER_CORS_ALLOWED_ORIGINS": "https://app.example",
    }
    with running_server(tmp_path / "proxied", "/shop", **variables) as server:
        assert let_in(server, "https://app.example")  # the proxy says Host: 127.0.0.1:…
        assert not let_in(server, "http://app.example")
        assert not let_in(server, "https://app.example:8443")
        assert requests.get(f"{server.url}/_stcore/metrics", timeout=30).status_code == 404
