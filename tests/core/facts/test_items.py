"""Pages, themes and what users come with."""

import pytest

from core.base.errors import InputError
from core.facts.items import Dimension, ItemMetric, item_rows, table_of, top, values
from tests.core.facts.toy import context


def test_a_page_by_eye() -> None:
    row = item_rows(context(), Dimension.PAGE, "/cart")["segment:0"]
    assert (row["users"], row["n"], row["views"], row["views_n"]) == (2, 3, 2, 9)
    assert row["share"] == pytest.approx(2 / 3)


def test_an_attribute_by_eye_with_its_interval() -> None:
    row = item_rows(context(), Dimension.DEVICE, "mobile")["segment:0"]
    assert (row["users"], row["n"]) == (2, 3)
    assert row["share_low"] < row["share"] < row["share_high"]


def test_values_are_the_most_frequent_first() -> None:
    made = context()
    assert values(made, Dimension.DEVICE) == ("desktop", "mobile")
    assert values(made, Dimension.THEME) == ("No theme", "Hats", "Shoes")  # 9, 8 and 8 page views
    assert values(made, Dimension.PAGE) == ()
    assert values(made, Dimension.COUNTRY) == ()


@pytest.mark.parametrize(
    ("dimension", "metric", "found"),
    [
        (Dimension.PAGE, ItemMetric.VIEWS, ["/sale", "/cart", "/"]),
        (Dimension.TYPE, ItemMetric.VIEW_SHARE, ["Category", "Cart & checkout", "Homepage"]),
        (Dimension.DEVICE, ItemMetric.SHARE, ["mobile", "desktop"]),
        (Dimension.THEME, ItemMetric.VIEW_LIFT, []),  # nobody else clustered saw shoes: no interval
    ],
)
def test_top_of_a_segment(dimension: Dimension, metric: ItemMetric, found: list[str]) -> None:
    assert top(context(), "segment:0", dimension, metric, 5) == found


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(InputError, match="no countries"):
        top(context(), "all", Dimension.COUNTRY, ItemMetric.SHARE, 5)
    with pytest.raises(InputError, match=r"no themes.*Label the pages"):
        top(context(labelled=False), "all", Dimension.THEME, ItemMetric.VIEW_SHARE, 5)
    with pytest.raises(InputError, match="not listed by share"):
        top(context(), "all", Dimension.PAGE, ItemMetric.SHARE, 5)
    with pytest.raises(InputError, match="not counted by views"):
        top(context(), "all", Dimension.DEVICE, ItemMetric.VIEWS, 5)
    with pytest.raises(InputError, match=r"No device is called 'fridge'.*listed among the devices"):
        item_rows(context(), Dimension.DEVICE, "fridge")
    with pytest.raises(InputError, match="no page '/nowhere'"):
        item_rows(context(), Dimension.PAGE, "/nowhere")


def test_items_are_counted_once() -> None:
    made = context()
    assert item_rows(made, Dimension.PAGE, "/") is item_rows(made, Dimension.PAGE, "/")


def test_names_of_tables_are_identifiers() -> None:
    assert all(table_of(dimension).isidentifier() for dimension in Dimension)
