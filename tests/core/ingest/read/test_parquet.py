from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.base.errors import InputError
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read import parquet
from core.ingest.read.inspection import inspect
from tests.core.ingest.raw import Read, read_paths, write
from tests.core.ingest.sources.test_input_files import make_zip

VALUE = pa.struct([("string_value", pa.string()), ("int_value", pa.int64()), ("double_value", pa.float64())])
PARAMS = pa.list_(pa.struct([("key", pa.string()), ("value", VALUE)]))
NESTED = pa.schema(
    [
        ("event_name", pa.string()),
        ("event_timestamp", pa.int64()),
        ("user_pseudo_id", pa.string()),
        ("event_params", PARAMS),
        (
            "device",
            pa.struct([("category", pa.string()), ("web_info", pa.struct([("browser", pa.string())]))]),
        ),
        ("items", pa.list_(pa.struct([("item_id", pa.string())]))),
    ]
)


def param(key: str, text: str | None = None, number: int | None = None) -> dict[str, Any]:
    return {"key": key, "value": {"string_value": text, "int_value": number}}


def event(user: str | None, *params: dict[str, Any]) -> dict[str, Any]:
    device = {"category": "mobile", "web_info": {"browser": "Chrome"}}
    return {
        "event_name": "page_view",
        "event_timestamp": 1611798022695757,
        "user_pseudo_id": user,
        "event_params": list(params),
        "device": device,
    }


def read_table(tmp_path: Path, table: pa.Table, **settings: object) -> Read:
    path = tmp_path / "in" / "events.parquet"
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table, path)
    return read_paths([path], tmp_path, **settings)


def test_a_nested_export(tmp_path: Path) -> None:
    rows = [
        event("007", param("page_location", "/a"), param("ga_session_id", number=77)),
        event(None),
        event(
            "u2",
            param("ga_session_id", number=78),
            param("page_location", "/b"),
            param("page_location", "/c"),
        ),
        event("u3", param("page_location"), param("page_location", "/d")) | {"device": None},
        event("u4") | {"event_params": None},
    ]
    read = read_table(tmp_path, pa.Table.from_pylist(rows, NESTED))
    assert read.raw.files[0].shape == "nested parquet"
    assert read.column(Raw.USER_KEY) == ["007", None, "u2", "u3", "u4"]
    assert read.column(Raw.PAGE_LOCATION) == ["/a", None, "/b", "/d", None]
    assert read.column(Raw.GA_SESSION_ID) == ["77", None, "78", None, None]
    assert read.column(Raw.DEVICE_BROWSER) == ["Chrome", "Chrome", "Chrome", None, "Chrome"]
    assert read.column(Raw.EVENT_TIMESTAMP) == ["1611798022695757"] * 5
    assert read.lines == [1, 2, 3, 4, 5]
    assert Raw.PAGE_TITLE not in read.raw.present


def test_batches_and_slices_keep_their_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "BATCH_ROWS", 3)
    rows = [event(f"u{n}", *[param("x", "y")] * (n % 3), param("page_location", f"/{n}")) for n in range(10)]
    read = read_table(tmp_path, pa.Table.from_pylist(rows, NESTED))
    assert read.column(Raw.PAGE_LOCATION) == [f"/{n}" for n in range(10)]
    assert read.lines == list(range(1, 11))


def test_a_flat_export(tmp_path: Path) -> None:
    table = pa.table(
        {
            "event_name": pa.array(["page_view", "scroll"]).dictionary_encode(),
            "event_timestamp": pa.array([1, 2], pa.timestamp("us")),
            "event_params.page_location": ["/a", ""],
            "client_id": [1605951.6059719725, 3.0],
            "ga_session_id": [77.0, None],
        }
    )
    read = read_table(tmp_path, table)
    assert read.raw.files[0].shape == "flat parquet"
    assert read.column(Raw.EVENT_TIMESTAMP) == ["1", "2"]
    assert read.column(Raw.PAGE_LOCATION) == ["/a", None]
    assert read.column(Raw.USER_KEY) == ["1605951.6059719725", "3"]
    assert read.column(Raw.GA_SESSION_ID) == ["77", None]
    assert any("client_id is stored as a number" in note for note in read.raw.files[0].notes)


