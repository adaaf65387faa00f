"""The child process that reads a single page: ``python -m core.labels.fetching.child BYTES SECONDS``.

The parsers are C code, which pages have crashed before; here a crash costs that page and nothing else. Stdin
has a line with the charset, then the page; stdout gets the document as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from core.labels.label_types import Document

OUT_OF_MEMORY: Final = 77
"""Exit status if a page needs more memory than the limit."""


def serve(memory_bytes: int, seconds: float, read: Callable[[bytes, str], Document] | None = None) -> None:
    """Read the page on stdin under limits and write the document: the main function of the child.

    Args:
        memory_bytes: Limit of the address space (RLIMIT_AS).
        seconds: Time after which the system ends the process, even if its parent has gone.
        read: Reads a page; by default :func:`core.labels.fetching.page_reader.read`.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it writes no files
    answer = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # keeps what libraries print out of the answer
    try:
        if read is None:
            from core.labels.fetching import page_reader

            read = page_reader.read
        charset = sys.stdin.buffer.readline().decode("ascii", "replace").strip()
        document = read(sys.stdin.buffer.read(), charset)
        answer.write(json.dumps(asdict(document)).encode())
        answer.close()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]))
