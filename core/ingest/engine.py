"""The one door to DuckDB: out of core, bounded in memory, its errors in words."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from core.base.contention import available_cores
from core.base.errors import IN_A_BOUND, ResourceError, control
from core.base.memory import free_memory
from core.base.schema import Raw

MEMORY_FLOOR: Final = 400 * 2**20
"""Bytes that the engine gets in any case …"""
MEMORY_A_RECORD: Final = 60
"""… and for each record on top (measured: below that, sorts fail instead of going to disk), …"""
_MEMORY_SHARE: Final = 0.5
"""… but not more than this share of the free memory."""
_REFUSALS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


class Engine:
    """An embedded database that holds what one ingest needs.

    Args:
        work_dir: Folder for what does not fit into memory.
        records: Records that will be looked at, which decides the memory.
        threads: Threads to use; all that this process may run on by default.
        memory: Bytes that it may use at most, where that is set; what is needed beyond goes to disk.
    """

    def __init__(
        self, work_dir: Path, records: int = 0, threads: int | None = None, memory: int | None = None
    ) -> None:
        free = int(free_memory() * _MEMORY_SHARE)
        needed = max(MEMORY_FLOOR, min(free, MEMORY_FLOOR + MEMORY_A_RECORD * records))
        self.memory = needed if memory is None else min(needed, memory)
        self.threads = threads or available_cores()
        config: dict[str, Any] = {
            "threads": self.threads,
            "memory_limit": f"{self.memory // 2**20}MiB",
            "temp_directory": str(work_dir / "spill"),
            "autoinstall_known_extensions": "false",  # never ask the network for anything
            "preserve_insertion_order": "false",  # every result that is kept is ordered or keyed by itself
        }
        self.raw = duckdb.connect(config=config)
        self.ibis = ibis.duckdb.from_connection(self.raw)
        self.raw.execute("SET TimeZone = 'UTC'")

    def parts(self, parts: Sequence[tuple[int, Path]]) -> ir.Table:
        """The raw table of the readers.

        Args:
            parts: ``file_no``, which is the place of a file among the others and so not in it, and a file.
        """
        numbers = ", ".join(str(number) for number, _ in parts)
        paths = ", ".join(literal(path) for _, path in parts)
        self.raw.execute(
            f"CREATE VIEW raw AS SELECT [{numbers}][file_index::BIGINT + 1] AS {Raw.FILE_NO}, *"
            f" FROM read_parquet([{paths}])"
        )
        return self.ibis.table("raw")

    def keep(self, name: str, table: ir.Table | pa.Table) -> ir.Table:
        """Compute a table once and keep it under a name."""
        query = "SELECT * FROM arriving"
        if isinstance(table, pa.Table):
            self.raw.register("arriving", table)
        else:
            query = self.ibis.compile(table)
        self.raw.execute(f'CREATE TABLE "{name}" AS {query}')
        if isinstance(table, pa.Table):
            self.raw.unregister("arriving")
        return self.ibis.table(name)

    def name(self, name: str, table: ir.Table) -> ir.Table:
        """Give a table that is not computed a name: what is asked of it later is planned as a whole."""
        self.raw.execute(f'CREATE VIEW "{name}" AS {self.ibis.compile(table)}')
        return self.ibis.table(name)

    def arrow(self, table: ir.Expr) -> pa.Table:
        """Compute a table and hand it over."""
        return self.ibis.to_pyarrow(table)

    def rows(self, table: ir.Expr) -> list[dict[str, Any]]:
        """Compute a small table as plain rows."""
        rows: list[dict[str, Any]] = self.arrow(table).to_pylist()
        return rows

    def count(self, table: ir.Table) -> int:
        """How many rows a table has."""
        return int(self.rows(table.count().name("n").as_table())[0]["n"])


def literal(text: object) -> str:
    """A path or another text as SQL."""
    return "'" + str(text).replace("'", "''") + "'"


@contextmanager
def open_engine(
    work_dir: Path, records: int = 0, threads: int | None = None, memory: int | None = None
) -> Iterator[Engine]:
    """Open the database; it is gone when the block ends.

    Raises:
        ResourceError: If memory or disk run out inside the block.
    """
    engine = Engine(work_dir, records, threads, memory)
    try:
        yield engine
    except duckdb.OutOfMemoryException as error:
        raise ResourceError(
            f"The memory is not enough for this file: {_first_line(error)}",
            remedy=f"Allow more: {control('bound')}"
            if engine.memory == memory
            else f"Close other programs, or stay in a bound of memory: {IN_A_BOUND}",
        ) from error
    except duckdb.IOException as error:
        known = (text for text in map(os.strerror, _REFUSALS) if text in str(error))  # in JSON of its own
        raise ResourceError(
            f"The disk refuses: {next(known, _first_line(error))}", remedy="Free some space and start again"
        ) from error
    finally:
        engine.raw.close()


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
