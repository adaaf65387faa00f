"""The child's side of a job: do what its folder asks for, say how far it is, and stop when told to.

``python -m core.runs.job_child FOLDER``, started by ``jobs.py``, which says what lies in the folder.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from core.base.errors import BOUNDED_RUN, Beha2VecError, Cancelled
from core.base.progress import Progress
from core.runs import job_process
from core.runs.job_view import CANCEL, FIGURES, STATUS, State, read_request, view_if_readable
from core.storage.disk import write_text_atomic

_GRACE_S: Final = 1.5
"""Seconds after a cancel in which a child may stop by itself, before it is ended."""
_DEAF: Final = "The one before does not answer; cancel it, and this one goes on"
_STATUS_EVERY_S: Final = 0.25


class _Reporter:
    """A Progress that writes the status file and honours the cancel flag."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written, self._text = 0.0, ""
        self._lock = threading.Lock()
        self._ended = False
        self._marks: list[tuple[float, float]] = []
        """Of this stage: when, by a clock that stands still while the machine sleeps, and how far it was."""
        self.status: dict[str, Any] = {"state": State.RUNNING}
        self._write()

    def __call__(self, stage: str, fraction: float, message: str = "", **figures: float) -> None:
        if (self._folder / CANCEL).exists():
            raise Cancelled
        new_stage = stage != self.status.get("stage")
        if new_stage or not self.status["fraction"]:  # a resumed stage starts at what was done before
            self._marks.clear()
        now = time.monotonic()
        if len(self._marks) > 1 and now - self._marks[-2][0] < _STATUS_EVERY_S:
            self._marks.pop()  # as many as there are reports would be too many
        self._marks.append((now, fraction))
        self.status |= {"stage": stage, "fraction": min(1.0, fraction), "message": message}
        self.status["paces"] = paces(self._marks)
        if figures:
            self.status["figures"] = figures
            with (self._folder / FIGURES).open("a") as file:
                file.write(json.dumps({"stage": stage, **figures}) + "\n")
        if new_stage or time.monotonic() - self._written > _STATUS_EVERY_S:
            self._write()

    def end(self, state: State, **fields: object) -> None:
        """Write the last status; only the first call counts."""
        with self._lock:
            if not self._ended:
                self._ended = True
                self.status |= {"state": state, **fields}
                self._write()

    def _write(self) -> None:
        if (text := json.dumps(self.status)) != self._text:  # one that rests for days leaves the disk alone
            write_text_atomic(self._folder / STATUS, text)
        self._text, self._written = text, time.monotonic()


def paces(marks: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Seconds, and the stage's share done in them: since it began, and in the last third of that time.

    Args:
        marks: At least one (time in seconds, share done, 0 to 1), in order.
    """
    now, done = marks[-1]
    begun = marks[0][0]
    late = marks[bisect_right(marks, (now - (now - begun) / 3, 1.0)) - 1]
    return [(round(now - when, 2), done - then) for when, then in (marks[0], late)]


def _guard(folder: Path, reporter: _Reporter, wall_s: float | None) -> None:
    """Watch the clock and the cancel flag beside the work, and end the child when it does not react."""
    deadline = time.monotonic() + wall_s if wall_s else float("inf")
    asked: float | None = None
    while True:
        time.sleep(_STATUS_EVERY_S)
        if asked is None and (folder / CANCEL).exists():
            asked = time.monotonic()
        if asked is not None and time.monotonic() - asked > _GRACE_S:
            reporter.end(State.CANCELLED, error=str(Cancelled()))
            os._exit(1)
        if time.monotonic() > deadline:
            reporter.end(State.FAILED, error=f"Stopped after {wall_s:.0f} s, the time limit for this step.")
            os._exit(1)


def _wait_for(root: Path, earlier: Sequence[str], reporter: _Reporter) -> None:
    """Let the jobs before this one end; one that was cleaned away has.

    Raises:
        Cancelled: If somebody asks this one to stop meanwhile.
    """
    while before := [job for name in earlier if (job := view_if_readable(root, name)) and job.active]:
        reporter("wait", 0.0, "" if all(job.answers for job in before) else _DEAF)
        time.sleep(_STATUS_EVERY_S)


Do: TypeAlias = Callable[[str, Path, Mapping[str, Any], Progress], Mapping[str, Any]]
"""Does a task: name, store's folder, request as plain JSON, where to report → its result as plain JSON."""


def run_child(folder: Path, do: Do | None = None) -> int:
    """Carry out what ``request.json`` of a job's folder asks for: the child's main function.

    Args:
        folder: The job's.
        do: What does its task; :func:`core.runs.tasks.run` if None.

    Returns:
        The exit status: 0 when done, 1 otherwise.
    """
    job_process.record_process(folder, os.getpid())
    job_process.start_heartbeat(folder)
    if do is None:
        from core.runs import tasks  # here, so that neither reading a job's state nor a look loads the stages

        do = tasks.run
    order = read_request(folder)
    if order["memory_bytes"]:
        resource.setrlimit(resource.RLIMIT_AS, (order["memory_bytes"], order["memory_bytes"]))
    reporter = _Reporter(folder)
    try:
        _wait_for(Path(order["root"]), order["after"], reporter)
        threading.Thread(target=_guard, args=(folder, reporter, order["wall_s"]), daemon=True).start()
        result = do(order["task"], Path(order["root"]), order["request"], reporter)
    except Cancelled as error:
        reporter.end(State.CANCELLED, error=str(error))
    except Beha2VecError as error:  # a job is started and shown by a page
        reporter.end(State.FAILED, error=error.on_screen)
    except MemoryError:
        reporter.end(State.FAILED, error=f"The memory limit for this step was reached. Try: {BOUNDED_RUN}")
    except BaseException as error:
        import traceback

        reporter.end(State.FAILED, error=traceback.format_exc(), is_bug=True)
        if not isinstance(error, Exception):
            raise
    else:
        reporter.end(State.DONE, result=result, fraction=1.0)
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(run_child(Path(sys.argv[1])))
