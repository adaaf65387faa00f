"""Themes and types a row."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base.schema import View
from core.data.sequences import UserSequences
from core.profiles.label_shares import COLUMNS, LabelCol, LabelData, label_shares
from core.profiles.profile_columns import Col
from core.profiles.rows import make_rows
from tests.core.profiles.toy import LABELS, many, toy, toy_tables

THEMES = ["No theme", "Shoes", "Hats", "No theme"]
TYPES = ["Homepage", "Category", "Blog", "Cart & checkout"]


def shares() -> pd.DataFrame:
    _, _, _, sequences = toy_tables()
    labels = LabelData.from_names(sequences, {View.THEME: THEMES, View.TYPE: TYPES})
    return label_shares(labels, make_rows(toy(), LABELS))


def one(table: pd.DataFrame, key: str, value: str) -> pd.Series:
    return table[(table[Col.KEY] == key) & (table[Col.VALUE] == value)].iloc[0]


def test_shares_by_eye() -> None:
    table = shares()
    assert tuple(table.columns) == COLUMNS
    shoes = one(table, "segment:0", "Shoes")
    assert shoes[Col.USERS] == 3
    assert shoes[Col.VIEWS] == 6
    assert shoes[LabelCol.VIEW_SHARE] == pytest.approx(6 / 9)
    blog = one(table, "segment:1", "Blog")
    assert (blog[Col.SHARE], blog[LabelCol.VIEW_SHARE]) == pytest.approx((1, 5 / 6))
    home = one(table, "segment:0", "Homepage")  # 1 of 3 users against 1 of 2; 1 of 9 views against 1 of 6
    assert (home[Col.LIFT], home[LabelCol.VIEW_LIFT]) == pytest.approx((2 / 3, 2 / 3))


def test_nobody_to_compare_with_means_no_lift() -> None:
    table = shares()
    assert np.isnan(one(table, "segment:0", "Shoes")[Col.LIFT])  # nobody else clustered saw shoes
    assert table.loc[table[Col.KEY] == "all", [Col.LIFT, LabelCol.VIEW_LIFT]].isna().all(axis=None)


def test_error_of_a_share_of_views_counts_users_not_views() -> None:
    """Views of Shoes and all of 3 users: 2 of 4, 1 of 2, 3 of 3; residuals to 6/9 are −2/3, −1/3, 1."""
    shoes = one(shares(), "segment:0", "Shoes")
    error = np.sqrt(4 / 9 + 1 / 9 + 1) / 9
    assert shoes[LabelCol.VIEW_SHARE_LOW] == pytest.approx(6 / 9 - 1.959964 * error, abs=1e-6)


def test_pages_without_labels_give_an_empty_table() -> None:
    _, _, _, sequences = toy_tables()
    table = label_shares(LabelData.from_names(sequences, {}), make_rows(toy(), LABELS))
    assert (len(table), tuple(table.columns)) == (0, COLUMNS)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 50))
def test_counts_are_those_of_a_plain_frame(seed: int) -> None:
    data, labels, frame = many(seed)
    names = ["odd" if page % 2 else "even" for page in range(9)]
    reference = frame.assign(label=np.array(names)[frame["page"]])
    counted = reference.groupby(["row", "label"]).agg(users=("user", "nunique"), views=("user", "size"))
    made = LabelData.from_names(_sequences(frame), {View.THEME: names})
    table = label_shares(made, make_rows(data, labels)).set_index([Col.KEY, Col.VALUE])
    for place, row in counted.iterrows():
        assert (table.loc[place, Col.USERS], table.loc[place, Col.VIEWS]) == (row["users"], row["views"])
    sums = table.groupby(level=0)[LabelCol.VIEW_SHARE].sum()
    assert sums.to_numpy() == pytest.approx(np.ones(len(sums)))


def _sequences(frame: pd.DataFrame) -> UserSequences:
    lengths = frame.groupby("user").size()
    zeros = np.zeros(len(frame))
    ids = pa.array([f"{number:06d}" for number in range(len(lengths))])
    page = frame["page"].to_numpy(dtype=np.int32)
    return UserSequences(ids, np.cumsum([0, *lengths]), page, zeros.astype(np.int64), zeros.astype(np.int32))
