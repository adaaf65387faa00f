"""Values as text, and records that fold parameters away."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest

from core.base.schema import Raw
from core.ingest.read.nested import NotText, broken_rows, find_nested_encoding, to_text
from tests.core.ingest.read.test_ndjson import event, lines, read_json

ID = UUID("0a1b2c3d-0000-4000-8000-00000000000f")
NOON = dt.datetime(2021, 1, 28, 12, 0, 0, 1)


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (pa.array(["007", "", None]), ["007", None, None]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array(["a"], pa.large_string()), ["a"]),
        (pa.array([b"a"], pa.binary()), ["a"]),
        (pa.array([2**63 - 1, None]), ["9223372036854775807", None]),
        (pa.array([True, False]), ["true", "false"]),
        (
            pa.array([3599645542.0, 1605951.6059719725, float("nan"), None]),
            ["3599645542", "1605951.6059719725", None, None],
        ),
        (pa.array([1.611798022695757e15, -2.0, 1e22]), ["1611798022695757", "-2", "1e+22"]),
        (pa.array([0.1], pa.float32()), ["0.1"]),
        (pa.array([Decimal("1.50")]), ["1.50"]),
        (pa.array([NOON], pa.timestamp("us")), ["1611835200000001"]),
        (pa.array([NOON], pa.timestamp("ns", "Europe/Berlin")), ["1611835200000001"]),
        (pa.array([dt.date(2021, 1, 28), None]), ["20210128", None]),
        (pa.nulls(1), [None]),
        (pa.array([ID, None, ID], pa.uuid()), [str(ID), None, str(ID)]),
    ],
)
def test_every_plain_type_as_text(array: pa.Array, text: list[str | None]) -> None:
    assert to_text(array).to_pylist() == text
    assert to_text(array).type == pa.string()


def test_lists_and_records_are_no_text() -> None:
    for array in (pa.array([[1]]), pa.array([{"a": 1}])):
        with pytest.raises(NotText):
            to_text(array)


def test_rows_that_are_not_utf8_are_found() -> None:
    array = to_text(pa.array([b"a", b"\xff", None, b"\xc3\xa9"], pa.binary()))
    assert broken_rows(array) == [1]
    assert broken_rows(array.slice(2)) == []


def dotted(user: object, *params: tuple[object, str, object], **more: object) -> dict[str, Any]:
    """A record whose lists a tool has flattened, nothing of what is null in it."""
    found: dict[str, Any] = {"event_name": "page_view", "event_timestamp": 1, "user_pseudo_id": user}
    for slot, (key, kind, value) in enumerate(params):
        found |= {f"event_params.{slot}.key": key, f"event_params.{slot}.value.{kind}": value}
    return found | more


VIEW = ("page_location", "string_value", "/a")


@pytest.mark.parametrize(
    "record", [event(), event(event_params=None), {"device": "mobile", "event_params.page_location": "/a"}]
)
def test_records_that_are_not_folded(record: dict[str, Any]) -> None:
    assert find_nested_encoding([record]) is None


def test_numbered_names_that_the_sample_lacks_are_read(tmp_path: Path) -> None:
    """Of those few records that tell of money, too."""
    early = [dotted(f"u{number}", VIEW, ("value", "int_value", 3)) for number in range(501)]
    filler = [dotted("u", VIEW) | {"filler": "x" * 8_000}] * 1_100  # the sample ends within these
    title = ("page_title", "string_value", "T")
    time = ("engagement_time_msec", "int_value", 0)
    late = dotted("late", time, title, VIEW, **{"ecommerce.purchase_revenue": 12.5})
    read = read_json(tmp_path, *early, *filler, late)
    assert read.raw.files[0].shape == "dotted ndjson"
    last = read.rows[-1]
    assert (last[Raw.ENGAGEMENT_TIME_MSEC], last[Raw.PAGE_TITLE], last[Raw.PAGE_LOCATION]) == ("0", "T", "/a")
    assert set(read.column(Raw.PURCHASE_REVENUE)[:-1]) == {None}
    assert read.column(Raw.PURCHASE_REVENUE)[-1] == "12.5"


def test_values_that_are_still_records(tmp_path: Path) -> None:
    names = {"event_params.0.key": "page_location", "event_params.0.value": {"string_value": "/a"}}
    assert read_json(tmp_path, dotted("u") | names).column(Raw.PAGE_LOCATION) == ["/a"]


def test_numbers_keep_every_digit(tmp_path: Path) -> None:
    order = ("transaction_id", "double_value", 0.5)
    text = lines(dotted("X", VIEW, order)).replace('"X"', "1605951.60597197251234")
    read = read_json(tmp_path, text.replace("0.5", "1605951.60597197259999").strip())
    assert read.column(Raw.USER_KEY) == ["1605951.60597197251234"]
    assert read.column(Raw.TRANSACTION_ID) == ["1605951.60597197259999"]


def test_ids_in_json_text_keep_every_digit(tmp_path: Path) -> None:
    params = json.dumps([{"key": "page_location", "value": {"string_value": "/a"}},
                         {"key": "transaction_id", "value": {"double_value": 0.5}}])  # fmt: skip
    read = read_json(tmp_path, event(event_params=params.replace("0.5", "1605951.60597197259999")))
    assert read.raw.files[0].shape == "ndjson with json cells"
    assert read.column(Raw.TRANSACTION_ID) == ["1605951.60597197259999"]


def test_a_list_among_texts_is_read_as_ever(tmp_path: Path) -> None:
    text = event("u2", event_params=json.dumps(event("u2")["event_params"]))
    read = read_json(tmp_path, event("u1"), text, event("u3", event_params=None))
    assert read.column(Raw.PAGE_LOCATION) == ["/u1", "/u2", None]
    assert read.rejects == []
