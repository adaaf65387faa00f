# ruff: noqa: E501 - a case is easier to read on one line
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.words.attacks import ATTACKS, TOO_SLOW_S, attack, digest, made_data
from core.base.errors import InputError, ResourceError
from core.sql import sandbox
from core.sql.rules import RefusedSql, check
from core.sql.sandbox import SqlLimits, run_sql

SEGMENTS = pa.table({"segment": ["Hunters", "Readers", "Fans"], "users": [120, 90, 400]})


def rows(sql: str) -> list[dict[str, object]]:
    return run_sql(sql, {"segments": SEGMENTS}).table.to_pylist()


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("SELECT segment FROM segments WHERE users > 100 ORDER BY users", [["Hunters"], ["Fans"]]),
        ("SELECT sum(users)::INT, count(*) FROM Segments -- all", [[610, 3]]),
        ("WITH big AS (SELECT * FROM segments WHERE users > 100) SELECT count(*) FROM big", [[2]]),
        ("SELECT a.segment FROM segments a JOIN segments b ON a.users < b.users GROUP BY ALL HAVING count(*) = 2", [["Readers"]]),
        ("SELECT rank() OVER (ORDER BY users DESC) FROM segments LIMIT 1", [[1]]),
        ("SELECT CASE WHEN users BETWEEN 1 AND 99 THEN lower(segment) ELSE '-' END AS x FROM segments ORDER BY x DESC LIMIT 1",
         [["readers"]]),
        ("FROM segments SELECT round(users / 7.0, 1) AS x WHERE segment LIKE 'F%'", [[57.1]]),
        ("SELECT 1 UNION ALL SELECT 2 ORDER BY 1", [[1], [2]]),
    ],
)  # fmt: skip
def test_answers_ordinary_questions(sql: str, values: list[list[object]]) -> None:
    assert [list(row.values()) for row in rows(sql)] == values


def test_reads_a_parquet_file_and_leaves_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "segments.parquet"
    pq.write_table(SEGMENTS, path)
    before = digest(path)

    result = run_sql("SELECT max(users) AS m FROM segments", {"segments": path})

    assert result.table.to_pylist() == [{"m": 400}]
    assert digest(path) == before
    assert [one.name for one in tmp_path.iterdir()] == ["segments.parquet"]


def test_gives_so_many_rows_and_says_that_there_are_more() -> None:
    result = run_sql(
        "SELECT 1 AS x FROM segments a, segments b", {"segments": SEGMENTS}, SqlLimits(max_rows=4)
    )

    assert (result.table.num_rows, result.cut) == (4, True)
    assert not run_sql("SELECT * FROM segments", {"segments": SEGMENTS}).cut


def test_a_mistake_is_explained() -> None:
    with pytest.raises(InputError, match="user_count"):
        rows("SELECT user_count FROM segments")
    with pytest.raises(InputError, match="There is no table 'people'"):
        rows("SELECT * FROM people")
    with pytest.raises(InputError, match="cannot name a table"):
        run_sql("SELECT 1", {'x"; DROP': SEGMENTS})


def test_what_takes_too_long_or_too_much_says_so() -> None:
    slow = "SELECT max(a.users * b.users - k.users) FROM " + ", ".join(
        f"segments {name}" for name in "abcdefghijklmnopqrstu"
    )
    with pytest.raises(ResourceError, match=r"stopped after 1 s"):
        run_sql(slow, {"segments": SEGMENTS}, SqlLimits(wall_s=1))
    doubled = ", ".join(f"c{n} AS (SELECT x || x || x || x AS x FROM c{n - 1})" for n in range(1, 20))
    with pytest.raises(ResourceError, match="more memory"):
        rows(f"WITH c0 AS (SELECT segment AS x FROM segments), {doubled} SELECT x FROM c19")


def test_every_attack_is_refused_by_the_rules_or_stopped_by_the_limits(tmp_path: Path) -> None:
    """``python -m benchmarks.words.attacks`` runs all of them through the child; here only what gets so far."""
    data = made_data(tmp_path)
    before = digest(data)
    attacks = [sql.replace("{data}", str(data)) for sql in ATTACKS]
    passed = [sql for sql in attacks if not is_refused(sql)]

    outcomes = [attack(sql, data, SqlLimits(wall_s=1.0)) for sql in passed]

    assert len(ATTACKS) >= 60
    assert len(passed) <= 12
    assert [one.sql[:80] for one in outcomes if not one.blocked] == []
    assert digest(data) == before


def is_refused(sql: str) -> bool:
    with duckdb.connect() as con:
        try:
            check(con, sql, {"segments"})
        except RefusedSql:
            return True
    return False


WITHOUT_RULES = """
import os, sys
from core.sql import sandbox_child as child
child.check = lambda con, sql, tables: con.extract_statements(sql)[0]
os._exit(child.main(sys.stdin, sys.stdout.buffer, sys.stderr))
"""


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT length(repeat('x', 2000000000))",
        "SELECT * FROM read_text('{data}')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM '{data}'",
        "COPY segments TO '{data}'",
        "CREATE TABLE x AS SELECT 1",
        "DROP TABLE segments",
        "ATTACH '{data}.db' AS x",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM r) SELECT count(*) FROM r",
    ],
)
def test_the_other_walls_stand_without_the_rules(
    sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = made_data(tmp_path)
    before = digest(data)
    real = subprocess.Popen
    monkeypatch.setattr(
        sandbox.subprocess, "Popen", lambda _, **more: real([sys.executable, "-c", WITHOUT_RULES], **more)
    )
    started = time.monotonic()

    with pytest.raises((InputError, ResourceError)):
        run_sql(sql.replace("{data}", str(data)), {"segments": data}, SqlLimits(wall_s=2))

    assert time.monotonic() - started < TOO_SLOW_S
    assert digest(data) == before


def test_the_child_starts_without_the_app_and_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    code = "import sys, core.sql.sandbox_child; print([n for n in ('pandas', 'torch', 'sklearn') if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=sandbox.PROJECT
    )
    seen: dict[str, object] = {}
    real = subprocess.Popen

    def spy(command: list[str], **more: object) -> subprocess.Popen[bytes]:
        seen.update(more)
        return real(command, **more)

    monkeypatch.setattr(sandbox.subprocess, "Popen", spy)
    rows("SELECT 1")

    assert done.stdout.strip() == "[]"
    assert "OPENAI_API_KEY" not in seen["env"]
