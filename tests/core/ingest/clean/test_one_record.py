"""Held against the database's own reading of the same values."""

from __future__ import annotations

import random
from collections.abc import Sequence

import duckdb
import ibis
import pyarrow as pa
import pytest

from core.base.schema import PAGE_VIEW, RAW_TEXT_COLUMNS, Raw
from core.base.settings import IngestSettings
from core.ingest.clean import one_record, records
from core.ingest.clean.records import Fate
from core.ingest.read.part_files import RAW

TIMES = (
    "1700000000000000", "1700000000", "1700000000.5", "1700000000123", "1700000000123456789", " 1700000000 ",
    "2023-11-14T22:13:20Z", "2023-11-14 22:13:20", "2023-11-14 22:13:20.123456+02",
    "2023-11-14T22:13:20+05:30",
    "2023-13-14T22:13:20Z", "0x10", "1_700_000_000", "17", "-1700000000", "4102444800", "4102444799",
    "631152000",
    "631151999", "nan", "soon", "", None, "(not set)", "1700000000123.5", "2101-01-01 00:00:00",
)  # fmt: skip
IDS = ("1.2", "", " ", "NULL", " undefined ", "(not set)", "-", "0", "abc", "Unknown", None, "null1")
SESSIONS = ("1700000000", "1700000000.0", "5.00", "5.10", "a.0", "", "(other)", "-1", " -1.0", "-12", None)
ENGAGED = ("13", "13.0", "13.6", "-1", "1000000000001", "x", "", None, " 7 ")
NUMBERED = pa.schema([pa.field(Raw.FILE_NO, pa.int32()), *RAW])
FLAGS = ("internal", " Internal", "1", "true", "1.0", "0", "", None)
NAMES = ("page_view", " page_view ", "scroll", "", None)
STORAGE = ("Yes", "No", " no", "Unset", "7", "", None)
PLATFORMS = ("WEB", " web", "IOS", "", None)
PLACES = ("https://a.example/", "", "(direct)", " (not set)", "x", None)


def by_database(rows: Sequence[dict[str, str | None]], settings: IngestSettings) -> list[dict[str, object]]:
    columns = {name: pa.array([row.get(name) for row in rows], pa.string()) for name in RAW_TEXT_COLUMNS}
    numbers = {Raw.FILE_NO: pa.array([0] * len(rows)), Raw.LINE: pa.array(range(len(rows)))}
    engine = duckdb.connect()
    engine.execute("SET TimeZone = 'UTC'")
    engine.register("raw", pa.table(numbers | columns).cast(NUMBERED))
    raw = ibis.table(ibis.Schema.from_pyarrow(NUMBERED), name="raw")
    typed = records.typed(raw, frozenset(RAW_TEXT_COLUMNS), [], settings, PAGE_VIEW)
    typed = typed.mutate(source=records.first_touch(typed[Raw.TRAFFIC_SOURCE], typed[Raw.TRAFFIC_MEDIUM], ()))
    found: list[dict[str, object]] = (
        engine.sql(ibis.to_sql(typed.order_by(Raw.LINE), dialect="duckdb")).to_arrow_table().to_pylist()
    )
    return found


def random_row(chance: random.Random) -> dict[str, str | None]:
    return {
        Raw.USER_KEY: chance.choice(IDS), Raw.EVENT_TIMESTAMP: chance.choice(TIMES),
        Raw.EVENT_NAME: chance.choice(NAMES), Raw.PAGE_LOCATION: chance.choice(PLACES),
        Raw.GA_SESSION_ID: chance.choice(SESSIONS), Raw.ENGAGEMENT_TIME_MSEC: chance.choice(ENGAGED),
        Raw.TRAFFIC_TYPE: chance.choice(FLAGS), Raw.DEBUG_MODE: chance.choice(FLAGS),
        Raw.BATCH_ORDERING_ID: chance.choice(ENGAGED), Raw.TRAFFIC_SOURCE: chance.choice(IDS),
        Raw.TRAFFIC_MEDIUM: chance.choice(IDS), Raw.BROWSER_ID: chance.choice(IDS),
        Raw.ANALYTICS_STORAGE: chance.choice(STORAGE), Raw.PLATFORM: chance.choice(PLATFORMS),
        Raw.STREAM_ID: chance.choice(SESSIONS),
    }  # fmt: skip


@pytest.mark.parametrize("settings", [IngestSettings(), IngestSettings(exclude_debug=False, stream="Web")])
def test_every_value_is_read_as_the_database_reads_it(settings: IngestSettings) -> None:
    chance = random.Random(1)
    rows = [random_row(chance) for _ in range(3_000)]
    for row, wanted in zip(rows, by_database(rows, settings), strict=True):
        view = one_record.is_view(row, named=True, page_view=PAGE_VIEW)
        found = {
            records.USER_ID: one_record.user_id(row[Raw.USER_KEY]),
            records.TS: one_record.microseconds(row[Raw.EVENT_TIMESTAMP]),
            records.IS_VIEW: view,
            records.SESSION_ID: one_record.session_id(row[Raw.GA_SESSION_ID]),
            records.ENGAGEMENT: one_record.milliseconds(row[Raw.ENGAGEMENT_TIME_MSEC]),
            Raw.BATCH_ORDERING_ID: one_record.whole_number(row[Raw.BATCH_ORDERING_ID]),
            "source": one_record.first_touch(row[Raw.TRAFFIC_SOURCE], row[Raw.TRAFFIC_MEDIUM]),
        }
        assert found == {name: wanted[name] for name in found}, row
        fate = one_record.fate(row, view, settings)
        assert fate == wanted[records.FATE] or {fate, wanted[records.FATE]} == {
            Fate.NOT_A_TIME,
            Fate.OUTSIDE,  # one word for both
        }


def test_a_time_written_as_files_alone_may_write_it_is_no_time_at_the_door() -> None:
    assert one_record.microseconds("2023-11-14") is None
    assert one_record.microseconds("1.7e15") is None


@pytest.mark.parametrize("written", ["-1", "-1.0"])
def test_events_that_amplitude_has_outside_any_session_have_no_session(written: str) -> None:
    assert one_record.session_id(written) is None
    [typed] = by_database([{Raw.GA_SESSION_ID: written}], IngestSettings())
    assert typed[records.SESSION_ID] is None


def test_without_names_of_events_every_record_is_a_page_view() -> None:
    assert one_record.is_view({Raw.EVENT_NAME: None}, False, PAGE_VIEW)
    assert not one_record.is_view({Raw.EVENT_NAME: None}, True, PAGE_VIEW)
