"""The state of a job, read from its folder by any process (``jobs.py`` says what lies there)."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from core.base.errors import Cancelled, SettingsError
from core.runs import job_process

_STARTING_S: Final = 60.0
"""Seconds after which a job without a noted process counts as failed."""
_EARLIEST: Final = 0.01
"""Share of a stage that must be done before its time left is estimated."""
_UNSURE: Final = 0.2
"""Relative error of the time left, however long the pace was measured."""
_KILL_AFTER_S: Final = 2.0
"""Seconds after a cancel until whoever looks at a job ends it; pages look every second."""

REQUEST, STATUS, FIGURES, LOG, CANCEL = "request.json", "status.json", "figures.jsonl", "log.txt", "cancel"


class State(StrEnum):
    """State of a job."""

    STARTING = "starting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_ACTIVE: Final = (State.STARTING, State.RUNNING)


@dataclass(frozen=True)
class JobView:
    """State, progress and result of a job when it was read; ``fraction`` is of ``stage``, from 0 to 1."""

    id: str
    task: str
    subject: str
    state: State
    stage: str = ""
    fraction: float = 0.0
    message: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    error: str = ""
    is_bug: bool = False
    """Whether the error is a fault of the program, and ``error`` holds a traceback."""
    result: Mapping[str, Any] = field(default_factory=dict)
    started: float = 0.0
    """Seconds since the epoch."""
    left_s: tuple[float, float] | None = None
    """Seconds that this stage will still take, at least and at most; None while it is too early to tell."""
    stopping: bool = False
    """Whether somebody has asked the job to stop."""
    answers: bool = True
    """Whether its process gives signs of life; one that is stopped, swapped out or hung does not."""

    @property
    def active(self) -> bool:
        """Whether the job is starting or running."""
        return self.state in _ACTIVE


_REPORTED: Final = frozenset(one.name for one in fields(JobView)) - {
    "id", "task", "subject", "state", "started", "left_s", "stopping", "answers"
}  # fmt: skip
"""Fields of a view that the child itself writes into its status."""


def view(root: Path, job_id: str) -> JobView:
    """Read the state of a job, ``root`` being the store's folder; end one that was cancelled and goes on.

    Raises:
        SettingsError: If there is no such job.
    """
    folder = root / "jobs" / Path(job_id).name
    order, stopping = read_request(folder), _stopping(folder)
    status, process, answers = _read_status(folder), None, True
    if (
        status.get("state", State.STARTING) in _ACTIVE
        and (process := job_process.live_process(folder)) is None
    ):
        status = _read_status(folder)  # once more: what has ended meanwhile has written its last
    state = State(status.pop("state", State.STARTING))
    if state in _ACTIVE:
        if process is not None and stopping is not None and stopping > _KILL_AFTER_S:
            job_process.kill(folder)
            process = None
        if process is None:
            state, status["error"] = _ending(folder, order, state, stopping=stopping is not None)
        else:
            answers = job_process.is_responding(folder, process)
    return JobView(
        id=job_id, task=order["task"], subject=order["subject"], state=state, answers=answers,
        started=order["started"], stopping=stopping is not None,
        left_s=_left(status) if state is State.RUNNING else None,
        **{key: value for key, value in status.items() if key in _REPORTED},
    )  # fmt: skip


def read_request(folder: Path) -> dict[str, Any]:
    """Read ``request.json`` of a job's folder.

    Raises:
        SettingsError: If it is not there or damaged.
    """
    try:
        order = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
        kinds = {"task": str, "subject": str, "started": float, "request": dict}
        return {**order, **{name: kind(order[name]) for name, kind in kinds.items()}}
    except (OSError, ValueError, TypeError, KeyError) as error:
        remedy = "It may have been cleaned away, or its folder is damaged: start it again"
        raise SettingsError(f"There is no job {folder.name!r}", remedy=remedy) from error


def request_of(root: Path, job_id: str) -> Mapping[str, Any]:
    """Read what a job was asked to do.

    Raises:
        SettingsError: If there is no such job.
    """
    request: Mapping[str, Any] = read_request(root / "jobs" / Path(job_id).name)["request"]
    return request


def figures(root: Path, job_id: str) -> list[dict[str, float]]:
    """Every row of figures the job has reported (a training curve), oldest first."""
    path = root / "jobs" / Path(job_id).name / FIGURES
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError):  # the last line may be half-written
            rows.append(json.loads(line))
    return [row for row in rows if isinstance(row, dict)]


def recent(root: Path, limit: int = 50) -> list[JobView]:
    """The latest jobs, newest first; those that cannot be read are left out."""
    found = (view_if_readable(root, name) for name in names(root)[:limit])
    return [job for job in found if job is not None]


def active(root: Path) -> list[JobView]:
    """Every job that still goes on, newest first: a watch is older than hundreds that ended."""
    found = (view_if_readable(root, name) for name in names(root))
    return [job for job in found if job is not None and job.active]


def names(root: Path) -> list[str]:
    """Ids of all jobs, newest first."""
    return sorted((path.parent.name for path in (root / "jobs").glob(f"*/{REQUEST}")), reverse=True)


def view_if_readable(root: Path, job_id: str) -> JobView | None:
    """Read the state of a job; None where there is no such job or it is damaged."""
    try:
        return view(root, job_id)
    except SettingsError:
        return None


def _read_status(folder: Path) -> dict[str, Any]:
    """Read the child's last status; empty where it is damaged: its next report replaces it."""
    try:
        status = json.loads((folder / STATUS).read_text(encoding="utf-8"))
        return {**status, "state": State(status["state"])}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _stopping(folder: Path) -> float | None:
    """Seconds since the job was asked to stop; None if it was not."""
    try:
        return abs(time.time() - (folder / CANCEL).stat().st_mtime)  # a clock may be set back
    except OSError:
        return None


def _ending(folder: Path, order: Mapping[str, Any], state: State, *, stopping: bool) -> tuple[State, str]:
    """State of a job without a living process, and the reason."""
    if stopping:
        return State.CANCELLED, str(Cancelled())
    if not job_process.is_recorded(folder) and time.time() - order["started"] < _STARTING_S:
        return state, ""
    return State.FAILED, _last_words(folder)


def _last_words(folder: Path) -> str:
    log = (folder / LOG).read_text(errors="replace").strip() if (folder / LOG).exists() else ""
    tail = " ".join(log.splitlines()[-3:])
    return (
        "The process ended without a result; it was killed, or it ran out of memory. "
        f"Start it again: it goes on from what was kept. {tail}"
    ).strip()


def _left(status: Mapping[str, Any]) -> tuple[float, float] | None:
    """Estimate the seconds left, at least and at most, by the paces of the whole stage and of its last part.

    The range narrows as more is done: the first steps also load what the others find loaded, and other
    programs come and go.
    """
    paces = [(seconds, gained) for seconds, gained in status.get("paces", ()) if gained >= _EARLIEST]
    if not paces:
        return None
    left = [seconds * (1 - float(status["fraction"])) / gained for seconds, gained in paces]
    unsure = 1 + min(1.0, _UNSURE + _EARLIEST / max(gained for _, gained in paces))
    return min(left) / unsure, max(left) * unsure
