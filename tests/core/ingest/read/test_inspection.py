from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.errors import InputError
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.clean.records import microseconds
from core.ingest.read.inspection import Inspection, inspect
from tests.core.ingest.clean.test_records import computed
from tests.core.ingest.raw import HEADER, ROW, csv_of, write
from tests.core.ingest.read.test_ndjson import event, lines
from tests.core.ingest.read.test_parquet import NESTED, param
from tests.core.ingest.read.test_parquet import event as parquet_event
from tests.core.ingest.read.test_table_layout import CONSOLE_HEADER, DOTTED, console, console_row
from tests.core.ingest.read.unnested import PACKINGS, rows_in


def look(path: Path, **settings: object) -> Inspection:
    return inspect([path], IngestSettings.checked(**settings))


def test_a_flat_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", csv_of(*[ROW + ",/p,"] * 30, header=HEADER + ",page_path,user_id"))
    found = look(path)
    (file,) = found.files
    assert (file.name, file.shape, file.bytes) == ("a.csv", "flat csv", path.stat().st_size)
    assert file.columns[:2] == ("event_name", "event_timestamp")
    assert len(file.sample_rows) == 20
    assert file.sample_rows[0] == (*ROW.split(","), "/p", None)
    assert found.mapping[Raw.PAGE_LOCATION] == "page_location"
    assert found.candidates[Raw.PAGE_LOCATION] == ("page_location", "page_path")
    assert found.user_keys == ("user_pseudo_id", "user_id", "page_path")
    assert Inspection.model_validate_json(found.model_dump_json()) == found


def test_a_missing_column_is_no_error_yet(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "when,who,where\n1,u,/a\n")
    assert look(path).mapping == {}
    mapping = {Raw.EVENT_TIMESTAMP: "when", Raw.USER_KEY: "who", Raw.PAGE_LOCATION: "where"}
    assert look(path, mapping=mapping).mapping == mapping


def test_nested_json(tmp_path: Path) -> None:
    found = look(write(tmp_path / "a.json", lines(event("u1"), event("u2"))))
    (file,) = found.files
    assert file.shape == "nested ndjson"
    assert "event_params.page_location" in file.columns
    rows = [dict(zip(file.columns, row, strict=True)) for row in file.sample_rows]
    assert [row["event_params.page_location"] for row in rows] == ["/u1", "/u2"]
    assert found.mapping[Raw.DEVICE_BROWSER] == "device.web_info.browser"
    assert Raw.PAGE_TITLE not in found.mapping  # it would be looked for, but is not there


def test_a_name_that_comes_late_in_what_the_reading_looks_at_is_seen(tmp_path: Path) -> None:
    """The look once saw less of a file than the reading, which then took other columns."""
    rows = [{"ts": 1, "clientId": "u", "filler": "x" * 1_000}] * 1_200
    path = write(tmp_path / "a.json", lines(*rows, {"ts": 1, "clientId": "u", "url": "/a"}))
    assert path.stat().st_size > 1 << 20
    assert look(path).mapping[Raw.PAGE_LOCATION] == "url"


def test_nested_parquet(tmp_path: Path) -> None:
    rows = [parquet_event("u1", param("page_location", "/a"), param("plan", "gold"))]
    pq.write_table(pa.Table.from_pylist(rows, NESTED), tmp_path / "a.parquet")
    found = look(tmp_path / "a.parquet")
    (file,) = found.files
    row = dict(zip(file.columns, file.sample_rows[0], strict=True))
    assert (row["user_pseudo_id"], row["event_params.plan"], row["device.category"]) == (
        "u1",
        "gold",
        "mobile",
    )
    assert found.mapping[Raw.PAGE_LOCATION] == "event_params.page_location"


CELLS = [console_row("u1", "https://x.example/a"), [*console_row("u2", "/b")[:4], "{broken", ""]]


