"""A child with one task more, which rests, and that watches quickly: what tests of the job machinery run."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.base.progress import Progress
from core.base.settings import Settings
from core.runs.job_child import run_child
from core.runs.job_view import read_request


class RestRequest(Settings):
    """How long to rest, and how much memory to hold meanwhile."""

    seconds: float = 30.0
    held_bytes: int = 0
    broken: bool = False


def rest(_task: str, _root: Path, request: Mapping[str, Any], progress: Progress) -> dict[str, float]:
    """Rest, and say so ten times a second."""
    asked = RestRequest.checked(**request)
    if asked.broken:
        raise ZeroDivisionError
    _held = bytearray(asked.held_bytes)
    steps = max(1, round(asked.seconds / 0.1))
    for step in range(steps):
        time.sleep(0.1)
        progress("rest", (step + 1) / steps, step=step + 1)
    return {"rested": asked.seconds}


def main(folder: Path) -> int:
    if read_request(folder)["task"] == "rest":
        return run_child(folder, rest)
    from core.runs import app_watches

    vars(app_watches).update(EVERY_S=0.2, SETTLE_S=0.1)
    return run_child(folder)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
