"""Small exports on disk, flat and nested, read by the real reader, and their SQL run by DuckDB."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import sqlglot

from core.base.progress import silent
from core.base.settings import IngestSettings
from core.ingest.ingest import ingest
from core.rules.conditions import Field, RuleClause, RuleCondition, RuleFeatures, SegmentRule
from core.rules.raw_events import TABLE, LoadedExport
from core.rules.rule_sql import bigquery_sql, duckdb_sql
from core.storage.dataset import Dataset

Row = dict[str, str | None]
START = 1_600_000_000_000_000
COLUMNS = (
    "event_date", "event_timestamp", "event_name", "user_pseudo_id", "ga_session_id", "page_location",
    "engagement_time_msec", "device_category", "device_web_info_browser", "geo_country",
    "traffic_source_source", "traffic_source_medium", "traffic_type", "debug_mode",
)  # fmt: skip
SCHEMA = """CREATE TABLE events (
    event_date VARCHAR, event_timestamp BIGINT, event_name VARCHAR, user_pseudo_id VARCHAR,
    event_params STRUCT("key" VARCHAR, "value" STRUCT(string_value VARCHAR, int_value BIGINT,
        float_value DOUBLE, double_value DOUBLE))[],
    user_properties STRUCT("key" VARCHAR, "value" STRUCT(string_value VARCHAR, int_value BIGINT,
        float_value DOUBLE, double_value DOUBLE))[],
    device STRUCT(category VARCHAR, web_info STRUCT(browser VARCHAR)),
    geo STRUCT(country VARCHAR, region VARCHAR),
    traffic_source STRUCT(source VARCHAR, medium VARCHAR))"""
"""GA4's export to BigQuery, as far as rules need it."""


def view(user: str | None, second: float, page: str | None = "/", **more: str | None) -> Row:
    """One page view (or event) of the flat shape."""
    location = f"https://shop.example{page}" if page is not None and page.startswith("/") else page
    usual: Row = {
        "event_date": f"{datetime.fromtimestamp(START / 1e6 + second, UTC):%Y%m%d}",
        "event_timestamp": str(START + int(second * 1e6)),
        "event_name": "page_view", "user_pseudo_id": user, "ga_session_id": "1", "page_location": location,
    }  # fmt: skip
    return {**dict.fromkeys(COLUMNS), **usual, **more}


def write_flat(path: Path, rows: Sequence[Row]) -> Path:
    """One column a parameter."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, dict.fromkeys(name for row in rows for name in row))
        writer.writeheader()
        writer.writerows(rows)
    return path


def nested(row: Row) -> dict[str, Any]:
    """The record that BigQuery has of an event."""
    params = [
        {"key": key, "value": {kind: row[key]}}
        for key, kind in (
            ("page_location", "string_value"), ("ga_session_id", "int_value"),
            ("engagement_time_msec", "int_value"), ("traffic_type", "string_value"),
            ("debug_mode", "int_value"),
        )
        if row[key] is not None
    ]  # fmt: skip
    return {
        "event_date": row["event_date"], "event_timestamp": row["event_timestamp"],
        "event_name": row["event_name"], "user_pseudo_id": row["user_pseudo_id"], "event_params": params,
        "device": {
            "category": row["device_category"], "web_info": {"browser": row["device_web_info_browser"]}
        },
        "geo": {"country": row["geo_country"], "region": row.get("geo_region")},
        "user_properties": [
            {"key": name.partition(".")[2], "value": {"string_value": value}}
            for name, value in row.items()
            if name.startswith("user_properties.") and value is not None
        ],
        "traffic_source": {"source": row["traffic_source_source"], "medium": row["traffic_source_medium"]},
    }  # fmt: skip


def write_nested(path: Path, rows: Sequence[Row]) -> Path:
    """A record a line."""
    path.write_text("\n".join(json.dumps(nested(row)) for row in rows) + "\n", encoding="utf-8")
    return path


def load(folder: Path, path: Path, **settings: object) -> tuple[Dataset, LoadedExport]:
    """Read a file as the app does."""
    chosen = IngestSettings.checked(**settings)
    out, work = folder / "out", folder / "work"
    out.mkdir(parents=True)
    work.mkdir()
    ingest([path], chosen, out, silent, work)
    dataset = Dataset(out, "toy")
    return dataset, LoadedExport(RuleFeatures.from_dataset(dataset), dataset.receipt, chosen)


def stated(dataset: Dataset, export: LoadedExport, rule: SegmentRule) -> list[str]:
    """The users whom a rule describes, in order."""
    ids = np.array(dataset.sequences.user_id.to_pylist(), dtype=object)
    return [str(one) for one in ids[export.features.matches(rule)]]


def by_duckdb(folder: Path, rule: SegmentRule, export: LoadedExport) -> list[str]:
    """What the DuckDB SQL returns in the folder of the file."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return sorted(user for (user,) in duckdb.sql(duckdb_sql(rule, export)).fetchall())
    finally:
        os.chdir(before)


def by_bigquery(rows: Sequence[Row], rule: SegmentRule, export: LoadedExport) -> list[str]:
    """What the BigQuery SQL returns, translated for DuckDB, on the nested table."""
    declared, _, query = bigquery_sql(rule, export).partition("\n\n")
    translated = sqlglot.transpile(query, read="bigquery", write="duckdb")[0]
    for line in declared.splitlines():
        _, name, _, _, day = line.rstrip(";").split()
        translated = translated.replace(name, day)
    con = duckdb.connect()
    con.execute("CREATE MACRO safe_convert_bytes_to_string(bytes) AS decode(bytes)")
    con.execute(SCHEMA)
    con.execute(
        "INSERT INTO events SELECT unnest(from_json($1::JSON, $2), max_depth := 2)",
        [json.dumps([nested(row) for row in rows]), json.dumps(_JSON)],
    )
    con.execute('CREATE VIEW "all" AS SELECT *, event_date AS _TABLE_SUFFIX FROM events')
    name = ".".join(f'"{part}"' for part in TABLE.split("."))
    assert name in translated
    return sorted(user for (user,) in con.execute(translated.replace(name, '"all"')).fetchall())


_PARAMETERS = [
    {
        "key": "VARCHAR",
        "value": {
            "string_value": "VARCHAR", "int_value": "BIGINT", "float_value": "DOUBLE",
            "double_value": "DOUBLE",
        },
    }
]  # fmt: skip
_JSON = [
    {
        "event_date": "VARCHAR", "event_timestamp": "BIGINT", "event_name": "VARCHAR",
        "user_pseudo_id": "VARCHAR",
        "event_params": _PARAMETERS, "user_properties": _PARAMETERS,
        "device": {"category": "VARCHAR", "web_info": {"browser": "VARCHAR"}},
        "geo": {"country": "VARCHAR", "region": "VARCHAR"},
        "traffic_source": {"source": "VARCHAR", "medium": "VARCHAR"},
    }
]  # fmt: skip


def asks(field: Field, value: str = "", number: int = 1, *, negated: bool = False) -> SegmentRule:
    """A rule of one condition."""
    condition = RuleCondition(field=field, value=value, number=number)
    return SegmentRule(clauses=(RuleClause(any_of=(condition,), negated=negated),))
