from pathlib import Path

import pytest

from core.base.schema import PAGE_VIEW, Raw
from core.base.settings import IngestSettings
from core.ingest.account.waterfall import count_fates
from core.ingest.clean import clock, records
from core.ingest.clean.clock import describe_units
from core.ingest.engine import open_engine
from tests.core.ingest.shop import START, event, raw_read, shop


def test_units_are_named_most_frequent_first() -> None:
    assert describe_units({"us": 5}) == "microseconds"
    assert (
        describe_units({"iso": 2, "s": 30, "ns": 0})
        == "seconds (30), ISO text without a zone, read as UTC (2)"
    )


def test_mixed_units_make_one_order(tmp_path: Path) -> None:
    times = {"/c": str((START + 2) * 1000), "/a": str(START), "/b": "2020-09-13T12:26:41+00:00"}
    rows = [{**event("u", 0, page), Raw.EVENT_TIMESTAMP: text} for page, text in times.items()]
    dataset = shop(tmp_path, *rows)
    assert dataset.sequences.timestamp.tolist() == [int((START + second) * 1e6) for second in range(3)]
    assert dataset.receipt.time_unit == "ISO text with a zone (1), milliseconds (1), seconds (1)"
    assert (dataset.receipt.first_ts, dataset.receipt.last_ts) == (START * 1_000_000, (START + 2) * 1_000_000)


def test_event_dates_are_compared_with_the_times(tmp_path: Path) -> None:
    late = 11.4 * 3600  # 23:50 UTC
    rows = [
        event("u", 0, event_date="20200913"),
        event("u", late, event_date="20200914"),
        event("u", 1, event_date="20200913"),
    ]
    assert shop(tmp_path, *rows).receipt.time_zone == "between UTC+01:00 and UTC+11:00, judging by event_date"


def test_rounded_times_with_many_ties_are_said_to_be(tmp_path: Path) -> None:
    rounded = [event("u", 10_000 * (number // 3), f"/{number}") for number in range(9)]
    exact = [event("u", 10_000 * (number // 3) + 0.123, f"/{number}") for number in range(9)]
    assert any("spreadsheet" in text for text in shop(tmp_path / "rounded", *rounded).receipt.warnings)
    assert not any("spreadsheet" in text for text in shop(tmp_path / "exact", *exact).receipt.warnings)


@pytest.mark.parametrize("by_date", [True, False])
def test_days_at_the_export_limit_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_date: bool
) -> None:
    monkeypatch.setattr(clock, "EXPORT_LIMIT", 100)
    date = {"event_date": "20200913"} if by_date else {}
    other = {"event_date": "20200915"} if by_date else {}
    rows = [event("u", number / 7, **date) for number in range(101)]
    rows += [event("u", 172_800 + number / 7, **other) for number in range(90)]
    receipt = shop(tmp_path, *rows).receipt
    assert receipt.truncated_days == ("20200913",)
    assert any("20200913" in text for text in receipt.warnings)


def test_what_is_no_day_is_not_told_apart(tmp_path: Path) -> None:
    """A wrong column in place of ``event_date`` may have as many values as there are records."""
    dates = ["20210121", "2021-01-21", *(f"{number:010d}" for number in range(50)), "20211321", "", "x"]
    rows = [event("u", number, **{Raw.EVENT_DATE: date}) for number, date in enumerate(dates)]
    raw = raw_read(tmp_path / "raw", [rows])
    with open_engine(tmp_path, threads=1) as engine:
        typed = records.typed(engine.parts(raw.parts), raw.present, [], IngestSettings(), PAGE_VIEW)
        tally = count_fates(engine, typed, raw.present)
    assert tally.days.keys() == tally.days_of_file[0] == {"20210121", "2021-01-21"}
    assert tally.timed == len(dates)
