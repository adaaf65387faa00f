import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import InputError
from core.base.raw_fields import PARAM_FIELDS, RECORD_FIELDS
from core.base.schema import Raw
from core.base.settings import IngestSettings
from core.ingest.read.nested import BrokenRecord, make_plan, map_names, parameters, read_record
from tests.core.ingest.raw import Read, read_text, write
from tests.real_data import real


def event(user: str = "u1", **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """A record of the BigQuery export, int64 as text as it writes them."""
    record = {
        "event_name": "page_view",
        "event_timestamp": "1611798022695757",
        "user_pseudo_id": user,
        "event_params": [
            {"key": "page_location", "value": {"string_value": f"/{user}"}},
            {"key": "ga_session_id", "value": {"int_value": "3599645542"}},
            {"key": "debug_mode", "value": {"string_value": None, "int_value": 1}},
            {"key": "page_location", "value": {"string_value": "/second"}},
        ],
        "device": {"category": "desktop", "web_info": {"browser": "Chrome"}},
        "geo": None,
        "items": [{"item_id": "x"}],
    }
    return record | changes


def lines(*records: Any) -> str:  # noqa: ANN401 - any JSON
    return "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)


def read_json(tmp_path: Path, *records: Any) -> Read:  # noqa: ANN401 - any JSON
    return read_text(lines(*records), tmp_path, "events.json")


def test_a_nested_record(tmp_path: Path) -> None:
    read = read_json(tmp_path, event("1026932.0858862293"))
    (row,) = read.rows
    assert read.raw.files[0].shape == "nested ndjson"
    assert row[Raw.USER_KEY] == "1026932.0858862293"
    assert row[Raw.EVENT_TIMESTAMP] == "1611798022695757"
    assert row[Raw.PAGE_LOCATION] == "/1026932.0858862293"  # the first of two
    assert (row[Raw.GA_SESSION_ID], row[Raw.DEBUG_MODE]) == ("3599645542", "1")
    assert (row[Raw.DEVICE_BROWSER], row[Raw.GEO_COUNTRY]) == ("Chrome", None)


def test_revenue_is_looked_for_beside_what_events_are_worth_where_no_record_of_the_sample_has_it() -> None:
    worth = ["event_params.value"]
    assert (
        map_names(worth, RECORD_FIELDS, IngestSettings()).by_name[Raw.PURCHASE_REVENUE]
        == "ecommerce.purchase_revenue"
    )
    assert (
        map_names(worth, PARAM_FIELDS, IngestSettings()).by_name[Raw.PURCHASE_REVENUE] == "event_params.value"
    )


@pytest.mark.parametrize(
    ("bad", "reason", "column"),
    [
        ('{"a":', "not JSON: ", None),
        ("[]", "not a JSON object", None),
        ("17", "not a JSON object", None),
        ("  ", "not JSON: ", None),
        ('{"a": NaN}', "not JSON: ", None),
        (
            json.dumps(event(event_params="x")),
            "event_params is not a list of keys and values",
            "event_params",
        ),
        (
            json.dumps(event(event_params=[1])),
            "event_params is not a list of keys and values",
            "event_params",
        ),
    ],
)
def test_a_broken_line_is_one_reject(tmp_path: Path, bad: str, reason: str, column: str | None) -> None:
    read = read_json(tmp_path, event("u1"), "", bad, event("u2"))
    assert read.lines == [1, 4]
    (reject,) = read.rejects
    assert (reject["line"], reject["column"]) == (3, column)
    assert reject["reason"].startswith(reason)
    assert read.raw.files[0].records == 3


def test_a_sample_of_broken_parameters_is_said_to_be_broken(tmp_path: Path) -> None:
    """The user was said to be missing once, as names of such records were left out."""
    with pytest.raises(InputError, match="line 1: event_params is not a list of keys and values"):
        read_json(tmp_path, *[event(event_params="x")] * 3)
    with pytest.raises(InputError, match="line 1: not JSON"):
        read_json(tmp_path, *[event(event_params="[{")] * 3)


def test_bytes_that_are_not_utf8_are_one_reject(tmp_path: Path) -> None:
    good = json.dumps(event("ü"), ensure_ascii=False).encode()
    read = read_text(good + b"\n" + good.replace("ü".encode(), b"\xfc") + b"\n", tmp_path, "events.json")
    assert (read.lines, [line for line, _ in read.reasons]) == ([1], [2])


def test_ids_written_as_numbers_keep_every_digit(tmp_path: Path) -> None:
    raw = json.dumps(event("X")).replace('"X"', "1605951.60597197251234")
    exact = json.dumps(event("X")).replace('"X"', "7")
    read = read_json(tmp_path, raw, exact)
    assert read.column(Raw.USER_KEY) == ["1605951.60597197251234", "7"]
    assert read.column(Raw.EVENT_TIMESTAMP) == ["1611798022695757"] * 2


def test_flat_records(tmp_path: Path) -> None:
    flat = {
        "event_name": "page_view",
        "ts": 1,
        "client_id": "c",
        "event_params.page_location": "/a",
        "x": True,
    }
    read = read_json(tmp_path, flat, flat | {"page_title": "late"})
    assert read.raw.files[0].shape == "flat ndjson"
    assert read.column(Raw.PAGE_LOCATION) == ["/a", "/a"]
    assert read.column(Raw.PAGE_TITLE) == [None, "late"]


def test_parameters_that_only_come_late_are_found(tmp_path: Path) -> None:
    early = [event(f"u{number}") for number in range(501)]
    late = event("late", event_params=[{"key": "page_title", "value": {"string_value": "T"}}])
    read = read_json(tmp_path, *early, late)
    assert read.column(Raw.PAGE_TITLE)[-1] == "T"
    assert {Raw.PAGE_TITLE, Raw.DEVICE_CATEGORY} <= read.raw.present
    assert {Raw.GEO_COUNTRY, Raw.TRANSACTION_ID}.isdisjoint(read.raw.present)


def test_user_properties_can_be_the_key(tmp_path: Path) -> None:
    crm = [{"key": "crm_id", "value": {"string_value": "007", "set_timestamp_micros": "1"}}]
    read = read_text(lines(event(user_properties=crm)), tmp_path, "a.json", user_key="user_properties_crm_id")
    assert read.column(Raw.USER_KEY) == ["007"]


def test_the_mapping_can_name_a_parameter(tmp_path: Path) -> None:
    mapping = {Raw.PAGE_TITLE: "event_params.ga_session_id", Raw.TRAFFIC_MEDIUM: "device.category"}
    read = read_text(lines(event()), tmp_path, "a.json", mapping=mapping)
    assert (read.column(Raw.PAGE_TITLE), read.column(Raw.TRAFFIC_MEDIUM)) == (["3599645542"], ["desktop"])


def test_user_id_alone_has_to_be_chosen(tmp_path: Path) -> None:
    record = event(user_id="me")
    del record["user_pseudo_id"]
    with pytest.raises(InputError, match="--user-key COLUMN"):
        read_json(tmp_path, record)


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "[]",
        "null",
        "x",
        "event_name,user_pseudo_id",
        '{"a": NaN}',
        '{"a": "\0"}',
        '"\0"',
        "{}}",
        '{"a": 1e400}',
    ],
)
@pytest.mark.parametrize("at", [0, 1, 16])
def test_a_line_that_is_no_record_costs_itself_and_no_other(tmp_path: Path, bad: str, at: int) -> None:
    events = [event(f"u{number}") for number in range(16)]
    read = read_json(tmp_path, *events[:at], bad, *events[at:])
    assert read.column(Raw.USER_KEY) == [f"u{number}" for number in range(16)]
    assert [line for line, _ in read.reasons] == [at + 1]


