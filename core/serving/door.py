"""The door itself: who may come in, how much they may bring, and who answers.

Single users are answered by one thread, which takes what waits at once; batches have a thread of their own,
so that nobody waits for the end of one. The two share an interpreter: beside a batch, answers take longer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final, TypeAlias

import orjson
import torch
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from core.serving.answering import ScoreReply, answer_batch, answer_single, problem
from core.serving.door_metrics import CONTENT_TYPE, DoorMetrics
from core.serving.live_model import LOOK_S, LiveModel
from core.serving.openapi import OPEN, openapi
from core.serving.scorer import Scorer
from core.serving.tokens import shown
from core.serving.wire import BATCH_BYTES, SINGLE_BYTES

TOGETHER: Final = 32
"""Single users that are answered at once, at most, and no more bytes than one of them may send."""
SINGLES: Final = 256
BATCHES: Final = 8
"""Requests that may be inside, from their first byte to their answer: a quarter of a gigabyte, and 80 MB."""
BODY_S: Final = 20.0
"""How long a body may take to come."""
JSON: Final = "application/json"
NO_STORE: Final = {"Cache-Control": "no-store"}

UNAUTHORIZED, TIMEOUT, TOO_LARGE, BUSY = 401, 408, 413, 503
CLOSING: Final = frozenset({UNAUTHORIZED, TIMEOUT, TOO_LARGE, BUSY})
"""Answers before the body was read: what is still to come of it is no next request."""
CLOSE: Final = {"Connection": "close"}
GONE: Final = "The connection was closed"
log = logging.getLogger("beha2vec.door")

Answer: TypeAlias = Callable[[Scorer, Sequence[bytes]], list[ScoreReply]]


@dataclass(eq=False)
class _Waiting:
    """A request that waits; nobody keeps the body of one that has gone."""

    body: bytes
    answer: asyncio.Future[ScoreReply]


class Desk:
    """A thread that answers what waits for it.

    Args:
        model: Who answers.
        answer: How.
        together: Requests at once.
        most: Requests that may be inside.
    """

    def __init__(self, model: LiveModel, answer: Answer, together: int, most: int) -> None:
        self._model, self._answer, self._together, self._most = model, answer, together, most
        self._inside = 0
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._thread = ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,))

    @contextmanager
    def place(self) -> Iterator[None]:
        """Be inside.

        Raises:
            HTTPException: If too many are.
        """
        if self._inside >= self._most:
            raise HTTPException(BUSY, "Too many requests wait; ask again later", {"Retry-After": "1"})
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def ask(self, body: bytes) -> ScoreReply:
        """Wait for an answer; none is made for who is cancelled before it is begun."""
        one = _Waiting(body, asyncio.get_running_loop().create_future())
        self._waiting.put_nowait(one)
        try:
            return await one.answer
        finally:
            one.body = b""

    async def work(self) -> None:
        """Answer until cancelled."""
        while True:
            some = [await self._waiting.get()]
            size = len(some[0].body)
            while len(some) < self._together and size < SINGLE_BYTES and not self._waiting.empty():
                some.append(self._waiting.get_nowait())
                size += len(some[-1].body)
            if still := [one for one in some if not one.answer.done()]:  # others have gone
                await self._answered(still)

    async def _answered(self, some: list[_Waiting]) -> None:
        """Answer some; where that fails, each alone, so that one request cannot spoil another."""
        task = partial(self._answer, self._model.scorer, [one.body for one in some])
        try:
            replies = await asyncio.get_running_loop().run_in_executor(self._thread, task)
        except Exception as error:  # a bug must reach the one who asked, not end the door
            if len(some) > 1:
                for one in some:
                    await self._answered([one])
            elif not some[0].answer.done():
                some[0].answer.set_exception(error)
            return
        for one, reply in zip(some, replies, strict=True):
            if not one.answer.done():  # who asked may have gone
                one.answer.set_result(reply)

    def close(self) -> None:
        """End the thread once it is done."""
        self._thread.shutdown()


class Door:
    """The application.

    Args:
        model: Who answers.
        token: What everybody has to show but for :data:`core.serving.openapi.OPEN`.
    """

    def __init__(self, model: LiveModel, token: str) -> None:
        self._model, self._token, self._metrics = model, token, DoorMetrics()
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
        """Let in who shows the token, and count what is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self._paths else "other"

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.asked(path, message["status"])
            await send(message)

        header = Headers(scope=scope).get("authorization", "")
        if path in OPEN or shown(header, self._token):
            await self._app(scope, receive, counting)
            return
        said = problem(UNAUTHORIZED, "The token is missing or wrong: Authorization: Bearer …")
        refused = Response(said.body, said.status, {"WWW-Authenticate": "Bearer", **CLOSE}, JSON)
        await refused(scope, receive, counting)

    @asynccontextmanager
    async def _living(self, app: Starlette) -> AsyncIterator[None]:
        self._desks: dict[Answer, Desk] = {
            answer_single: Desk(self._model, answer_single, TOGETHER, SINGLES),
            answer_batch: Desk(self._model, answer_batch, 1, BATCHES),
        }
        work = [desk.work() for desk in self._desks.values()]
        tasks = [asyncio.create_task(one) for one in (*work, _watch(self._model))]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for desk in self._desks.values():
            desk.close()

    async def _score(self, answer: Answer, most: int, request: Request) -> Response:
        desk = self._desks[answer]
        with desk.place():
            body = await _body(request, most)
            began = time.perf_counter()
            reply = await _unless_gone(request, desk.ask(body))
        self._metrics.answered(request.url.path, reply, time.perf_counter() - began)
        return Response(reply.body, reply.status, NO_STORE, JSON)

    async def _healthz(self, request: Request) -> Response:
        return Response("ok", media_type="text/plain")

    async def _readyz(self, request: Request) -> Response:
        return Response(orjson.dumps(asdict(self._model.state)), 200, NO_STORE, JSON)

    async def _openapi(self, request: Request) -> Response:
        return Response(self._document, media_type=JSON)

    async def _counted(self, request: Request) -> Response:
        return Response(self._metrics.text(self._model.state), media_type=CONTENT_TYPE)


