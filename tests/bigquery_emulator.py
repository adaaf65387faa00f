"""A stand-in for BigQuery: bqemulator, started once, and a made-up shop's export in its daily tables.

It is DuckDB behind BigQuery's wire protocol, with sqlglot between. So it shows that requests, queries and
answers fit together; not what BigQuery itself makes of the SQL, nor rights, quotas or prices.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv-bqemulator"
PROJECT, DATASET = "demo-shop", "analytics_123456789"
TABLES = f"{PROJECT}.{DATASET}.events_*"
Record = dict[str, Any]

_NUMBERS = ("ga_session_id", "ga_session_number", "engagement_time_msec", "debug_mode", "entrances")
_PARAMS = (*_NUMBERS, "page_location", "page_title", "page_referrer", "transaction_id", "traffic_type",
           "session_engaged")  # fmt: skip
_VALUE = pa.struct(
    [(f"{kind}_value", of) for kind, of in
     (("string", pa.string()), ("int", pa.int64()), ("float", pa.float64()), ("double", pa.float64()))]
)  # fmt: skip
SCHEMA = pa.schema(
    {
        "event_date": pa.string(),
        "event_timestamp": pa.int64(),
        "event_name": pa.string(),
        "event_params": pa.list_(pa.struct([("key", pa.string()), ("value", _VALUE)])),
        "user_id": pa.string(),
        "user_pseudo_id": pa.string(),
        "device": pa.struct([("category", pa.string()), ("web_info", pa.struct([("browser", pa.string())]))]),
        "geo": pa.struct([("country", pa.string())]),
        "traffic_source": pa.struct([(name, pa.string()) for name in ("name", "medium", "source")]),
        "ecommerce": pa.struct([("purchase_revenue", pa.float64()), ("transaction_id", pa.string())]),
    }
)
"""GA4's export, as far as it is read."""


def nested(row: Mapping[str, str]) -> Record:
    """The record that BigQuery has of a row of the flat demo shop."""
    cells = {name: cell or None for name, cell in row.items()}
    empty = dict.fromkeys(("string_value", "int_value", "float_value", "double_value"))
    params = [
        {
            "key": key,
            "value": empty | ({"int_value": int(cell)} if key in _NUMBERS else {"string_value": cell}),
        }
        for key in _PARAMS
        if (cell := cells.get(key))
    ]
    revenue, paid = cells.get("purchase_revenue"), cells.get("transaction_id")
    return {
        "event_date": cells["event_date"],
        "event_timestamp": int(row["event_timestamp"]),
        "event_name": cells["event_name"],
        "event_params": params,
        "user_id": cells.get("user_id"),
        "user_pseudo_id": cells["user_pseudo_id"],
        "device": {
            "category": cells["device_category"], "web_info": {"browser": cells["device_web_info_browser"]}
        },
        "geo": {"country": cells["geo_country"]},
        "traffic_source": {name: cells[f"traffic_source_{name}"] for name in ("name", "medium", "source")},
        "ecommerce": {"purchase_revenue": float(revenue) if revenue else None, "transaction_id": paid},
    }  # fmt: skip


def by_day(flat: Path) -> dict[str, list[Record]]:
    """Nested records of a flat CSV: ``YYYYMMDD`` → those of the day."""
    days = defaultdict[str, list[Record]](list)
    with flat.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            days[row["event_date"]].append(nested(row))
    return dict(days)


def environment() -> str:
    """Make what the emulator runs in, once for all; says why it cannot be made."""
    with FileLock(str(ROOT / ".venv-bqemulator.lock")):
        made = subprocess.run(
            ["make", "--silent", f"{VENV.name}/.ready", f"PYTHON={sys.executable}"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    return made.stderr[-500:] if made.returncode else ""


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an emulator that holds nothing yet; without one the test is skipped, but never in CI."""
    problem = "make is not installed" if shutil.which("make") is None else environment()
    if problem:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no BigQuery emulator: {problem}")
    folder = tmp_path_factory.mktemp("bigquery")
    for _ in range(5):  # on a busy machine it gives up after ten seconds of its own start
        server, address = _start(folder)
        if _is_up(server, address):
            break
    else:
        raise AssertionError((folder / "log.txt").read_text()[-2000:])
    try:
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (folder / "log.txt").open("wb") as log:
        server = subprocess.Popen(
            [VENV / "bin" / "bqemulator", "start", "--rest-port", str(port), "--grpc-port", "0"],
            env=os.environ | {"HOME": str(VENV / "home"), "TMPDIR": str(folder)}, stdout=log, stderr=log,
        )  # fmt: skip
    return server, f"http://127.0.0.1:{port}"


def _is_up(server: subprocess.Popen[bytes], address: str) -> bool:
    """Wait until it answers; False if it ends before that, or does not answer for a minute."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/bigquery/v2/projects/{PROJECT}/datasets", timeout=5):
                return True
        except OSError:
            if server.poll() is not None:
                return False
            time.sleep(0.1)
    server.kill()
    server.wait()
    return False


def as_date(day: str) -> date:
    """Of ``YYYYMMDD``."""
    return datetime.strptime(day, "%Y%m%d").date()


def load(
    address: str, days: Mapping[str, Sequence[Record]], prefix: str = "events_", project: str = PROJECT
) -> None:
    """Put records into daily tables; a table that is there gets more rows."""
    from google.api_core.client_options import ClientOptions
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    client = bigquery.Client(
        project, credentials=AnonymousCredentials(), client_options=ClientOptions(api_endpoint=address)
    )
    client.create_dataset(f"{project}.{DATASET}", exists_ok=True)
    for day, records in days.items():
        name, file = f"{project}.{DATASET}.{prefix}{day}", io.BytesIO()
        client.create_table(bigquery.Table(name, [_field(field) for field in SCHEMA]), exists_ok=True)
        pq.write_table(pa.Table.from_pylist(list(records), SCHEMA), file)
        file.seek(0)
        client.load_table_from_file(
            file, name, job_config=bigquery.LoadJobConfig(source_format="PARQUET")
        ).result()
    client.close()


def _field(field: pa.Field) -> Any:  # noqa: ANN401
    """A column of Arrow as one of BigQuery."""
    from google.cloud.bigquery import SchemaField

    kind, mode = field.type, "NULLABLE"
    if pa.types.is_list(kind):
        kind, mode = kind.value_type, "REPEATED"
    if pa.types.is_struct(kind):
        return SchemaField(field.name, "RECORD", mode=mode, fields=[_field(inner) for inner in kind])
    return SchemaField(
        field.name, {"string": "STRING", "int64": "INTEGER", "double": "FLOAT"}[str(kind)], mode=mode
    )
