"""The server as a process: started by the command line, ended by a signal, its model replaced meanwhile."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from core.base.errors import ArtifactError, ResourceError, SettingsError
from core.cli.cli import app
from core.scoring.serving import server as server_module
from core.scoring.serving.server import BoundedConnection, _config, _listening
from core.scoring.serving.tokens import is_authorised, read_token
from tests.core.scoring.serving.conftest import Shop

ROOT = Path(__file__).resolve().parents[4]
TOKEN = "a-token-of-twenty-letters"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Server:
    """A running server."""

    process: subprocess.Popen[str]
    address: str
    said: list[str]


@contextmanager
def served(model: Path, **environ: str) -> Iterator[Server]:
    env = {name: value for name, value in os.environ.items() if name != "BEHA2VEC_TOKEN"} | environ
    process = subprocess.Popen(
        [sys.executable, "-m", "core", "serve", "--model", str(model), "--port", "0"],
        cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    said: list[str] = []
    try:
        for line in process.stderr:
            said.append(line.strip())
            if " answers at http" in line:
                break
        yield Server(process, said[-1].rsplit(" ", 1)[1], said)
    finally:
        process.kill()
        process.wait()


def test_a_model_is_replaced_without_a_dropped_request(
    shop: Shop, copied: Path, renamed: Callable[[Path], dict[str, Any]], tmp_path: Path
) -> None:
    body = {"events": shop.events[shop.first("segment")]}
    keys: Counter[str] = Counter()
    failed: list[object] = []
    done = threading.Event()

    def ask() -> None:
        with httpx2.Client(headers=HEADERS, timeout=60) as client:
            while not done.is_set():
                answer = client.post(f"{server.address}/v1/score", json=body)
                keys[answer.json().get("model")] += 1
                failed.extend([answer.text] if answer.status_code != 200 else [])

    with served(copied, BEHA2VEC_TOKEN=TOKEN) as server:
        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        other = tmp_path / "other"
        subprocess.run(["cp", "-r", copied, other], check=True)
        renamed(other)
        copied.rename(tmp_path / "old")
        other.rename(copied)
        deadline = time.monotonic() + 120
        while len(keys) < 2 and not failed and time.monotonic() < deadline:
            time.sleep(0.1)
        done.set()
        for thread in threads:
            thread.join()
        ready = httpx2.get(f"{server.address}/readyz").json()
    assert failed == []
    assert len(keys) == 2
    assert (ready["reloads"], ready["refused"], ready["problem"]) == (1, 0, "")


def test_what_was_asked_before_the_end_is_answered(shop: Shop, copied: Path) -> None:
    with served(copied, BEHA2VEC_TOKEN=TOKEN) as server:
        events = [event for own in shop.events.values() for event in own][:4_000]
        answers: list[int] = []

        def ask() -> None:
            answer = httpx2.post(
                f"{server.address}/v1/score_batch", json={"events": events}, headers=HEADERS, timeout=120
            )
            answers.append(answer.status_code)

        thread = threading.Thread(target=ask)
        thread.start()
        before = "beha2vec_requests_total"
        while "beha2vec_" not in before or not thread.is_alive():  # until the server is there
            before = httpx2.get(f"{server.address}/metrics", headers=HEADERS).text
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        thread.join()
        assert answers == [200]
        assert server.process.wait(60) == 0
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{server.address}/healthz")


def test_a_new_token_is_shown_once_and_lets_in(copied: Path) -> None:
    with served(copied) as server:
        [token] = [line.removeprefix("token: ") for line in server.said if line.startswith("token: ")]
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx2.get(f"{server.address}/metrics", headers=headers).status_code == 200
        assert httpx2.get(f"{server.address}/metrics", headers=HEADERS).status_code == 401
        assert server.address.startswith("http://127.0.0.1:")


def test_a_small_answer_does_not_wait_for_more_to_send() -> None:
    with _listening("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        taken, _ = listening.accept()
        with taken:
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@contextmanager
def _answering(app: ASGIApp) -> Iterator[int]:
    """The port at which an application is served, in a thread."""
    with _listening("127.0.0.1", 0) as listening:
        running = uvicorn.Server(_config(app))
        thread = threading.Thread(target=running.run, args=([listening],))
        thread.start()
        yield listening.getsockname()[1]
        running.should_exit = True
        thread.join()


@pytest.fixture
def begun() -> threading.Event:
    return threading.Event()


@pytest.fixture
def slow_port(begun: threading.Event) -> Iterator[int]:
    """The port of a server whose /slow takes half a second."""

    async def slow(request: Request) -> Response:
        begun.set()
        await asyncio.sleep(0.5)
        return Response("slow")

    routes = [Route("/slow", slow), Route("/healthz", lambda _: Response("ok"))]
    with _answering(Starlette(routes=routes)) as port:
        yield port


def test_half_headers_keep_nobody_out(
    slow_port: int, begun: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "CONNECTIONS", 4)
    monkeypatch.setattr(server_module, "HEADERS_S", 1e6)  # none is closed for being slow
    with ExitStack() as open_:

        def connect(data: bytes) -> socket.socket:
            made = open_.enter_context(socket.create_connection(("127.0.0.1", slow_port), timeout=20))
            with suppress(ConnectionError):  # closed meanwhile
                made.sendall(data)
            return made

        asked = connect(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert begun.wait(20)
        halves = [connect(b"GET /healthz HTTP/1.1\r\nHost: a\r\n") for _ in range(12)]
        assert httpx2.get(f"http://127.0.0.1:{slow_port}/healthz", timeout=20).text == "ok"
        assert asked.recv(15) == b"HTTP/1.1 200 OK"  # not among those that were closed
        assert _closed(halves[0])


def _closed(connection: socket.socket) -> bool:
    """Whether the server closed a connection: with a reset where it had not read all, else with an end."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_headers_have_to_come_in_a_time(slow_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "HEADERS_S", 0.2)
    with socket.create_connection(("127.0.0.1", slow_port), timeout=20) as half:
        half.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = b""
        while not answer.endswith(b"slow"):  # an answer may take longer, and come in pieces
            answer += (received := half.recv(1000))
            assert received, answer
        half.sendall(b"GET /slow HTTP/1.1\r\n")
        assert half.recv(1000) == b""


