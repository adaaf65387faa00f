"""The process behind a job: which one it is, whether it lives and answers, and how it is ended.

Beside what ``jobs.py`` tells of a job's folder, ``process.json`` says which process works on it, and
``alive`` is touched by that process every second, which costs a write of some bytes and no flush.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from core.storage.disk import write_text_atomic

PROCESS, ALIVE = "process.json", "alive"
_BEAT_S: Final = 1.0
SILENT_S: Final = 8.0
"""Seconds without a sign of life after which a process counts as not answering."""
_STOPPED_S: Final = 3.0
"""Seconds of silence after which a process that the operating system calls stopped does not answer."""
_AT_WORK: Final = 0.02
"""CPU seconds a second from which a silent process counts as busy in a long native call, which may keep the
interpreter, and so the thread that gives the sign of life, from running."""
_SAME_S: Final = 1.5
"""Seconds by which two readings of a process's start may differ: the boot time is known in whole seconds."""
_STOPPED: Final = (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)


def record_process(folder: Path, pid: int) -> None:
    """Write down which process works on a job."""
    with suppress(psutil.NoSuchProcess):  # it is over already
        started = _since_boot(psutil.Process(pid))
        write_text_atomic(folder / PROCESS, json.dumps({"pid": pid, "since_boot": started}))


def start_heartbeat(folder: Path) -> None:
    """Give a sign of life every :data:`_BEAT_S` seconds from now on, in a thread beside the work."""
    file = os.open(folder / ALIVE, os.O_WRONLY | os.O_CREAT, 0o600)

    def go_on() -> None:
        while True:
            with suppress(OSError):  # a full disk: the number in it is only missed if a native call follows
                os.pwrite(file, f"{time.process_time():020.3f}".encode(), 0)
                os.utime(file)
            time.sleep(_BEAT_S)

    threading.Thread(target=go_on, daemon=True, name="sign of life").start()


def is_recorded(folder: Path) -> bool:
    """Whether it is known which process works on a job."""
    return _read(folder) is not None


def live_process(folder: Path) -> psutil.Process | None:
    """The process that works on a job, by the job's folder; None if it has ended or is not known."""
    known = _read(folder)
    if known is None:
        return None
    pid, since_boot = known
    try:  # a pid alone may have been given to another process since
        process = psutil.Process(pid)
        same = abs(_since_boot(process) - since_boot) < _SAME_S
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def is_responding(folder: Path, process: psutil.Process) -> bool:
    """Whether a process is at work, as far as can be told from outside.

    Nothing is decided by it: a machine that wakes up finds every sign of life old, for a second.
    """
    try:
        alive = folder / ALIVE
        silent = abs(time.time() - alive.stat().st_mtime)  # a clock may also have been set back
        worked = float(alive.read_text(encoding="utf-8") or 0)
        status = process.status()
        if silent < (_STOPPED_S if status in _STOPPED else SILENT_S) or status == psutil.STATUS_RUNNING:
            return True
        used = sum(process.cpu_times()[:2]) - worked
    except (OSError, ValueError):  # it has not come so far yet
        return True
    except psutil.NoSuchProcess:
        return False
    return status not in _STOPPED and used > _AT_WORK * silent


def kill(folder: Path) -> None:
    """End the process that works on a job, and those that it has started, whatever they are doing."""
    process = live_process(folder)
    if process is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # it leads a group of its own


def _read(folder: Path) -> tuple[int, float] | None:
    try:
        known = json.loads((folder / PROCESS).read_text(encoding="utf-8"))
        return int(known["pid"]), float(known["since_boot"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _since_boot(process: psutil.Process) -> float:
    """Seconds from the start of the machine to that of a process: no change of the clock touches it."""
    return process.create_time() - psutil.boot_time()
