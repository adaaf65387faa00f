"""The real server, in a process of its own on a free port of this machine, and what it costs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parents[2]
UP_S = 60.0
STOP_S = 20.0
MEGABYTE = 1e6


@dataclass(frozen=True)
class Server:
    """A running app.

    Args:
        port: Where it answers, on 127.0.0.1.
        process: Its process.
        log: What it printed.
    """

    port: int
    process: psutil.Process
    log: Path

    def cpu_s(self) -> float:
        """CPU seconds that it has used, all threads; what its children used is not in it."""
        used = self.process.cpu_times()
        return float(used.user + used.system)

    def memory_mb(self) -> float:
        """Resident memory, in MB of a million bytes."""
        return float(self.process.memory_info().rss) / MEGABYTE


@contextmanager
def running(root: Path, folder: Path) -> Iterator[Server]:
    """Start the app over a store, and stop it in the end.

    Args:
        root: The store's folder.
        folder: Its inputs, its configuration and its log; made if missing.

    Raises:
        RuntimeError: If it does not come up.
    """
    inputs, log, port = folder / "input", folder / "server.log", _free_port()
    inputs.mkdir(parents=True, exist_ok=True)
    own = {"BEHA2VEC_CACHE": str(root), "BEHA2VEC_INPUT": str(inputs), "BEHA2VEC_CONFIG": str(folder)}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with log.open("wb") as out:
        started = subprocess.Popen(command, cwd=PROJECT, env=os.environ | own, stdout=out, stderr=out)
    try:
        _wait_until_up(port, started, log)
        yield Server(port, psutil.Process(started.pid), log)
    finally:
        started.terminate()
        started.wait(STOP_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(port: int, started: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + UP_S
    while time.monotonic() < deadline and started.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2)
            return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    raise RuntimeError(f"The server did not come up:\n{log.read_text(errors='replace')}")
