"""Events in memory: what comes of them is what a file of them would have given."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from core.base.progress import silent
from core.base.raw_fields import RAW_TEXT_COLUMNS
from core.base.schema import PAGE_VIEW, Group, Raw, Users
from core.base.settings import IngestSettings, UrlSettings
from core.ingest import in_memory
from core.ingest.clean import records
from core.ingest.clean.records import Fate
from core.ingest.in_memory import LATER, STRIPPED, LiveUsers, Person, Record, read_people
from core.ingest.ingest import ingest
from core.ingest.read.part_files import RAW
from core.storage.dataset import Dataset

T0, SECOND = 1_700_000_000_000_000, 1_000_000
ALONE = IngestSettings(mask_own=False, url=UrlSettings(collapse_ids=False))


def record(at: float, page: str | None = "https://a.example/x", **more: str | None) -> dict[str, str | None]:
    return {
        Raw.USER_KEY: "u", Raw.EVENT_TIMESTAMP: str(T0 + int(at * SECOND)), Raw.EVENT_NAME: "page_view",
        Raw.PAGE_LOCATION: page,
    } | more  # fmt: skip


def cleaned(
    rows: list[Record], settings: IngestSettings = ALONE, hosts: tuple[str, ...] = ()
) -> tuple[LiveUsers, list[Person]]:
    people, _ = read_people(rows, settings, 2**62)
    return LiveUsers.of(people, settings, frozenset(), hosts), people


def test_events_are_put_in_order_and_the_order_that_ga4_sends_decides_ties() -> None:
    rows: list[Record] = [
        record(9, "/last"),
        record(0, "/second", batch_ordering_id="2"),
        record(0, "/first", batch_ordering_id="1"),
        record(0, "/without"),
        record(0, "/without/later"),
    ]
    live, _ = cleaned(rows)
    assert [live.pages[page] for page in live.sequences.page] == [
        "/first", "/second", "/without", "/without/later", "/last",
    ]  # fmt: skip


def test_what_the_model_was_trained_on_as_a_page_view_is_one_here() -> None:
    rows: list[Record] = [record(0, event_name="$pageview"), record(1, "/other"), record(2, event_name=None)]
    live, _ = cleaned(rows, ALONE.viewing("$pageview"))
    assert live.pages == ("https://a.example/x",)
    assert cleaned(rows)[0].pages == ("/other",)


def test_sessions_without_an_id_end_after_half_an_hour_without_any_event() -> None:
    half = 30 * 60
    rows: list[Record] = [
        record(0), record(half), record(half + 60, event_name="scroll"), record(2 * half + 60),
        record(3 * half + 61), record(3 * half + 62, ga_session_id="7"),
        record(3 * half + 63, ga_session_id="7.0"),
    ]  # fmt: skip
    live, _ = cleaned(rows)
    assert live.sequences.session.tolist() == [0, 0, 0, 1, 2, 2]


def test_pages_left_out_and_times_to_come_are_counted() -> None:
    settings = ALONE.model_copy(update={"strip_pages": ("https://a.example/thanks",)})
    rows: list[Record] = [record(0), record(1, "https://a.example/thanks/"), record(99)]
    people, nobody = read_people(rows, settings, T0 + 2 * SECOND)
    live = LiveUsers.of(people, settings, frozenset(), ())
    assert live.pages == ("https://a.example/x",)
    assert people[0].left_out == {STRIPPED: 1, LATER: 1}
    assert not nobody


def test_who_is_too_fast_on_pages_left_out_looks_automated_as_in_a_file() -> None:
    settings = ALONE.model_copy(update={"strip_pages": ("https://a.example/ping",)})
    rows = [record(at, "https://a.example/ping") for at in range(300)] + [record(9_000), record(9_060)]
    live, people = cleaned(rows, settings)
    assert live.users[Users.GROUP].tolist() == [Group.BOT_LIKE.value]
    assert (live.pages, live.sequences.page.tolist()) == (("https://a.example/x",), [0, 0])
    assert people[0].left_out == {STRIPPED: 300}


def test_what_one_person_sends_changes_nothing_for_another() -> None:
    mine = [record(0, page_title="Tents"), record(9, event_name=None)]
    plain = [
        record(0, "/known", user_key="v", event_name=None, page_title="Shoes"),
        *(record(at, user_key="v", event_name=None, page_title="Shoes") for at in (5, 9)),
    ]
    people, _ = read_people([*mine, *plain], ALONE, 2**62)
    live = LiveUsers.of(people, ALONE, {"/known"}, ())
    assert [len([event for event in one.events if event.view]) for one in people] == [1, 3]
    assert live.pages == ("https://a.example/x", "/known", "https://a.example/x")
    assert live.titles == {0: "Tents", 2: "Shoes"}
    assert live.sequences.page.tolist() == [0, 1, 2, 2]


@pytest.mark.parametrize(
    ("seconds", "group"),
    [
        ([*range(299)], Group.SEGMENT),
        ([*range(300)], Group.BOT_LIKE),  # 300 page views without a pause
        ([4 * at for at in range(300)], Group.SEGMENT),
        ([0], Group.ONE_PAGE),
    ],
)
def test_who_is_too_fast_looks_automated(seconds: list[int], group: Group) -> None:
    live, _ = cleaned([record(at) for at in seconds])
    assert live.users[Users.GROUP].tolist() == [group.value]


def test_who_sends_thousands_of_events_a_day_looks_automated_and_can_be_left_out() -> None:
    rows: list[Record] = [record(0), record(5)] + [record(at, event_name="scroll") for at in range(2_000)]
    assert cleaned(rows)[0].users[Users.GROUP].tolist() == [Group.BOT_LIKE.value]
    assert len(cleaned(rows, ALONE.model_copy(update={"exclude_bots": True}))[0].who) == 0


def test_numbers_in_pages_are_masked_unless_the_model_knows_them() -> None:
    page = "https://a.example/call/+491701234567"
    people, _ = read_people([record(0, page)], ALONE, 2**62)
    assert LiveUsers.of(people, ALONE, frozenset(), ()).pages == ("https://a.example/call/{phone}",)
    assert LiveUsers.of(people, ALONE, frozenset([page]), ()).pages == (page,)


def test_nobody_has_nothing() -> None:
    live, _ = cleaned([record(0, event_name="scroll")])
    assert (len(live.who), len(live.users[Users.GROUP]), live.sequences.n_views) == (0, 0, 0)


CHOICES: dict[str, tuple[Any, ...]] = {
    "user_pseudo_id": ("1.5", "ä", "z", "(not set)", "b"),
    "event_name": ("page_view", "page_view", "scroll", " page_view ", "purchase", None),
    "page_location": (
        "https://a.example/", "https://www.a.example/Shop/?utm_source=x", "https://a.example/shop#top",
        "https://a.example/search?q=Red+Tent&x=1", "/cart", "(not set)", "https://a.example/order/123", None,
    ),
    "ga_session_id": ("1", "1.0", "2", None, None),
    "engagement_time_msec": (None, "12", 900, "x"),
    "device_category": ("mobile", "desktop", "(not set)", None),
    "traffic_source_source": ("google", "a.example", "(direct)", "news jo@a.example", None),
    "traffic_source_medium": ("organic", "(none)", None),
    "traffic_type": ("internal", None, None, None, None, None),
    "batch_ordering_id": (1, 2, None),
}  # fmt: skip


def test_random_users_are_what_a_file_of_them_is(tmp_path: Path) -> None:
    chance = random.Random(4)
    events = [
        {name: chance.choice(values) for name, values in CHOICES.items()}
        | {"event_timestamp": T0 + chance.randrange(200) * 60 * SECOND}
        for _ in range(600)
    ]
    (tmp_path / "x.ndjson").write_text("\n".join(map(json.dumps, events)))
    for folder in ("out", "work"):
        (tmp_path / folder).mkdir()
    ingest([tmp_path / "x.ndjson"], ALONE, tmp_path / "out", silent, tmp_path / "work")
    wanted = Dataset(tmp_path / "out", "")
    names = {"user_pseudo_id": Raw.USER_KEY}
    rows: list[Record] = [
        {names.get(key, key): None if value is None else str(value) for key, value in event.items()}
        for event in events
    ]
    live, _ = cleaned(rows, hosts=("a.example", "www.a.example"))
    ids = live.sequences.user_id.to_pylist()
    assert sorted(ids, key=str.encode) == wanted.sequences.user_id.to_pylist()
    order = [ids.index(user) for user in wanted.sequences.user_id.to_pylist()]
    mine = live.sequences.of_users(np.arange(len(ids)))
    for row, user in enumerate(order):
        here, there = (
            slice(one.offsets[at], one.offsets[at + 1]) for one, at in ((mine, user), (wanted.sequences, row))
        )
        pages = wanted.pages["page_location"].tolist()
        assert [live.pages[page] for page in mine.page[here]] == [
            pages[page] for page in wanted.sequences.page[there]
        ]
        assert mine.timestamp[here].tolist() == wanted.sequences.timestamp[there].tolist()
        assert mine.session[here].tolist() == wanted.sequences.session[there].tolist()
    for column, values in live.users.items():
        assert plain(pd.Series(values[order])) == plain(wanted.users[column])


def test_a_page_that_the_model_knows_stays_in_a_file_as_at_the_door(tmp_path: Path) -> None:
    known, new = (f"https://a.example/item/{number}" for number in ("5500000000000004", "4111111111111111"))
    rows = [record(0, known), record(9, known), record(20, new)]
    header = ("user_pseudo_id", Raw.EVENT_TIMESTAMP, Raw.EVENT_NAME, Raw.PAGE_LOCATION)
    lines = [",".join(header), *(",".join(map(str, row.values())) for row in rows)]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    found = {}
    for public in (frozenset({known}), frozenset[str]()):
        settings = ALONE.model_copy(update={"known_pages": public})
        folder = tmp_path / f"out-{len(public)}"
        (folder / "work").mkdir(parents=True)
        ingest([tmp_path / "x.csv"], settings, folder, silent, folder / "work")
        dataset = Dataset(folder, "")
        pages = dataset.pages["page_location"].tolist()
        found[public] = [pages[page] for page in dataset.sequences.page]
        people, _ = read_people(rows, settings, 2**62)
        live = LiveUsers.of(people, settings, public, ())
        assert found[public] == [live.pages[page] for page in live.sequences.page]
    masked = "https://a.example/item/{card}"
    assert [*found.values()] == [[known, known, masked], [masked] * 3]
    assert "known_pages" not in settings.model_dump()


def plain(column: pd.Series) -> list[object]:
    return [None if pd.isna(value) else value for value in column.tolist()]


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
        view = in_memory.is_view(row, named=True, page_view=PAGE_VIEW)
        found = {
            records.USER_ID: in_memory.user_id(row[Raw.USER_KEY]),
            records.TS: in_memory.microseconds(row[Raw.EVENT_TIMESTAMP]),
            records.IS_VIEW: view,
            records.SESSION_ID: in_memory.session_id(row[Raw.GA_SESSION_ID]),
            records.ENGAGEMENT: in_memory.milliseconds(row[Raw.ENGAGEMENT_TIME_MSEC]),
            Raw.BATCH_ORDERING_ID: in_memory.whole_number(row[Raw.BATCH_ORDERING_ID]),
            "source": in_memory.first_touch(row[Raw.TRAFFIC_SOURCE], row[Raw.TRAFFIC_MEDIUM]),
        }
        assert found == {name: wanted[name] for name in found}, row
        fate = in_memory.fate_of(row, view, settings)
        assert fate == wanted[records.FATE] or {fate, wanted[records.FATE]} == {
            Fate.NOT_A_TIME,
            Fate.OUTSIDE,  # one word for both
        }


def test_a_time_written_as_files_alone_may_write_it_is_no_time_at_the_door() -> None:
    assert in_memory.microseconds("2023-11-14") is None
    assert in_memory.microseconds("1.7e15") is None


@pytest.mark.parametrize("written", ["-1", "-1.0"])
def test_events_that_amplitude_has_outside_any_session_have_no_session(written: str) -> None:
    assert in_memory.session_id(written) is None
    [typed] = by_database([{Raw.GA_SESSION_ID: written}], IngestSettings())
    assert typed[records.SESSION_ID] is None


def test_without_names_of_events_every_record_is_a_page_view() -> None:
    assert in_memory.is_view({Raw.EVENT_NAME: None}, False, PAGE_VIEW)
    assert not in_memory.is_view({Raw.EVENT_NAME: None}, True, PAGE_VIEW)
