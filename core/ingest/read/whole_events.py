"""Put the rows of an event together, in files with a row per parameter or item (see ``event_rows.py``).

The rows of a file lie on disk as they were read. Rows of an event agree in all columns but their parameter or
item; where several events agree, a repeated parameter begins the next one. To bound memory, larger files are
first split by event into buckets.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq

from core.base.raw_fields import RAW_TEXT_COLUMNS
from core.base.schema import Raw
from core.ingest.engine import Engine, literal, open_engine
from core.ingest.read.event_rows import DETAIL, REST, VALUES, EventRows
from core.ingest.read.part_files import PARQUET, RAW, FileCount, Reject, Rejected, Sink
from core.storage.disk import disk_errors

BUCKET_ROWS: Final = 2_000_000
"""Most rows that are grouped at a time."""
NO_KEY: Final = "A value without the key of its parameter"
TWO_VALUES: Final = "A parameter with two different values"

_ROWS_A_PART: Final = 1 << 17
_EVENT: Final = "id, who"
"""Columns that rows of an event share: two 64-bit hashes of DuckDB, as a single one might agree by chance."""


def merge_event_rows(sink: Sink, count: FileCount, kind: str, report: Callable[[], None]) -> FileCount:
    """Replace the staged rows in a sink by whole events.

    Args:
        sink: Holds staged rows.
        count: Properties of the file, from its reader.
        kind: ``csv``, ``ndjson`` or ``parquet``.
        report: Called now and then during the work.

    Raises:
        ResourceError: If disk or memory run out.
        Cancelled: If ``report`` says so.
    """
    rows, staged, before = sink.rows, sink.parts, sink.read
    if rows is None or not staged:
        return count
    with (
        disk_errors(),
        tempfile.TemporaryDirectory(prefix=f"{sink.prefix}rows-", dir=sink.folder) as work,
        open_engine(Path(work), min(before, BUCKET_ROWS)) as engine,
    ):
        _view(engine, [part.path for part in staged], rows)
        rows = replace(rows, sure=rows.sure or _has_events_in_rows(engine))
        if not rows.sure:
            _drop_staged_columns(sink)
            return count
        rejected = _reject(engine, sink.rejected.room) if rows.of == "parameter" else Rejected()
        count, alike = replace(count, ends=_ends(engine)), 0
        for bucket in _buckets(engine, Path(work), before):
            report()
            alike += _find_events(engine, bucket, rows)
        sink.parts = []
        sink.keep(None, rejected)
        _write(engine, sink, rows, report)
    for part in staged:
        part.path.unlink()
    columns = dict(count.columns) | sink.columns(rows.fields.by_name, rows.seen)
    collapsed = before - sink.read - rejected.total
    notes = (*count.notes, rows.note, *_alike(rows, alike))
    return replace(count, shape=rows.shape(kind), columns=columns, notes=notes, collapsed=collapsed)


def cut_events(counts: Sequence[FileCount]) -> list[str]:
    """Warn about events whose rows continue from the end of a file to the start of the next.

    Args:
        counts: Properties of the files, in order.
    """
    ends = [count.ends for count in counts if count.ends[0]]  # between two there may be an empty file
    cut = sum(before[1] == after[0] for before, after in pairwise(ends))
    what = "event has" if cut == 1 else "events have"
    count = "counts" if cut == 1 else "count"
    told = f"{cut:,} {what} rows at the end of a file and at the start of the next, and {count} as two"
    return [f"{told}: join such files before they are read"] if cut else []


def _ends(engine: Engine) -> tuple[str, str]:
    query = f"SELECT arg_min(id, {Raw.LINE}), arg_max(id, {Raw.LINE}) FROM staged"
    [(first, last)] = engine.raw.execute(query).fetchall()
    return str(first), str(last)


def _view(engine: Engine, paths: list[Path], rows: EventRows) -> None:
    """Create the view ``staged``: the rows, with hashes of their event, and why a row cannot be used."""
    alike = ", ".join(f'"{name}"' for name in (*RAW_TEXT_COLUMNS, REST))
    value, problem = "NULL", "NULL"
    if rows.of == "parameter":
        value = f"coalesce({', '.join(VALUES)})"
        several = " + ".join(f"({name} IS NOT NULL)::INT" for name in VALUES)
        # a table of numbers may have 0, or 5.0 beside 5, where there was no value of that kind
        plain = ", ".join(f"regexp_replace({name}, '[.]0+$', '')" for name in VALUES)
        differ = f"len(list_filter(list_distinct([{plain}]), lambda x: x <> '0')) > 1"
        problem = (
            f"CASE WHEN {DETAIL} IS NULL AND {value} IS NOT NULL THEN '{NO_KEY}'"
            f" WHEN {several} > 1 AND {differ} THEN '{TWO_VALUES}' END"
        )
    files = ", ".join(map(literal, paths))
    engine.raw.execute(
        f"""CREATE VIEW staged AS
        SELECT {Raw.LINE}, {alike}, {DETAIL}, {value} AS value, {problem} AS problem,
        row({alike}).hash() AS id, concat_ws(chr(31), {Raw.USER_KEY}, {Raw.EVENT_TIMESTAMP}).hash() AS who
        FROM read_parquet([{files}], union_by_name = true)"""
    )


def _has_events_in_rows(engine: Engine) -> bool:
    """Whether any rows of the file agree in all columns but their item."""
    found = engine.raw.execute(
        f"""SELECT 1 FROM staged WHERE {DETAIL} IS NOT NULL GROUP BY {_EVENT}
        HAVING min({DETAIL}.hash()) <> max({DETAIL}.hash()) LIMIT 1"""
    )
    return found.fetchone() is not None


def _drop_staged_columns(sink: Sink) -> None:
    for part in sink.parts:
        pq.write_table(pq.read_table(part.path, columns=RAW.names), part.path, **PARQUET)


def _reject(engine: Engine, room: int) -> Rejected:
    """Collect the rows that are no valid parameter."""
    rejected = Rejected(room)
    reasons = "SELECT problem, count(*) FROM staged WHERE problem IS NOT NULL GROUP BY problem"
    total = Counter(dict(engine.raw.execute(reasons).fetchall()))
    if total:
        wrong = engine.raw.execute(
            f"""SELECT {Raw.LINE}, problem, coalesce({DETAIL} || ' = ', '') || value
            FROM staged WHERE problem IS NOT NULL ORDER BY {Raw.LINE} LIMIT {room}"""
        )
        for line, problem, value in wrong.fetchall():
            rejected.add(Reject(line, problem, value))
    rejected.reasons = total
    return rejected


def _buckets(engine: Engine, work: Path, rows: int) -> list[str]:
    """Split the rows by event into buckets, and return SQL to select from each; no event is split."""
    slim = f"SELECT {Raw.LINE}, {_EVENT}, {DETAIL}, value FROM staged WHERE problem IS NULL"
    if rows <= BUCKET_ROWS:
        return [f"({slim})"]
    many, folder = 1 + rows // BUCKET_ROWS, work / "buckets"
    engine.raw.execute(
        f"""COPY (SELECT *, (id % {many})::INT AS bucket FROM ({slim})) TO {literal(folder)}
        (FORMAT parquet, PARTITION_BY (bucket), COMPRESSION lz4)"""
    )
    found = sorted(folder.glob("bucket=*"))
    if not found:  # no row is a parameter
        return [f"({slim})"]
    return [f"read_parquet({literal(f'{place}/*.parquet')}, hive_partitioning = false)" for place in found]


def _find_events(engine: Engine, bucket: str, rows: EventRows) -> int:
    """Add the events of a bucket to the table ``events``: their first rows, and their parameters.

    Returns:
        Number of events (of parameters), or rows (of items), that equal another one.
    """
    db = engine.raw
    db.execute(f"CREATE OR REPLACE TABLE bucket AS FROM {bucket}")
    numbers = _PARAMETER_NUMBERS if rows.of == "parameter" else _ITEM_NUMBERS
    db.execute(f"CREATE OR REPLACE TABLE numbers AS {numbers}")
    found = "".join(
        f', arg_min(value, {Raw.LINE}) FILTER ({DETAIL} = {literal(key)}) AS "{field}"'
        for field, key in rows.keys.items()
    )
    query = f"""SELECT min({Raw.LINE}) AS {Raw.LINE}{found} FROM bucket LEFT JOIN numbers USING ({Raw.LINE})
        GROUP BY bucket.id, bucket.who, coalesce(number, 0)"""
    exists = db.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'events'").fetchone()
    db.execute(f"{'INSERT INTO events' if exists else 'CREATE TABLE events AS'} {query}")
    [(alike,)] = db.execute(_EVENTS_ALIKE if rows.of == "parameter" else _ROWS_ALIKE).fetchall()
    return alike or 0


_PARAMETER_NUMBERS: Final = f"""
WITH several AS (
    SELECT {_EVENT} FROM bucket GROUP BY {_EVENT}
    HAVING count(*) > count(DISTINCT coalesce({DETAIL}, ''))
), counted AS (
    SELECT {Raw.LINE}, {_EVENT}, {DETAIL},
        row_number() OVER (PARTITION BY {_EVENT}, {DETAIL} ORDER BY {Raw.LINE}) AS nth
    FROM bucket SEMI JOIN several USING ({_EVENT})
), in_turn AS (
    SELECT *, max(nth) OVER (PARTITION BY {_EVENT} ORDER BY {Raw.LINE}) AS latest FROM counted
), checked AS (
    SELECT *, count(*) OVER (PARTITION BY {_EVENT}, latest, {DETAIL}) AS times FROM in_turn
)
SELECT {Raw.LINE}, {_EVENT},
    CASE WHEN max(times) OVER (PARTITION BY {_EVENT}) = 1 THEN latest ELSE nth END AS number
