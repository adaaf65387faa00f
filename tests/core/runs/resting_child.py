"""A child with one task more, which rests, and that watches quickly: what tests of the job machinery run."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from core.base.progress import Progress
from core.base.settings import Settings
from core.runs import kept_watches, tasks
from core.runs.job_child import run_child
from core.storage.store import Store


class RestRequest(Settings):
    """How long to rest, and how much memory to hold meanwhile."""

    seconds: float = 30.0
    held_bytes: int = 0
    broken: bool = False


def rest(_store: Store, request: RestRequest, progress: Progress) -> tasks.Result:
    """Rest, and say so ten times a second."""
    if request.broken:
        raise ZeroDivisionError
    _held = bytearray(request.held_bytes)
    steps = max(1, round(request.seconds / 0.1))
    for step in range(steps):
        time.sleep(0.1)
        progress("rest", (step + 1) / steps, step=step + 1)
    return {"rested": request.seconds}


if __name__ == "__main__":
    tasks.TASKS["rest"] = (RestRequest, rest)
    vars(kept_watches).update(EVERY_S=0.2, SETTLE_S=0.1)
    sys.exit(run_child(Path(sys.argv[1])))
