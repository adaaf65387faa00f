"""What users look at, come with, and do next."""

import pytest

from core.base.errors import InputError
from core.facts.arguments import ItemShare, Order, TopItems, Transitions
from core.facts.finding import Finding
from core.facts.item_tools import item_share, rank_item, top_items, transitions
from core.facts.items import Dimension, ItemMetric
from core.facts.render import fill
from tests.core.facts.toy import figures


def said(found: Finding) -> str:
    return fill(found.text, found.facts)[0]


def top(dimension: Dimension, metric: ItemMetric, segment: str = "segment:0", n: int = 5) -> Finding:
    return top_items(figures(), TopItems(dimension=dimension, segment=segment, metric=metric, n=n))


def test_top_pages_by_eye() -> None:
    assert said(top(Dimension.PAGE, ItemMetric.VIEWS, n=2)) == (
        "Pages of Segment 1 (Sale hunters) viewed most, by page views: /sale (6), /cart (2)."
    )


def test_top_sources_of_all_users() -> None:
    found = top(Dimension.SOURCE, ItemMetric.SHARE, "all")
    assert said(found).endswith("a / b (50.0%), c / d (50.0%).")
    assert found.query.endswith("FROM first_touch_sources WHERE key = 'all' ORDER BY share DESC LIMIT 5")


def test_nothing_sure_is_said_as_nothing() -> None:
    assert said(top(Dimension.THEME, ItemMetric.VIEW_LIFT)).endswith(": none.")


def test_all_users_are_set_apart_from_nobody() -> None:
    with pytest.raises(InputError, match="cannot be set apart"):
        top(Dimension.PAGE, ItemMetric.LIFT, "all")


def test_share_and_number_by_eye() -> None:
    asked = ItemShare(segment="segment:0", dimension=Dimension.DEVICE, value="mobile")
    assert said(item_share(figures(), asked)) == (
        "Segment 1 (Sale hunters) – share of users with this device, mobile: 66.7% (2 users)."
    )
    counted = asked.model_copy(update={"metric": ItemMetric.USERS})
    assert said(item_share(figures(), counted)).endswith(
        "users with this device, mobile: 2 (66.7% of its users)."
    )


def test_segments_in_the_order_of_an_item() -> None:
    found = rank_item(figures(), Dimension.DEVICE, "mobile", ItemMetric.SHARE, Order.MOST)
    assert said(found).startswith(
        "Segment 1 (Sale hunters) has the highest share of users with this device, mobile:"
    )
    least = rank_item(figures(), Dimension.DEVICE, "mobile", ItemMetric.USERS, Order.LEAST)
    assert said(least).startswith(
        "Segment 2 (Blog readers) has the fewest users with this device, mobile: 0."
    )


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (
            Transitions(segment="segment:0", where="entry"),
            "Sessions of Segment 1 (Sale hunters) begin most often with: "
            "/sale (75.0% of sessions), / (25.0% of sessions).",
        ),
        (
            Transitions(segment="segment:0", where="exit", n=1),
            "Sessions of Segment 1 (Sale hunters) end most often with: /sale (50.0% of sessions).",
        ),
        (
            Transitions(segment="segment:0"),
            "Users of Segment 1 (Sale hunters) most often take these steps: "
            "/sale → /cart (66.7%), / → /sale (33.3%).",
        ),
        (
            Transitions(segment="segment:0", origin="/"),
            "After /, users of Segment 1 (Sale hunters) go on to /sale (100.0%).",
        ),
        (
            Transitions(segment="all", by="type", target="Cart & checkout"),
            "Before Cart & checkout, All users come from Blog (50.0%), Category (50.0%).",
        ),
        (Transitions(segment="group:one_page"), "One-page users take no such step."),
    ],
)
def test_paths_by_eye(asked: Transitions, text: str) -> None:
    assert said(transitions(figures(), asked)) == text


def test_places_that_do_not_exist_are_refused() -> None:
    with pytest.raises(InputError, match="no page '/nowhere'"):
        transitions(figures(), Transitions(segment="all", origin="/nowhere"))
    with pytest.raises(InputError, match=r"no themes.*Label the pages"):
        transitions(figures(labelled=False), Transitions(segment="all", by="theme"))
