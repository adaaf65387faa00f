from dataclasses import replace
from pathlib import Path

import pytest

from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read.inspection import inspect
from core.ingest.sources.overlap import days_in, describe_overlaps, replaced_days
from tests.core.ingest.raw import ROW, csv_of, read_paths, write
from tests.core.ingest.shop import event, made_of, raw_read

DAY = frozenset({"20240101"})
NEXT = frozenset({"20240102"})


def by_name(*names: str) -> list[str]:
    return describe_overlaps({name: frozenset() for name in names})


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("events_20240101.csv", "20240101"),
        ("in/events_intraday_2024-01-01.csv.gz", "20240101"),
        ("20230101/events.csv", ""),
        ("order_120240101.csv", ""),
    ],
)
def test_a_day_in_the_name_of_a_file(name: str, day: str) -> None:
    assert days_in(name) == ({day} if day else set())


def test_a_daily_and_an_intraday_file_of_one_day_overlap() -> None:
    (warning,) = by_name("events_20240101.csv", "events_intraday_20240101.csv", "events_20240102.csv")
    assert "events_intraday_20240101.csv and events_20240101.csv hold the same day (20240101)" in warning
    assert "the daily table replaces the intraday one, whose events of that day are left out" in warning
    assert by_name("events_20240101.csv", "events_intraday_20240102.csv") == []


def test_the_days_of_the_events_count_more_than_a_name() -> None:
    assert describe_overlaps({"events_20240102.csv": DAY, "intraday.csv": DAY}) != []
    assert describe_overlaps({"events_20240101.csv": DAY, "intraday.csv": NEXT}) == []
    assert describe_overlaps({"events_20240102.csv": DAY, "events_intraday_20240102.csv": NEXT}) == []


def test_a_file_that_is_not_named_as_a_daily_table_replaces_nothing_and_is_not_replaced() -> None:
    assert replaced_days([("events_intraday_20240101.csv", ("20240101",)), ("crm.csv", ("20240101",))]) == ()
    assert replaced_days([("events_20240101.csv", ("20240101",)), ("crm.csv", ("20240101",))]) == ()


def test_a_daily_table_comes_before_a_fresh_one_and_that_before_an_intraday_one_day_by_day() -> None:
    files = [
        ("events_intraday_20240101.csv", ("20240101",)),
        ("events_fresh_20240101.csv", ("2024-01-01", "2024-01-02")),
        ("events_20240101.csv", ("20240101",)),
        ("events_intraday_20240102.csv", ()),  # without event_date its name tells the day of all
        ("refresh_20240101.csv", ("20240101",)),
        ("events_fresh.csv", ()),
    ]
    assert replaced_days(files) == ((0, ("20240101",)), (1, ("2024-01-01",)), (3, ()))
    (*_, unknown) = by_name("events_20240101.csv", "events_fresh.csv")
    assert unknown.startswith("events_fresh.csv does not say of which day it is")


def test_events_of_a_day_that_another_table_has_are_left_out_and_counted(tmp_path: Path) -> None:
    day = {Raw.EVENT_DATE: "20240101"}
    files = [
        [event("u", 0, "/a", **day), event("v", 0, "/a", **day)],
        [
            event("u", 0, "/a", **day),
            event("u", 1, "/b", "scroll", **day),
            event("u", 86400, "/c", event_date="20240102"),
        ],
    ]
    raw = raw_read(tmp_path / "raw", files)
    receipt = made_of(tmp_path, replace(raw, replaced=((1, ("20240101",)),))).receipt
    [left_out] = receipt.left_out
    assert (left_out.cause, left_out.page_views, left_out.other_events) == ("other_table", 1, 1)
    assert (receipt.page_views_used, receipt.other_events_used, receipt.rejected) == (3, 0, 0)
    assert receipt.repeated_events == 0


