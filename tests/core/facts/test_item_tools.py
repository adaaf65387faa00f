"""What users look at, come with, and do next."""

import pytest

from core.base.errors import InputError
from core.facts.answer import FigureList, Note, Order, Ranking
from core.facts.fact_maker import Finding
from core.facts.item_tools import either, item_share, rank_item, top_items
from core.facts.items import Dimension, ItemMetric
from tests.core.facts.toy import figures


def listed(found: Finding) -> list[tuple[str, str]]:
    """Items and values of the one list of a finding."""
    (block,) = found.blocks
    assert isinstance(block, FigureList)
    return [(fact.item, fact.text) for fact in block.facts]


def top(dimension: Dimension, metric: ItemMetric, segment: str = "segment:0", n: int = 5) -> Finding:
    return top_items(figures(), dimension=dimension, segment=segment, metric=metric, n=n)


def test_top_sources_of_all_users() -> None:
    found = top(Dimension.SOURCE, ItemMetric.SHARE, "all")
    assert listed(found) == [("a / b", "50%"), ("c / d", "50%")]
    assert found.query.endswith("FROM first_sources WHERE key = 'all' ORDER BY share DESC LIMIT 5")


def test_nothing_sure_is_said_as_nothing() -> None:
    found = top(Dimension.THEME, ItemMetric.VIEW_LIFT)
    assert found.blocks == (
        Note(text="There are no themes that Sale hunters (segment 1) surely views more than the others."),
    )


def test_all_users_are_set_apart_from_nobody() -> None:
    with pytest.raises(InputError, match="cannot be set apart"):
        top(Dimension.PAGE, ItemMetric.LIFT, "all")


def test_share_and_number_by_eye() -> None:
    share = item_share(figures(), "segment:0", Dimension.DEVICE, "mobile")
    counted = item_share(figures(), "segment:0", Dimension.DEVICE, "mobile", ItemMetric.USERS)
    assert listed(share) == [("mobile", "67%"), ("mobile", "2")]
    assert listed(counted) == [("mobile", "2"), ("mobile", "67%")]


def test_items_beside_each_other_the_most_frequent_first() -> None:
    found = either(figures(), "segment:0", Dimension.DEVICE, ("desktop", "mobile"), ItemMetric.SHARE)
    assert listed(found) == [("mobile", "67%"), ("desktop", "33%")]


@pytest.mark.parametrize(
    ("metric", "order", "rows"),
    [
        (ItemMetric.SHARE, Order.MOST, [("segment:0", "67%"), ("segment:1", "0%")]),
        (ItemMetric.USERS, Order.LEAST, [("segment:1", "0"), ("segment:0", "2")]),
    ],
)
def test_segments_in_the_order_of_an_item(
    metric: ItemMetric, order: Order, rows: list[tuple[str, str]]
) -> None:
    (block,) = rank_item(figures(), Dimension.DEVICE, "mobile", metric, order).blocks
    assert isinstance(block, Ranking)
    assert [(fact.row, fact.text) for fact in block.facts] == rows
