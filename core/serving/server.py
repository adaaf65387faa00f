"""The door as a process: a socket, a server, and an end that drops nobody."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from core.base.errors import ResourceError
from core.serving.door import Door
from core.serving.live_model import LiveModel

CONNECTIONS: Final = 512
"""That are open at once."""
ACCEPTED_AT_ONCE: Final = 128
"""Well below :data:`CONNECTIONS`, so that what a connection brings is read before others take its place."""
HEADERS_S: Final = 10.0
"""How long the headers of a request may take to come, from the connection or the answer before on."""
SWITCH_S: Final = 0.001
"""How long the thread that scores may keep the loop from taking in and sending: Python's own 5 ms add up."""
PATIENCE_S: Final = 30
"""How long the end waits for answers that are being made."""


def serve(folder: Path, host: str, port: int, token: str, ready: Callable[[str], None]) -> None:
    """Answer until the process is told to end; what was asked by then is answered.

    Args:
        folder: ``OUT/model``.
        host: Address to listen at.
        port: Of it; any free one when 0.
        token: See :class:`core.serving.door.Door`.
        ready: Told the address once requests are taken.

    Raises:
        ArtifactError: If the folder holds no model that can be used.
        ResourceError: If the address is taken or not ours.
    """
    torch.set_num_threads(1)
    torch.backends.mkldnn.set_flags(False)  # type: ignore[no-untyped-call]  # its setup for each shape costs more
    sys.setswitchinterval(SWITCH_S)
    with _listening(host, port) as listening:  # a taken address is said before seconds of reading
        model = LiveModel(folder)
        # uvicorn raises the signal again after a graceful end: there is nothing left to end then
        signal.signal(signal.SIGTERM, lambda *_: None)
        address, at = listening.getsockname()[:2]
        ready(f"http://{f'[{address}]' if ':' in address else address}:{at}")
        uvicorn.Server(_config(Door(model, token))).run(sockets=[listening])


class BoundedConnection(H11Protocol):
    """HTTP/1.1 over a connection that has to bring whole headers in :data:`HEADERS_S`.

    Where :data:`CONNECTIONS` are open, a new one takes the place of the one that is without a request for
    longest: whoever opens many and asks nothing keeps nobody else out.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._await_headers()
        if len(self.connections) > CONNECTIONS:
            idle = [one for one in self.connections if isinstance(one, BoundedConnection) and one._idle]
            oldest = min(idle, key=lambda one: one._deadline.when())
            self.connections.discard(oldest)
            oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing: a timer would keep what has ended in memory."""
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
        backlog=ACCEPTED_AT_ONCE,
        ws="none",  # an upgraded connection would be bounded by nothing
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=PATIENCE_S,
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
