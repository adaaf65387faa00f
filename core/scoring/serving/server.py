"""The HTTP server that scores users: its OpenAPI document, metrics, request queues, application and process.

Single users are answered by one thread, which takes what waits at once; batches have a thread of their own,
so that nobody waits for the end of one. The two share an interpreter: beside a batch, answers take longer.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson
import torch
import uvicorn
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from core.base.errors import ResourceError
from core.scoring.serving.answering import ScoreReply, answer_batch, answer_single, problem
from core.scoring.serving.live_model import LOOK_S, LiveModel, ModelState
from core.scoring.serving.scorer import (
    BATCH_BYTES,
    SINGLE_BYTES,
    Problem,
    ScoreAnswer,
    ScoreBatchAnswer,
    ScoreBatchRequest,
    Scorer,
    ScoreRequest,
)
from core.scoring.serving.tokens import is_authorised

_REF: Final = "#/components/schemas/{model}"
ERRORS: Final = {
    400: "The body is not JSON", 401: "The token is missing or wrong", 408: "The body did not come in time",
    413: "The body is too large", 422: "The events cannot be scored; the error says why",
    503: "Too many requests at once, as JSON with Retry-After; too many connections, as plain text",
}  # fmt: skip
_PLAIN: Final = {
    "/healthz": "The process is alive", "/readyz": "A model answers", "/openapi.json": "This document",
    "/metrics": "Counters in the text format of Prometheus",
}  # fmt: skip
OPEN: Final = ("/healthz", "/readyz", "/openapi.json")
"""Paths that need no token."""


def openapi() -> dict[str, Any]:
    """Make the OpenAPI 3.1 document of the server."""
    types: dict[str, TypeAdapter[Any]] = {
        kind.__name__: TypeAdapter(kind)
        for kind in (ScoreRequest, ScoreBatchRequest, ScoreAnswer, ScoreBatchAnswer, Problem)
    }
    mode: JsonSchemaMode = "serialization"
    inputs = [(name, mode, adapter) for name, adapter in types.items()]
    json_schemas, rest = TypeAdapter.json_schemas(inputs, ref_template=_REF)
    schemas = {name: schema for (name, _), schema in json_schemas.items()} | rest.get("$defs", {})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Beha2Vec scoring server", "version": "1"},
        "paths": {
            "/v1/score": _post("The segment of a user", "ScoreRequest", "ScoreAnswer"),
            "/v1/score_batch": _post("The segments of many users", "ScoreBatchRequest", "ScoreBatchAnswer"),
            **{path: _get(path, said) for path, said in _PLAIN.items()},
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _post(summary: str, asks: str, answers: str) -> dict[str, Any]:
    errors = {str(status): _content(description, "Problem") for status, description in ERRORS.items()}
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": _REF.format(model=asks)}}}}
    errors["503"]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}}
    errors["503"]["content"]["text/plain"] = {"schema": {"type": "string"}}
    responses = {"200": _content("The answer", answers), **errors}
    return {"post": {"summary": summary, "requestBody": body, "responses": responses}}


def _content(description: str, model: str) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model=model)}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _get(path: str, description: str) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": description, "responses": {"200": {"description": description}}}
    return {"get": operation | ({"security": []} if path in OPEN else {})}


_BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
_CONTENT_TYPE = CONTENT_TYPE_LATEST


class _ServerMetrics:
    """Prometheus metrics of one server."""

    def __init__(self) -> None:
        self._all = CollectorRegistry()
        ProcessCollector(registry=self._all)
        self._requests = Counter(
            "beha2vec_requests", "Requests answered", ["path", "status"], registry=self._all
        )
        self._seconds = Histogram(
            "beha2vec_request_seconds", "From a request's last byte to its answer", ["path"],
            buckets=_BUCKETS, registry=self._all,
        )  # fmt: skip
        self._users = Counter("beha2vec_users_scored", "Users that got a place", registry=self._all)
        self._events = Counter("beha2vec_events", "Events received", ["fate"], registry=self._all)
        self._model = Gauge("beha2vec_model_info", "The model that answers", ["key"], registry=self._all)
        self._since = Gauge(
            "beha2vec_model_since_seconds", "When it began to (Unix time)", registry=self._all
        )
        self._reloads = Gauge(
            "beha2vec_model_reloads", "Times the folder was read anew", ["result"], registry=self._all
        )
        self._stale = Gauge(
            "beha2vec_model_stale", "1 where the folder holds what was refused", registry=self._all
        )

    def asked(self, path: str, status: int) -> None:
        """Count a request by path and status."""
        self._requests.labels(path, str(status)).inc()

    def answered(self, path: str, reply: ScoreReply, seconds: float) -> None:
        """Count the time (from the last byte of the request), users and events of an answered request."""
        self._seconds.labels(path).observe(seconds)
        self._users.inc(reply.users)
        self._events.labels("used").inc(reply.used)
        self._events.labels("left_out").inc(reply.left_out)

    def text(self, state: ModelState) -> bytes:
        """All metrics in the text format of Prometheus."""
        self._model.clear()
        self._model.labels(state.key).set(1)
        self._since.set(state.since)
        self._reloads.labels("done").set(state.reloads)
        self._reloads.labels("refused").set(state.refused)
        self._stale.set(bool(state.problem))
        return bytes(generate_latest(self._all))


_TOGETHER: Final = 32
"""Most requests of single users that are scored at once; fewer where their bodies are large."""
_SINGLES: Final = 256
BATCHES: Final = 8
"""Most batches in progress, from first byte to answer: 80 MB of bodies. For single users :data:`_SINGLES`, a
quarter of a gigabyte."""
BODY_S: Final = 20.0
"""Seconds that a body may take to come."""
_JSON: Final = "application/json"
_NO_STORE: Final = {"Cache-Control": "no-store"}

_UNAUTHORIZED, _TIMEOUT, _TOO_LARGE, _BUSY = 401, 408, 413, 503
_CLOSING: Final = frozenset({_UNAUTHORIZED, _TIMEOUT, _TOO_LARGE, _BUSY})
"""Statuses of answers before the body was read: what is still to come of it is no next request."""
_CLOSE: Final = {"Connection": "close"}
_GONE: Final = "The connection was closed"
_log = logging.getLogger("beha2vec.server")

Answer: TypeAlias = Callable[[Scorer, Sequence[bytes]], list[ScoreReply]]


@dataclass(eq=False)
class _Waiting:
    """A request in the queue; its body is dropped once the client has gone."""

    body: bytes
    answer: asyncio.Future[ScoreReply]


class RequestQueue:
    """A queue of requests, and the thread that answers them.

    Args:
        model: The model that answers.
        answer: Function from its scorer and bodies of requests to a reply for each.
        together: Most requests in one call of ``answer``.
        most: Most requests in progress (:meth:`place`).
    """

    def __init__(self, model: LiveModel, answer: Answer, together: int, most: int) -> None:
        self._model, self._answer, self._together, self._most = model, answer, together, most
        self._inside = 0
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,))

    @contextmanager
    def place(self) -> Iterator[None]:
        """Count a request as in progress for the length of the block.

        Raises:
            HTTPException: With status 503, if too many are.
        """
        if self._inside >= self._most:
            raise HTTPException(_BUSY, "Too many requests wait; ask again later", {"Retry-After": "1"})
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def ask(self, body: bytes) -> ScoreReply:
        """Queue the body of a request and wait for its reply; cancelled while it waits, it is skipped."""
        waiting = _Waiting(body, asyncio.get_running_loop().create_future())
        self._waiting.put_nowait(waiting)
        try:
            return await waiting.answer
        finally:
            waiting.body = b""

    async def work(self) -> None:
        """Answer queued requests until cancelled."""
        while True:
            some = [await self._waiting.get()]
            size = len(some[0].body)
            while len(some) < self._together and size < SINGLE_BYTES and not self._waiting.empty():
                some.append(self._waiting.get_nowait())
                size += len(some[-1].body)
            if still := [waiting for waiting in some if not waiting.answer.done()]:  # others have gone
                await self._answered(still)

    async def _answered(self, some: list[_Waiting]) -> None:
        """Answer requests together; where that fails, each alone, so that none can spoil another."""
        task = partial(self._answer, self._model.scorer, [waiting.body for waiting in some])
        try:
            replies = await asyncio.get_running_loop().run_in_executor(self._thread, task)
        except Exception as error:  # a bug must reach the one who asked, not end the server
            if len(some) > 1:
                for waiting in some:
                    await self._answered([waiting])
            elif not some[0].answer.done():
                some[0].answer.set_exception(error)
            return
        for waiting, reply in zip(some, replies, strict=True):
            if not waiting.answer.done():  # who asked may have gone
                waiting.answer.set_result(reply)

    def close(self) -> None:
        """End the thread once its work is done."""
        self._thread.shutdown()


class ScoringApp:
    """The ASGI application: checks the token, routes requests and counts answers.

    Args:
        model: The model that answers.
        token: Token that requests must send, but for the paths of :data:`core.scoring.serving.server.OPEN`.
    """

    def __init__(self, model: LiveModel, token: str) -> None:
        self._model, self._token, self._metrics = model, token, _ServerMetrics()
        self._document = orjson.dumps(openapi())
        self._routes = [
            Route("/v1/score", partial(self._score, answer_single, SINGLE_BYTES), methods=["POST"]),
            Route("/v1/score_batch", partial(self._score, answer_batch, BATCH_BYTES), methods=["POST"]),
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
            Route("/openapi.json", self._openapi),
            Route("/metrics", self._counted),
        ]
        self._paths = {route.path for route in self._routes}
        self._app = Starlette(
            routes=self._routes,
            lifespan=self._living,
            exception_handlers={HTTPException: _http_error, Exception: _bug},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse requests without the token, and count what is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self._paths else "other"

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.asked(path, message["status"])
            await send(message)

        header = Headers(scope=scope).get("authorization", "")
        if path in OPEN or is_authorised(header, self._token):
            await self._app(scope, receive, counting)
            return
        reply = problem(_UNAUTHORIZED, "The token is missing or wrong: Authorization: Bearer …")
        refused = Response(reply.body, reply.status, {"WWW-Authenticate": "Bearer", **_CLOSE}, _JSON)
        await refused(scope, receive, counting)

    @asynccontextmanager
    async def _living(self, app: Starlette) -> AsyncIterator[None]:
        self._queues: dict[Answer, RequestQueue] = {
            answer_single: RequestQueue(self._model, answer_single, _TOGETHER, _SINGLES),
            answer_batch: RequestQueue(self._model, answer_batch, 1, BATCHES),
        }
        work = [queue.work() for queue in self._queues.values()]
        tasks = [asyncio.create_task(coroutine) for coroutine in (*work, _watch(self._model))]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for queue in self._queues.values():
            queue.close()

    async def _score(self, answer: Answer, most: int, request: Request) -> Response:
        queue = self._queues[answer]
        with queue.place():
            body = await _body(request, most)
            began = time.perf_counter()
            reply = await _unless_gone(request, queue.ask(body))
        self._metrics.answered(request.url.path, reply, time.perf_counter() - began)
        return Response(reply.body, reply.status, _NO_STORE, _JSON)

    async def _healthz(self, request: Request) -> Response:
        return Response("ok", media_type="text/plain")

    async def _readyz(self, request: Request) -> Response:
        return Response(orjson.dumps(asdict(self._model.state)), 200, _NO_STORE, _JSON)

    async def _openapi(self, request: Request) -> Response:
        return Response(self._document, media_type=_JSON)

    async def _counted(self, request: Request) -> Response:
        return Response(self._metrics.text(self._model.state), media_type=_CONTENT_TYPE)


async def _watch(model: LiveModel) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            replaced = await asyncio.to_thread(model.look)
        except Exception as error:  # one look that fails must not be the last
            _log.exception("The model folder cannot be looked at")
            model.say(f"The model folder cannot be looked at ({error.__class__.__name__})")
            continue
        if replaced:
            _log.warning("Another model answers: %s", model.state.key)
        elif model.state.problem:
            _log.debug("%s", model.state.problem)


async def _unless_gone(request: Request, answer: Coroutine[Any, Any, ScoreReply]) -> ScoreReply:
    """Wait for an answer as long as the client does.

    Raises:
        HTTPException: If it has closed the connection.
    """
    answering, gone = asyncio.create_task(answer), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise HTTPException(400, _GONE)
        return answering.result()
    finally:
        answering.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _body(request: Request, most: int) -> bytes:
    """Read a body of at most so many bytes, in a time.

    Raises:
        HTTPException: If it is larger, or takes longer.
    """
    too_large = HTTPException(_TOO_LARGE, f"The body is larger than {most:,} bytes")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
        raise too_large
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise too_large
                parts.append(part)
    except TimeoutError as error:
        raise HTTPException(_TIMEOUT, f"The body did not come within {BODY_S:.0f} s") from error
    except ClientDisconnect as error:
        raise HTTPException(400, _GONE) from error
    return b"".join(parts)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    reply = problem(error.status_code, error.detail)
    closing = _CLOSE if reply.status in _CLOSING else {}
    return Response(reply.body, reply.status, {**(error.headers or {}), **closing}, _JSON)


async def _bug(request: Request, error: Exception) -> Response:
    return Response(problem(500, "The server made a mistake; its log says which").body, 500, None, _JSON)


CONNECTIONS: Final = 512
"""Most connections that are open at once."""
_ACCEPTED_AT_ONCE: Final = 128
"""Well below :data:`CONNECTIONS`, so that what a connection brings is read before others take its place."""
HEADERS_S: Final = 10.0
"""Seconds that the headers of a request may take to come, from the connection or the answer before on."""
_SWITCH_S: Final = 0.001
"""Seconds that the scoring thread may keep the event loop from its work: Python's own 5 ms add up."""
_PATIENCE_S: Final = 30
"""Seconds that shutting down waits for answers in progress."""


