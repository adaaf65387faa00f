"""Totals of the receipt beside an independent count, on made properties in every shape and format.

    python -m benchmarks.reconcile [--shape NAME] [--property NAME]

Each property is made with known causes of disagreement: visitors without consent, intraday and fresh tables,
an app beside the web, refunds, logins. DuckDB counts its nested records in SQL of its own; the same events
are then written as flat, dotted, JSON-cell, long and item-row tables in CSV, NDJSON and Parquet, and read by
:func:`core.runs.pipeline.preprocess`. Exits with 1 if any total differs.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.tables import markdown
from core.base.progress import silent
from core.base.settings import IngestSettings
from core.runs import pipeline
from core.storage.dataset import Dataset
from core.storage.store import Store

Event = dict[str, Any]
Tables = dict[str, list[Event]]
"""Name of each table, such as ``events_20261001`` → its events."""

_TEXT, _LONG, _REAL = pa.string(), pa.int64(), pa.float64()
_CAMPAIGN: Final = pa.struct({"source": _TEXT, "medium": _TEXT})
_VALUE: Final = pa.struct({"string_value": _TEXT, "int_value": _LONG, "double_value": _REAL})
_ITEM: Final = pa.struct({"item_id": _TEXT, "item_name": _TEXT, "quantity": _LONG, "item_refund": _REAL})
SCHEMA: Final = pa.schema(
    {
        "event_date": _TEXT,
        "event_timestamp": _LONG,
        "event_name": _TEXT,
        "user_id": _TEXT,
        "user_pseudo_id": _TEXT,
        "privacy_info": pa.struct({"analytics_storage": _TEXT, "ads_storage": _TEXT}),
        "stream_id": _TEXT,
        "platform": _TEXT,
        "device": pa.struct({"category": _TEXT, "web_info": pa.struct({"browser": _TEXT})}),
        "geo": pa.struct({"country": _TEXT}),
        "traffic_source": _CAMPAIGN,
        "collected_traffic_source": pa.struct({"manual_source": _TEXT, "manual_medium": _TEXT}),
        "session_traffic_source_last_click": pa.struct(
            {"manual_campaign": _CAMPAIGN, "cross_channel_campaign": _CAMPAIGN}
        ),
        "ecommerce": pa.struct({"transaction_id": _TEXT, "purchase_revenue": _REAL, "refund_value": _REAL}),
        "items": pa.list_(_ITEM),
        "event_params": pa.list_(pa.struct({"key": _TEXT, "value": _VALUE})),
    }
)
"""The part of GA4's export to BigQuery that is counted here."""

DAY: Final = 86_400_000_000
START: Final = 1_790_812_800_000_000
"""Time of the first event, 2026-10-01 00:00 UTC, in microseconds."""
PAGES: Final = 24
SOURCES: Final = (("google", "cpc"), ("google", "organic"), ("news.example", "referral"), ("mail", "email"))


# -- made properties ------------------------------------------------------------------------------


def params(**values: str | float) -> list[Event]:
    """Parameters of an event, each in the variant that GA4 writes for its type."""
    kinds = {str: "string_value", int: "int_value", float: "double_value"}
    return [{"key": key, "value": {kinds[type(value)]: value}} for key, value in values.items()]


