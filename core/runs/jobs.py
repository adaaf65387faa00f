"""Long runs in a child process; a folder is all that parent and child share.

``root/jobs/<id>/`` holds ``request.json`` (what to do), ``status.json`` (how far it is, replaced as a
whole), ``figures.jsonl`` (what to plot), ``log.txt`` and, once somebody asked for it, ``cancel``. Any
process, session or tab that knows the folder sees the same run, and a killed server loses nothing. The
child's side is ``core/runs/job_child.py``, what can be read of it at any moment ``core/runs/job_view.py``.
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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from core.runs import job_process
from core.runs.job_view import (
    CANCEL,
    FIGURES,
    LOG,
    REQUEST,
    STATUS,
    JobView,
    State,
    figures,
    names,
    recent,
    request_of,
    view,
    view_if_readable,
)
from core.storage.claims import turn
from core.storage.disk import disk_errors, write_text_atomic

__all__ = [
    "CANCEL", "FIGURES", "LOG", "REQUEST", "STATUS", "JobView", "ResourceLimits", "State", "cancel",
    "figures", "recent", "request_of", "start", "view",
]  # fmt: skip

KEPT: Final = 100
"""Ended jobs whose folders are kept for whoever still looks at them."""
PROJECT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class ResourceLimits:
    """What a child may use; ``None`` is no limit.

    Args:
        memory_bytes: Address space (RLIMIT_AS).
        wall_s: Seconds until the child is ended.
    """

    memory_bytes: int | None = None
    wall_s: float | None = None


def start(
    root: Path,
    task: str,
    request: Mapping[str, Any],
    subject: str,
    limits: ResourceLimits | None = None,
    *,
    replace: bool = False,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Start a task in a child process, or join the job that already does just that.

    Args:
        root: The store's folder.
        task: A name of :data:`core.runs.tasks.TASKS`.
        request: The task's arguments, plain JSON.
        subject: What the task works on. One job a task and subject works at a time: one that was asked
            for something else waits until those before it have ended.
        limits: Memory and time the child may use.
        replace: Ask those before it to stop, because only the last request counts.
        environment: Variables of the child beside ours; never written down, so a key may be among them.

    Returns:
        The job's id.

    Raises:
        ResourceError: If the disk refuses, or another process that is starting a job does not let go.
    """
    jobs = root / "jobs"
    with disk_errors(), turn(jobs):
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
        _launch(
            root, jobs / job_id, task, asked, subject, limits or ResourceLimits(), after, environment or {}
        )
        return job_id


def _forget_old(root: Path) -> None:
    """Remove the folders of jobs that ended long ago, and of those that cannot be read any more."""
    for name in names(root)[KEPT:]:
        job = view_if_readable(root, name)
        if job is None or not job.active:
            shutil.rmtree(root / "jobs" / name, ignore_errors=True)


def _launch(
    root: Path,
    folder: Path,
    task: str,
    request: Mapping[str, Any],
    subject: str,
    limits: ResourceLimits,
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
            [sys.executable, "-m", "core.runs.job_child", str(folder.resolve())],
            cwd=PROJECT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    job_process.note(folder, child.pid)
    threading.Thread(target=child.wait, daemon=True).start()  # so that it does not stay a zombie


def cancel(root: Path, job_id: str) -> None:
    """Ask a job to stop: it does at its next step, or is ended by whoever looks at it then."""
    with disk_errors(), suppress(FileNotFoundError, FileExistsError):  # cleaned away; the first one counts
        (root / "jobs" / Path(job_id).name / CANCEL).touch(exist_ok=False)


def active(root: Path, subject: str, task: str | None = None) -> str | None:
    """The job that is working on a subject right now, if any."""
    for job in recent(root):
        if job.active and job.subject == subject and task in (None, job.task):
            return job.id
    return None