def test_the_days_of_tables_are_read_from_their_records(tmp_path: Path) -> None:
    header = "event_timestamp,event_date,user_pseudo_id,page_location"
    row = "1704067200000000,20240101,1.2,https://x.example/a"
    texts = {"events_20240101.csv": row, "events_fresh.csv": row.replace("1.2", "3.4")}
    paths = [write(tmp_path / name, csv_of(text, header=header)) for name, text in texts.items()]
    assert read_paths(paths, tmp_path).raw.replaced == ((1, ("20240101",)),)


def test_one_day_under_two_names_looks_the_same_and_shards_do_not() -> None:
    (warning,) = by_name("mon/events_20240101.csv", "tue/events_20240101 (1).ndjson.gz", "other.csv")
    assert "named as if they were the same day" in warning
    assert by_name("events_20240101-000.csv", "events_20240101-001.csv") == []
    assert by_name("mon/events.csv", "tue/events.csv") == []


def test_inspection_and_receipt_warn_of_copies_and_overlaps(tmp_path: Path) -> None:
    names = ("events_20240101.csv", "events_20240101 (1).csv", "events_intraday_20240101.csv")
    texts = (csv_of(ROW), csv_of(ROW), csv_of(ROW, ROW))
    paths = [write(tmp_path / "in" / name, text) for name, text in zip(names, texts, strict=True)]
    seen = inspect(paths, IngestSettings())
    assert [file.name for file in seen.files] == ["events_20240101 (1).csv", "events_intraday_20240101.csv"]
    copy, overlap = seen.warnings
    assert copy.startswith("events_20240101.csv holds the same as events_20240101 (1).csv and is read once")
    assert "same day" in overlap
    assert read_paths(paths, tmp_path).raw.warnings == (copy,)


def test_events_of_two_files_are_counted_and_said(tmp_path: Path) -> None:
    daily = [event("u", 0, "/a"), event("u", 0, "/a"), event("u", 9, "/b"), event("v", 3, "/a")]
    intraday = [
        event("u", 0, "/a"),  # twice in the other file, where GA4 may have sent it twice
        event("u", 9, "/b", "scroll"),
        event("v", 3, "/b"),
        event("v", 3, "/a"),
    ]
    receipt = made_of(tmp_path, raw_read(tmp_path / "raw", [daily, intraday])).receipt
    assert receipt.repeated_events == 2
    assert any(text.startswith("2 events are in more than one file") for text in receipt.warnings)
    assert receipt.page_views_used == 7


def test_events_that_differ_in_their_batch_are_two(tmp_path: Path) -> None:
    files = [[event("u", 0, "/a", **{Raw.BATCH_PAGE_ID: page})] for page in ("1", "2")]
    assert made_of(tmp_path, raw_read(tmp_path / "raw", files)).receipt.repeated_events == 0


def test_one_file_and_days_that_follow_each_other_have_no_repeats(tmp_path: Path) -> None:
    rows = [event("u", 0, "/a"), event("u", 0, "/a")]
    one = made_of(tmp_path / "one", raw_read(tmp_path / "one" / "raw", [rows]))
    two = made_of(tmp_path / "two", raw_read(tmp_path / "two" / "raw", [rows, [event("u", 1, "/a")]]))
    assert (one.receipt.repeated_events, two.receipt.repeated_events) == (0, 0)


def test_the_event_date_tells_that_a_daily_and_an_intraday_file_overlap(tmp_path: Path) -> None:
    rows = [[event("u", second, "/a", event_date="20240101")] for second in (0, 1)]
    raw = raw_read(tmp_path / "raw", rows)
    names = ("events_20240101.csv", "intraday.csv")
    files = tuple(file.model_copy(update={"name": name}) for file, name in zip(raw.files, names, strict=True))
    receipt = made_of(tmp_path, replace(raw, files=files)).receipt
    assert any("intraday.csv and events_20240101.csv hold the same day" in text for text in receipt.warnings)