def test_text_that_is_not_utf8_is_one_reject(tmp_path: Path) -> None:
    table = pa.table(
        {
            "ts": [1, 2, 3],
            "client_id": pa.array([b"a", b"\xff", b"c"]),
            "url": ["/a", "/b", "/c"],
            "device": ['{"category": "mobile"}'] * 3,
        }
    )
    read = read_table(tmp_path, table)
    assert read.column(Raw.DEVICE_CATEGORY) == ["mobile"] * 2
    (look,) = inspect([tmp_path / "in" / "events.parquet"], IngestSettings()).files
    assert [row[1] for row in look.sample_rows] == ["a", "c"]
    assert (read.column(Raw.USER_KEY), read.lines) == (["a", "c"], [1, 3])
    assert [(r["line"], r["column"], r["reason"]) for r in read.rejects] == [
        (2, "client_id", "not valid UTF-8")
    ]


def test_a_column_that_is_no_plain_value(tmp_path: Path) -> None:
    table = pa.table({"ts": [1], "client_id": ["a"], "url": [["/a"]]})
    with pytest.raises(InputError, match="no column for page_location"):
        read_table(tmp_path, table)
    fine = table.append_column("page_path", pa.array(["/a"]))
    with pytest.raises(InputError, match="page_title from 'url', but no file"):
        read_table(tmp_path, fine, mapping={Raw.PAGE_TITLE: "url"})


def test_a_parameter_that_is_no_plain_value(tmp_path: Path) -> None:
    params = [[{"key": "page_location", "value": ["/a"]}]]
    table = pa.table({"event_timestamp": [1], "user_pseudo_id": ["a"], "event_params": params})
    with pytest.raises(InputError, match=r"event_params\.page_location holds list<"):
        read_table(tmp_path, table)


def test_missing_and_empty(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"events\.parquet has no column for the user"):
        read_table(tmp_path, pa.table({"ts": [1], "url": ["/a"]}))
    with pytest.raises(InputError, match="no records"):
        read_table(tmp_path, NESTED.empty_table())


def test_a_damaged_file(tmp_path: Path) -> None:
    pq.write_table(
        pa.Table.from_pylist([event("u", param("page_location", "/a"))] * 50, NESTED), tmp_path / "a.parquet"
    )
    data = (tmp_path / "a.parquet").read_bytes()
    for broken in (
        data[:-1],
        data[: len(data) // 2],
        b"PAR1" + bytes(40),
        data[:20] + bytes(200) + data[220:],
    ):
        with pytest.raises(InputError, match=r"b\.parquet is damaged, or not Parquet"):
            read_paths([write(tmp_path / "b.parquet", broken)], tmp_path)


def test_parquet_in_a_zip(tmp_path: Path) -> None:
    pq.write_table(
        pa.Table.from_pylist([event("u", param("page_location", "/a"))], NESTED), tmp_path / "a.parquet"
    )
    path = make_zip(tmp_path / "a.zip", {"a.parquet": (tmp_path / "a.parquet").read_bytes()})
    assert read_paths([path], tmp_path).column(Raw.PAGE_LOCATION) == ["/a"]


def test_json_text_beside_lists_is_told_as_not_read(tmp_path: Path) -> None:
    params = [{"key": "page_location", "value": {"string_value": "/a"}}]
    row = {"user_pseudo_id": "u", "event_name": "page_view", "event_timestamp": 1, "event_params": params}
    pq.write_table(pa.Table.from_pylist([row | {"geo": '{"country": "Peru"}'}]), tmp_path / "a.parquet")
    pq.write_table(pa.Table.from_pylist([row | {"geo": "Peru"}]), tmp_path / "b.parquet")
    notes = [
        read_paths([tmp_path / name], tmp_path / name[0]).raw.files[0].notes
        for name in ("a.parquet", "b.parquet")
    ]
    assert ["geo: what is inside of this JSON text is not read" in " ".join(each) for each in notes] == [
        True,
        False,
    ]