def visitors(seed: int, count: int = 90) -> Iterator[list[Event]]:
    """The events of one visitor at a time: sessions of page views, engagement, carts and purchases."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        source = SOURCES[rng.integers(len(SOURCES))]
        events: list[Event] = []
        for session in range(1 + rng.integers(3)):
            events += _session(rng, number, session, source)
        yield events


def _session(rng: np.random.Generator, number: int, session: int, source: tuple[str, str]) -> list[Event]:
    at = START + int(rng.integers(3)) * DAY + (number % 20) * 3_600_000_000 + session * 60_000_000
    names = ["page_view"] * int(1 + rng.integers(6))
    if rng.random() < 0.5:
        names += ["add_to_cart"] + ["purchase"] * int(rng.integers(3))  # a second one: the page was reloaded
    events = []
    for step, name in enumerate(names):
        time = at + step * 7_000_000 + number
        page = "checkout" if name == "purchase" else f"p{rng.integers(PAGES)}"
        here: dict[str, str | float] = {
            "page_location": f"https://shop.example/{page}",
            "ga_session_id": 1_000_000 + 100 * number + session,
            "engagement_time_msec": 1_000 * step,
        }
        event = {
            "event_date": pd.Timestamp(time, unit="us").strftime("%Y%m%d"),
            "event_timestamp": time,
            "event_name": name,
            "user_pseudo_id": f"{number}.{1700000000 + number}",
            "platform": "WEB",
            "stream_id": "100",
            "device": {"category": "mobile" if number % 3 else "desktop", "web_info": {"browser": "Chrome"}},
            "geo": {"country": "Spain"},
            "traffic_source": dict(zip(("source", "medium"), source, strict=True)),
        }
        if name == "purchase":
            here["currency"] = "EUR" if number % 4 else "USD"
            bought = {"transaction_id": f"T{number}-{session}", "purchase_revenue": 10.25 * (1 + number % 7)}
            event |= {"ecommerce": bought, "items": [_item("A", 1), _item("B", 2)]}
        events.append(event | {"event_params": params(**here)})
    return events


def _item(name: str, quantity: int, **more: float) -> Event:
    return {"item_id": name, "item_name": f"Item {name}", "quantity": quantity, **more}


def one_table(events: Sequence[Event], name: str = "events_20261001") -> Tables:
    """All events in one table, in order of time."""
    return {name: sorted(events, key=lambda event: event["event_timestamp"])}


def consent(seed: int, said: Sequence[str | None]) -> Tables:
    """A property where every third visitor has no cookie; ``analytics_storage`` takes values of ``said``."""
    events: list[Event] = []
    for number, mine in enumerate(visitors(seed)):
        off = number % 3 == 0
        privacy = {"analytics_storage": said[number // 3 % len(said)] if off else "Yes"}
        events += [
            event
            | ({"user_pseudo_id": None} if off else {})
            | ({"privacy_info": privacy} if any(said) else {})
            for event in mine
        ]
    return one_table(events)


def intraday(seed: int, collected: bool) -> Tables:
    """An intraday table without ``traffic_source``: sources are of sessions, or ``collected`` with events."""
    events = []
    for mine in visitors(seed):
        for event in mine:
            source, medium = event.pop("traffic_source").values()
            touch = {"source": source, "medium": medium}
            event |= (
                {"collected_traffic_source": {"manual_source": source, "manual_medium": medium}}
                if collected
                else {"session_traffic_source_last_click": {"cross_channel_campaign": touch}}
            )
            events.append(event)
    return one_table(events, "events_intraday_20261001")


def fresh_and_daily(seed: int) -> Tables:
    """Daily and fresh tables: one day in both, one in the fresh table alone, with sources of sessions."""
    of_day: dict[str, list[Event]] = {}
    for mine in visitors(seed):
        for event in mine:
            of_day.setdefault(event["event_date"], []).append(event)
    first, second, third = sorted(of_day)[:3]
    return {
        f"events_{first}": of_day[first],
        f"events_fresh_{first}": of_day[first][:-25],
        f"events_{second}": of_day[second],
        f"events_fresh_{third}": [_by_session(event) for event in of_day[third]],
    }


def _by_session(event: Event) -> Event:
    touch = {"cross_channel_campaign": {"source": "partner.example", "medium": "affiliate"}}
    return event | {"traffic_source": None, "session_traffic_source_last_click": touch}


def app_and_web(seed: int) -> Tables:
    """A property where every fourth visitor uses the app, whose views are ``screen_view``."""
    events: list[Event] = []
    for number, mine in enumerate(visitors(seed)):
        app = {"platform": "ANDROID", "stream_id": "200"}
        for event in mine:
            if number % 4 == 0:
                name = "screen_view" if event["event_name"] == "page_view" else event["event_name"]
                event |= {**app, "event_name": name}
            events.append(event)
    return one_table(events)


def refunds(seed: int, by_server: bool) -> Tables:
    """A property where every second purchase is refunded, by the buyer's id or that of a server."""
    events: list[Event] = []
    for number, mine in enumerate(visitors(seed)):
        events += mine
        sold = {e["ecommerce"]["transaction_id"]: e for e in mine if e["event_name"] == "purchase"}
        for place, (transaction, event) in enumerate(sold.items()):
            if (number + place) % 2 == 0:
                paid = event["ecommerce"]["purchase_revenue"]
                value = paid if number % 3 else 2.5
                currency = next(p for p in event["event_params"] if p["key"] == "currency")
                who = {"user_pseudo_id": "server.1"} if by_server else {}
                refund = {"transaction_id": transaction, "refund_value": value}
                events.append(
                    event
                    | who
                    | {"event_name": "refund", "event_timestamp": event["event_timestamp"] + 3_600_000_000}
                    | {"ecommerce": refund, "items": [_item("A", 1, item_refund=value)]}
                    | {"event_params": [currency, *params(ga_session_id=7)]}
                )
    return one_table(events)


