from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.base.errors import Cancelled, InputError
from core.base.progress import silent
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.output_tables import REJECTS
from core.ingest.read.part_files import RAW
from core.ingest.read.read_all import READ_SHARE, read_all
from tests.core.ingest.raw import HEADER, ROW, csv_of, read_paths, write
from tests.real_data import real


def days(tmp_path: Path, *texts: str) -> list[Path]:
    return [write(tmp_path / "in" / f"events_{day}.csv", text) for day, text in enumerate(texts, 1)]


def test_daily_files_are_put_together_by_field_and_drift_is_told(tmp_path: Path) -> None:
    other = "event_name,event_timestamp,clientId,page_location,country\nscroll,2,c,/b,DE\n"
    read = read_paths(days(tmp_path, csv_of(ROW), other), tmp_path)
    assert read.column(Raw.USER_KEY) == ["1605951.6059719725", "c"]
    assert read.column(Raw.FILE_NO) == [0, 1]
    assert read.column(Raw.GEO_COUNTRY) == [None, "DE"]
    assert [file.missing for file in read.raw.files] == [("geo_country",), ("page_title",)]
    assert set(read.raw.warnings) == {
        "events_2.csv has no page_view, which is the page view of these files: it adds events only",
        "geo_country is missing in 1 of 2 files",
        "page_title is missing in 1 of 2 files",
        "user_key is called user_pseudo_id or clientId, depending on the file",
    }


def test_every_part_has_the_same_schema(tmp_path: Path) -> None:
    raw = read_all(days(tmp_path, csv_of(ROW), csv_of(ROW, ROW)), IngestSettings(), tmp_path / "raw", silent)
    assert {pq.read_schema(part) for _, part in raw.parts} == {RAW}
    assert raw.rejects.schema == REJECTS


def test_an_empty_day_among_others_is_no_error(tmp_path: Path) -> None:
    read = read_paths(days(tmp_path, csv_of(ROW), HEADER + "\n"), tmp_path)
    assert [file.records for file in read.raw.files] == [1, 0]


def test_a_day_without_a_required_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"events_2\.csv has no column for page_location"):
        read_paths(
            days(tmp_path, csv_of(ROW), csv_of("v,1,u,x", header="event_name,ts,client_id,x")), tmp_path
        )


def test_a_mapping_needs_its_column_in_one_file_at_least(tmp_path: Path) -> None:
    files = days(tmp_path, csv_of(ROW), csv_of("1,u,/a,T", header="ts,client_id,url,heading"))
    read = read_paths(files, tmp_path, mapping={Raw.PAGE_TITLE: "heading"})
    assert read.column(Raw.PAGE_TITLE) == ["Home", "T"]
    with pytest.raises(InputError, match="page_title from 'caption', but no file"):
        read_paths(files, tmp_path, mapping={Raw.PAGE_TITLE: "caption"})


def test_a_mapping_may_name_a_field_that_was_read_once(tmp_path: Path) -> None:
    files = days(tmp_path, csv_of(ROW))
    assert read_paths(files, tmp_path, mapping={"page_referrer": "from"}).column(Raw.PAGE_TITLE) == ["Home"]


def test_the_first_touch_is_told_from_other_sources(tmp_path: Path) -> None:
    texts = (
        csv_of("1,u,/a,g", header="ts,client_id,url,utm_source"),
        csv_of("1,u,/a,h", header="ts,client_id,url,traffic_source.source"),
    )
    read = read_paths(days(tmp_path, *texts), tmp_path)
    found = [(row[Raw.TRAFFIC_SOURCE], row[Raw.EVENT_SOURCE]) for row in read.rows]
    assert found == [(None, "g"), ("h", None)]
    assert not any("source is missing" in warning for warning in read.raw.warnings)


def test_by_the_analysts_word_no_other_column_is_the_source(tmp_path: Path) -> None:
    file = days(tmp_path, csv_of("1,u,/a,g,h", header="ts,client_id,url,utm_source,campaign"))
    read = read_paths(file, tmp_path, mapping={Raw.TRAFFIC_SOURCE: "campaign"})
    assert (read.column(Raw.TRAFFIC_SOURCE), read.column(Raw.EVENT_SOURCE)) == (["h"], [None])


def test_rejects_of_all_files_with_their_names(tmp_path: Path) -> None:
    read = read_paths(days(tmp_path, csv_of(ROW, "x"), csv_of(ROW, ROW + ",")), tmp_path)
    assert [(reject["file"], reject["line"]) for reject in read.rejects] == [
        ("events_1.csv", 3),
        ("events_2.csv", 3),
    ]
    assert [(file.read, file.rejected) for file in read.raw.files] == [(1, 1), (1, 1)]


def test_progress_goes_up_to_the_share_of_reading(tmp_path: Path) -> None:
    told: list[float] = []

    def watch(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        told.append(fraction)

    read_all(days(tmp_path, csv_of(ROW), csv_of(ROW, ROW)), IngestSettings(), tmp_path / "raw", watch)
    assert told == sorted(told)
    assert 0 < told[0] < told[-1] <= READ_SHARE


def test_it_can_be_cancelled(tmp_path: Path) -> None:
    def stop(stage: str, fraction: float, message: str = "", **figures: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        read_all(days(tmp_path, csv_of(ROW)), IngestSettings(), tmp_path / "raw", stop)


def test_the_real_files(tmp_path: Path) -> None:
    read = read_paths([real("ga4_formats/flat_events_2021.csv")], tmp_path)
    assert len(read.rows) == 9
    assert read.column(Raw.USER_KEY)[4] == "5057241.750802934"
