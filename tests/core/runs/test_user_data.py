"""Segment membership as GA4 imports it: the documented rules, checked by a plain reader of the file."""

import csv
import io
import re
from pathlib import Path

import pandas as pd
import pytest

from core.runs.publish import _write_user_data
from core.runs.user_data import (
    PROPERTY,
    USER_DATA,
    USER_DATA_OF_LOGINS,
    ga4_user_data,
    ids_by_segment,
    import_bytes,
)

USERS = pd.DataFrame(
    {
        "user_id": pd.Series(["1605951.6059719720", "-1.50", "0012.50", "9.9"], dtype="str"),
        "cluster": [0, 1, 11, -1],
        "segment": pd.Series(
            ['1 · Sales, "red"', "2", "12 · A name that is longer than a user property", "x"]
        ),
        "stream_id": pd.Series(["123", None, "456.0", "123"], dtype="str"),
    }
)


def read(table: pd.DataFrame) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(import_bytes(table).decode("utf-8"))))


def test_the_file_keeps_the_rules_of_user_data() -> None:
    rows = read(ga4_user_data(USERS, "user_pseudo_id", "789")[USER_DATA])
    assert [list(row) for row in rows] == [["stream_id", "client_id", PROPERTY]] * 3
    assert [(row["stream_id"], row["client_id"]) for row in rows] == [
        ("123", "1605951.6059719720"), ("789", "-1.50"), ("456", "0012.50")
    ]  # fmt: skip
    assert [row[PROPERTY] for row in rows] == [
        '1 · Sales, "red"',
        "2",
        "12 · A name that is longer than a us",
    ]
    assert all(0 < len(row[PROPERTY]) <= 36 for row in rows)
    assert re.fullmatch("(?!google_|ga_|firebase_)[A-Za-z][A-Za-z0-9_]{0,23}", PROPERTY)


@pytest.mark.parametrize("users", [USERS.assign(stream_id=None), USERS.drop(columns="stream_id")])
def test_users_without_a_stream_are_left_out_until_it_is_typed(users: pd.DataFrame) -> None:
    assert read(ga4_user_data(users, "user_pseudo_id")[USER_DATA]) == []
    assert {row["stream_id"] for row in read(ga4_user_data(users, "user_pseudo_id", "789")[USER_DATA])} == {
        "789"
    }


def test_by_user_id_no_stream_is_needed() -> None:
    rows = read(ga4_user_data(USERS.drop(columns="stream_id"), "user_id")[USER_DATA])
    assert [list(row) for row in rows] == [["user_id", PROPERTY]] * 3


def test_joined_logins_and_cookies_have_a_file_each() -> None:
    users = USERS.assign(id_kind=["cookie", "cookie", "login", "login"])
    files = ga4_user_data(users, "user_pseudo_id or user_id")
    [cookie], [login] = read(files[USER_DATA]), read(files[USER_DATA_OF_LOGINS])
    assert cookie == {"stream_id": "123", "client_id": "1605951.6059719720", PROPERTY: '1 · Sales, "red"'}
    assert login == {"user_id": "0012.50", PROPERTY: "12 · A name that is longer than a us"}


@pytest.mark.parametrize("user_key", ["visitor", "user_pseudo_id or user_id"])
def test_other_ids_and_ids_of_unknown_kind_have_none(user_key: str) -> None:
    assert ga4_user_data(USERS, user_key) == {}


def test_a_run_writes_a_file_for_each_kind_of_id(tmp_path: Path) -> None:
    users = USERS.assign(id_kind=["cookie", "login", "login", "login"])
    users.to_parquet(tmp_path / "users.parquet", index=False)
    _write_user_data(tmp_path, "user_pseudo_id or user_id")
    assert (tmp_path / USER_DATA).read_text().splitlines()[1:] == [
        '123,1605951.6059719720,"1 · Sales, ""red"""'
    ]
    assert (tmp_path / USER_DATA_OF_LOGINS).read_text().splitlines()[1] == "-1.50,2"


def test_lists_of_joined_logins_hold_ids_of_one_kind() -> None:
    lists = ids_by_segment(USERS.assign(id_kind=["cookie", "login", "login", "login"]))
    assert {name: ids["user_id"].tolist() for name, ids in lists.items()} == {
        "segment_1_cookies": ["1605951.6059719720"], "segment_2_logins": ["-1.50"],
        "segment_12_logins": ["0012.50"],
    }  # fmt: skip


def test_a_list_for_ads_is_one_column_of_ids_a_segment() -> None:
    lists = {name: ids.to_dict("list") for name, ids in ids_by_segment(USERS).items()}
    assert lists == {
        "segment_1": {"user_id": ["1605951.6059719720"]}, "segment_2": {"user_id": ["-1.50"]},
        "segment_12": {"user_id": ["0012.50"]},
    }  # fmt: skip
