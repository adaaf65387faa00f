"""Exports of other tools, as their documentation shows them, beside the same views as a flat file of GA4."""

from __future__ import annotations

import csv
import io
import itertools
import json
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.errors import InputError, NoPageViewsLeft
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read.headers import normalise_header
from core.ingest.read.inspection import inspect
from core.ingest.read.part_files import FileCount
from core.ingest.read.read_file import likely_page_views, with_page_views
from core.storage.dataset import Dataset
from tests.core.ingest.raw import write
from tests.core.ingest.test_ingest import dataset_of

View = tuple[str, str, str]
"""Who, when (ISO, UTC), and the address."""
VIEWS: tuple[View, ...] = (
    ("507f191e810c19729de860ea", "2026-10-12T09:00:00.125Z", "https://shop.example/"),
    ("507f191e810c19729de860ea", "2026-10-12T09:00:41.500Z", "https://shop.example/boots"),
    ("023b377056f7cb7c", "2026-10-12T09:01:02.000Z", "https://shop.example/shoes"),
    ("507f191e810c19729de860ea", "2026-10-12T11:30:00.000Z", "https://shop.example/cart"),
    ("023b377056f7cb7c", "2026-10-12T09:03:00.000Z", "https://shop.example/"),
)
ORDERED = (VIEWS[3][0], "2026-10-12T11:31:00.000Z", "https://shop.example/cart")
"""When somebody ordered, where the tool has such events."""


def micros(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1e6)


