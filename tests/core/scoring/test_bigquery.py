"""Estimate and read: what it costs, what is kept, and every refusal in words, against FakeFaults."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest

from core.base.errors import Beha2VecError, Cancelled, InputError, ResourceError, SettingsError
from core.base.progress import silent
from core.runs.forgetting import forget as forgetting
from core.runs.forgetting.places import SearchedPlaces
from core.scoring import bigquery
from core.scoring.bigquery_request import MIB, MIN_BYTES, BigQueryRequest
from core.storage.store import Store
from tests.core.scoring.fake_faults import CUT, TABLE, FakeFaults, serving

DAYS = ("20261001", "20261002", "20261004")


def view(user: str, second: int, page: str = "/") -> dict[str, str]:
    return {
        "user_key": user,
        "event_timestamp": str(10**15 + second),
        "event_name": "page_view",
        "page_location": page,
    }


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeFaults]:
    monkeypatch.setattr(bigquery, "PATIENCE_S", 0.2)
    with serving(FakeFaults({day: [view("a", 2, "/b"), view("a", 1)] for day in DAYS})) as server:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", server.address)
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def asked(**settings: Any) -> BigQueryRequest:  # noqa: ANN401
    usual = {"table": TABLE, "first": date(2026, 10, 1), "last": date(2026, 10, 4)}
    return BigQueryRequest.checked(**usual | settings)


def read(store: Store, **settings: Any) -> list[Path]:  # noqa: ANN401
    return bigquery.read(store, bigquery.estimate(store, asked(**settings), silent), silent)


def test_an_estimate_runs_dry_and_says_what_it_would_cost(fake: FakeFaults, store: Store) -> None:
    fake.bytes = 2**40
    told = bigquery.estimate(store, asked(max_bytes=10**13), silent)
    assert told.bytes_billed == 3 * 2**40
    assert told.dollars == pytest.approx(18.75)
    assert [table.day.day for table in told.to_read] == [1, 2, 4]
    assert told.sentences() == [
        f"3 days of {TABLE} found",
        "2026-10-03: no table",
        "3 days with 6 events to read",
        "BigQuery bills 3.299 TB: about $18.75 at $6.25 a TiB (list price on demand in the US as of "
        "2024, check yours; the first TiB a month is free)",
    ]
    assert fake.queried() == []
    assert all(job["dryRun"] for job in fake.jobs)


def test_a_price_of_one_s_own_and_the_least_that_is_billed(fake: FakeFaults, store: Store) -> None:
    fake.bytes = 5
    told = bigquery.estimate(store, asked(price_per_tib=8.5), silent)
    assert told.bytes_billed == 3 * MIN_BYTES
    assert told.sentences()[-1] == "BigQuery bills 0.03 GB: less than $0.01 at $8.5 a TiB"


def test_a_day_is_a_sorted_file_with_the_names_of_the_export(fake: FakeFaults, store: Store) -> None:
    files = read(store)
    assert [file.name for file in files] == [f"events_{day}.parquet" for day in DAYS]
    table = pq.read_table(files[0])
    assert table["event_params.page_location"].to_pylist() == ["/", "/b"]
    assert table["event_timestamp"].to_pylist() == [10**15 + 1, 10**15 + 2]
    assert "event_params.page_title" in table.column_names
    assert "device.category" not in table.column_names  # this table has none
    assert [path.name for path in sorted(files[0].parent.iterdir())] == [files[0].name, "manifest.json"]


def test_a_day_without_events_is_a_file_without_rows(fake: FakeFaults, store: Store) -> None:
    fake.days["20261002"] = []
    files = read(store)
    assert pq.read_metadata(files[1]).num_rows == 0
    assert "event_params.page_location" in pq.read_schema(files[1]).names


def test_an_unchanged_day_is_not_paid_for_twice_and_a_changed_one_is_read_again(
    fake: FakeFaults, store: Store
) -> None:
    first = read(store)
    fake.jobs.clear()
    again = bigquery.estimate(store, asked(), silent)
    assert again.to_read == ()
    assert again.bytes_billed == 0
    assert again.sentences()[-1] == "3 days read before and unchanged: not read or paid again"
    assert bigquery.read(store, again, silent) == first
    assert fake.jobs == []
    fake.modified["20261002"], fake.days["20261002"] = 2, [view("b", 1)]
    changed = read(store)
    assert fake.queried() == ["20261002"]
    assert pq.read_metadata(changed[1]).num_rows == 1
    assert [changed[0], changed[2]] == [first[0], first[2]]
    assert not first[1].exists()  # what the day was before is let go
    read(store, user_share=0.5)
    assert all(path.exists() for path in changed)  # another query is another reading


def test_the_limit_goes_with_every_query_and_shrinks_by_what_was_billed(
    fake: FakeFaults, store: Store
) -> None:
    fake.bytes = 1000 * MIB
    read(store, max_bytes=3001 * MIB)
    assert fake.limits() == [3001 * MIB, 2001 * MIB, 1001 * MIB]


def test_no_more_is_billed_than_was_agreed_to_but_for_a_mib_a_table(fake: FakeFaults, store: Store) -> None:
    fake.bytes = 1000 * MIB - 5
    agreed = bigquery.estimate(store, asked(), silent)
    assert agreed.bytes_billed == 3000 * MIB
    fake.bytes = 1000 * MIB
    bigquery.read(store, agreed, silent)
    assert fake.limits() == [3003 * MIB, 2003 * MIB, 1003 * MIB]


def test_each_table_behind_a_view_is_billed_at_least_its_least(fake: FakeFaults, store: Store) -> None:
    fake.of_view = 3
    assert bigquery.estimate(store, asked(), silent).bytes_billed == 3 * (954 * MIB + 2 * MIN_BYTES)


def test_a_kept_day_that_is_gone_since_the_estimate_needs_another_one(fake: FakeFaults, store: Store) -> None:
    files = read(store)
    agreed = bigquery.estimate(store, asked(), silent)
    shutil.rmtree(files[1].parent)
    fake.jobs.clear()
    with pytest.raises(ResourceError, match=r"2026-10-02 was kept .* nothing was read.*Estimate again"):
        bigquery.read(store, agreed, silent)
    assert fake.jobs == []


@pytest.mark.parametrize(("kind", "modified"), [("VIEW", 1), ("TABLE", None)])
def test_what_does_not_tell_when_it_changed_is_read_again(
    fake: FakeFaults, store: Store, kind: str, modified: int | None
) -> None:
    fake.kind, fake.modified = kind, dict.fromkeys(DAYS, modified)
    first = read(store)
    again = bigquery.estimate(store, asked(), silent)
    assert len(again.to_read) == 3
    assert len(bigquery.read(store, again, silent)) == 3
    assert fake.queried() == [*DAYS, *DAYS]
    assert not any(path.exists() for path in first)


@pytest.mark.parametrize("stop", [Cancelled, KeyboardInterrupt])
def test_a_query_that_nobody_waits_for_any_more_is_stopped(
    fake: FakeFaults, store: Store, stop: type[BaseException]
) -> None:
    def stopped(stage: str, fraction: float, message: str = "", **_: float) -> None:
        if message == "BigQuery is at work":
            raise stop

    agreed, fake.slow = bigquery.estimate(store, asked(), silent), math.inf
    with pytest.raises(stop):
        bigquery.read(store, agreed, stopped)
    assert fake.asked[-1] == "cancel 20261001"


def test_a_query_that_takes_too_long_is_stopped_and_that_is_said(
    fake: FakeFaults, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed, fake.slow = bigquery.estimate(store, asked(), silent), math.inf
    clock = SimpleNamespace(monotonic=count(0, 600).__next__, sleep=lambda _: None)
    monkeypatch.setattr(bigquery, "time", clock)
    fake.faults["cancel"] = CUT  # as good as it gets: what could not be told is not what went wrong
    with pytest.raises(ResourceError, match="BigQuery was not done after 15 minutes"):
        bigquery.read(store, agreed, silent)
    assert "cancel 20261001" in fake.asked
    assert "page 20261001" not in fake.asked


def test_a_query_that_is_at_work_for_a_while(
    fake: FakeFaults, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bigquery, "POLL_S", 0.0)
    fake.slow = 4
    assert len(read(store)) == 3
    assert not any(one.startswith("cancel") for one in fake.asked)


def test_more_than_is_allowed_is_not_read(fake: FakeFaults, store: Store) -> None:
    with pytest.raises(
        SettingsError, match=r"would bill 3\.00 GB, more than the 2\.99 GB .* nothing was read"
    ):
        read(store, max_bytes=2_990_000_000)
    assert fake.queried() == []


def test_a_network_that_goes_away_leaves_the_days_before_it(fake: FakeFaults, store: Store) -> None:
    fake.faults["page 20261002"] = CUT
    with pytest.raises(ResourceError, match=r"cannot be reached any more.*kept"):
        read(store)
    assert [path.name for path in (store.root / "bigquery").glob("[!.]*/*.parquet")] == [
        "events_20261001.parquet"
    ]
    assert list((store.root / "bigquery").glob(".*")) == []
    fake.faults.clear()
    fake.jobs.clear()
    assert len(read(store)) == 3
    assert fake.queried() == ["20261002", "20261004"]


FORBIDDEN = (403, "accessDenied", "Access Denied: User lacks bigquery.jobs.create")


@pytest.mark.parametrize(
    ("where", "fault", "kind", "words"),
    [
        ("list", FORBIDDEN, InputError, "refuses demo-shop.*Access Denied.*Data Viewer.*Job User"),
        (
            "list",
            (404, "notFound", "Not found: Dataset"),
            InputError,
            "does not find demo-shop.*Check project",
        ),
        ("table", FORBIDDEN, InputError, "refuses"),
        (
            "dry",
            (400, "invalidQuery", "Unrecognized name"),
            InputError,
            "cannot read demo-shop.*Unrecognized name",
        ),
        (
            "dry",
            (403, "quotaExceeded", "Quota exceeded"),
            ResourceError,
            "quota of BigQuery is used up: Quota",
        ),
        ("query", FORBIDDEN, InputError, "refuses"),
        ("query", (403, "quotaExceeded", "Custom quota exceeded"), ResourceError, "quota.*kept"),
        ("query", (403, "rateLimitExceeded", "Too many"), ResourceError, "quota"),
        (
            "page",
            (400, "bytesBilledLimitExceeded", "10485760 or higher"),
            ResourceError,
            "more than was estimated, or than the 100.00 GB",
        ),
        ("page", (403, "responseTooLarge", "Response too large"), ResourceError, "too large.*--user-share"),
        ("page", (503, "backendError", "Try later"), ResourceError, "BigQuery has a problem: Try later"),
        ("list", CUT, ResourceError, "cannot be reached"),
    ],
)
def test_every_refusal_in_words(
    fake: FakeFaults, store: Store, where: str, fault: object, kind: type[Beha2VecError], words: str
) -> None:
    fake.faults[where] = fault
    with pytest.raises(kind, match=words) as raised:
        read(store)
    assert "http" not in str(raised.value)
    assert not list((store.root / "bigquery").glob("*"))


def test_days_without_a_table(fake: FakeFaults, store: Store) -> None:
    with pytest.raises(InputError, match="no table of a day from 2025-01-01 to 2025-01-31"):
        read(store, first=date(2025, 1, 1), last=date(2025, 1, 31))


def test_a_column_that_is_not_there_is_named(fake: FakeFaults, store: Store) -> None:
    with pytest.raises(InputError, match="has no user_id, which is to be user_key"):
        read(store, user_key="user_id")
    with pytest.raises(InputError, match=r"has no device\.model, which is to be device_category"):
        read(store, mapping={"device_category": "device.model"})


def test_without_credentials_nothing_of_their_place_is_told(
    fake: FakeFaults, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/secret.json")
    with pytest.raises(SettingsError, match=r"no valid credentials.*gcloud auth") as raised:
        read(store)
    assert "secret" not in str(raised.value)


def test_without_the_extra(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bigquery, "installed", lambda: False)
    with pytest.raises(SettingsError, match=r"google-cloud-bigquery is not installed.*pip install"):
        read(store)


def test_a_reading_gets_a_folder_of_its_own_that_shares_its_bytes(
    fake: FakeFaults, store: Store, tmp_path: Path
) -> None:
    files, folder = read(store), tmp_path / "input" / "days"
    (tmp_path / "input" / ".days.killed").mkdir(parents=True)
    for _ in range(2):
        bigquery.place(files, folder)
    assert [path.name for path in sorted(folder.iterdir())] == [file.name for file in files]
    assert (folder / files[0].name).samefile(files[0])
    assert [path.name for path in folder.parent.iterdir()] == ["days"]


def test_users_who_are_forgotten_are_in_no_kept_day(fake: FakeFaults, store: Store) -> None:
    fake.days["20261001"] = [view("1026932.0858862293", 1)]
    files = read(store)
    forgotten = forgetting.ids_of("1026932.0858862293")
    assert forgetting.forget(SearchedPlaces(store.root), forgotten, silent).is_clean
    assert [file.exists() for file in files] == [False, True, True]


def test_a_session_begins_before_the_page_view_of_the_same_moment_whatever_that_is_called(
    fake: FakeFaults, store: Store
) -> None:
    names = ("screen", "session_start", "page_view", "first_visit")
    fake.days = {DAYS[0]: [view("a", 1) | {"event_name": name} for name in names]}
    [path] = read(store, first=date(2026, 10, 1), last=date(2026, 10, 1))
    found = pq.read_table(path).to_pydict()
    assert found["event_name"] == ["first_visit", "session_start", "page_view", "screen"]
