"""Start the app's server in place of this process."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from typing import NoReturn

from core.base.errors import ResourceError
from core.base.places import PROJECT, data_folder
from core.storage.disk import disk_errors, make_folder


def open_app(port: int) -> NoReturn:
    """Check what would stop the app, and become its server, which prints its address.

    Args:
        port: Where it listens; 0 for any free one.

    Raises:
        ResourceError: If the port is taken, or the data folder cannot be written.
    """
    folder = data_folder()
    make_folder(folder)
    with disk_errors(), tempfile.TemporaryFile(dir=folder), socket.socket() as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what ended a moment ago is no hindrance
        try:
            asked.bind(("127.0.0.1", port))
        except OSError as error:
            remedy = "Choose another one: --port 8600, or --port 0 for any free one"
            raise ResourceError(f"Port {port} cannot be used: {error.strerror}", remedy=remedy) from error
    server = [sys.executable, "-P", "-m", "streamlit", "run", str(PROJECT / "app.py")]
    os.execv(sys.executable, [*server, "--server.port", str(port)])