def logins(seed: int) -> Tables:
    """A property where every second visitor signs in after the first session."""
    events: list[Event] = []
    for number, mine in enumerate(visitors(seed)):
        first = mine[0]["event_params"][1]["value"]["int_value"]
        signed = {"user_id": f"member{number}"} if number % 2 else {}
        events += [
            event | (signed if event["event_params"][1]["value"]["int_value"] != first else {})
            for event in mine
        ]
    return one_table(events)


PROPERTIES: Final[Mapping[str, Callable[[], Tables]]] = {
    "consent denied": lambda: consent(1, ["No"]),
    "consent, no cookie": lambda: consent(2, ["No", "Yes", None]),
    "consent not said": lambda: consent(3, [None]),
    "intraday, session source": lambda: intraday(4, collected=False),
    "intraday, collected source": lambda: intraday(5, collected=True),
    "fresh beside daily": lambda: fresh_and_daily(6),
    "app beside web": lambda: app_and_web(7),
    "refunds by buyer": lambda: refunds(8, by_server=False),
    "refunds by server": lambda: refunds(9, by_server=True),
    "logins": lambda: logins(10),
}


# -- shapes and formats ----------------------------------------------------------------------------

Row = dict[str, Any]


def flattened(event: Mapping[str, Any], joint: str) -> Row:
    """Row of an event: nested fields as columns, names joined by ``joint``; repeated ones are left out."""
    row: Row = {}
    for field in SCHEMA:
        if pa.types.is_list(field.type):
            continue
        row |= _leaves(field.name, field.type, event.get(field.name), joint)
    return row


def _leaves(name: str, kind: pa.DataType, value: object, joint: str) -> Row:
    if not pa.types.is_struct(kind):
        return {name: value}
    inside = value if isinstance(value, dict) else {}
    return {
        key: leaf
        for field in kind
        for key, leaf in _leaves(name + joint + field.name, field.type, inside.get(field.name), joint).items()
    }


def flat(event: Event) -> list[Row]:
    """Rows of an event, of which there is one: a column for each parameter."""
    values = {p["key"]: next(iter(p["value"].values())) for p in event["event_params"]}
    return [flattened(event, "_") | values]


def dotted(event: Event) -> list[Row]:
    """Rows of an event: a column for the key and each kind of value of every numbered parameter."""
    row = flattened(event, ".")
    for place, param in enumerate(event["event_params"]):
        row[f"event_params.{place}.key"] = param["key"]
        row |= {f"event_params.{place}.value.{kind}": value for kind, value in param["value"].items()}
    return [row]


def json_cells(event: Event) -> list[Row]:
    """Rows of an event: every record and list as JSON text."""
    return [
        {
            field.name: json.dumps(value) if pa.types.is_nested(field.type) and value is not None else value
            for field in SCHEMA
            for value in [event.get(field.name)]
        }
    ]


def long_form(event: Event) -> list[Row]:
    """Rows of an event: one for each parameter."""
    base = flattened(event, "_")
    return [
        base
        | {"event_params_key": param["key"]}
        | {
            f"event_params_value_{kind}": param["value"].get(kind)
            for kind in ("string_value", "int_value", "double_value")
        }
        for param in event["event_params"]
    ]


def item_rows(event: Event) -> list[Row]:
    """Rows of an event: one for each item, all else repeated."""
    [row] = flat(event)
    columns = ("item_id", "item_name", "quantity", "item_refund")
    return [row | {name: item.get(name) for name in columns} for item in event.get("items") or [{}]]


SHAPES: Final[Mapping[str, Callable[[Event], list[Row]]]] = {
    "flat": flat,
    "dotted": dotted,
    "JSON cells": json_cells,
    "long": long_form,
    "item rows": item_rows,
}
NESTED: Final = "nested"
FORMATS: Final = ("csv", "ndjson", "parquet")


