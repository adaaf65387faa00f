"""Units, days, and the clock that days are told by."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from core.base.local_clock import MINUTE, LocalClock
from core.base.schema import PAGE_VIEW, Raw
from core.base.settings import IngestSettings
from core.ingest.account.waterfall import count_fates
from core.ingest.clean import clock, records
from core.ingest.clean.clock import DAY, Day, describe_units, infer_zone
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


CASES = int(os.environ.get("BEHA2VEC_CASES", "40"))
SECOND = 1_000_000


def at(text: str) -> int:
    """Microseconds of a moment UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def days_of(moments: Sequence[int], zone: str) -> list[Day]:
    """Moments by the day on which a property in a zone has them."""
    found: dict[str, Day] = {}
    for moment in moments:
        local = datetime.fromtimestamp(moment / 1e6, UTC).astimezone(ZoneInfo(zone))
        name = f"{local:%Y%m%d}"
        found[name] = Day(name, moment, moment, 1).joined(found.get(name))
    return list(found.values())


def whole(first: str, n_days: int, zone: str, step: int = 10) -> list[Day]:
    """Days with an event every few minutes."""
    start = at(first)
    return days_of(range(start, start + n_days * DAY, step * MINUTE), zone)


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("UTC", "UTC"),
        ("Africa/Lagos", "UTC+01:00"),
        ("America/Bogota", "UTC-05:00"),
        ("Asia/Kolkata", "UTC+05:30"),
        ("Asia/Kathmandu", "UTC+05:45"),
        ("Pacific/Kiritimati", "UTC+14:00"),
    ],
)
def test_a_clock_that_is_never_changed_is_one_offset(zone: str, name: str) -> None:
    found = infer_zone(whole("2021-03-10", 30, zone))
    assert found.text == f"{name}, inferred from event_date"
    assert LocalClock(found.changes).name == name


@pytest.mark.parametrize(
    ("zone", "first", "turn", "name"),
    [
        ("Europe/Berlin", "2021-03-20", "2021-03-28T01:00", "UTC+01:00, UTC+02:00 from 28 Mar 2021"),
        ("Europe/Berlin", "2021-10-20", "2021-10-31T01:00", "UTC+02:00, UTC+01:00 from 31 Oct 2021"),
        ("Europe/London", "2021-03-20", "2021-03-28T01:00", "UTC, UTC+01:00 from 28 Mar 2021"),
        ("America/New_York", "2021-03-05", "2021-03-14T07:00", "UTC-05:00, UTC-04:00 from 14 Mar 2021"),
        ("America/New_York", "2021-11-01", "2021-11-07T06:00", "UTC-04:00, UTC-05:00 from 7 Nov 2021"),
        ("Australia/Lord_Howe", "2021-09-25", "2021-10-02T15:30", "UTC+10:30, UTC+11:00 from 3 Oct 2021"),
        ("Europe/Volgograd", "2020-12-20", "2020-12-26T22:00", "UTC+04:00, UTC+03:00 from 27 Dec 2020"),
    ],
)
def test_a_clock_that_is_changed_is_told_to_the_minute(zone: str, first: str, turn: str, name: str) -> None:
    found = infer_zone(whole(first, 20, zone))
    assert found.text.startswith(f"{name}, ")
    assert found.changes[1][0] == at(turn)


def test_a_year_has_both_changes() -> None:
    found = infer_zone(whole("2021-01-01", 365, "America/Los_Angeles"))
    assert [since for since, _ in found.changes[1:]] == [at("2021-03-14T10:00"), at("2021-11-07T09:00")]
    assert [offset for _, offset in found.changes] == [-480, -420, -480]
    assert found.text.endswith(", inferred from event_date")


def test_dates_alone_tell_nothing_of_hours() -> None:
    noon = at("2021-03-20T12:00")
    found = infer_zone([Day("2021-03-20", noon, noon, 1)])
    assert found.text == "between UTC-12:00 and UTC+11:00, judging by event_date"
    assert found.changes == ((noon, 0),)  # next to UTC