def test_a_line_in_another_encoding_costs_itself(tmp_path: Path) -> None:
    good = (lines(event("a")) + json.dumps(event("é"), ensure_ascii=False) + "\n").encode()
    for bad in (
        lines(event("x")).encode("utf-16-le"),
        json.dumps({"a": "é"}, ensure_ascii=False).encode("cp1252") + b"\n",
    ):
        read = read_text(good + bad + good, tmp_path, "events.json")
        assert (len(read.rows), [line for line, _ in read.reasons]) == (4, [3])


def test_json_over_several_lines(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="as JSON printed over several does"):
        read_text(json.dumps(event(), indent=2), tmp_path, "events.json")


@pytest.mark.parametrize(
    "value",
    [
        [{"key": "page_title", "value": {"int_value": "1"}}],
        {"event_params": [{"key": "page_title", "value": {"string_value": None, "int_value": "1"}}]},
        {"page_title": "1"},
        [{"key": "page_title", "value": "1"}],
    ],
)
def test_every_way_parameters_are_written(value: object) -> None:
    fields = map_names(["event_params.page_title"], {}, IngestSettings())
    assert read_record({"event_params": value}, make_plan(fields)) == ["1"]


def test_no_parameters_at_all() -> None:
    assert list(parameters("event_params", None)) == list(parameters("event_params", [])) == []
    with pytest.raises(BrokenRecord):
        list(parameters("event_params", 1))


def test_nesting_without_end_is_one_reject(tmp_path: Path) -> None:
    deep = '{"event_params":' * 5000
    read = read_json(tmp_path, event(), deep)
    assert (read.lines, len(read.rejects)) == ([1], 1)


def test_the_real_record_of_google(tmp_path: Path) -> None:
    read = read_text(real("ga4_formats/nested_page_view.json").read_bytes(), tmp_path, "real.json")
    (row,) = read.rows
    assert row[Raw.USER_KEY] == "1146540.1921992520"
    assert row[Raw.PAGE_LOCATION] == "https://shop.googlemerchandisestore.com/payment.html"
    assert (row[Raw.ENGAGEMENT_TIME_MSEC], row[Raw.TRAFFIC_MEDIUM], row[Raw.DEBUG_MODE]) == (
        "7",
        "(none)",
        "1",
    )


@given(
    st.lists(
        st.tuples(st.integers(0, 5000), st.sampled_from(['"', "{", "}", ",", "\n", "", "\r"])), max_size=6
    )
)
def test_nothing_is_lost_or_counted_twice(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, str]]
) -> None:
    text = lines(*(event(f"u{number}") for number in range(5)))
    start = text.index("\n") + 1
    for place, new in changes:
        at = start + place % (len(text) - start)
        text = text[:at] + new + text[at + (not new) :]
    read = read_text(text, tmp_path_factory.mktemp("x"), "a.json")
    filled = [number for number, line in enumerate(text.split("\n"), 1) if line not in ("", "\r")]
    assert sorted([*read.lines, *(line for line, _ in read.reasons)]) == filled
    assert read.raw.files[0].records == len(filled)


def test_a_file_named_csv_may_hold_json(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "")
    read = read_text(lines(event()), tmp_path, "events.csv")
    assert read.raw.files[0].shape == "nested ndjson"
