"""The child process in which an expert's query runs: ``python -m core.sql.sandbox_child``.

It is started by :mod:`core.sql.sandbox`, limits itself before it reads anything, reads one JSON order from
stdin and writes one Arrow stream to stdout. What it refuses goes to stderr as JSON. It imports nothing of the
app but the rules, so that it starts fast and has little to lose.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import IO, Any, Final

import duckdb
import pyarrow as pa

from core.sql.rules import RefusedSql, check

_MEMORY_LIMIT: Final = "400MB"
"""Memory that DuckDB may plan with; the hard limit is that of the process."""
_LARGEST_RESULT: Final = 8_000_000
"""Most bytes of a result."""
_REFUSED, _FAILED, _TOO_LARGE = 3, 4, 5
"""Exit statuses: not an allowed query; a query that went wrong; more memory than is allowed."""


def main(stdin: IO[str], stdout: IO[bytes], stderr: IO[str]) -> int:
    """Run the query of a JSON order (limits, tables, SQL), and write its result as an Arrow stream.

    Returns:
        The exit status: 0, or :data:`_REFUSED`, :data:`_FAILED` or :data:`_TOO_LARGE` with the reason on
        stderr.
    """
    order = json.loads(stdin.read())
    _limit(order)
    try:
        _send(_run(order), stdout)
    except RefusedSql as error:
        return _say(stderr, _REFUSED, str(error))
    except (MemoryError, duckdb.OutOfMemoryException):
        return _say(stderr, _TOO_LARGE, "It needs more memory than is allowed")
    except (duckdb.Error, pa.ArrowException, RuntimeError) as error:
        return _say(stderr, _FAILED, str(error).splitlines()[0][:300])
    return 0


def _limit(order: dict[str, Any]) -> None:
    """Lower the limits of this process, which a child cannot raise again."""
    memory, seconds = int(order["memory_bytes"]), int(order["cpu_s"])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _run(order: dict[str, Any]) -> pa.Table:
    """Load the tables, lock everything, check the query, run it."""
    folder = Path(order["folder"])
    database = folder / "views.duckdb"
    with duckdb.connect(database) as con:
        for name, path in order["tables"].items():
            con.execute(f'CREATE TABLE "{name}" AS SELECT * FROM read_parquet($1)', [path])
    with _read_only_connection(database) as con:
        os.chdir(folder)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # from here on no file can be written
        statement = check(con, order["sql"], {name.lower() for name in order["tables"]})
        # a limit that is added to the parsed query: no comment can swallow it
        return con.sql(statement).limit(order["max_rows"] + 1).to_arrow_table()


def _read_only_connection(database: Path) -> duckdb.DuckDBPyConnection:
    """Open a database for reading, without access to other files, the network or settings."""
    con = duckdb.connect(
        database,
        read_only=True,
        config={
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "allow_unsigned_extensions": "false",
            "python_enable_replacements": "false",
            "temp_directory": "",
            "memory_limit": _MEMORY_LIMIT,
            "threads": "1",
        },
    )
    con.execute("SET lock_configuration = true")
    return con


def _send(table: pa.Table, stdout: IO[bytes]) -> None:
    if table.nbytes > _LARGEST_RESULT:
        raise RefusedSql(f"The result has {table.nbytes:,} bytes; at most {_LARGEST_RESULT:,} are allowed")
    with pa.ipc.new_stream(stdout, table.schema) as writer:
        writer.write_table(table)
    stdout.flush()


def _say(stderr: IO[str], status: int, problem: str) -> int:
    stderr.write(json.dumps({"problem": problem}))
    stderr.flush()
    return status


if __name__ == "__main__":
    sys.stdout.flush()
    os._exit(main(sys.stdin, sys.stdout.buffer, sys.stderr))  # DuckDB's own end can take its time
