"""Ten made exports, each with one cause of a gap to GA4 and one with all: every count beside DuckDB's own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.storage.receipt import MONEY, AsGa4
from tests.core.ingest.shop import Row, event, made_of, raw_read

BASE: list[Row] = [
    event("u1", 0, "/a", name="first_visit"),
    event("u1", 0, "/a"),
    event("u1", 9, "/b", engagement_time_msec="4000"),
    event("u2", 0, "/a"),  # seen, and not active: no engagement, no first visit
    event("u3", 0, "/a", session_engaged="1"),
    event("u3", 9_000, "/b", ga_session_id="2"),
    event("u3", 9_001, "/b", "purchase", transaction_id="T1", purchase_revenue="50", currency="EUR"),
    event("u3", 9_002, "/b", "purchase", transaction_id="T1", purchase_revenue="50", currency="EUR"),
]
"""Three people; u3 loaded the page of the order twice."""

PLANTED: dict[str, list[Row]] = {
    "no_id_denied": [
        event(None, 5, analytics_storage="No"),
        event(None, 6, name="scroll", analytics_storage="No"),
    ],
    "no_page_view": [event("silent", 7, name="scroll", engagement_time_msec="10", ga_session_id="3")],
    "other_stream": [event("app", 8, name="first_open", platform="ANDROID", ga_session_id="4")],
    "internal": [
        event("staff", 9, traffic_type="internal", engagement_time_msec="7"),
        event(
            "staff", 10, name="purchase", traffic_type="internal", transaction_id="T2", purchase_revenue="5",
            currency="EUR",
        ),
    ],
    "bot_like": [
        event("bot", number / 10, "/b", engagement_time_msec="1", ga_session_id="5") for number in range(400)
    ],
    "refunds": [event("u3", 20_000, name="refund", transaction_id="T1", refund_value="20", currency="EUR")],
    "repeated": [
        event("u2", 9_500, name="purchase", transaction_id="T1", purchase_revenue="50", currency="EUR")
    ],
    "by_pause": [{**event("u2", 30_000), Raw.GA_SESSION_ID: None}],
    "screens": [event("u1", 40_000, name="screen_view")],
    "stripped": [event("u1", 50_000, "/thanks", ga_session_id="6")],
}  # fmt: skip
"""Cause of a gap → the events that make it, on top of :data:`BASE`."""
SETTINGS: dict[str, dict[str, Any]] = {
    "other_stream": {"stream": "WEB"},
    "bot_like": {"exclude_bots": True},
    "stripped": {"strip_pages": ("https://shop.example/thanks",)},
}

ACTIVE = """user_key IN (SELECT user_key FROM e WHERE try_cast(engagement_time_msec AS BIGINT) > 0
    OR session_engaged = '1' OR event_name IN ('first_visit', 'first_open'))"""
COUNTS = {
    "users": f"SELECT count(DISTINCT user_key) FROM e WHERE {ACTIVE}",
    "sessions": "SELECT count(DISTINCT (user_key, ga_session_id)) FROM e WHERE ga_session_id IS NOT NULL",
    "views": "SELECT count(*) FROM e WHERE event_name IN ('page_view', 'screen_view')",
    "events": "SELECT count(*) FROM e",
    "gross": """SELECT coalesce(sum(paid), 0) FROM (SELECT max(purchase_revenue::DOUBLE) AS paid FROM e
        WHERE event_name = 'purchase' GROUP BY user_key, transaction_id)""",
    "refunds": "SELECT coalesce(sum(refund_value::DOUBLE), 0) FROM e WHERE event_name = 'refund'",
}
"""GA4's figures of a made export in SQL of its own."""
COLUMNS = (
    Raw.USER_KEY, Raw.EVENT_NAME, Raw.GA_SESSION_ID, Raw.ENGAGEMENT_TIME_MSEC, Raw.SESSION_ENGAGED,
    Raw.TRANSACTION_ID, Raw.PURCHASE_REVENUE, Raw.REFUND_VALUE,
)  # fmt: skip


def rows_of(*causes: str) -> list[Row]:
    rows = [*BASE, *(row for cause in causes for row in PLANTED[cause])]
    alone = {Raw.GA_SESSION_ID: None}
    web = [{Raw.PLATFORM: "WEB", **row, **(alone if row[Raw.USER_KEY] is None else {})} for row in rows]
    return sorted(web, key=lambda row: str(row[Raw.EVENT_TIMESTAMP]))


def settings_of(*causes: str) -> IngestSettings:
    chosen: dict[str, Any] = {}
    for cause in causes:
        chosen |= SETTINGS.get(cause, {})
    return IngestSettings.checked(**chosen)


def as_ga4(folder: Path, rows: Sequence[Row], settings: IngestSettings) -> AsGa4:
    found = made_of(folder, raw_read(folder / "raw", [rows]), settings).receipt.as_ga4
    assert found is not None
    return found


def counted_by_duckdb(rows: Sequence[Row]) -> dict[str, float]:
    database = duckdb.connect()
    frame = pd.DataFrame([{name: row.get(name) for name in COLUMNS} for row in rows], dtype="str")
    database.register("e", frame)
    return {name: database.execute(query).fetchall()[0][0] for name, query in COUNTS.items()}


