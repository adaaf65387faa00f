"""Pages, themes and what users come with."""

import numpy as np
import pytest

from core.base.attributes import ATTRIBUTES
from core.base.errors import InputError
from core.base.schema import FIRST_CHANNEL
from core.facts.items import ItemMetric, item_rows, label_table, table_of, top, values
from core.profiles.user_items import Family
from tests.core.facts.shop import shop
from tests.core.facts.toy import context


def test_a_page_by_eye() -> None:
    row = item_rows(context(), Family.PAGE, "/cart")["segment:0"]
    assert (row["users"], row["n"], row["views"], row["views_n"]) == (2, 3, 2, 9)
    assert row["share"] == pytest.approx(2 / 3)


def test_an_attribute_by_eye_with_its_interval() -> None:
    row = item_rows(context(), "device", "mobile")["segment:0"]
    assert (row["users"], row["n"]) == (2, 3)
    assert row["share_low"] < row["share"] < row["share_high"]


def test_page_views_by_theme_with_an_error_over_users() -> None:
    """Views of Shoes and all of 3 users: 2 of 4, 1 of 2, 3 of 3; residuals to 6/9 are −2/3, −1/3, 1."""
    row = item_rows(context(), Family.THEME, "Shoes")["segment:0"]
    assert (row["users"], row["views"], row["view_share"]) == (3, 6, pytest.approx(6 / 9))
    error = np.sqrt((4 / 9 + 1 / 9 + 1) / 2 / 3) / 3  # of the mean of three residuals, a user views 3 pages
    assert row["view_share_low"] == pytest.approx(6 / 9 - 1.959964 * error, abs=1e-6)
    home = item_rows(context(), Family.TYPE, "Homepage")["segment:0"]
    assert (home["lift"], home["view_lift"]) == pytest.approx((2 / 3, 2 / 3))


def test_figures_of_an_item_are_those_of_the_table() -> None:
    """Every family, row and column that both have."""
    made = shop().context
    table = made.tables.differences
    columns = {
        "users": "users", "n": "n", "value": "share", "rest_users": "rest_users", "rest_n": "rest_n",
        "rest_value": "rest_share", "ratio": "lift", "ratio_low": "lift_low", "ratio_high": "lift_high",
    }  # fmt: skip
    first = table[table["family"] != "measure"].drop_duplicates(["key", "family"])
    assert set(first["family"]) == {*Family, *ATTRIBUTES, FIRST_CHANNEL} - {Family.MEASURE, Family.TEMPLATE}
    for row in first.to_dict("records"):
        found = item_rows(made, row["family"], row["item"])[row["key"]]
        for name, own in columns.items():
            assert found[own] == pytest.approx(row[name], nan_ok=True), (row["family"], row["item"], name)


def test_a_total_is_held_against_nobody() -> None:
    with pytest.raises(InputError, match="All users are held against nobody"):
        top(context(), "all", Family.THEME, ItemMetric.LIFT, 5)


def test_a_table_of_labels_has_a_row_a_row_and_label() -> None:
    table = label_table(context())
    assert len(table) == 5 * (3 + 4)
    shares = table.groupby(["key", "attribute"])["view_share"].sum()
    assert shares.to_numpy() == pytest.approx(1)
    assert label_table(context(labelled=False)).empty


def test_values_are_the_most_frequent_first() -> None:
    made = context()
    assert values(made, "device") == ("desktop", "mobile")
    assert values(made, Family.THEME) == ("No theme", "Hats", "Shoes")  # 9, 8 and 8 page views
    assert values(made, Family.PAGE) == ()
    assert values(made, "country") == ()


@pytest.mark.parametrize(
    ("dimension", "metric", "found"),
    [
        (Family.TYPE, ItemMetric.SHARE, ["Category", "Cart & checkout", "Homepage"]),
        ("device", ItemMetric.SHARE, ["mobile", "desktop"]),
        (Family.THEME, ItemMetric.LIFT, ["Shoes"]),
        ("device", ItemMetric.LIFT, []),
    ],
)
def test_top_of_a_segment(dimension: str, metric: ItemMetric, found: list[str]) -> None:
    assert top(context(), "segment:0", dimension, metric, 5) == found


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(InputError, match="no countries"):
        top(context(), "all", "country", ItemMetric.SHARE, 5)
    with pytest.raises(InputError, match=r"no themes.*Label the pages"):
        top(context(labelled=False), "all", Family.THEME, ItemMetric.SHARE, 5)
    with pytest.raises(InputError, match=r"No device is called 'fridge'.*listed among the devices"):
        item_rows(context(), "device", "fridge")
    with pytest.raises(InputError, match="no page '/nowhere'"):
        item_rows(context(), Family.PAGE, "/nowhere")


def test_items_are_counted_once() -> None:
    made = context()
    assert item_rows(made, Family.PAGE, "/") is item_rows(made, Family.PAGE, "/")


def test_names_of_tables_are_identifiers() -> None:
    assert all(table_of(family).isidentifier() for family in (*Family, *ATTRIBUTES))
