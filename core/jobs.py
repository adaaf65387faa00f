"""Long runs in a child process; a folder is all that parent and child share.

``root/jobs/<id>/`` holds ``request.json`` (what to do), ``status.json`` (how far it is, replaced as a
whole), ``figures.jsonl`` (what to plot), ``log.txt`` and, once somebody asked for it, ``cancel``. Any
process, session or tab that knows the folder sees the same run, and a killed server loses nothing. The
child's side is ``core/job_child.py``.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import psutil
from filelock import FileLock

from core.errors import SettingsError
from core.store import write_text_atomic

STARTING_S: Final = 60.0
"""A job without a living process and without a status after this long has failed."""
KEPT: Final = 100
"""Ended jobs whose folders are kept for whoever still looks at them."""
PROJECT: Final = Path(__file__).resolve().parent.parent

REQUEST, STATUS, FIGURES, LOG, CANCEL = "request.json", "status.json", "figures.jsonl", "log.txt", "cancel"


class State(StrEnum):
    """Where a job stands."""

    STARTING = "starting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Limits:
    """What a child may use; ``None`` is no limit.

    Args:
        memory_bytes: Address space (RLIMIT_AS).
        wall_s: Seconds until the child is ended.
    """

    memory_bytes: int | None = None
    wall_s: float | None = None


@dataclass(frozen=True)
class JobView:
    """What is known of a job right now."""

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
    """The error is a fault of the program, and ``error`` holds a traceback."""
    result: Mapping[str, Any] = field(default_factory=dict)
    started: float = 0.0
    """Seconds since the epoch."""
    eta_s: float | None = None
    stopping: bool = False
    """Somebody has asked it to stop."""

    @property
    def active(self) -> bool:
        """Whether it still goes on."""
        return self.state in (State.STARTING, State.RUNNING)


def start(
    root: Path,
    task: str,
    request: Mapping[str, Any],
    subject: str,
    limits: Limits | None = None,
    *,
    replace: bool = False,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Start a task in a child process, or join the job that already does just that.

    Args:
        root: The store's folder.
        task: A name of :data:`core.tasks.TASKS`.
        request: The task's arguments, plain JSON.
        subject: What the task works on. One job a task and subject works at a time: one that was asked
            for something else waits until those before it have ended.
        limits: Memory and time the child may use.
        replace: Ask those before it to stop, because only the last request counts.
        environment: Variables of the child beside ours; never written down, so a key may be among them.

    Returns:
        The job's id.
    """
    jobs = root / "jobs"
    jobs.mkdir(parents=True, exist_ok=True)
    with FileLock(jobs / ".lock"):
        _forget_old(root)
        before = [job for job in recent(root) if job.active and (job.task, job.subject) == (task, subject)]
        asked = json.loads(json.dumps(dict(request)))  # as it is read back
        last = before[0] if before else None
        if last is not None and not last.stopping and request_of(root, last.id) == asked:
            return last.id
        for job in before if replace else ():
            cancel(root, job.id)
        job_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(4)}"
        after = [job.id for job in before]
        _launch(root, jobs / job_id, task, asked, subject, limits or Limits(), after, environment or {})
        return job_id


def _forget_old(root: Path) -> None:
    """Remove the folders of jobs that ended long ago."""
    for job in recent(root, limit=10_000)[KEPT:]:
        if not job.active:
            shutil.rmtree(root / "jobs" / job.id, ignore_errors=True)


def _launch(
    root: Path,
    folder: Path,
    task: str,
    request: Mapping[str, Any],
    subject: str,
    limits: Limits,
    after: Sequence[str],
    environment: Mapping[str, str],
) -> None:
    folder.mkdir()
    order = {
        "task": task,
        "subject": subject,
        "root": str(root.resolve()),
        "request": request,
        "after": after,
        "memory_bytes": limits.memory_bytes,
        "wall_s": limits.wall_s,
        "started": time.time(),
    }
    write_text_atomic(folder / REQUEST, json.dumps(order))
    with (folder / LOG).open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "core.job_child", str(folder.resolve())],
            cwd=PROJECT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    threading.Thread(target=child.wait, daemon=True).start()  # so that it does not stay a zombie


