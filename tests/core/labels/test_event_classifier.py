import pytest

from core.base.schema import View
from core.labels.event_classifier import MIN_VIEWS, EventClassifier
from core.labels.label_settings import default_taxonomy
from core.labels.label_types import Rung, Subject

RUNG = EventClassifier(default_taxonomy())


def told(
    views: int = 100, url: str = "https://a.example/x/y", view: View = View.TYPE, **events: int
) -> str | None:
    (label,) = RUNG.classify([Subject(url, (url,), views=views, events=events)], view)
    return label.value if label else None


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ({"view_item": 95}, "Product"),
        ({"view_item": 95, "add_to_cart": 40, "view_item_list": 90, "select_item": 12}, "Product"),
        ({"view_item": 95, "view_cart": 30}, "Product"),
        ({"view_search_results": 97, "view_item_list": 97, "select_item": 50}, "Search"),
        ({"view_item_list": 90, "select_item": 45}, "Category"),
        ({"view_cart": 90, "begin_checkout": 40}, "Cart & checkout"),
        ({"view_cart": 90, "view_item_list": 90, "select_item": 4}, "Cart & checkout"),
        ({"purchase": 100}, "Cart & checkout"),
        ({"login": 60, "sign_up": 5}, "Account"),
    ],
)
def test_what_fires_says_what_the_page_is_for(events: dict[str, int], kind: str) -> None:
    assert told(**events) == kind


@pytest.mark.parametrize(
    "events",
    [
        {},
        {"add_to_cart": 80},  # on products and lists
        {"view_item": 20},  # quick views on a list
        {"view_item": 900},  # impressions counted as views
        {"view_item_list": 95},  # recommendations
        {"view_item_list": 95, "select_item": 3},  # a carousel
        {"login": 5},  # where one lands after it
        {"view_item": 60, "view_cart": 40},  # two kinds of page
        {"view_search_results": 90, "view_item": 90},
    ],
)
def test_what_could_be_two_things_is_left_open(events: dict[str, int]) -> None:
    assert told(**events) is None


def test_few_views_or_events_say_nothing() -> None:
    assert told(views=MIN_VIEWS - 1, view_item=MIN_VIEWS - 1) is None
    assert told(views=MIN_VIEWS, view_item=MIN_VIEWS) == "Product"
    assert told(views=MIN_VIEWS, purchase=4) is None


@pytest.mark.parametrize("url", ["https://a.example/", "https://a.example/en-ca"])
def test_the_start_page_shows_lists_too(url: str) -> None:
    assert told(url=url, view_item_list=90, select_item=40) is None


def test_events_say_nothing_of_themes() -> None:
    assert told(view=View.THEME, view_item=95) is None


def test_a_type_that_the_taxonomy_lacks_is_not_given() -> None:
    taxonomy = default_taxonomy()
    rung = EventClassifier(taxonomy.model_copy(update={"types": taxonomy.types[:2]}))
    subject = Subject("x", ("x",), views=100, events={"view_item": 95})
    assert rung.classify([subject], View.TYPE) == [None]


def test_the_evidence_is_the_count() -> None:
    subject = Subject("x", ("x",), views=2_000, events={"view_item": 1_500})
    (label,) = RUNG.classify([subject], View.TYPE)
    assert label is not None
    assert (label.rung, label.score, label.margin) == (Rung.EVENTS, 0.75, 0.75)
    assert label.evidence == "view_item 1,500 times on 2,000 page views"


@pytest.mark.parametrize(
    ("events", "theme"),
    [
        ({"item_category:Footwear": 6, "view_item": 90}, "Footwear"),
        ({"item_category:FOOTWEAR ": 6, "item_category:Ropes": 5}, "Footwear"),
        ({"item_category:Footwear": 4}, None),  # a handful
        ({"item_category:Footwear": 6, "item_category:Ropes": 6}, None),
        ({"item_category:Ropes": 90}, None),  # no theme of the taxonomy
        ({"view_item": 90}, None),
    ],
)
def test_the_category_that_most_items_have_is_the_theme(events: dict[str, int], theme: str | None) -> None:
    assert told(view=View.THEME, **events) == theme
    assert told(**{name: count for name, count in events.items() if name != "view_item"}) is None
