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
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from core.base.places import PROJECT
from core.base.settings import Settings
from core.runs import job_process
from core.runs.job_view import (
    CANCEL,
    FIGURES,
    LOG,
    REQUEST,
    STATUS,
    JobView,
    State,
    active,
    figures,
    names,
    recent,
    request_of,
    view,
    view_if_readable,
)
from core.storage.disk import disk_errors, write_text_atomic
from core.storage.locks import folder_lock

__all__ = [
    "CANCEL", "FIGURES", "LOG", "REQUEST", "STATUS", "JobView", "ResourceLimits", "State", "active",
    "cancel", "figures", "recent", "request_of", "start", "view",
]  # fmt: skip

MAX_FOLDERS: Final = 100
"""Number of ended jobs whose folders are kept for whoever still looks at them."""
CHILD: Final = "core.runs.job_child"
LOOKS: Final = "core.runs.inspection_child"
"""The child that looks into files before they are read."""
ENGINES: Final = "core.scoring.engine_child"
"""The child that reads files or BigQuery, in a room above this one."""


@dataclass(frozen=True)
class ResourceLimits:
    """Limits of memory and time for a child; ``None`` is no limit.

    Args:
        memory_bytes: Address space (RLIMIT_AS).
        wall_s: Seconds until the child is ended.
    """

    memory_bytes: int | None = None
    wall_s: float | None = None


def start(
    root: Path,
    task: str,
    request: Settings,
    subject: str,
    limits: ResourceLimits | None = None,
    *,
    replace: bool = False,
    environment: Mapping[str, str] | None = None,
    child: str | None = None,
) -> str:
    """Start a task in a child process, or join the job that already does just that.

    Args:
        root: The store's folder.
        task: A name of :data:`core.runs.tasks.TASKS`, or what another ``child`` knows.
        request: The task's request, written down as JSON.
        subject: What the task works on. One job a task and subject works at a time: one that was asked
            for something else waits until those before it have ended.
        limits: Memory and time the child may use.
        replace: Ask those before it to stop, because only the last request counts.
        environment: Variables of the child beside ours; never written down, so a key may be among them.
        child: The module that does the task, which need not be known here; :data:`CHILD` if None.

    Returns:
        The job's id.

    Raises:
        ResourceError: If the disk refuses, or another process that is starting a job does not let go.
    """
    with disk_errors(), folder_lock(root / "jobs"):
        _forget_old(root)
        before = [job for job in active(root) if (job.task, job.subject) == (task, subject)]
        asked = request.model_dump(mode="json")
        if before and not before[0].stopping and request_of(root, before[0].id) == asked:
            return before[0].id
        for job in before if replace else ():
            cancel(root, job.id)
        order = {"task": task, "subject": subject, "request": asked, "after": [job.id for job in before]}
        return _launch(root, order, limits or ResourceLimits(), environment or {}, child or CHILD)


def _forget_old(root: Path) -> None:
    """Remove the folders of jobs that ended long ago, and of those that cannot be read any more."""
    for name in names(root)[MAX_FOLDERS:]:
        job = view_if_readable(root, name)
        if job is None or not job.active:
            shutil.rmtree(root / "jobs" / name, ignore_errors=True)


def _launch(
    root: Path, order: Mapping[str, Any], limits: ResourceLimits, environment: Mapping[str, str], module: str
) -> str:
    job_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(4)}"
    folder = root / "jobs" / job_id
    folder.mkdir()
    where_and_when = {"root": str(root.resolve()), "started": time.time()}
    write_text_atomic(folder / REQUEST, json.dumps({**order, **asdict(limits), **where_and_when}))
    with (folder / LOG).open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", module, str(folder.resolve())],
            cwd=PROJECT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    job_process.record_process(folder, child.pid)
    threading.Thread(target=child.wait, daemon=True).start()  # so that it does not stay a zombie
    return job_id


def cancel(root: Path, job_id: str) -> None:
    """Ask a job to stop: it does at its next step, or is ended by whoever looks at it then."""
    with disk_errors(), suppress(FileNotFoundError, FileExistsError):  # cleaned away; the first one counts
        (root / "jobs" / Path(job_id).name / CANCEL).touch(exist_ok=False)
