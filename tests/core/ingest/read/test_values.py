import datetime as dt
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pytest

from core.ingest.read.values import NotText, broken_rows, to_text

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
