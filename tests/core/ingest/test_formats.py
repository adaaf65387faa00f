"""One export in every shape and format: source and money are the same in all of them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.errors import InputError
from core.base.settings import IngestSettings
from core.ingest.read.inspection import inspect
from core.storage.dataset import Dataset
from tests.core.ingest.raw import write
from tests.core.ingest.read.unnested import KINDS, as_csv, as_ndjson, kind_of
from tests.core.ingest.test_ingest import dataset_of

Event = dict[str, Any]
START = 1_700_000_000_000_000


def hit(user: str, second: int, name: str = "page_view", **fields: Any) -> Event:  # noqa: ANN401
    """An event of an intraday table: nobody knows the first touch yet, so that it is null."""
    params = {
        "page_location": f"https://s.example/{second}",
        "ga_session_id": "7",
        **fields.pop("params", {}),
    }
    return {
        "event_name": name,
        "event_timestamp": START + second * 1_000_000,
        "user_pseudo_id": user,
        "event_params": params,
        "traffic_source": {"source": None, "medium": None},
        "collected_traffic_source": {"manual_source": None, "manual_medium": None},
        "session_traffic_source_last_click": {
            "cross_channel_campaign": {"source": None, "medium": None},
            "manual_campaign": {"source": None, "medium": None},
        },
        **fields,
    }


def both(source: str, medium: str, prefix: str = "") -> dict[str, str]:
    return {f"{prefix}source": source, f"{prefix}medium": medium}


EVENTS = (
    hit("1a", 0, collected_traffic_source=both("google", "cpc", "manual_")),
    hit("1a", 1),
    hit("1b", 0, params=both("news.example", "referral")),
    hit(
        "1b",
        1,
        session_traffic_source_last_click={
            "cross_channel_campaign": {"source": None, "medium": None},
            "manual_campaign": both("mail", "email"),
        },
    ),
    hit("1c", 0, collected_traffic_source=both("google", "cpc", "manual_")),
    hit("1c", 1, traffic_source=both("(direct)", "(none)")),
    hit("1d", 0),
    hit("1d", 1),
)


def paid(user: str, second: int, name: str, transaction: str, **ecommerce: Any) -> Event:  # noqa: ANN401
    money = {"purchase_revenue": None, "refund_value": None, "total_item_quantity": None, **ecommerce}
    return hit(user, second, name, params={"transaction_id": transaction, "currency": "EUR"}, ecommerce=money)


REFUNDED = (
    hit("2a", 0),
    hit("2a", 1),
    paid("2a", 2, "purchase", "T1", purchase_revenue=100.5, total_item_quantity=3),
    paid("2a", 3, "refund", "T1", refund_value=20.25),
    paid("server", 4, "refund", "T1", refund_value=10.0),
    paid("2b", 5, "purchase", "T2", purchase_revenue=30.0),
)


DESCRIBED = (
    *(hit("3a", second, params={"author": author}, geo={"region": "Hesse"})
      for second, author in enumerate(("ann", "bob", "bob"))),
    hit("3b", 0, geo={"region": "Bavaria"}),
    hit("3b", 1, params={"author": "ann"}),
)  # fmt: skip

LAST_CLICK = {"source": "news.example", "medium": "referral"}
CAME = (
    hit("4a", 0, collected_traffic_source={
        "manual_source": "x", "manual_campaign_name": "my shop", "gclid": "Cj0",
    }),
    hit("4b", 0, params={"source": "google", "medium": "organic"}),
    hit("4c", 0, params={"source": "x", "medium": "y", "campaign": "cross-network"}),
    hit("4d", 0, session_traffic_source_last_click={"cross_channel_campaign": {
        **LAST_CLICK, "campaign_name": "shopping", "default_channel_group": None,
    }}),
    hit("4e", 0, session_traffic_source_last_click={"cross_channel_campaign": {
        **LAST_CLICK, "campaign_name": None, "default_channel_group": "Paid Other",
    }}),
    hit("4f", 0, session_traffic_source_last_click={"manual_campaign": {
        "source": "tv", "medium": "sms", "campaign_name": "x",
    }}),
    hit("4g", 0),
)  # fmt: skip

LOGGED_IN = (hit("5a", 0), hit("5a", 1, user_id="007"), hit("5b", 2, user_id="007"), hit("5c", 3))


def listed(event: Event) -> Event:
    """As the export nests it: values beside their keys."""
    params = event["event_params"].items()
    kinds = [{"key": key, "value": {**dict.fromkeys(KINDS), "string_value": value}} for key, value in params]
    return {**event, "event_params": kinds}


def flat(event: Event, prefix: str = "", between: str = "_") -> Event:
    """One column a leaf; lists are JSON."""
    found: Event = {}
    for name, value in event.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{name}{between}", between)
        else:
            found[prefix + name] = json.dumps(value) if isinstance(value, list) else value
    return found


def without_nulls(value: Any) -> Any:  # noqa: ANN401
    """As JSON is exported: no field that is null."""
    if isinstance(value, dict):
        found = {name: without_nulls(one) for name, one in value.items()}
        return {name: one for name, one in found.items() if one not in (None, {})}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def table(rows: list[Event]) -> list[Event]:
    """Rows that have all columns of any."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in names} for row in rows]