def serve(folder: Path, host: str, port: int, token: str, ready: Callable[[str], None]) -> None:
    """Run the server until the process is told to end; requests received by then are still answered.

    Args:
        folder: ``OUT/model``.
        host: Address to listen at.
        port: Port to listen at; any free one when 0.
        token: Token that requests must send.
        ready: Called with the server's address once it takes requests.

    Raises:
        ArtifactError: If the folder holds no model that can be used.
        ResourceError: If the address is taken, or not one of this machine.
    """
    torch.set_num_threads(1)
    torch.backends.mkldnn.set_flags(False)  # type: ignore[no-untyped-call]  # its setup for each shape costs more
    sys.setswitchinterval(_SWITCH_S)
    with _listening(host, port) as listening:  # a taken address is said before seconds of reading
        model = LiveModel(folder)
        # uvicorn raises the signal again after a graceful end: there is nothing left to end then
        signal.signal(signal.SIGTERM, lambda *_: None)
        address, at = listening.getsockname()[:2]
        ready(f"http://{f'[{address}]' if ':' in address else address}:{at}")
        uvicorn.Server(_config(ScoringApp(model, token))).run(sockets=[listening])


class BoundedConnection(H11Protocol):
    """HTTP/1.1 over a connection that has to bring whole headers in :data:`HEADERS_S`.

    Where :data:`CONNECTIONS` are open, a new one takes the place of the one that is without a request for
    longest: whoever opens many and asks nothing keeps nobody else out.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, and close the oldest idle connection where too many are open."""
        super().connection_made(transport)
        self._await_headers()
        if len(self.connections) > CONNECTIONS:
            idle = [
                connection
                for connection in self.connections
                if isinstance(connection, BoundedConnection) and connection._idle
            ]
            oldest = min(idle, key=lambda connection: connection._deadline.when())
            self.connections.discard(oldest)
            oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timer, which would keep the closed connection in memory."""
        super().connection_lost(exc)
        self._deadline.cancel()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._deadline.cancel()
        self._await_headers()

    @property
    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _await_headers(self) -> None:
        self._deadline = self.loop.call_later(HEADERS_S, self._end_if_idle)

    def _end_if_idle(self) -> None:
        if self._idle:
            self.transport.close()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedConnection,
        backlog=_ACCEPTED_AT_ONCE,
        ws="none",  # an upgraded connection would be bounded by nothing
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_PATIENCE_S,
        lifespan="on",
    )


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=2048)
        # asyncio sees no TCP in a socket made like this, and a small answer would wait 40 ms (Nagle)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        raise ResourceError(
            f"Cannot listen at {host}, port {port}: {os.strerror(error.errno or 0)}",
            remedy="Choose another --port, or an address of this machine",
        ) from error
