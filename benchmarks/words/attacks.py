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

LISTED: Final = Path(__file__).with_name("attacks.txt").read_text(encoding="utf-8").splitlines()
"""Queries, one a line, each below a line on what it tries; {data} is the attacked file."""
ATTACKS: Final = (
    *(line for line in LISTED if not line.startswith("# ")),
    "",
    "SELECT 1 -- \n; DELETE FROM segments",
    f"SELECT count(*) FROM {JOINED}",
    f"SELECT sum(s0.users * s29.users) FROM {JOINED} WHERE s1.users > s2.users OR s3.users < s4.users",
    f"SELECT s0.users FROM {JOINED} ORDER BY s1.users * s2.users",
    f"SELECT count(*) FROM {SLOW} WHERE (s0.users * s1.users) % 7 <= s10.users % 9",
    f"SELECT max(s0.users * s1.users - s9.users * s10.users) FROM {SLOW}",
    f"SELECT DISTINCT s0.users + s1.users + s10.users AS x FROM {SLOW} ORDER BY x",
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
        sql: The query.
        blocked: Whether it ended in an error of ours.
        seconds: Time until it ended.
        said: The error, or the rows that were given.
    """

    sql: str
    blocked: bool
    seconds: float
    said: str


def made_data(folder: Path) -> Path:
    """Write a small table of segments to be attacked; its path."""
    names = [f"Segment {number}" for number in range(1, 13)]
    path = folder / "segments.parquet"
    pq.write_table(pa.table({"segment": names, "users": list(range(100, 112))}), path)
    return path


def attack(sql: str, data: Path, limits: SqlLimits | None = None) -> Outcome:
    """Run one attacking query on a table."""
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