@pytest.mark.parametrize("causes", [(), *((cause,) for cause in PLANTED), tuple(PLANTED)], ids="+".join)
def test_the_figures_are_those_of_an_independent_count_and_the_causes_add_up(
    tmp_path: Path, causes: Sequence[str]
) -> None:
    rows = rows_of(*causes)
    figures = {figure.name: figure for figure in as_ga4(tmp_path, rows, settings_of(*causes)).figures}
    expected: Mapping[str, float] = counted_by_duckdb(rows)
    assert {name: figures[name].ga4 for name in expected} == expected
    assert figures["net"].ga4 == expected["gross"] - expected["refunds"]
    assert {name: figure.unexplained for name, figure in figures.items()} == dict.fromkeys(figures, 0)
    named = {cause.cause for figure in figures.values() for cause in figure.causes}
    assert set(causes) - {"refunds"} <= named, "each planted cause is named"


def test_ga4s_own_verdict_is_taken_for_who_is_active(tmp_path: Path) -> None:
    rows = [
        event("u", 0, is_active_user="true"),
        event("v", 0, is_active_user="false", engagement_time_msec="900"),
        event("w", 0, engagement_time_msec="900"),  # of a day before GA4 gave its verdict
    ]
    found = as_ga4(tmp_path, rows, IngestSettings())
    assert (found.active_by, found.figures[0].ga4) == ("is_active_user", 2)


def test_a_day_of_a_table_that_another_replaces_counts_once(tmp_path: Path) -> None:
    raw = raw_read(tmp_path / "raw", [BASE, BASE[:3]])
    found = made_of(tmp_path, replace(raw, replaced=((1, ()),))).receipt.as_ga4
    assert found is not None
    assert [figure.ga4 for figure in found.figures[:4]] == [2, 4, 5, 8]


def test_devices_of_one_user_are_counted_apart_by_ga4(tmp_path: Path) -> None:
    first = {"engagement_time_msec": "9"}
    rows = [
        event("ann", 0, user_pseudo_id="phone", **first),
        event("ann", 9, user_pseudo_id="desk", **first),
        event(None, 12, user_pseudo_id="desk"),
        event(None, 15, user_pseudo_id="guest", **first),
    ]
    users = as_ga4(tmp_path, rows, IngestSettings.checked(user_key="user_id")).figures[0]
    assert (users.ga4, users.ours, users.unexplained) == (3, 1, 0)
    assert [(cause.cause, cause.change) for cause in users.causes] == [("before_login", -1), ("devices", -1)]


def test_days_are_those_of_the_export(tmp_path: Path) -> None:
    rows = [
        {**row, Raw.EVENT_DATE: "20200913" if int(str(row[Raw.EVENT_TIMESTAMP])) % 2 == 0 else "20200914"}
        for row in rows_of("no_id_denied")
    ]
    days = as_ga4(tmp_path, rows, IngestSettings()).days
    assert [*days] == [date(2020, 9, 13)]
    day = days[date(2020, 9, 13)]
    assert (day.events, day.events_without_id, day.views, day.views_without_id) == (10, 2, 6, 1)
    assert (day.users, day.sessions, day.gross) == (2, 4, {"EUR": 50})


def test_a_day_is_the_same_with_hyphens_and_without(tmp_path: Path) -> None:
    rows = [event("a", 0, event_date="20200913"), event("b", 1, event_date="2020-09-13")]
    days = as_ga4(tmp_path, rows, IngestSettings()).days
    assert {day: (counts.events, counts.sessions) for day, counts in days.items()} == {
        date(2020, 9, 13): (2, 2)
    }


def test_money_adds_up_where_a_refund_names_no_currency_and_devices_send_an_order_twice(
    tmp_path: Path,
) -> None:
    order = {"transaction_id": "T9", "currency": "USD"}
    rows = [
        event("silent", 0, name="purchase", **order | {"purchase_revenue": "30"}),  # first, seen on no page
        event(None, 1, name="purchase", **order | {"purchase_revenue": "29"}),
        event("seen", 2),
        event("seen", 3, name="purchase", **order | {"purchase_revenue": "31"}),
        event(None, 4, name="refund", transaction_id="T9", refund_value="5"),
        event("seen", 5, name="refund", refund_value="2"),
        event("other", 6, name="refund", refund_value="1"),  # of no purchase
    ]
    money = [one for one in as_ga4(tmp_path, rows, IngestSettings()).figures if one.name in MONEY]
    assert [(one.title, one.ga4, one.ours, one.unexplained) for one in money] == [
        ("Gross purchase revenue, USD", 90, 31, 0), ("Refunds, USD", 7, 7, 0),
        ("Purchase revenue, USD", 83, 24, 0),
        ("Gross purchase revenue, no currency given", 0, 0, 0), ("Refunds, no currency given", 1, 1, 0),
        ("Purchase revenue, no currency given", -1, -1, 0),
    ]  # fmt: skip


def test_active_users_are_no_figure_where_nothing_says_who_is_active(tmp_path: Path) -> None:
    found = as_ga4(tmp_path, [event("u", 0, "/a"), event("u", 9, "/b")], IngestSettings())
    assert [figure.name for figure in found.figures[:3]] == ["sessions", "views", "events"]
