"""The DuckDB database of ingest: bounded memory with spilling to disk, and errors in plain words."""

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
from core.base.errors import BOUNDED_RUN, ResourceError, control
from core.base.memory import free_memory
from core.base.schema import Raw

MEMORY_FLOOR: Final = 400 * 2**20
"""Least bytes of memory for the database."""
MEMORY_A_RECORD: Final = 60
"""Bytes added per record (measured: below that, sorts fail instead of going to disk)."""
_MEMORY_SHARE: Final = 0.5
"""Largest share of the free memory, as far as it is above :data:`MEMORY_FLOOR`."""
_REFUSALS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


class Engine:
    """An embedded DuckDB database that holds the tables of an ingest.

    Args:
        work_dir: Folder for data that does not fit into memory.
        records: Number of records to process, which decides the memory.
        threads: Number of threads; one per available core by default.
        memory: Most bytes of memory, if set; anything beyond goes to disk.
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
        """Open the Parquet parts of the readers as the table ``raw``.

        Args:
            parts: Pairs of ``file_no``, which is added as a column, and a Parquet file.
        """
        numbers = ", ".join(str(number) for number, _ in parts)
        paths = ", ".join(literal(path) for _, path in parts)
        self.raw.execute(
            f"CREATE VIEW raw AS SELECT [{numbers}][file_index::BIGINT + 1] AS {Raw.FILE_NO}, *"
            f" FROM read_parquet([{paths}])"
        )
        return self.ibis.table("raw")

    def keep(self, name: str, table: ir.Table | pa.Table) -> ir.Table:
        """Compute a table once and store it under a name."""
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
        """Create a view: it is not computed now, and later queries of it are planned as a whole."""
        self.raw.execute(f'CREATE VIEW "{name}" AS {self.ibis.compile(table)}')
        return self.ibis.table(name)

    def arrow(self, table: ir.Expr) -> pa.Table:
        """Compute a table and return it as an Arrow table."""
        return self.ibis.to_pyarrow(table)

    def rows(self, table: ir.Expr) -> list[dict[str, Any]]:
        """Compute a small table and return its rows as dictionaries."""
        rows: list[dict[str, Any]] = self.arrow(table).to_pylist()
        return rows

    def count(self, table: ir.Table) -> int:
        """Count the rows of a table."""
        return int(self.rows(table.count().name("n").as_table())[0]["n"])


def literal(text: object) -> str:
    """Quote a path or another text as an SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


@contextmanager
def open_engine(
    work_dir: Path, records: int = 0, threads: int | None = None, memory: int | None = None
) -> Iterator[Engine]:
    """Open a database that is removed when the block ends.

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
            else f"Close other programs, or stay in a bound of memory: {BOUNDED_RUN}",
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
