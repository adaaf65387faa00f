"""One export in several shapes: one row an event, one row a parameter, one row an item."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, str | None]

PARAMS = (
    "page_location", "page_title", "page_referrer", "ga_session_id", "ga_session_number",
    "engagement_time_msec", "transaction_id", "value", "traffic_type", "debug_mode", "session_engaged",
    "link_url", "batch_page_id", "batch_ordering_id", "batch_event_index",
)  # fmt: skip
"""Columns of the flat file that GA4 keeps among the parameters."""
KINDS = ("string_value", "int_value", "float_value", "double_value")
ITEM = ("item_id", "item_name", "price", "quantity")


def kind_of(value: str) -> str:
    """Where GA4 keeps a value."""
    if value.isdecimal() and (value == "0" or not value.startswith("0")) and len(value) < 18:
        return "int_value"
    return "double_value" if value.replace(".", "", 1).isdecimal() and value.count(".") else "string_value"


def long_rows(
    events: Sequence[Row], key: str = "event_params_key", of: str = "event_params_value_"
) -> list[Row]:
    """One row a parameter; an event without one keeps a row."""
    rows: list[Row] = []
    for event in events:
        plain = {name: value for name, value in event.items() if name not in PARAMS}
        found = [(name, value) for name, value in event.items() if name in PARAMS and value]
        empty = dict.fromkeys(f"{of}{kind}" for kind in KINDS)
        rows += [{**plain, key: name, **empty, f"{of}{kind_of(value)}": value} for name, value in found]
        if not found:
            rows.append({**plain, key: None, **empty})
    return rows


def item_rows(events: Sequence[Row], items: Callable[[Row], Sequence[Row]]) -> list[Row]:
    """One row an item; an event without one keeps a row."""
    nothing: Row = dict.fromkeys(ITEM)
    return [{**event, **item} for event in events for item in items(event) or [nothing]]


def read_rows(path: Path) -> list[Row]:
    """Rows of a CSV."""
    return rows_in(path.read_text("utf-8"))


def rows_in(text: str) -> list[Row]:
    """Rows of a CSV's text; empty cells are None."""
    table = csv.DictReader(io.StringIO(text, newline=""))
    return [{name: cell or None for name, cell in row.items()} for row in table]


def as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_ndjson(rows: Sequence[Mapping[str, object]]) -> bytes:
    """As BigQuery saves it: nothing of what is null."""
    kept = ({name: cell for name, cell in row.items() if cell is not None} for row in rows)
    return "".join(json.dumps(row) + "\n" for row in kept).encode()


def as_parquet(rows: Sequence[Row]) -> bytes:
    """With whole numbers and fractions as such."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    table = pa.table(
        {name: pa.array(cells, pa.string()).cast(_type(name)) for name, cells in columns.items()}
    )
    out = pa.BufferOutputStream()
    pq.write_table(table, out)
    return bytes(out.getvalue())


def _type(name: str) -> pa.DataType:
    if name.endswith(("int_value", "quantity")) or name == "event_timestamp":
        return pa.int64()
    return pa.float64() if name.endswith(("double_value", "float_value")) else pa.string()


def as_zip(rows: Sequence[Row]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("events.csv", as_csv(rows))
    return out.getvalue()


PACKINGS: dict[str, Callable[[Sequence[Row]], bytes]] = {
    "csv": as_csv,
    "csv.gz": lambda rows: gzip.compress(as_csv(rows)),
    "zip": as_zip,
    "ndjson": as_ndjson,
    "ndjson.gz": lambda rows: gzip.compress(as_ndjson(rows)),
    "parquet": as_parquet,
}


def nested_rows(events: Sequence[Row]) -> list[dict[str, Any]]:
    """Parameters in a list, all else as it is."""
    return [
        {name: value for name, value in event.items() if name not in PARAMS}
        | {
            "event_params": [
                {"key": name, "value": {kind_of(value): _typed(value)}}
                for name, value in event.items()
                if name in PARAMS and value
            ]
        }
        for event in events
    ]


def _typed(value: str) -> object:
    return {"int_value": int, "double_value": float}.get(kind_of(value), str)(value)


def _with_json_text(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"event_params": json.dumps(row["event_params"])} for row in rows]


def _nested_parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    kinds = (pa.string(), pa.int64(), pa.float64(), pa.float64())
    value = pa.struct(list(zip(KINDS, kinds, strict=True)))
    params = pa.list_(pa.struct([("key", pa.string()), ("value", value)]))
    names = dict.fromkeys(name for row in rows for name in row)
    schema = pa.schema([(name, params if name == "event_params" else pa.string()) for name in names])
    out = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), out)
    return bytes(out.getvalue())


NESTED: dict[str, Callable[[Sequence[dict[str, Any]]], bytes]] = {
    "csv": lambda rows: as_csv(_with_json_text(rows)),
    "ndjson": as_ndjson,
    "parquet": _nested_parquet,
    "json_text.ndjson": lambda rows: as_ndjson(_with_json_text(rows)),
    "json_text.parquet": lambda rows: as_parquet(_with_json_text(rows)),
}