def dotted(event: Event) -> Event:
    plain = flat({name: value for name, value in event.items() if name != "event_params"}, between=".")
    for place, (key, value) in enumerate(event["event_params"].items()):
        plain |= {f"event_params.{place}.key": key, f"event_params.{place}.value.string_value": value}
    return plain


def of_params(event: Event) -> list[Event]:
    plain = flat({name: value for name, value in event.items() if name != "event_params"})
    empty = dict.fromkeys(f"event_params_value_{kind}" for kind in KINDS)
    return [
        {**plain, "event_params_key": key, **empty, f"event_params_value_{kind_of(value)}": value}
        for key, value in event["event_params"].items()
    ]


def console(event: Event) -> Event:
    return {name: json.dumps(v) if isinstance(v, dict | list) else v for name, v in listed(event).items()}


def parquet(rows: list[Event]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(table(rows)), out)
    return out.getvalue()


def ndjson(rows: list[Event]) -> bytes:
    return as_ndjson(without_nulls(rows))


SHAPES: dict[str, Callable[[tuple[Event, ...]], list[Event]]] = {
    "nested": lambda events: [listed(event) for event in events],
    "flat": lambda events: table([flat(event) for event in events]),
    "console": lambda events: table([console(event) for event in events]),
    "numbered": lambda events: table([dotted(event) for event in events]),
    "long": lambda events: table([row for event in events for row in of_params(event)]),
}
FORMATS = {"csv": as_csv, "ndjson": ndjson, "parquet": parquet}
EVERY = [
    (shape, kind) for shape in SHAPES for kind in FORMATS if (shape, kind) != ("nested", "csv")
]  # a CSV nests nothing


@pytest.fixture(scope="module", params=EVERY, ids="-".join)
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """All of the events, in a shape and a format."""
    shape, kind = request.param
    folder = tmp_path_factory.mktemp(f"{shape}-{kind}")
    rows = SHAPES[shape]((*EVENTS, *REFUNDED, *DESCRIBED, *CAME, *LOGGED_IN))
    path = write(folder / f"events_intraday_20231114.{kind}", FORMATS[kind](rows))
    dimensions = ("event_params.author", "geo.region")
    return dataset_of(folder, path, dimensions=dimensions, join_logins=True)


def column(dataset: Dataset, name: str, users: str) -> list[object]:
    """A column's values, of the users whose ids begin so."""
    values = dataset.users.set_index("user_id")[name].astype(object)
    return [None if pd.isna(value) else value for user, value in values.items() if user.startswith(users)]


def test_the_source_is_taken_event_by_event(dataset: Dataset) -> None:
    assert column(dataset, "source", "1") == ["google / cpc", "mail / email", "(direct) / (none)", None]
    assert dataset.receipt.source_basis == {
        "first_touch": 1, "session_last_click": 4, "collected": 4, "none": 7,
    }  # fmt: skip


def test_money_is_gross_less_refunds(dataset: Dataset) -> None:
    receipt = dataset.receipt
    assert receipt.revenue["EUR"].model_dump() == {"gross": 130.5, "refunds": 30.25, "net": 100.25}
    assert receipt.outcome_users["purchase"].net == {"EUR": 100.25}


def test_items_are_those_that_purchases_name(dataset: Dataset) -> None:
    table = dataset.outcomes
    assert table.loc[table["event_name"] == "purchase", "items"].fillna(-1).tolist() == [3, -1]
    assert table.loc[table["event_name"] != "purchase", "items"].isna().all()


def test_dimensions_are_read_from_every_shape(dataset: Dataset) -> None:
    assert column(dataset, "author", "3") == ["bob", "ann"]
    assert column(dataset, "region", "3") == ["Hesse", "Bavaria"]


def test_channels_are_the_same_in_every_shape(dataset: Dataset) -> None:
    assert column(dataset, "channel", "4") == [
        "Paid Shopping", "Organic Search", "Cross-network", "Organic Shopping", "Paid Other", "SMS", "Direct",
    ]  # fmt: skip
    assert dataset.receipt.channel_basis == {
        "exported": 1, "session_last_click": 3, "collected": 5, "nothing_collected": 8,
    }  # fmt: skip