def test_of_several_offsets_the_one_next_to_utc_keeps_the_days() -> None:
    late = at("2021-03-20T23:50")
    found = infer_zone([Day("20210321", late, late, 1)])
    assert found.text.startswith("between UTC+01:00 and UTC+14:00")
    assert found.changes == ((late, 60),)


def test_a_whole_hour_among_others_is_likely_and_no_more() -> None:
    """Nobody comes in the half hour before midnight."""
    found = infer_zone([Day("20210321", at("2021-03-20T23:00"), at("2021-03-21T22:30"), 9)])
    assert found.text == "UTC+01:00, judging by event_date"


def test_a_day_that_contradicts_is_counted_and_dates_that_all_do_tell_nothing() -> None:
    days, wrong = whole("2021-03-20", 30, "Europe/Berlin"), at("2021-05-01T12:00")
    found = infer_zone([*days, Day("20210601", wrong, wrong, 1)])
    assert found.text.startswith(
        "UTC+01:00, UTC+02:00 from 28 Mar 2021, inferred from event_date (1 of 32 days"
    )
    mixed = whole("2021-03-05", 5, "America/Bogota") + whole("2021-04-05", 5, "Asia/Tokyo")
    assert infer_zone(mixed) == (clock.NO_CLOCK, ())


def test_no_dates_tell_nothing() -> None:
    assert infer_zone([]) == infer_zone([Day("someday", 0, 0, 1)]) == (clock.NO_DATES, ())


def test_without_the_clocks_of_the_world_one_offset_is_still_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "available_timezones", set)
    assert infer_zone(whole("2021-03-10", 3, "Asia/Kolkata")).changes[0][1] == 330
    assert infer_zone(whole("2021-03-20", 20, "Europe/Berlin")) == (clock.NO_CLOCK, ())


ZONES = (
    "Europe/Paris", "Europe/Lisbon", "Europe/Helsinki", "America/New_York", "America/Denver", "Asia/Beirut",
    "America/St_Johns", "America/Santiago", "America/Havana", "Australia/Sydney", "Australia/Adelaide",
    "Asia/Kolkata", "Asia/Tokyo", "Asia/Tehran", "Africa/Cairo", "Africa/Casablanca", "Pacific/Auckland",
    "Pacific/Chatham",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(CASES))
def test_days_and_hours_are_those_of_the_zone(seed: int) -> None:
    random = np.random.default_rng(seed)
    zone = str(random.choice(ZONES))
    first, n_days = at("2019-01-01") + int(random.integers(1_200)) * DAY, int(random.integers(20, 200))
    moments = np.sort(first + random.integers(0, n_days * DAY, 100 * n_days)).tolist()
    found, wrong = infer_zone(days_of(moments, zone)), 0
    clock = LocalClock(found.changes)
    for moment in moments[:: n_days // 20]:
        world = datetime.fromtimestamp(moment / 1e6, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert clock.moment(moment).date() == world.date()
        wrong += clock.moment(moment) != world
    assert wrong == 0 if "inferred" in found.text else wrong < 200


def test_the_receipt_keeps_the_clock(tmp_path: Path) -> None:
    start = at("2021-03-25T00:00")
    moments = range(start, start + 6 * DAY, 30 * MINUTE)
    days = days_of(moments, "Europe/Berlin")
    dates = {moment: day.name for day in days for moment in moments if day.first <= moment <= day.last}
    rows = [event("u", 0, event_timestamp=str(moment), event_date=dates[moment]) for moment in moments]
    receipt = shop(tmp_path, *rows).receipt
    assert receipt.utc_offsets == ((start, 60), (at("2021-03-28T01:00"), 120))
    assert f"{receipt.clock.moment(at('2021-03-29T22:30')):%d %H:%M}" == "30 00:30"
    assert not receipt.is_winter_all_year
    before = receipt.model_copy(
        update={"utc_offsets": (), "time_zone": "UTC+01:00 and UTC+02:00 in summer, inferred from event_date"}
    )
    assert before.is_winter_all_year and before.clock == LocalClock.fixed(60)
