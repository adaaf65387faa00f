"""What executors have made of the parts, put together on this machine: a part at a time, sorted on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from core.base.schema import Users
from core.ingest.engine import Engine, open_engine
from core.runs.export import REVENUE

OUTCOME: Final = "outcome: "
"""What columns of outcomes begin with."""
ROWS: Final = 50_000
"""Of a batch that is written."""

_COUNTS: Final = """
    SELECT cluster, count(*) AS users, sum(page_views)::BIGINT AS page_views,
        sum(sessions)::BIGINT AS sessions
    FROM read_parquet($users) GROUP BY cluster ORDER BY cluster
"""
_TOP_PAGES: Final = """
    SELECT cluster, page, sum(views)::BIGINT AS views, sum(users)::BIGINT AS users
    FROM read_parquet($pages) GROUP BY cluster, page
    QUALIFY row_number() OVER (PARTITION BY cluster ORDER BY sum(views) DESC, page) <= $top
    ORDER BY cluster, views DESC, page
"""


def users_file(parts: Path, to: Path, like: Path | None = None) -> int:
    """Put the users of all parts into one file, by id.

    Args:
        parts: Folder of Parquet files; a column that one lacks is empty there.
        to: The file to write.
        like: A file with the columns of a run, in its order; those of the parts when None.

    Returns:
        Their number.

    Raises:
        ResourceError: If disk or memory run out.
    """
    files = sorted(parts.glob("*.parquet"))
    there = pa.unify_schemas([pq.read_schema(path) for path in files])
    wanted = there if like is None else _as_a_run(pq.read_schema(like), there)
    columns = ", ".join(_column(field, there) for field in wanted)
    query = f"SELECT {columns} FROM read_parquet($files, union_by_name = true) ORDER BY {Users.USER_ID}"
    written = 0
    with (
        open_engine(parts, sum(pq.read_metadata(path).num_rows for path in files)) as engine,
        pq.ParquetWriter(to, wanted) as writer,
    ):
        engine.raw.execute("SET preserve_insertion_order = true")
        found = engine.raw.sql(query, params={"files": list(map(str, files))})
        batches: pa.RecordBatchReader = found.to_arrow_reader(ROWS)
        for batch in batches:
            written += batch.num_rows
            writer.write_table(pa.Table.from_batches([batch]).cast(wanted))
    return written


def _as_a_run(schema: pa.Schema, found: pa.Schema) -> pa.Schema:
    """A run's columns, with those of revenue that all users need."""
    money = sorted(name for name in found.names if name.startswith(f"{REVENUE}: "))
    place = next((at for at, name in enumerate(schema.names) if name.startswith(REVENUE)), None)
    if place is None:
        return schema
    kept = [field for field in schema if not field.name.startswith(REVENUE)]
    names = money if len(money) > 1 else [REVENUE]
    return pa.schema([*kept[:place], *(pa.field(name, pa.float64()) for name in names), *kept[place:]])


def _column(field: pa.Field, found: pa.Schema) -> str:
    """SQL of a column: nobody in a part did what it lacks a column of."""
    name, source = field.name, field.name
    if name == REVENUE:
        source = next((one for one in found.names if one.startswith(f"{REVENUE}: ")), "")
    if source not in found.names:
        return f'NULL AS "{name}"'
    value = f'"{source}"'
    if name.startswith(OUTCOME):
        value = f"coalesce({value}, 0)"
    return f'{value} AS "{name}"'


def segment_counts(users: Path, pages: Path, top: int) -> list[dict[str, Any]]:
    """What all users of each segment did, counted.

    Args:
        users: File of all users.
        pages: Folder of Parquet files with views and users of pages, a segment and part.
        top: Pages of each that are named, most viewed first.

    Returns:
        A record a segment: ``cluster`` (−1 for users in none), ``users``, ``page_views``, ``sessions`` and
        ``top_pages`` with ``page``, ``views`` and ``users``.
    """
    with open_engine(pages, int(pq.read_metadata(users).num_rows)) as engine:
        counts = _rows(engine, _COUNTS, users=str(users))
        seen = _rows(engine, _TOP_PAGES, pages=str(pages / "*.parquet"), top=top)
    named: dict[int, list[dict[str, Any]]] = {}
    for row in seen:
        named.setdefault(row.pop("cluster"), []).append(row)
    return [row | {"top_pages": named.get(row["cluster"], [])} for row in counts]


def _rows(engine: Engine, query: str, **values: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of any type
    found: pa.Table = engine.raw.sql(query, params=values).to_arrow_table()
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows
