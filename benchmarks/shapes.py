"""How fast each shape of an export is read, beside pandas and plain DuckDB on the same file in the same run.

    python -m benchmarks.shapes --users 60000

The same demo shop is written in every shape. Ours reads all fields of every record as text, counts on the
bytes what the parser must find, and leaves the rows on disk. The others only fetch user, time, event and page
of each event, and check nothing. Each reading is a process of its own, imports included.
"""

from __future__ import annotations

import gzip
import os
import platform
import shutil
import tempfile
import zipfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click
import duckdb

from benchmarks.measure import Measured, measure
from benchmarks.sets import demo_shop
from benchmarks.tables import markdown

if TYPE_CHECKING:
    import pandas as pd

PARAMS: Final = {
    "page_location": "string_value",
    "page_title": "string_value",
    "page_referrer": "string_value",
    "ga_session_id": "int_value",
    "engagement_time_msec": "int_value",
    "session_engaged": "string_value",
    "traffic_type": "string_value",
    "debug_mode": "string_value",
}
"""Column of the flat file that GA4 keeps among the parameters → field of its value there."""
SOLD: Final = "event_name IN ('purchase', 'add_to_cart')"
ITEMS: Final = 3
"""Rows for each event that sells something, in the file with a row an item."""

_BASE: Final = (
    "event_date, event_timestamp, event_name, user_pseudo_id, transaction_id AS ecommerce_transaction_id, "
    "purchase_revenue AS ecommerce_purchase_revenue"
)
_RECORDS: Final = (
    "{'category': device_category, 'web_info': {'browser': device_web_info_browser}} AS device, "
    "{'country': geo_country} AS geo, "
    "{'source': traffic_source_source, 'medium': traffic_source_medium} AS traffic_source"
)
_PLAIN: Final = (
    "device_category, device_web_info_browser, geo_country, traffic_source_source, traffic_source_medium"
)
_FOUR: Final = "user_pseudo_id, event_timestamp, event_name"


class Shape(NamedTuple):
    """One way to write an export.

    Args:
        file: Its name.
        write: SQL over ``flat`` (columns of the flat file as text) and ``events`` (with ``event_params``);
            none where the flat file is packed.
        options: How DuckDB writes it.
        read: SQL by which DuckDB fetches user, time, event and page.
    """

    file: str
    write: str
    options: str
    read: str


def _csv(page: str = "page_location") -> str:
    return f"SELECT {_FOUR}, {page} FROM read_csv('{{path}}', header = true, all_varchar = true)"


def _page(params: str) -> str:
    return f"list_filter({params}, lambda x: x.key = 'page_location')[1].value.string_value AS page_location"


def _slots() -> tuple[str, str]:
    """Columns of the dotted file, and the page among them."""
    columns = ", ".join(
        f'event_params[{slot + 1}].key AS "event_params.{slot}.key", '
        + ", ".join(
            f'event_params[{slot + 1}].value.{kind} AS "event_params.{slot}.value.{kind}"'
            for kind in ("string_value", "int_value")
        )
        for slot in range(len(PARAMS))
    )
    pages = ", ".join(
        f"CASE \"event_params.{slot}.key\" WHEN 'page_location' "
        f'THEN "event_params.{slot}.value.string_value" END'
        for slot in range(len(PARAMS))
    )
    return columns, f"coalesce({pages}) AS page_location"


_COLUMNS, _DOTTED_PAGE = _slots()
_DOTTED: Final = f"SELECT {_BASE}, {_PLAIN}, {_COLUMNS} FROM events ORDER BY n"
_JSON_PARAMS: Final = '[{{"key": "VARCHAR", "value": {{"string_value": "VARCHAR"}}}}]'
_CELLS: Final = ", ".join(
    f"to_json({name})::VARCHAR AS {name}" for name in ("event_params", "device", "geo", "traffic_source")
)
_JSON_CELLS: Final = f"SELECT {_BASE}, {_CELLS} FROM (SELECT *, {_RECORDS} FROM events) ORDER BY n"
_JSON_PAGE: Final = _page(f"from_json(event_params, '{_JSON_PARAMS}')")
SHAPES: Final = {
    "flat, CSV": Shape("flat.csv", "SELECT * EXCLUDE (n) FROM flat ORDER BY n", "HEADER", _csv()),
    "flat, CSV in gzip": Shape("flat.csv.gz", "", "", _csv()),
    "flat, CSV in zip": Shape("flat.zip", "", "", ""),
    "flat, Parquet": Shape(
        "flat.parquet",
        "SELECT * EXCLUDE (n) FROM flat ORDER BY n",
        "FORMAT parquet",
        f"SELECT {_FOUR}, page_location FROM read_parquet('{{path}}')",
    ),
    "nested, NDJSON": Shape(
        "nested.ndjson",
        f"SELECT {_BASE}, {_RECORDS}, event_params FROM events ORDER BY n",
        "FORMAT json",
        f"SELECT {_FOUR}, {_page('event_params')} FROM read_ndjson('{{path}}')",
    ),
    "nested, Parquet": Shape(
        "nested.parquet",
        f"SELECT {_BASE}, {_RECORDS}, event_params FROM events ORDER BY n",
        "FORMAT parquet",
        f"SELECT {_FOUR}, {_page('event_params')} FROM read_parquet('{{path}}')",
    ),
    "JSON cells, CSV": Shape(
        "console.csv",
        _JSON_CELLS,
        "HEADER",
        _csv(_JSON_PAGE),
    ),
    "JSON cells, NDJSON": Shape(
        "console.ndjson",
        _JSON_CELLS,
        "FORMAT json",
        f"SELECT {_FOUR}, {_JSON_PAGE} FROM read_ndjson('{{path}}')",
    ),
    "JSON cells, Parquet": Shape(
        "console.parquet",
        _JSON_CELLS,
        "FORMAT parquet",
        f"SELECT {_FOUR}, {_JSON_PAGE} FROM read_parquet('{{path}}')",
    ),
    "dotted, CSV": Shape("dotted.csv", _DOTTED, "HEADER", _csv(_DOTTED_PAGE)),
    "dotted, NDJSON": Shape(
        "dotted.ndjson",
        _DOTTED,
        "FORMAT json",
        f"SELECT {_FOUR}, {_DOTTED_PAGE} FROM read_ndjson('{{path}}')",
    ),
    "dotted, Parquet": Shape(
        "dotted.parquet",
        _DOTTED,
        "FORMAT parquet",
        f"SELECT {_FOUR}, {_DOTTED_PAGE} FROM read_parquet('{{path}}')",
    ),
    "a row a parameter, CSV": Shape(
        "long.csv",
        f"SELECT {_BASE}, {_PLAIN}, p.key AS event_params_key, p.value.string_value AS "
        "event_params_value_string_value, p.value.int_value AS event_params_value_int_value "
        "FROM (SELECT *, unnest(event_params) AS p FROM events) ORDER BY n",
        "HEADER",
        f"SELECT {_FOUR}, max(event_params_value_string_value) FILTER (event_params_key = 'page_location') "
        "FROM read_csv('{path}', header = true, all_varchar = true) GROUP BY ALL",
    ),
    "a row an item, CSV": Shape(
        "items.csv",
        f"SELECT * EXCLUDE (n, i), CASE WHEN {SOLD} THEN 'SKU' || i END AS item_id, "
        f"CASE WHEN {SOLD} THEN 'Item ' || i END AS item_name "
        f"FROM (SELECT *, unnest(range(CASE WHEN {SOLD} THEN {ITEMS} ELSE 1 END)) AS i FROM flat) "
        "ORDER BY n, i",
        "HEADER",
        _csv().replace("SELECT", "SELECT DISTINCT"),
    ),
}


