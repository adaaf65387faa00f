import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.raw_fields import RECORD_FIELDS
from core.base.settings import IngestSettings
from core.ingest.read import ndjson
from core.ingest.read.blocks import count_block, make_block
from core.ingest.read.headers import HeaderMap
from core.ingest.read.nested import WHOLE, make_plan, map_names, names_in, read_record
from core.ingest.read.nested_columns import read_columns, schema_for
from tests.core.ingest.raw import Read, read_text
from tests.core.ingest.read.test_ndjson import event, lines


def regular(user: str, **changes: object) -> dict[str, Any]:
    record = event(user, **changes)
    record["event_params"][2]["value"]["int_value"] = "1"
    return record


REGULAR = [regular("u1"), regular("u2", user_id=None, ecommerce={"purchase_revenue": 12.5})]
SEEN = list(dict.fromkeys(name for record in REGULAR for name in names_in(record)))
FIELDS = map_names(SEEN, RECORD_FIELDS, IngestSettings())
PLAN = make_plan(FIELDS)


def columns(data: str | bytes) -> dict[str, pa.Array] | None:
    block = make_block(data.encode() if isinstance(data, str) else data, 1, last=True, quoting=False)
    schema = schema_for(PLAN, REGULAR)
    assert schema is not None
    return read_columns(block, schema, FIELDS, count_block(block).records)


def test_regular_records_are_read_as_columns() -> None:
    found = columns("\n" + lines(*REGULAR).replace("\n", "\r\n"))
    assert found is not None
    assert found["user_key"].to_pylist() == ["u1", "u2"]
    assert found["page_location"].to_pylist() == ["/u1", "/u2"]
    assert found["purchase_revenue"].to_pylist() == [None, "12.5"]


@pytest.mark.parametrize(
    "line",
    [
        '{"user_pseudo_id": 7}',
        '{"user_pseudo_id": "u"}{"user_pseudo_id": "v"}',
        '{"user_pseudo_id": "u"} ',
        '{"user_pseudo_id": "u"',
        '{"x": NaN}',
        '{"x": [-Infinity]}',
        b'{"x": "\xff"}',
        '{"event_params": [{"value": {"string_value": "x"}}]}',
        '{"event_params": [null]}',
        '{"event_params": {"page_location": "/a"}}',
        '{"user_pseudo_id": "a", "user_pseudo_id": "b"}',
        "17",
    ],
)
def test_whatever_is_not_regular_is_left_to_the_careful_reader(line: str | bytes) -> None:
    data = line.encode() if isinstance(line, str) else line
    assert columns(lines(REGULAR[0]).encode() + data) is None


def test_words_in_text_are_no_numbers() -> None:
    assert columns(lines(regular("Infinity", x="NaN: Info"))) is not None


@pytest.mark.parametrize(
    "sample",
    [
        [regular("u"), regular("u") | {"user_pseudo_id": 7}],
        [regular("u") | {"user_pseudo_id": 7.5}],
        [regular("u") | {"device": "mobile"}],
        [regular("u") | {"event_params": {"page_location": "/a"}}],
        [regular("u") | {"event_params": [{"key": "page_location", "value": "/a"}]}],
    ],
)
def test_a_sample_without_one_type_for_a_value_has_no_schema(sample: list[dict[str, Any]]) -> None:
    assert schema_for(PLAN, sample) is None


def read_both(text: str, folder: Path) -> tuple[Read, Read]:
    fast = read_text(text, folder, "a.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ndjson, "schema_for", lambda plan, sample: None)
        slow = read_text(text, folder, "a.json")
    return fast, slow


values = st.none() | st.text(st.sampled_from('aé"\\/ \t\n𝄞'), max_size=5)
numbers = st.none() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
params = st.lists(
    st.fixed_dictionaries(
        {"key": st.sampled_from(["page_location", "page_title", "x"])},
        optional={
            "value": st.fixed_dictionaries({}, optional={"string_value": values, "double_value": numbers})
        },
    ),
    max_size=4,
)
records = st.fixed_dictionaries(
    {"event_params": params},
    optional={
        "event_name": values,
        "ecommerce": st.none() | st.fixed_dictionaries({"purchase_revenue": numbers}),
        "geo": st.none() | st.fixed_dictionaries({}, optional={"country": values}),
    },
)


@given(st.lists(records, max_size=6))
def test_both_ways_read_the_same(
    tmp_path_factory: pytest.TempPathFactory, found: list[dict[str, Any]]
) -> None:
    text = lines(regular("u"), *(json.dumps(record) for record in found))
    fast, slow = read_both(text, tmp_path_factory.mktemp("x"))
    assert fast.rows == slow.rows
    assert fast.rejects == slow.rejects


VALUES = st.one_of(
    st.fixed_dictionaries({"string_value": st.text(max_size=3)}),
    st.fixed_dictionaries({"int_value": st.sampled_from(["0", "7", "9007199254740993"])}),
    st.fixed_dictionaries({"double_value": st.floats(-1e6, 1e6)}),
    st.just({}),
    st.none(),
)


@given(st.lists(st.tuples(st.sampled_from("abc"), VALUES), max_size=4))
def test_a_whole_list_of_parameters_is_the_same_text_in_both_ways(
    params: list[tuple[str, dict[str, object] | None]],
) -> None:
    record = {"event_params": [{"key": key, "value": value} for key, value in params]}
    header = HeaderMap((f"event_params.{WHOLE}",), {"rest": 0}, {})
    plan = make_plan(header)
    schema = schema_for(plan, REGULAR)
    assert schema is not None
    block = make_block(lines(record, {"event_params": []}).encode(), 1, last=True, quoting=False)
    found = read_columns(block, schema, header, 2)
    assert found is None or found["rest"].to_pylist() == [read_record(record, plan)[0], None]
    assert found is not None or any(value is None for _, value in params)