def test_logins_are_the_same_in_every_shape(dataset: Dataset) -> None:
    logged_in = [user for user in dataset.users["user_id"] if user.startswith(("0", "5"))]
    assert logged_in == ["007", "5c"]
    assert dataset.receipt.logins and dataset.receipt.logins.page_views == 3


BAGS, HATS = (
    {"item_id": "7", "item_category": "Bags"},
    {"item_id": "8", "item_category": "Hats", "price": 2.5},
)
CARTS = (
    hit("a", 0, "view_cart", items=[BAGS, HATS, HATS]), hit("a", 1, items=[]), hit("b", 0, items=[HATS]),
    hit("b", 1, "view_item", items=[BAGS]), hit("b", 2, "view_item", items=[BAGS, HATS]),
    hit("c", 0, items=[{"item_category": None}, *[BAGS] * 100, *[HATS] * 399]),
)  # fmt: skip


@pytest.mark.parametrize(("shape", "kind"), [one for one in EVERY if one[0] in ("nested", "console", "flat")])
def test_the_items_of_an_event_give_the_value_that_most_have(tmp_path: Path, shape: str, kind: str) -> None:
    path = write(tmp_path / f"events_20231114.{kind}", FORMATS[kind](SHAPES[shape](CARTS)))
    listed = {one.name: one.example for one in inspect([path], IngestSettings()).dimensions}
    assert listed == listed | {"items[].item_category": "Bags", "items[].item_id": "7"}
    dataset = dataset_of(tmp_path, path, dimensions=("items[].item_category", "items[].price"))
    assert [*dataset.users["item_category"][:2]] == ["Hats", "Bags"]
    assert dataset.users["price"].astype(object).where(dataset.users["price"].notna(), None)[0] == "2.5"
    assert dataset.users["item_category"][2] == "Bags", "of 500 items the first 200 are looked at"


@pytest.mark.parametrize("kind", ["ndjson", "parquet"])
def test_what_only_later_rows_have_is_listed(tmp_path: Path, kind: str) -> None:
    rows = [*(hit("a", second, tier="x") for second in range(40)), hit("a", 41, items=[BAGS])]
    found = inspect(
        [write(tmp_path / f"e.{kind}", FORMATS[kind](SHAPES["nested"](tuple(rows))))], IngestSettings()
    )
    listed = {one.name: (one.values, one.example) for one in found.dimensions}
    assert listed["items[].item_category"] == (1, "Bags") and listed["tier"] == (1, "x")
    assert len(found.files[0].sample_rows) <= 20


def test_the_category_of_items_is_counted_by_page(tmp_path: Path) -> None:
    rows = [hit("a", 0), hit("a", 1), *(hit("a", 1, "view_item", items=[one]) for one in (BAGS, HATS, HATS))]
    rows += [hit("a", 5, "view_item", items=[HATS])]  # at a page that nobody viewed
    path = write(tmp_path / "e.ndjson", ndjson(SHAPES["nested"](tuple(rows))))
    dataset = dataset_of(tmp_path / "with", path, dimensions=("items[].item_category",))
    page = dataset.pages["page_location"].tolist().index("https://s.example/1")
    assert dataset.page_events.values.tolist() == [
        [page, "item_category:Bags", 1], [page, "item_category:Hats", 2], [page, "view_item", 3]
    ]  # fmt: skip
    assert dataset_of(tmp_path / "without", path).page_events["event_name"].tolist() == ["view_item"]


def test_a_dimension_of_mixed_types_in_one_of_two_files_is_text_and_the_other_file_is_said(
    tmp_path: Path,
) -> None:
    tiers: tuple[Any, ...] = (1, 1.0, "1", True, "gold", None)
    rows = [hit(f"u{at}", at, tier=tier) for at, tier in enumerate(tiers)]
    mixed = write(tmp_path / "a.ndjson", ndjson(SHAPES["nested"](tuple(rows))))
    without = write(tmp_path / "b.ndjson", ndjson(SHAPES["nested"]((hit("v", 9),))))
    dataset = dataset_of(tmp_path, mixed, without, dimensions=("tier",))
    assert dataset.users["tier"].fillna("–").tolist() == ["1", "1", "1", "true", "gold", "–", "–"]
    assert "tier is missing in 1 of 2 files" in dataset.receipt.warnings
    with pytest.raises(InputError, match="No file has values in the column 'tariff', which was chosen"):
        dataset_of(tmp_path / "two", mixed, dimensions=("tariff",))