@pytest.mark.parametrize("table", ["\n".join(DOTTED), console(CELLS, CONSOLE_HEADER)])
def test_dotted_and_console_files(tmp_path: Path, table: str) -> None:
    first, *others = (
        look(write(tmp_path / f"a.{kind}", PACKINGS[kind](rows_in(table))))
        for kind in ("csv", "ndjson", "parquet")
    )
    (file,) = first.files
    row = dict(zip(file.columns, file.sample_rows[0], strict=True))
    assert first.mapping[Raw.PAGE_LOCATION] == "event_params.page_location"
    assert row["event_params.page_location"] == "https://x.example/a"
    assert row["event_params.ga_session_id"] == "77"
    for found in others:
        own = {"name", "bytes", "shape"}
        assert found.files[0].model_dump(exclude=own) == file.model_dump(exclude=own)
        assert found.model_dump(exclude={"files"}) == first.model_dump(exclude={"files"})


def test_several_files_are_looked_at_together(tmp_path: Path) -> None:
    write(tmp_path / "1.csv", csv_of(ROW))
    write(tmp_path / "2.csv", csv_of("1,c,/a,DE", header="ts,clientId,url,country"))
    found = inspect([tmp_path], IngestSettings())
    assert [file.name for file in found.files] == ["1.csv", "2.csv"]
    assert found.mapping[Raw.USER_KEY] == "user_pseudo_id"
    assert found.candidates[Raw.USER_KEY] == ("user_pseudo_id", "clientId")
    assert found.mapping[Raw.GEO_COUNTRY] == "country"


def test_only_a_header(tmp_path: Path) -> None:
    assert look(write(tmp_path / "a.csv", HEADER)).files[0].sample_rows == ()


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="PNG"):
        look(write(tmp_path / "a.csv", b"\x89PNG\r\n\x1a\n"))


def test_the_preview_shows_ids_and_of_texts_only_the_outline(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "event_name,event_timestamp,user_pseudo_id,page_location,page_title\n"
        "page_view,1700000000000000,1605951.6059719725,"
        "https://a.example/u/maria-gonzalez?email=joe%40example.com&utm_source=news,"
        "Hello Maria Gonzalez | Shop\n"
    )
    row = inspect([path], IngestSettings()).files[0].sample_rows[0]
    assert row[:3] == ("page_view", "1700000000000000", "1605951.6059719725")
    assert row[3:] == ("https://a.example/u/m…-g…?email={email}&utm_source=n…", "H… M… G… | S…")


def test_names_of_events_are_shown_unless_they_may_be_those_of_people(tmp_path: Path) -> None:
    for name, shown in (("event_name", "Seite gesehen"), ("name", "S… g…")):
        path = write(
            tmp_path / f"{name}.csv", csv_of("Seite gesehen,1,c,/a", header=f"{name},ts,clientId,url")
        )
        assert inspect([path], IngestSettings()).files[0].sample_rows[0][0] == shown


def test_dates_that_begin_with_the_day_or_the_month_are_told_before_all_is_read(tmp_path: Path) -> None:
    odd = ["31.12.2025", "31.12.2025 14:05", "1/2/2025 10:00:00", "01-02-2025", "31.12.25 10:00"]
    assert computed(tmp_path, odd, microseconds) == [None] * len(odd)  # nor does the reading know them
    for written in (*odd, "2025-12-31 14:05:00", "1700000000000000", "31 Dec 2025", ""):
        path = write(tmp_path / "a.csv", csv_of(f"{written},u,/a", header="ts,clientId,url"))
        assert look(path).files[0].odd_dates == (("ts",) if written in odd else ())
    mixed = write(tmp_path / "b.csv", csv_of("31.12.2025,u,/a", "1700000000,u,/a", header="ts,clientId,url"))
    assert look(mixed).files[0].odd_dates == ()


def test_columns_that_may_describe_users_are_listed(tmp_path: Path) -> None:
    rows = [f"{ROW},{plan},x@y.example" for plan in ("pro", "free", "pro", "")]
    found = look(write(tmp_path / "a.csv", csv_of(*rows, header=HEADER + ",user_properties_plan,crm_id")))
    plan = next(one for one in found.dimensions if one.name == "user_properties_plan")
    assert (plan.filled, plan.values, plan.example) == (0.75, 2, "pro")
    names = {one.name for one in found.dimensions}
    assert "crm_id" not in names, "it names users"
    assert names.isdisjoint(found.mapping.values())
