"""The commands of docs/how-to/other_tools.md, on files as the tools document theirs."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
import sqlglot

from core.storage.dataset import Dataset
from tests.core.ingest.raw import write
from tests.core.ingest.read.unnested import read_rows
from tests.core.ingest.test_ingest import dataset_of
from tests.core.ingest.test_other_tools import (
    ORDERED,
    VIEWS,
    View,
    as_lines,
    ga4,
    posthog,
    segment_calls,
    sequences,
)
from tests.docs.conftest import ROOT, start

TEXT = (ROOT / "docs" / "how-to" / "other_tools.md").read_text(encoding="utf-8")
RUN, POSTHOG, SEGMENT, LIVE, LOG = re.findall(r"```sh\n(.*?)\n```", TEXT, re.DOTALL)
[MATOMO] = re.findall(r"```sql\n(.*?)\n```", TEXT, re.DOTALL)


def made(command: str, place: Path, name: str) -> Dataset:
    """What is read of the file that a command makes."""
    assert start(command, place).wait(timeout=60) == 0
    return dataset_of(place / "read", place / name)


def same_views(found: Dataset, place: Path, title: str = "") -> None:
    ours = dataset_of(place / "ours", write(place / "ga4.csv", ga4(title)))
    assert sequences(found) == sequences(ours)


def test_json_lines_of_posthog_are_run_as_they_are(place: Path, tmp_path: Path) -> None:
    events = read_rows(place / "incoming" / "day.csv")
    rows = [
        {
            "distinct_id": event["user_pseudo_id"],
            "timestamp": datetime.fromtimestamp(int(event["event_timestamp"] or 0) / 1e6, UTC).isoformat(),
            "event": (event["event_name"] or "").replace("page_view", "$pageview"),
            "properties": {"$current_url": event["page_location"]},
        }
        for event in events
    ]
    write(tmp_path / "events.jsonl", as_lines(rows))
    assert start(f"{RUN} --labels off --preset bag --clusters 3", tmp_path).wait(timeout=250) == 0
    told = json.loads((tmp_path / "out" / "receipt.json").read_text())
    ours = dataset_of(tmp_path / "ours", place / "incoming" / "day.csv")
    assert (told["page_view"], told["users"]) == ("$pageview", ours.receipt.users)


def test_posthog_in_parquet(tmp_path: Path) -> None:
    (tmp_path / "posthog").mkdir()
    rows = write(tmp_path / "rows.jsonl", posthog())
    duckdb.sql(
        f"""COPY (
            SELECT * REPLACE (properties::JSON::VARCHAR AS properties, timestamp::TIMESTAMP AS timestamp)
            FROM read_ndjson('{rows}')
        ) TO '{tmp_path / "posthog" / "1.parquet"}'"""
    )
    found = made(POSTHOG, tmp_path, "posthog.parquet")
    assert found.receipt.page_view == "$pageview"
    same_views(found, tmp_path)


def test_tracks_of_segment_by_their_names(tmp_path: Path) -> None:
    write(tmp_path / "calls" / "1.json", segment_calls())
    found = made(SEGMENT, tmp_path, "segment.parquet")
    assert found.receipt.page_view == "page"
    assert found.receipt.outcome_users["Order Completed"].users == 1
    same_views(found, tmp_path, "Shop")


def test_visits_of_matomo(tmp_path: Path) -> None:
    def action(kind: str, view: View) -> dict[str, object]:
        seconds = int(datetime.fromisoformat(view[1]).timestamp())
        return {"type": kind, "url": view[2], "pageTitle": None, "timestamp": seconds, "icon": None}

    visits = [
        {"idVisit": str(number), "visitorId": view[0], "actionDetails": [action("action", view)]}
        for number, view in enumerate(VIEWS)
    ]
    visits[3]["actionDetails"].append(action("download", ORDERED))  # type: ignore[attr-defined]
    write(tmp_path / "visits.json", json.dumps(visits))
    found = made(LIVE, tmp_path, "matomo.csv")
    assert found.receipt.outcome_users["download"].users == 1
    assert pages(found) == [view[2] for view in sorted(VIEWS, key=lambda view: (view[0], view[1]))]


def pages(found: Dataset) -> list[str]:
    return [page for steps in sequences(found).values() for page, _ in steps]


def test_the_query_for_matomo_is_mysql_with_names_that_are_read() -> None:
    query = sqlglot.parse_one(MATOMO, read="mysql")
    assert query.named_selects == ["idvisitor", "idvisit", "server_time", "url"]


@pytest.mark.parametrize("zone", ["+0000", "-0700"])
def test_an_access_log(tmp_path: Path, zone: str) -> None:
    """Lines as httpd.apache.org/docs/current/logs.html shows them."""
    agent = 'Mozilla/5.0 (X11; Linux \\"x\\")'

    def line(request: str, status: int, minute: int, host: str = "127.0.0.1") -> str:
        when = f"10/Oct/2026:13:{minute:02d}:36 {zone}"
        return f'{host} - frank [{when}] "{request}" {status} 2326 "http://www.example.com/start" "{agent}"'

    lines = [
        line("GET /shoes HTTP/1.1", 200, 1), line("GET /a.css?v=3 HTTP/1.1", 200, 1),
        line("GET /gone HTTP/1.1", 404, 2), line("POST /cart HTTP/1.1", 302, 3),
        line("GET /cart HTTP/1.1", 304, 4), line("GET /shoes HTTP/1.1", 200, 5, "10.0.0.8"),
        line("GET / HTTP/1.1", 200, 6, "10.0.0.8"), "nonsense",
    ]  # fmt: skip
    write(tmp_path / "access.log", "\n".join(lines) + "\n")
    found = made(LOG, tmp_path, "access.csv")
    assert found.receipt.page_views_used == 4
    assert sorted(len(steps) for steps in sequences(found).values()) == [2, 2]
    first = datetime.fromisoformat(f"2026-10-10T13:01:36{zone}")
    assert found.receipt.first_ts == round(first.timestamp() * 1e6)
    assert found.receipt.rejects_by_reason == {"No event_timestamp": 1}
    assert {name: told.events for name, told in found.receipt.outcome_users.items()} == {
        "GET 200": 1, "GET 404": 1, "POST 302": 1
    }  # fmt: skip
