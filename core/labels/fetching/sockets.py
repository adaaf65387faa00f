"""Opens sockets to checked addresses, and ends them when a page's time is up or the run is stopped.

Time limits of single reads do not help against a server that sends a byte now and then, in headers, in a
TLS handshake or in a body. So a timer shuts the socket itself, and whatever reads from it returns at once.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from core.labels.fetching.fetch_outcomes import FetchOutcome, PageFailed
from core.labels.fetching.guard import Guard
from core.labels.fetching.limits import FetchLimits

_ADDRESSES: Final = 3
"""Of a host's addresses that are tried."""


class Sockets:
    """The open connections of the page that is fetched right now; all but :meth:`abort` is for one thread.

    Args:
        guard: Says which addresses may be asked.
        limits: How long a page and a connection may take.
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
        """Within this, everything ends when a page's time is up."""
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
        """Stop what goes on, for good; from any thread."""
        self._aborted = True
        self._end()

    def check_time(self) -> None:
        """Look whether there is time left.

        Raises:
            PageFailed: If there is none.
        """
        if self._aborted:
            raise PageFailed(FetchOutcome.LEFT_OUT, "the run was stopped")
        if self._over.is_set():
            raise PageFailed(FetchOutcome.TIMEOUT, f"it took longer than {self._limits.page_s:g} s")

    def sleep(self, seconds: float) -> None:
        """Wait, but no longer than there is time."""
        self._over.wait(seconds)

    def connect(self, host: str, port: int) -> socket.socket:
        """Look a host up, check, and connect to what was checked.

        Raises:
            PageFailed: If the host leads to a closed address, or to none that answers.
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
        """Forget the connections."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()

    def _watched(self, connection: socket.socket) -> socket.socket:
        with self._lock:  # a copy, since TLS takes the original away
            self._open.append(connection.dup())
        if self._over.is_set():  # the time was up before the copy was there to be shut
            connection.close()
        return connection

    def _end(self) -> None:
        self._over.set()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
