"""Shares of browser, device, country and source."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base.attributes import titles_of
from core.base.schema import Group
from core.profiles.counts import COLUMNS, OTHER, SHOWN, attribute_shares, count_values
from core.profiles.data import ProfileData
from core.profiles.profile_columns import Col, MetricRole
from core.profiles.rows import make_rows
from tests.core.profiles.toy import LABELS, many, outcomes, tables, toy, toy_tables


def shares_of(data: ProfileData, labels: np.ndarray) -> pd.DataFrame:
    rows = make_rows(data, labels)
    counted = {name: count_values(attribute, rows) for name, attribute in data.attributes.items()}
    return attribute_shares(counted, rows, rows.count())


def test_shares_by_eye() -> None:
    table = shares_of(toy(), LABELS)
    assert tuple(table.columns) == COLUMNS
    assert table[Col.ATTRIBUTE].unique().tolist() == ["device", "browser", "source"]  # no user has a country
    found = table[(table[Col.KEY] == "segment:0") & (table[Col.ATTRIBUTE] == "browser")].set_index(Col.VALUE)
    assert found[Col.USERS].to_dict() == {"Chrome": 2, "Safari": 1, "Firefox": 0}
    assert found[Col.SHARE].to_dict() == pytest.approx({"Chrome": 2 / 3, "Safari": 1 / 3, "Firefox": 0})
    assert found[Col.REST_SHARE].to_dict() == pytest.approx({"Chrome": 0, "Safari": 0.5, "Firefox": 0.5})
    assert set(table[Col.EVIDENCE]) == {MetricRole.HELD_OUT}


def test_a_dimension_is_an_attribute_whose_shares_come_last() -> None:
    users, *rest = toy_tables()
    plans = ["pro", "free", None, "pro", "free", "pro", "free", "pro"]
    users = users.assign(plan_type=plans, score=range(8), never_sent=None)
    data = ProfileData.from_tables(users, *rest)
    assert list(data.attributes) == ["device", "browser", "country", "source", "plan_type"]
    table = shares_of(data, LABELS)
    found = table[(table[Col.KEY] == "segment:0") & (table[Col.ATTRIBUTE] == "plan_type")]
    assert found.set_index(Col.VALUE)[Col.USERS].to_dict() == {"pro": 1, "free": 1}
    assert found[Col.ABSENT].tolist() == [1, 1]
    assert list(titles_of(table[Col.ATTRIBUTE]).items())[-1] == ("plan_type", "Main plan type")
    before = table[table[Col.ATTRIBUTE] != "plan_type"]
    pd.testing.assert_frame_equal(before, shares_of(toy(), LABELS))


def test_absent_values_are_counted_apart() -> None:
    table = shares_of(toy(), LABELS)
    sources = table[table[Col.ATTRIBUTE] == "source"]
    of = sources.drop_duplicates(Col.KEY).set_index(Col.KEY)
    assert of[Col.N].to_dict() == {
        "segment:0": 2,
        "segment:1": 2,
        "group:one_page": 2,
        "group:bot_like": 0,
        "all": 6,
    }
    assert of.loc["segment:0", Col.ABSENT] == 1
    assert sources.loc[sources[Col.KEY] == "group:bot_like", Col.SHARE].isna().all()


def test_rare_values_are_added_up() -> None:
    data, labels, _ = many(3, n_users=400)
    table = shares_of(data, labels)
    countries = table[(table[Col.ATTRIBUTE] == "country") & (table[Col.KEY] == "all")]
    assert len(countries) == SHOWN + 1
    assert countries[Col.VALUE].iloc[-1] == OTHER
    assert countries[Col.IS_OTHER].tolist() == [False] * SHOWN + [True]
    assert countries[Col.USERS].sum() == 400


def test_a_file_without_any_attribute_gives_an_empty_table() -> None:
    users, pages, sequences = tables([[[0, 1]], [[1]]], [Group.SEGMENT] * 2, 2)
    data = ProfileData.from_tables(users, pages, outcomes([]), sequences)
    table = shares_of(data, LABELS[:2])
    assert (len(table), tuple(table.columns)) == (0, COLUMNS)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1000))
def test_shares_sum_to_one_and_users_add_up(seed: int) -> None:
    data, labels, _ = many(seed)
    table = shares_of(data, labels)
    for (key, _), part in table.groupby([Col.KEY, Col.ATTRIBUTE]):
        n = part[Col.N].iloc[0]
        assert part[Col.USERS].sum() == n
        assert n == 0 or part[Col.SHARE].sum() == pytest.approx(1)
        if key != "all":
            assert part[Col.REST_USERS].sum() == part[Col.REST_N].iloc[0]
    everybody = table[table[Col.KEY] == "all"].set_index([Col.ATTRIBUTE, Col.VALUE])[Col.USERS]
    parts = table[table[Col.KEY] != "all"].groupby([Col.ATTRIBUTE, Col.VALUE])[Col.USERS].sum()
    assert parts.to_dict() == everybody.to_dict()
