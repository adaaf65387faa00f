"""SQL for experts: one SELECT over aggregate tables, in a child process that can do nothing else.

Three walls, each of which would do alone: the query's form is checked against lists (``rules.py``);
DuckDB is read-only, without files, network, extensions or settings, over a copy of the tables that were
given; and the process has a memory limit, a processor limit and a kill timer. No code is made from a query.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from core.base.errors import InputError, ResourceError
from core.base.places import PROJECT

_CHILD: Final = "core.sql.sandbox_child"
_TOO_LARGE: Final = 5
"""Exit status of the child where the query needs too much memory, as in ``sandbox_child.py``."""
_ASK_LESS: Final = "Ask for less: fewer tables in a join, fewer columns, or a condition"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_OUT_OF_TIME: Final = (-signal.SIGXCPU, -signal.SIGKILL)


@dataclass(frozen=True)
class SqlLimits:
    """Limits of memory, time and rows for a query.

    Args:
        memory_bytes: Address space of the child (RLIMIT_AS).
        wall_s: Seconds from its start until it is killed.
        cpu_s: Seconds of processor time (RLIMIT_CPU).
        max_rows: Rows of a result; there may be more, which are left out.
    """

    memory_bytes: int = 1_500_000_000
    wall_s: float = 4.0
    cpu_s: int = 4
    max_rows: int = 1_000


@dataclass(frozen=True, eq=False)
class SqlResult:
    """Result of a query.

    Args:
        table: At most ``max_rows`` rows.
        cut: Whether there were more.
        sql: The query, as it was run.
        seconds: From the child's start to its end.
    """

    table: pa.Table
    cut: bool
    sql: str
    seconds: float


def run_sql(sql: str, tables: Mapping[str, Path | pa.Table], limits: SqlLimits | None = None) -> SqlResult:
    """Run one SELECT over the given tables, and nothing else.

    Args:
        sql: The query.
        tables: Name → Parquet file or Arrow table. Give aggregates only: whatever is in them can be read.
        limits: What it may use.

    Raises:
        InputError: If the query is refused or goes wrong; the message says why.
        ResourceError: If it needs more memory or time than it may use.
    """
    limits = limits or SqlLimits()
    _check_names(tables)
    with tempfile.TemporaryDirectory(prefix="sql-") as folder:
        order = {
            "sql": sql,
            "folder": folder,
            "tables": {name: str(_as_file(name, table, Path(folder))) for name, table in tables.items()},
            "memory_bytes": limits.memory_bytes,
            "cpu_s": limits.cpu_s,
            "max_rows": limits.max_rows,
        }
        started = time.monotonic()
        status, out, said = _child(json.dumps(order), folder, limits.wall_s)
        seconds = time.monotonic() - started
    if status != 0:
        raise _error(status, said, limits)
    table = pa.ipc.open_stream(out).read_all()
    return SqlResult(table.slice(0, limits.max_rows), table.num_rows > limits.max_rows, sql, seconds)


def _check_names(tables: Mapping[str, Path | pa.Table]) -> None:
    for name in tables:
        if not _NAME.fullmatch(name):
            raise InputError(f"{name!r} cannot name a table", allowed="letters, digits and _")


def _as_file(name: str, table: Path | pa.Table, folder: Path) -> Path:
    if isinstance(table, Path):
        return table.resolve()
    path = folder / f"{name}.parquet"
    pq.write_table(table, path)
    return path


def _child(order: str, folder: str, wall_s: float) -> tuple[int, bytes, str]:
    """Start the child, give it the order, and kill its whole group if it does not end."""
    child = subprocess.Popen(
        [sys.executable, "-m", _CHILD],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "HOME": folder, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, said = child.communicate(order.encode(), timeout=wall_s)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        return -signal.SIGKILL, b"", ""
    return child.returncode, out, said.decode(errors="replace")


def _error(status: int, said: str, limits: SqlLimits) -> InputError | ResourceError:
    if status in _OUT_OF_TIME:
        return ResourceError(f"The query was stopped after {limits.wall_s:g} s", remedy=_ASK_LESS)
    problem = _said(said)
    if status == _TOO_LARGE or not problem:
        reached = f"The query needs more memory than is allowed, {limits.memory_bytes / 1e9:g} GB"
        return ResourceError(reached, remedy=_ASK_LESS)
    return InputError(
        f"The query was not run to its end: {problem}", allowed="one SELECT over the listed tables"
    )


def _said(said: str) -> str:
    """Problem that the child reported; empty if it died without a word."""
    try:
        return str(json.loads(said)["problem"])
    except (ValueError, KeyError, TypeError):
        return ""
