"""Every command of docs/how-to/timetable.md, as it stands there, against a real model."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import sqlglot
from sqlglot import exp

from tests.docs.conftest import ROOT, start

TEXT = (ROOT / "docs" / "how-to" / "timetable.md").read_text(encoding="utf-8")
FOR_GOOD, ONCE, DRIFT = re.findall(r"```sh\n(.*?)\n```", TEXT, re.DOTALL)
[SCHEDULED] = re.findall(r"```sql\n(.*?)\n```", TEXT, re.DOTALL)
[CRON] = re.findall(r"```\n10 6 \* \* \* (.*?)\n```", TEXT)


def test_once_and_by_cron_take_what_is_there(place: Path) -> None:
    for command in (ONCE, CRON):
        assert start(command, place).wait(timeout=250) == 0
        assert len(pd.read_parquet(place / "live" / "users.parquet")) > 100
    assert (place / "watch.log").exists()


def test_drift_ends_with_one_of_its_two_answers(place: Path) -> None:
    assert start(DRIFT, place).wait(timeout=250) in (0, 3)
    assert json.loads((place / "drift.json").read_text())["days"][0] > 0


def test_for_good_goes_on_until_it_is_ended(place: Path) -> None:
    (place / "live" / "users.parquet").unlink(missing_ok=True)
    (place / "live" / "watch.json").unlink(missing_ok=True)
    child = start(FOR_GOOD, place)
    try:
        for _ in range(1_000):
            if (place / "live" / "watch.json").exists() or child.poll() is not None:
                break
            time.sleep(0.2)
        assert child.poll() is None
        assert (place / "live" / "watch.json").exists()
    finally:
        child.terminate()
        child.wait(timeout=60)


def test_the_scheduled_query_gives_yesterday_s_table_which_a_watch_then_takes(place: Path) -> None:
    """Parsed as BigQuery's; its SELECT, translated, runs on DuckDB over the tables of three days."""
    [query] = sqlglot.parse(SCHEDULED, read="bigquery")
    assert isinstance(query, exp.Export)
    assert any(part.name.endswith("*.parquet") for part in query.find_all(exp.Literal))
    source = query.find(exp.Table)
    assert source is not None
    assert source.name == "events_*"
    source.replace(exp.to_table("events"))
    db = duckdb.connect()
    today = datetime.now(UTC)  # CURRENT_DATE of BigQuery is UTC's
    db.execute("SET TimeZone = 'UTC'")
    whole = f"read_csv('{place / 'incoming' / 'day.csv'}', all_varchar = true)"
    days = [
        f"SELECT *, '{today - timedelta(days=back):%Y%m%d}' AS _TABLE_SUFFIX FROM {whole} "
        f"WHERE hash(user_pseudo_id) % 3 = {back}"
        for back in range(3)
    ]
    db.execute(f"CREATE VIEW events AS {' UNION ALL '.join(days)}")
    fetched = place / "fetched"
    fetched.mkdir()
    chosen = query.find(exp.Select)
    assert chosen is not None
    db.execute(f"COPY ({chosen.sql(dialect='duckdb')}) TO '{fetched / 'day.parquet'}'")
    ids = pd.read_parquet(fetched / "day.parquet")["user_pseudo_id"].dropna()
    assert set(ids) == set(db.sql(days[1]).df()["user_pseudo_id"].dropna())
    assert len(set(ids)) > 30
    command = ONCE.replace("incoming/", "fetched/").replace("--out live", "--out live_fetched")
    assert start(command, place).wait(timeout=250) == 0
    assert set(pd.read_parquet(place / "live_fetched" / "users.parquet")["user_id"]) <= set(ids)