def view(root: Path, job_id: str) -> JobView:
    """Read how far a job is.

    Raises:
        SettingsError: If there is no such job.
    """
    folder = root / "jobs" / Path(job_id).name
    try:
        order = json.loads((folder / REQUEST).read_text())
    except (OSError, ValueError) as error:
        raise SettingsError(f"There is no job {job_id!r}", remedy="It may have been cleaned away") from error
    status = _read_status(folder)
    state = State(status.pop("state", State.STARTING))
    if state in (State.STARTING, State.RUNNING) and _is_dead(status, order):
        state, status["error"] = State.FAILED, _last_words(folder)
    process_keys = ("pid", "created", "stage_started", "stage_started_at")
    shown = {key: value for key, value in status.items() if key not in process_keys}
    eta = _eta_s(status) if state is State.RUNNING else None
    return JobView(
        id=job_id, task=order["task"], subject=order["subject"], state=state, eta_s=eta,
        started=order["started"], stopping=(folder / CANCEL).exists(), **shown,
    )  # fmt: skip


def request_of(root: Path, job_id: str) -> Mapping[str, Any]:
    """What a job was asked to do."""
    order = root / "jobs" / Path(job_id).name / REQUEST
    request: Mapping[str, Any] = json.loads(order.read_text(encoding="utf-8"))["request"]
    return request


def figures(root: Path, job_id: str) -> list[dict[str, float]]:
    """Every row of figures the job has reported (a training curve), oldest first."""
    path = root / "jobs" / Path(job_id).name / FIGURES
    if not path.exists():
        return []
    rows = []
    for line in path.read_text().splitlines():
        with suppress(ValueError):  # the last line may be half-written
            rows.append(json.loads(line))
    return rows


def cancel(root: Path, job_id: str) -> None:
    """Ask a job to stop; it stops at its next step, or after a grace period."""
    (root / "jobs" / Path(job_id).name / CANCEL).touch()


def active(root: Path, subject: str, task: str | None = None) -> str | None:
    """The job that is working on a subject right now, if any."""
    for job in recent(root):
        if job.active and job.subject == subject and task in (None, job.task):
            return job.id
    return None


def recent(root: Path, limit: int = 50) -> list[JobView]:
    """The latest jobs, newest first."""
    folder = root / "jobs"
    names = sorted((path.parent.name for path in folder.glob(f"*/{REQUEST}")), reverse=True)
    return [view(root, name) for name in names[:limit]]


def process_id(root: Path, job_id: str) -> int:
    """The child's process id; 0 before it reported for the first time."""
    return int(_read_status(root / "jobs" / Path(job_id).name).get("pid", 0))


def _read_status(folder: Path) -> dict[str, Any]:
    try:
        status: dict[str, Any] = json.loads((folder / STATUS).read_text())
    except (OSError, ValueError):
        return {}
    return status


def _is_dead(status: Mapping[str, Any], order: Mapping[str, Any]) -> bool:
    if "pid" not in status:
        return time.time() - float(order["started"]) > STARTING_S
    try:  # a pid alone may have been given to another process since
        process = psutil.Process(status["pid"])
        same = abs(process.create_time() - status["created"]) < 1.0
        return not same or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _last_words(folder: Path) -> str:
    log = (folder / LOG).read_text(errors="replace").strip() if (folder / LOG).exists() else ""
    tail = " ".join(log.splitlines()[-3:])
    return (
        "The process ended without a result; it was killed, or it ran out of memory. "
        f"Start it again: training goes on from its last checkpoint. {tail}"
    ).strip()


def _eta_s(status: Mapping[str, Any]) -> float | None:
    """From the pace of this very run: what was done before it was resumed took it no time."""
    if "stage_started_at" not in status:
        return None
    done = float(status["fraction"])
    gained = done - float(status["stage_started_at"])
    if gained < 0.02:  # too early to tell
        return None
    return (time.time() - float(status["stage_started"])) * (1 - done) / gained
