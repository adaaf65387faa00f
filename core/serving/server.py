"""The door as a process: a socket, a server, and an end that drops nobody."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch
import uvicorn

from core.base.errors import ResourceError
from core.serving.door import Door
from core.serving.live_model import LiveModel

MOST_AT_ONCE: Final = 512
"""Connections, from which on others are told to come later."""
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
        config = uvicorn.Config(
            Door(model, token),
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=MOST_AT_ONCE,
            timeout_graceful_shutdown=PATIENCE_S,
            lifespan="on",
        )
        # uvicorn raises the signal again after a graceful end: there is nothing left to end then
        signal.signal(signal.SIGTERM, lambda *_: None)
        address, at = listening.getsockname()[:2]
        ready(f"http://{f'[{address}]' if ':' in address else address}:{at}")
        uvicorn.Server(config).run(sockets=[listening])


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