def plain(time: str) -> str:
    """As a database writes a moment without its zone."""
    return datetime.fromisoformat(time).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def as_csv(rows: Sequence[Mapping[str, object]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def as_lines(rows: Sequence[Mapping[str, object]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def ga4(title: str = "") -> str:
    def row(name: str, view: View) -> dict[str, object]:
        who, time, url = view
        return {
            "event_name": name, "event_timestamp": micros(time), "user_pseudo_id": who,
            "page_location": url, "page_title": title,
        }  # fmt: skip

    return as_csv([row("page_view", view) for view in VIEWS] + [row("order", ORDERED)])


def segment_calls() -> str:
    """twilio.com/docs/segment/connections/spec/common: raw JSON."""

    def call(kind: str, view: View, **more: object) -> dict[str, object]:
        who, time, url = view
        page = {"path": "/", "referrer": "", "search": "", "title": "Shop", "url": url}
        context = {"ip": "8.8.8.8", "page": page, "userAgent": "Mozilla/5.0", "library": {"name": "a.js"}}
        return {
            "anonymousId": who, "context": context, "messageId": f"ajs-{time}", "receivedAt": time,
            "sentAt": time, "originalTimestamp": "2026-10-12T00:00:00.000Z", "timestamp": time, "type": kind,
            "userId": None, "version": "1.1", **more,
        }  # fmt: skip

    views = [call("page", view, name="Shoes", properties={"url": view[2], "title": "Shop"}) for view in VIEWS]
    track = call("track", ORDERED, event="Order Completed", properties={"revenue": 25.0})
    return as_lines([*views, track, call("identify", ORDERED, traits={"plan": "free"})])


def segment_pages() -> str:
    """segment.com/docs/connections/storage/warehouses/schema: ``<source>.pages``, saved from BigQuery."""
    return as_csv(
        [
            {
                "id": f"ajs-{time}", "received_at": plain(time) + " UTC", "anonymous_id": who, "user_id": "",
                "context_page_url": url, "context_page_title": "Shop", "name": "Shoes", "path": "/",
                "sent_at": plain(time) + " UTC", "timestamp": plain(time) + " UTC", "title": "Shop",
                "url": url,
            }
            for who, time, url in VIEWS
        ]
    )  # fmt: skip


def snowplow(name: str) -> Callable[[], str]:
    """docs.snowplow.io/docs/fundamentals/canonical-event: columns of ``atomic.events``."""

    def events() -> str:
        def row(kind: str, view: View) -> dict[str, object]:
            who, time, url = view
            return {
                "app_id": "shop", "platform": "web", "collector_tstamp": "2026-10-12 00:00:00.000",
                "dvce_created_tstamp": plain(time), name: kind, "event_id": f"c6ef3124-{time}", "user_id": "",
                "domain_userid": who, "domain_sessionidx": 1, "page_url": url, "page_title": "Shop",
                "page_urlpath": "/", "mkt_medium": "", "br_name": "Firefox", "dvce_type": "Computer",
                "derived_tstamp": plain(time),
            }  # fmt: skip

        views = [row("page_view", view) for view in VIEWS]
        return as_csv([*views, row("page_ping", VIEWS[0]), row("order", ORDERED)])

    return events


def posthog() -> str:
    """posthog.com/docs/cdp/batch-exports/s3: events as JSON lines."""

    def row(name: str, view: View) -> dict[str, object]:
        who, time, url = view
        properties = {"$current_url": url, "$browser": "Chrome", "$device_type": "Desktop", "$lib": "web"}
        return {
            "uuid": f"018f-{time}", "event": name, "distinct_id": who, "person_id": "01-2",
            "properties": properties, "person_properties": {}, "elements_chain": "",
            "timestamp": time.replace("Z", "+00:00"), "created_at": "2026-10-12T00:00:00+00:00",
        }  # fmt: skip

    return as_lines(
        [row("$pageleave", VIEWS[0]), *(row("$pageview", v) for v in VIEWS), row("order", ORDERED)]
    )


def matomo() -> str:
    """developer.matomo.org/guides/database-schema: ``log_link_visit_action`` and its actions' names."""
    return as_csv(
        [
            {"idvisitor": who, "idvisit": number, "server_time": plain(time), "url": url, "pageTitle": "Shop"}
            for number, (who, time, url) in enumerate(VIEWS)
        ]
    )


def mixpanel() -> str:
    """docs.mixpanel.com/reference/raw-event-export, with ``time_in_ms``."""

    def row(name: str, view: View) -> dict[str, object]:
        who, time, url = view
        properties = {
            "time": micros(time) // 1_000, "distinct_id": who, "$current_url": url, "$browser": "Chrome",
            "$insert_id": f"i-{time}", "current_page_title": "Shop", "mp_country_code": "DE",
            "mp_processing_time_ms": 1_790_000_000_000,
        }  # fmt: skip
        return {"event": name, "properties": properties}

    return as_lines([*(row("$mp_web_page_view", view) for view in VIEWS), row("order", ORDERED)])


def amplitude() -> str:
    """amplitude.com/docs/apis/analytics/export: JSON lines, times in UTC."""

    def row(name: str, view: View) -> dict[str, object]:
        who, time, url = view
        properties = {
            "[Amplitude] Page Location": f"{url}?utm_source=news", "[Amplitude] Page URL": url,
            "[Amplitude] Page Title": "Shop", "[Amplitude] Page Path": "/",
        }  # fmt: skip
        return {
            "$insert_id": f"i-{time}", "amplitude_id": 1 + VIEWS.index(view) if view in VIEWS else 9,
            "device_id": who, "user_id": "joe", "event_type": name, "event_time": plain(time) + "000",
            "server_upload_time": "2026-10-13 00:00:00.000000", "country": "Germany", "device_type": "Linux",
            "event_properties": properties, "user_properties": {"plan": "free"}, "data": {"path": "/batch"},
        }  # fmt: skip

    return as_lines([*(row("[Amplitude] Page Viewed", view) for view in VIEWS), row("order", ORDERED)])


def plain_log() -> str:
    """A proxy's log as a table."""
    rows = [{"user": who, "time": micros(time) / 1e6, "url": url} for who, time, url in VIEWS]
    return as_csv(rows)


TOOLS: dict[str, tuple[Callable[[], str], dict[str, object], str]] = {
    "segment_calls.json": (segment_calls, {}, "page"),
    "segment_pages.csv": (segment_pages, {}, ""),
    "snowplow.csv": (snowplow("event_name"), {}, "page_view"),
    "snowplow_before.csv": (snowplow("event"), {}, "page_view"),
    "posthog.jsonl": (posthog, {}, "$pageview"),
    "matomo.csv": (matomo, {}, ""),
    "mixpanel.json": (mixpanel, {}, "$mp_web_page_view"),
    "amplitude.json": (amplitude, {}, "[Amplitude] Page Viewed"),
    "log.csv": (plain_log, {"user_key": "user"}, ""),
}
"""File → what is in it, what has to be said of it, and what its page views are called."""
OTHERS = {
    "snowplow.csv": {"page_ping", "order"}, "snowplow_before.csv": {"page_ping", "order"},
    "posthog.jsonl": {"$pageleave", "order"}, "segment_calls.json": {"track", "identify"},
    "mixpanel.json": {"order"}, "amplitude.json": {"order"},
}  # fmt: skip
"""File → its other events."""
OF_TOOL = {
    "segment_calls.json": "Segment or RudderStack", "segment_pages.csv": "Segment or RudderStack",
    "snowplow.csv": "Snowplow", "snowplow_before.csv": "Snowplow", "posthog.jsonl": "PostHog",
    "matomo.csv": "Matomo", "mixpanel.json": "Mixpanel", "amplitude.json": "Amplitude",
}  # fmt: skip


def sequences(dataset: Dataset) -> dict[str, list[tuple[str, int]]]:
    """User → pages and when they were seen, in order."""
    seen, pages = dataset.sequences, dataset.pages["page_location"]
    steps = list(zip(pages[seen.page], seen.timestamp.tolist(), strict=True))
    bounds = itertools.pairwise(seen.offsets.tolist())
    return {
        user: steps[start:end] for user, (start, end) in zip(seen.user_id.to_pylist(), bounds, strict=True)
    }


ReadOnce = Callable[..., tuple[Path, Dataset]]


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> ReadOnce:
    """The file of a tool and its data set, which no test may change; GA4's with a title."""

    @cache
    def read(name: str, title: str = "") -> tuple[Path, Dataset]:
        make, settings, _ = TOOLS.get(name, (partial(ga4, title), {}, ""))
        folder = tmp_path_factory.mktemp("tool")
        path = write(folder / name, make())
        return path, dataset_of(folder, path, **settings)

    return read


@pytest.mark.parametrize("name", TOOLS)
def test_an_export_of_another_tool_gives_the_sequences_of_the_same_views(
    read_once: ReadOnce, name: str
) -> None:
    page_view = TOOLS[name][2]
    _, theirs = read_once(name)
    [file] = theirs.receipt.files
    _, ours = read_once("ga4.csv", "Shop" if Raw.PAGE_TITLE in file.columns else "")
    assert sequences(theirs) == sequences(ours)
    assert theirs.receipt.page_views_used == len(VIEWS)
    assert (theirs.receipt.page_view if Raw.EVENT_NAME in file.columns else "") == page_view
    assert (f"Events called {page_view} are read as the page views" in file.notes) == (
        page_view not in ("", "page_view")
    )
    assert theirs.receipt.outcome_users.keys() == OTHERS.get(name, set())
    assert file.tool == OF_TOOL.get(name, "")
    assert (f"The columns are those of {file.tool}" in file.notes) == bool(file.tool)


@pytest.mark.parametrize("name", [*TOOLS, "ga4.csv"])
def test_the_look_tells_what_the_reading_does(read_once: ReadOnce, name: str) -> None:
    settings = TOOLS[name][1] if name in TOOLS else {}
    path, dataset = read_once(name)
    found = inspect([path], IngestSettings.checked(**settings))
    [read] = dataset.receipt.files
    [file] = found.files
    empty = {field: column for field, column in found.mapping.items() if field not in read.columns}
    assert {field: found.mapping[field] for field in read.columns} == read.columns
    assert all(
        not any(row[file.columns.index(column)] for row in file.sample_rows) for column in empty.values()
    )
    assert (file.shape, file.tool) == (read.shape, read.tool)
    key = normalise_header(read.columns[Raw.USER_KEY])
    assert found.user_keys[0] == key or settings
    if Raw.EVENT_NAME in read.columns:
        shown = {row[file.columns.index(read.columns[Raw.EVENT_NAME])] for row in file.sample_rows}
        assert likely_page_views({name or "" for name in shown}) == (TOOLS.get(name, (0, 0, "page_view"))[2],)


def test_events_that_no_tool_calls_a_page_view_are_named_with_their_numbers(tmp_path: Path) -> None:
    path = write(tmp_path / "visits.jsonl", posthog().replace("$pageview", "visit"))
    with pytest.raises(NoPageViewsLeft, match=r"visit \(5\), .*--page-view NAME"):
        dataset_of(tmp_path / "a", path)
    named = dataset_of(tmp_path / "b", path, page_view=" visit ")
    assert named.receipt.page_view == "visit"
    assert named.receipt.page_views_used == len(VIEWS)


def test_where_two_names_may_be_it_nothing_is_guessed(tmp_path: Path) -> None:
    path = write(tmp_path / "both.jsonl", posthog() + posthog().replace("$pageview", "page"))
    with pytest.raises(InputError, match=r"'page' and '\$pageview'.*--page-view"):
        dataset_of(tmp_path / "a", path)
    chosen = dataset_of(tmp_path / "b", path, page_view="page")
    assert chosen.receipt.page_views_used == len(VIEWS)
    assert chosen.receipt.outcome_users["$pageview"].events == len(VIEWS)
    visits = write(tmp_path / "visits.jsonl", posthog() + posthog().replace("$pageview", "visit"))
    assert not dataset_of(tmp_path / "c", visits, page_view="visit").receipt.warnings


def test_an_event_called_like_anothers_page_view_stays_another_event(tmp_path: Path) -> None:
    """Beside GA4's own name, a name that means a page view elsewhere is an event of the site's own."""
    other = ga4().replace("order", "page")
    dataset = dataset_of(tmp_path, write(tmp_path / "ga4.csv", other))
    assert (dataset.receipt.page_view, dataset.receipt.page_views_used) == ("page_view", len(VIEWS))
    assert dataset.receipt.outcome_users["page"].users == 1
    assert not dataset.receipt.warnings or "other events" not in " ".join(dataset.receipt.warnings)


def test_files_of_two_tools_are_not_read_as_one_silently(tmp_path: Path) -> None:
    paths = [write(tmp_path / "ga4.csv", ga4()), write(tmp_path / "posthog.jsonl", posthog())]
    warnings = " ".join(dataset_of(tmp_path / "a", *paths).receipt.warnings)
    assert "posthog.jsonl has no page_view, which is the page view of these files: its $pageview" in warnings
    assert "different tools (ga4.csv: GA4 or a table of one's own; posthog.jsonl: PostHog)" in warnings
    assert inspect(paths, IngestSettings()).warnings[0] in warnings


def test_a_column_of_event_names_without_any_is_none(tmp_path: Path) -> None:
    lines = ga4().replace("page_view", "").replace("order", "").splitlines()
    dataset = dataset_of(tmp_path, write(tmp_path / "ga4.csv", "\n".join(lines[:-1]) + "\n"))
    assert dataset.receipt.page_views_used == len(VIEWS)
    assert Raw.EVENT_NAME not in dataset.receipt.files[0].columns
    assert "No event names: every record is read as a page view" in dataset.receipt.files[0].notes
    assert not any("count as page views" in warning for warning in dataset.receipt.warnings)


def test_a_day_without_names_beside_one_with_names_is_told(tmp_path: Path) -> None:
    blank = "\n".join(ga4().replace("page_view", " ").replace("order", "").splitlines()[:-1])
    paths = [write(tmp_path / "day1.csv", ga4()), write(tmp_path / "day2.csv", blank)]
    dataset = dataset_of(tmp_path / "a", *paths)
    said = "day2.csv has no names of events, as other files have: all 5 records of it count as page views"
    assert said in dataset.receipt.warnings
    mapped = dataset_of(tmp_path / "b", *paths, mapping={Raw.EVENT_NAME: ""})
    assert not any("count as page views" in warning for warning in mapped.receipt.warnings)


def test_of_names_only_those_that_count_are_kept(tmp_path: Path) -> None:
    """Names may be as many as records, where a tool writes ids or addresses there."""
    part = tmp_path / "part.parquet"
    names = [*(f"click on {number:060}" for number in range(300_000)), " Page Viewed ", None, "page "]
    pq.write_table(pa.table({Raw.EVENT_NAME: pa.array(names)}), part)
    tracemalloc.start()
    found = with_page_views(FileCount("flat csv", "utf-8", len(names), {Raw.EVENT_NAME: "event"}), [part])
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.page_views == ("page", "Page Viewed")
    assert most < 1 << 20


def test_that_every_record_is_a_view_can_be_said(tmp_path: Path) -> None:
    path = write(tmp_path / "visits.jsonl", posthog().replace("$pageview", "visit"))
    dataset = dataset_of(tmp_path, path, mapping={Raw.EVENT_NAME: ""})
    assert dataset.receipt.page_views_used == len(VIEWS) + 2


def test_a_file_without_a_page_view_beside_others_is_told(tmp_path: Path) -> None:
    write(tmp_path / "in" / "ga4.csv", ga4())
    write(tmp_path / "in" / "de.csv", ga4().replace("page_view", "gesehen"))
    warnings = dataset_of(tmp_path, tmp_path / "in").receipt.warnings
    told = "de.csv has no page_view, which is the page view of these files: it adds events only"
    assert [warning for warning in warnings if "page_view" in warning] == [told]