FROM checked"""
"""Query that numbers the events whose rows differ in their order only: line → number of the event.

A repeated key begins the next event, to which the rows after it belong. Where that would give an event a key
twice (rows sorted by key), the first rows of all keys are the first event, and so on.
"""

_ITEM_NUMBERS: Final = f"""
SELECT {Raw.LINE}, {Raw.LINE} AS number
FROM bucket ANTI JOIN (SELECT DISTINCT {_EVENT} FROM bucket WHERE {DETAIL} IS NOT NULL) USING ({_EVENT})"""
"""Query that gives each row without an item a separate number: each is an event."""

_EVENTS_ALIKE: Final = "SELECT count(*) FROM (SELECT DISTINCT id, who, number FROM numbers)"
_ROWS_ALIKE: Final = f"""
SELECT sum(again)::BIGINT FROM (
    SELECT count(*) - count(DISTINCT {DETAIL}) AS again
    FROM bucket WHERE {DETAIL} IS NOT NULL GROUP BY {_EVENT}
)"""


def _write(engine: Engine, sink: Sink, rows: EventRows, report: Callable[[], None]) -> None:
    """Write the events as raw parts, in the order of their first rows."""
    keys = rows.keys
    columns = ", ".join(f'{"events" if name in keys else "staged"}."{name}"' for name in RAW_TEXT_COLUMNS)
    whole = f"SELECT {Raw.LINE}, {columns} FROM staged JOIN events USING ({Raw.LINE}) ORDER BY {Raw.LINE}"
    for number, batch in enumerate(engine.raw.sql(whole).to_arrow_reader(_ROWS_A_PART)):
        fields = {name: batch.column(name) for name in RAW_TEXT_COLUMNS}
        lines = np.asarray(batch.column(Raw.LINE))
        sink.keep(sink.write(f"e{number:06d}", fields, lines), Rejected())
        report()


def _alike(rows: EventRows, number: int) -> list[str]:
    if not number:
        return []
    if rows.of == "parameter":
        return [
            f"{number:,} events agree with another one in all other columns: a parameter that comes again "
            "begins the next one"
        ]
    return [f"{number:,} rows are equal to another one: read as an item that its event lists again"]