def write_shapes(csv: Path, folder: Path) -> None:
    """Write a flat export in every shape into a folder."""
    engine = duckdb.connect(config={"temp_directory": str(folder / "spill")})
    engine.execute("SET enable_progress_bar = false")
    source = f"read_csv('{csv}', header = true, all_varchar = true, parallel = false)"
    engine.execute(f"CREATE TABLE flat AS SELECT row_number() OVER () AS n, * FROM {source}")
    values = (
        f"{{'key': '{name}', 'value': {{'string_value': {name if kind == 'string_value' else 'NULL'}, "
        f"'int_value': {name if kind == 'int_value' else 'NULL'}::BIGINT}}}}"
        for name, kind in PARAMS.items()
    )
    given = "lambda x: coalesce(x.value.string_value, x.value.int_value::VARCHAR) IS NOT NULL"
    params = f"list_filter([{', '.join(values)}], {given})"
    engine.execute(f"CREATE VIEW events AS SELECT *, {params} AS event_params FROM flat")
    for shape in SHAPES.values():
        if shape.write:
            engine.execute(f"COPY ({shape.write}) TO '{folder / shape.file}' ({shape.options})")
    with (folder / "flat.csv").open("rb") as plain, gzip.open(folder / "flat.csv.gz", "wb", 6) as packed:
        shutil.copyfileobj(plain, packed)
    with zipfile.ZipFile(folder / "flat.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "flat.csv", "flat.csv")


def ours(path: Path, folder: Path) -> tuple[int, int]:
    """Read a file as the app does; the number of its records, and of the events that they make."""
    from core.base.settings import IngestSettings
    from core.ingest.read.read_file import read_file
    from core.ingest.sources.input_files import resolve_inputs

    out = folder / f"{path.name}.raw"
    out.mkdir()
    (source,) = resolve_inputs([path])
    read = read_file(source, IngestSettings(), out, lambda _: None)
    shutil.rmtree(out)
    return read.count.records, read.rows


def by_duckdb(path: Path, sql: str) -> int:
    """Write user, time, event and page of each event to Parquet by SQL; the number of events."""
    out = path.with_suffix(".out")
    duckdb.execute("SET enable_progress_bar = false")
    rows = duckdb.execute(f"COPY ({sql.format(path=path)}) TO '{out}' (FORMAT parquet)").fetchall()
    out.unlink()
    return int(rows[0][0])


def by_pandas(path: Path) -> int:
    """Bring user, time, event and page of each event into columns by pandas; the number of events."""
    import pandas as pd

    if path.suffix == ".parquet":
        table = pd.read_parquet(path)
    elif path.suffix == ".ndjson":
        table = pd.read_json(path, lines=True, dtype=False)
    else:
        table = pd.read_csv(path, dtype=str)
    return len(_events(table, path.name.split(".")[0]))


def _events(table: pd.DataFrame, shape: str) -> pd.DataFrame:
    """One row an event, with its page."""
    import json

    import pandas as pd

    four = _FOUR.split(", ")
    if shape == "long":
        kept = table[table["event_params_key"] == "page_location"]
        return kept.drop_duplicates([*four, "event_params_value_string_value"])
    if shape == "items":
        return table.drop_duplicates([*four, "page_location"])
    if shape == "dotted":
        page = pd.Series(index=table.index, dtype=str)
        for slot in range(len(PARAMS)):
            here = table[f"event_params.{slot}.key"] == "page_location"
            page = page.where(~here, table[f"event_params.{slot}.value.string_value"])
        return table[four].assign(page_location=page)
    if shape in ("nested", "console"):
        cells = map(json.loads, table["event_params"]) if shape == "console" else table["event_params"]
        pages = [
            next((p["value"]["string_value"] for p in cell if p["key"] == "page_location"), None)
            for cell in cells
        ]
        return table[four].assign(page_location=pages)
    return table


@click.command(help=__doc__)
@click.option("--users", type=int, default=60_000, show_default=True)
def main(users: int) -> None:
    """Write the files, read each in three ways, and print the table."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.machine()}"
    print(f"{users:,} demo users; {machine}; {date.today():%Y-%m-%d}; load {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        csv = measure(demo_shop, users, 0, folder).value
        measure(write_shapes, csv, folder)  # apart: a process begins with the peak of the one that starts it
        rows = [_row(name, shape, folder) for name, shape in SHAPES.items()]
    head = (
        "file",
        "MB",
        "rows",
        "events",
        *(f"{who}: rows/s, CPU s, peak MB" for who in ("ours", "pandas", "DuckDB")),
    )
    print(markdown(head, rows))


def _row(name: str, shape: Shape, folder: Path) -> list[str]:
    path = folder / shape.file
    mine = measure(ours, path, folder)
    records, events = mine.value
    sql = measure(by_duckdb, path, shape.read) if shape.read else None
    cells = (_cell(took, records) for took in (mine, measure(by_pandas, path), sql))
    return [name, f"{path.stat().st_size / 1e6:,.0f}", f"{records:,}", f"{events:,}", *cells]


def _cell(took: Measured | None, records: int) -> str:
    return f"{records / took.wall_s:,.0f}, {took.cpu_s:.1f}, {took.peak_mb:,.0f}" if took else "–"


if __name__ == "__main__":
    main()