def write_nested(events: Sequence[Event], path: Path) -> None:
    """Write records as BigQuery exports them: whole numbers as text in NDJSON, absent fields omitted."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(events), schema=SCHEMA), path)
        return
    path.write_text("".join(json.dumps(_as_bigquery(event)) + "\n" for event in events))


def _as_bigquery(value: object) -> object:
    if isinstance(value, dict):
        return {key: _as_bigquery(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_as_bigquery(inner) for inner in value]
    return str(value) if isinstance(value, int) else value


def write_table(events: Sequence[Event], shape: str, path: Path) -> None:
    """Write one table in a shape, in the format that the path ends with."""
    if shape == NESTED:
        write_nested(events, path)
        return
    rows = [row for event in events for row in SHAPES[shape](event)]
    frame = pd.DataFrame(rows, dtype=object)
    frame = frame.dropna(axis="columns", how="all")
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".ndjson":
        kept = ({key: value for key, value in row.items() if value is not None} for row in rows)
        path.write_text("".join(json.dumps(row) + "\n" for row in kept))
    else:
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)


def written(tables: Tables, shape: str, form: str, folder: Path) -> list[Path]:
    """Write a property, one file a table, in a shape and a format (``form``, its ending); the paths."""
    folder.mkdir(parents=True)
    paths = [folder / f"{name}.{form}" for name in tables]
    for path, events in zip(paths, tables.values(), strict=True):
        write_table(events, shape, path)
    return paths


# -- the independent count ---------------------------------------------------------------------------

_PARAM: Final = "list_filter(event_params, lambda x: x.key = '{}')[1].value"
RECORDS: Final = f"""
CREATE TABLE records AS
SELECT *, string_split(parse_filename(filename), '.')[1] AS source_table,
       {_PARAM.format("page_location")}.string_value AS page,
       {_PARAM.format("ga_session_id")}.int_value AS session,
       {_PARAM.format("currency")}.string_value AS currency
FROM read_parquet($files, filename = true);
CREATE TABLE daily AS SELECT DISTINCT event_date FROM records WHERE NOT contains(source_table, 'fresh');
CREATE TABLE e AS
SELECT * FROM records WHERE NOT (contains(source_table, 'fresh') AND event_date IN (FROM daily));
CREATE TABLE views AS
SELECT * FROM e WHERE event_name = 'page_view' AND page IS NOT NULL AND user_pseudo_id IS NOT NULL;
CREATE TABLE purchases AS
SELECT *, user_pseudo_id IN (SELECT user_pseudo_id FROM views) AS seen FROM e WHERE event_name = 'purchase'
QUALIFY row_number() OVER (
    PARTITION BY ecommerce.transaction_id
    ORDER BY user_pseudo_id IS NULL, NOT seen, event_timestamp
) = 1;
"""
"""SQL that lays records out. A transaction counts once: of the buyer with a page view before any other."""

COUNTS: Final = {
    "users": "SELECT count(DISTINCT user_pseudo_id) FROM views",
    "sessions": "SELECT count(DISTINCT (user_pseudo_id, session)) FROM views",
    "page views": "SELECT count(*) FROM views",
}
_CAUSE: Final = """CASE privacy_info.analytics_storage
    WHEN 'No' THEN 'no_id_denied' WHEN 'Yes' THEN 'no_id_no_cookie' ELSE 'no_id_not_said' END"""
GROUPS: Final = {
    "users who did": """
        SELECT event_name, count(DISTINCT user_pseudo_id) FROM e
        WHERE event_name != 'page_view' AND user_pseudo_id IS NOT NULL GROUP BY 1""",
    "left out, page views": f"""
        SELECT {_CAUSE}, count(*) FROM e
        WHERE user_pseudo_id IS NULL AND event_name = 'page_view' GROUP BY 1""",
    "left out, other events": f"""
        SELECT {_CAUSE}, count(*) FROM e
        WHERE user_pseudo_id IS NULL AND event_name != 'page_view' GROUP BY 1""",
    "purchases without a user id": """
        SELECT event_name, count(*) FROM purchases WHERE user_pseudo_id IS NULL GROUP BY 1""",
    "gross": "SELECT currency, sum(ecommerce.purchase_revenue) FROM purchases GROUP BY 1",
    "refunds": """
        SELECT currency, sum(ecommerce.refund_value) FROM e WHERE event_name = 'refund' GROUP BY 1""",
    "source": """
        WITH touched AS (
            SELECT user_pseudo_id, event_timestamp, unnest([
                {'basis': 1, 'touch': traffic_source},
                {'basis': 2, 'touch': session_traffic_source_last_click.cross_channel_campaign},
                {'basis': 3, 'touch': {'source': collected_traffic_source.manual_source,
                                       'medium': collected_traffic_source.manual_medium}}], recursive := true)
            FROM e WHERE user_pseudo_id IN (SELECT user_pseudo_id FROM views)
        ), first_touch AS (
            SELECT user_pseudo_id, arg_min(source || ' / ' || medium, (basis, event_timestamp)) AS source
            FROM touched WHERE source IS NOT NULL GROUP BY 1)
        SELECT source, count(*) FROM first_touch GROUP BY 1""",
}


def counted(tables: Tables, folder: Path) -> dict[str, Any]:
    """Name of a total → its value, counted by DuckDB from the nested records."""
    files = [str(path) for path in written(tables, NESTED, "parquet", folder)]
    engine = duckdb.connect()
    for statement in RECORDS.strip().split(";\n"):
        engine.execute(statement, {"files": files} if "$files" in statement else None)
    totals: dict[str, Any] = {name: engine.execute(sql).fetchone()[0] for name, sql in COUNTS.items()}
    for name, sql in GROUPS.items():
        totals[name] = {key: value for key, value in sorted(engine.execute(sql).fetchall()) if value}
    return totals


# -- what the receipt says ---------------------------------------------------------------------------


def read_totals(dataset: Dataset) -> dict[str, Any]:
    """Name of a total → its value, as :func:`counted` has them, from a preprocessed data set."""
    receipt, sources = dataset.receipt, dataset.users["source"].value_counts()
    no_id = [left for left in receipt.left_out if left.cause.startswith("no_id")]
    revenue = receipt.revenue
    return {
        "users": receipt.users,
        "sessions": receipt.sessions,
        "page views": receipt.page_views_used,
        "users who did": {name: done.users for name, done in receipt.outcome_users.items()},
        "left out, page views": {left.cause: left.page_views for left in no_id},
        "left out, other events": {left.cause: left.other_events for left in no_id},
        "purchases without a user id": {
            name: done.events for name, done in receipt.no_user_id.items() if name == "purchase"
        },
        "gross": {currency: money.gross for currency, money in revenue.items()},
        "refunds": {currency: money.refunds for currency, money in revenue.items() if money.refunds},
        "source": sources.to_dict(),
    }


def differences(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Totals that are not equal, both values in words."""
    return [f"{name}: {mine[name]} for {value}" for name, value in theirs.items() if mine[name] != value]


