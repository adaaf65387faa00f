"""The demo shop out of BigQuery's daily tables and out of files: the same data set, table by table."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.progress import silent
from core.base.settings import IngestSettings
from core.ingest.sample import write_sample
from core.runs import pipeline
from core.scoring import bigquery
from core.scoring.bigquery_request import BigQueryRequest
from core.storage.store import Store
from tests.bigquery_emulator import SCHEMA, TABLES, Record, as_date, by_day, load

TABLES_OF_A_DATASET = ("sequences", "users", "pages", "page_events", "outcomes", "events")


def strange(record: Record, second: int, *params: tuple[str, str, object]) -> Record:
    """A record of a user of its own, with parameters as key, kind and value."""
    empty = dict.fromkeys(("string_value", "int_value", "float_value", "double_value"))
    sent = [{"key": key, "value": empty | {kind: value}} for key, kind, value in params]
    when = record["event_timestamp"] + second * 1_000_000
    return record | {"user_pseudo_id": "77.88", "event_timestamp": when, "event_params": sent}


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Record]]:
    """Five days of the demo shop, and events with what is sent twice, empty, as a fraction, or not at all."""
    flat = tmp_path_factory.mktemp("shop") / "shop.csv"
    write_sample(flat, 250, 3, silent)
    found = dict(sorted(by_day(flat).items())[:5])
    page, time = "page_location", "engagement_time_msec"
    first = found[min(found)]
    view = next(record for record in first if record["event_name"] == "page_view")
    one, two, three = ((page, "string_value", f"https://a.example/{name}") for name in ("1", "2", "it's?q=ü"))
    first += [
        strange(view, 1, one, two),
        strange(view, 2, (page, "string_value", ""), two, (time, "double_value", 2.5)),
        strange(view, 3, three, (time, "float_value", 1200.0)),
        strange(view, 4, ("transaction_id", "int_value", 5)) | {"device": None, "geo": None},
    ]
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def read(emulator: str, days: dict[str, list[Record]], store: Store) -> list[Path]:
    load(emulator, days)
    load(emulator, {day: records[:3] for day, records in days.items()}, "events_intraday_")  # not asked for
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIGQUERY_EMULATOR_HOST", emulator)
        request = BigQueryRequest(table=TABLES, first=as_date(min(days)), last=as_date(max(days)))
        return bigquery.read(store, bigquery.estimate(store, request, silent), silent)


def as_files(days: dict[str, list[Record]], folder: Path) -> list[Path]:
    for day, records in days.items():
        pq.write_table(pa.Table.from_pylist(records, SCHEMA), folder / f"events_{day}.parquet")
    return sorted(folder.iterdir())


def test_the_data_set_is_that_of_the_same_records_in_files(
    read: list[Path], days: dict[str, list[Record]], store: Store, tmp_path: Path
) -> None:
    ours = pipeline.preprocess(store, read, IngestSettings(), silent)
    theirs = pipeline.preprocess(store, as_files(days, tmp_path), IngestSettings(), silent)
    for table in TABLES_OF_A_DATASET:
        here, there = (pq.read_table(one.path / f"{table}.parquet") for one in (ours, theirs))
        assert here.equals(there), table
        assert len(here), table
