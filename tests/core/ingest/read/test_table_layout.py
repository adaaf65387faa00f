import csv
import io
import json
from pathlib import Path

import pytest

from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read.table_layout import Shape, make_layout
from tests.core.ingest.raw import Read, read_text
from tests.core.ingest.read.unnested import PACKINGS, rows_in

every_kind = pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])

DOTTED = [
    "event_name,event_timestamp,user_pseudo_id,event_params.0.key,event_params.0.value.int_value,"
    "event_params.0.value.string_value,event_params.1.key,event_params.1.value.int_value,"
    "event_params.1.value.string_value,device.category",
    "page_view,1,u1,page_location,,https://x.example/a,ga_session_id,77,,mobile",
    "page_view,2,u2,ga_session_id,78,,page_location,,https://x.example/b,desktop",
    "scroll,3,u1,engagement_time_msec,5,,,,,mobile",
    "page_view,4,u1,page_location,,/first,page_location,,/second,mobile",
]


def params(**values: str | int) -> list[dict[str, object]]:
    kinds = {str: "string_value", int: "int_value"}
    return [{"key": key, "value": {kinds[type(value)]: value}} for key, value in values.items()]


def console(rows: list[list[str]], header: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()


CONSOLE_HEADER = [
    "event_name",
    "event_timestamp",
    "user_pseudo_id",
    "event_params",
    "device",
    "traffic_source.source",
]


def console_row(user: str, location: str, session: str = "77") -> list[str]:
    listed = {"event_params": params(page_location=location, ga_session_id=session)}
    device = json.dumps({"category": "mobile", "web_info": {"browser": "Chrome"}})
    return ["page_view", "1", user, json.dumps(listed, indent=2), device, "google"]


def read_console(
    tmp_path: Path, *rows: list[str], kind: str = "csv", header: list[str] = CONSOLE_HEADER
) -> Read:
    return read_as(kind, console(list(rows), header), tmp_path)


def read_as(kind: str, csv_text: str, tmp_path: Path) -> Read:
    """Read a CSV's table from a file of another format."""
    return read_text(PACKINGS[kind](rows_in(csv_text)), tmp_path, f"events.{kind}")


@every_kind
def test_dotted_columns(tmp_path: Path, kind: str) -> None:
    read = read_as(kind, "\n".join(DOTTED) + "\n", tmp_path)
    assert read.raw.files[0].shape == f"dotted {kind}"
    assert read.column(Raw.PAGE_LOCATION) == ["https://x.example/a", "https://x.example/b", None, "/first"]
    assert read.column(Raw.GA_SESSION_ID) == ["77", "78", None, None]
    assert read.column(Raw.ENGAGEMENT_TIME_MSEC) == [None, None, "5", None]
    assert read.column(Raw.DEVICE_CATEGORY) == ["mobile", "desktop", "mobile", "mobile"]


def test_json_cells_over_many_lines(tmp_path: Path) -> None:
    read = read_console(tmp_path, console_row("u1", "/a"), console_row("007", "/b"))
    (file,) = read.raw.files
    assert file.shape == "csv with json cells"
    assert file.columns[Raw.DEVICE_BROWSER] == "device.web_info.browser"
    assert read.column(Raw.PAGE_LOCATION) == ["/a", "/b"]
    assert read.column(Raw.USER_KEY) == ["u1", "007"]
    assert read.column(Raw.TRAFFIC_SOURCE) == ["google", "google"]
    first = console_row("u1", "/a")[3].count("\n")
    assert read.lines == [2, 3 + first]


@every_kind
def test_a_broken_cell_is_one_reject(tmp_path: Path, kind: str) -> None:
    broken, odd = console_row("u2", "/b"), console_row("u3", "/c")
    broken[3], odd[3] = '{"event_params": [', '[{"value": 1}]'
    read = read_console(tmp_path, console_row("u1", "/a"), broken, odd, console_row("u4", "/d"), kind=kind)
    assert read.column(Raw.USER_KEY) == ["u1", "u4"]
    assert [(reject["column"], reject["reason"]) for reject in read.rejects] == [
        ("event_params", "not JSON"),
        ("event_params", "event_params is not a list of keys and values"),
    ]


@every_kind
def test_a_broken_cell_that_nothing_is_read_from_costs_nothing(tmp_path: Path, kind: str) -> None:
    header = [*CONSOLE_HEADER, "user_properties"]
    rows = [[*console_row("u1", "/a"), "[]"], [*console_row("u2", "/b"), "[{"]]
    read = read_console(tmp_path, *rows, kind=kind, header=header)
    assert (read.column(Raw.PAGE_LOCATION), read.rejects) == (["/a", "/b"], [])
    assert read.column(Raw.DEVICE_CATEGORY) == ["mobile"] * 2


@every_kind
@pytest.mark.parametrize("empty", ["", "null"])
def test_a_record_that_the_sample_shows_empty_is_read_all_the_same(
    tmp_path: Path, kind: str, empty: str
) -> None:
    """The few that tell of money; it was taken from what any event is worth instead."""
    header = [*CONSOLE_HEADER, "ecommerce"]
    rows = [[*console_row(f"u{number}", "/a"), empty] for number in range(700)]
    for row in rows:
        row[3] = json.dumps(params(page_location="/a", value=3))
    rows[-1][-1] = json.dumps({"purchase_revenue": 12.5})
    read = read_console(tmp_path, *rows, kind=kind, header=header)
    assert read.column(Raw.PURCHASE_REVENUE) == [*[None] * 699, "12.5"]


@every_kind
def test_plain_text_where_the_sample_is_empty_costs_no_record(tmp_path: Path, kind: str) -> None:
    header = [*CONSOLE_HEADER[:5], "traffic_source"]
    rows = [[*console_row(f"u{number}", "/a")[:5], "" if number < 699 else "google"] for number in range(700)]
    read = read_console(tmp_path, *rows, kind=kind, header=header)
    assert (read.raw.rows, read.raw.rejects.num_rows) == (700, 0)
    assert read.column(Raw.DEVICE_CATEGORY)[-1] == "mobile"


@every_kind
def test_a_parameter_that_the_sample_does_not_show_is_read_all_the_same(tmp_path: Path, kind: str) -> None:
    plain = [console_row(f"u{number}", "/a") for number in range(600)]
    late = console_row("late", "/b")
    late[3] = json.dumps(params(page_location="/b", page_title="T"))
    read = read_console(tmp_path, *plain, late, kind=kind)
    assert read.column(Raw.PAGE_TITLE)[-2:] == [None, "T"]
    assert read.raw.files[0].columns[Raw.PAGE_TITLE] == "event_params.page_title"
    assert Raw.DEBUG_MODE not in read.raw.present  # looked for, never there


def test_a_device_column_of_plain_text_is_flat() -> None:
    layout = make_layout(["device", "page_location"], [("mobile", "/a")], ",", IngestSettings())
    assert layout.shape is Shape.FLAT


def test_an_event_without_a_name_is_a_page_view(tmp_path: Path) -> None:
    read = read_text("event_timestamp,user_pseudo_id,page_location\n1,u,/a\n", tmp_path)
    assert Raw.EVENT_NAME not in read.raw.present
    assert "No event names: every record is read as a page view" in read.raw.files[0].notes