async def _watch(model: LiveModel) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            replaced = await asyncio.to_thread(model.look)
        except Exception as error:  # one look that fails must not be the last
            log.exception("The model folder cannot be looked at")
            model.say(f"The model folder cannot be looked at ({error.__class__.__name__})")
            continue
        if replaced:
            log.warning("Another model answers: %s", model.state.key)
        elif model.state.problem:
            log.debug("%s", model.state.problem)


async def _unless_gone(request: Request, answer: Coroutine[Any, Any, ScoreReply]) -> ScoreReply:
    """Wait for an answer as long as the client does.

    Raises:
        HTTPException: If it has closed the connection.
    """
    asked, gone = asyncio.create_task(answer), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({asked, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not asked.done():
            raise HTTPException(400, GONE)
        return asked.result()
    finally:
        asked.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _body(request: Request, most: int) -> bytes:
    """Read a body of at most so many bytes, in a time.

    Raises:
        HTTPException: If it is larger, or takes longer.
    """
    too_large = HTTPException(TOO_LARGE, f"The body is larger than {most:,} bytes")
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
        raise HTTPException(TIMEOUT, f"The body did not come within {BODY_S:.0f} s") from error
    except ClientDisconnect as error:
        raise HTTPException(400, GONE) from error
    return b"".join(parts)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = problem(error.status_code, error.detail)
    closing = CLOSE if said.status in CLOSING else {}
    return Response(said.body, said.status, {**(error.headers or {}), **closing}, JSON)


async def _bug(request: Request, error: Exception) -> Response:
    return Response(problem(500, "The server made a mistake; its log says which").body, 500, None, JSON)