def test_an_ended_connection_does_not_stay_in_memory(slow_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "HEADERS_S", 1e6)
    assert httpx2.get(f"http://127.0.0.1:{slow_port}/healthz", timeout=20).text == "ok"
    with socket.create_connection(("127.0.0.1", slow_port), timeout=20):
        pass
    deadline = time.monotonic() + 10
    while _connections():
        gc.collect()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _connections() -> list[BoundedConnection]:
    return [one for one in gc.get_objects() if isinstance(one, BoundedConnection)]


def test_what_cannot_be_served_is_said_before_anything_is_answered(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEHA2VEC_TOKEN", TOKEN)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for options, kind, said in (
            (
                ["--model", tmp_path / "none", "--port", 0],
                ArtifactError,
                "is not the model folder of a finished",
            ),
            (["--model", copied, "--port", port], ResourceError, f"Cannot listen at 127.0.0.1, port {port}"),
            (["--model", copied, "--host", "192.0.2.1"], ResourceError, "Cannot listen at 192.0.2.1"),
            (["--model", copied, "--token-file", tmp_path / "none"], SettingsError, "cannot be read"),
        ):
            with pytest.raises(kind, match=said):
                app(["serve", *map(str, options)], standalone_mode=False)


@pytest.mark.parametrize("text", ["short", "with a blank in it is none", "nøt-äscii-but-long-enough"])
def test_a_token_that_is_none_is_refused_and_not_repeated(text: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(text)
    with pytest.raises(SettingsError, match="holds is no token") as refused:
        read_token(tmp_path / "token")
    assert text not in str(refused.value)


def test_the_token_comes_from_the_file_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BEHA2VEC_TOKEN", raising=False)
    assert read_token(None) is None
    monkeypatch.setenv("BEHA2VEC_TOKEN", TOKEN)
    assert read_token(None) == TOKEN
    (tmp_path / "token").write_text(f"{TOKEN[::-1]}\n")
    assert read_token(tmp_path / "token") == TOKEN[::-1]
    assert is_authorised(f"bearer {TOKEN}", TOKEN)
    assert not is_authorised(f"Bearer {TOKEN}x", TOKEN)