@dataclass(frozen=True)
class Check:
    """One property, read in one shape and format (``form``); ``wrong`` lists the totals that differ."""

    name: str
    shape: str
    form: str
    wrong: tuple[str, ...]


def combinations() -> list[tuple[str, str]]:
    """Pairs of every shape and every format that can carry it; CSV has no nested records."""
    return [
        (shape, form) for shape in (NESTED, *SHAPES) for form in FORMATS if (shape, form) != (NESTED, "csv")
    ]


def check(name: str, cases: Sequence[tuple[str, str]]) -> Iterator[Check]:
    """Count a property by its name, then read it in each case (shape, format) and compare."""
    tables = PROPERTIES[name]()
    with tempfile.TemporaryDirectory() as scratch:
        truth = counted(tables, Path(scratch) / "truth")
        for shape, form in cases:
            folder = Path(scratch) / f"{shape}.{form}"
            paths = written(tables, shape, form, folder)
            dataset = pipeline.preprocess(Store(folder / "store"), paths, IngestSettings(), silent)
            yield Check(name, shape, form, tuple(differences(read_totals(dataset), truth)))


@click.command(help=__doc__)
@click.option("--property", "names", multiple=True, type=click.Choice(list(PROPERTIES)))
@click.option("--shape", "shapes", multiple=True, type=click.Choice([NESTED, *SHAPES]))
def main(names: tuple[str, ...], shapes: tuple[str, ...]) -> None:
    """Print a row a property: how many readings agree, and what differs."""
    cases = [case for case in combinations() if not shapes or case[0] in shapes]
    checks = {name: list(check(name, cases)) for name in names or PROPERTIES}
    rows = [(name, sum(not one.wrong for one in done), len(done)) for name, done in checks.items()]
    print(markdown(["property", "readings that agree", "of"], rows))
    wrong = [one for done in checks.values() for one in done if one.wrong]
    for one in wrong:
        print(f"\n{one.name}, {one.shape}, {one.form}: " + "; ".join(one.wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
