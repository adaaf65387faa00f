from pathlib import Path

from core.base.schema import Raw
from tests.core.ingest.shop import SITE, Row, event, shop


def page_events(folder: Path, *rows: Row, **settings: object) -> list[tuple[str, str, int]]:
    """Page, event and how often, in the order of the table."""
    dataset = shop(folder, *rows, **settings)
    names = [location.removeprefix(SITE) for location in dataset.pages["page_location"]]
    return [(names[page], name, events) for page, name, events in dataset.page_events.itertuples(index=False)]


def test_events_are_counted_by_the_canonical_page_they_fire_on(tmp_path: Path) -> None:
    rows = [
        event("u", 0, "/shoe"),
        event("u", 1, "/shoe?gclid=1"),
        event("u", 2, "/cart"),
        event("u", 3, "/shoe?gclid=1", "view_item"),
        event("nobody", 4, "/shoe", "view_item"),  # who has no page view
        event("u", 5, "/shoe", " add_to_cart "),
        event("u", 6, "/cart", "begin_checkout"),
        event("u", 7, "/cart", "begin_checkout"),
    ]
    assert page_events(tmp_path, *rows) == [
        ("/shoe", "add_to_cart", 1),
        ("/shoe", "view_item", 1),
        ("/cart", "begin_checkout", 2),
    ]


def test_other_events_and_other_places_are_left_out(tmp_path: Path) -> None:
    rows = [
        event("u", 0, "/a"),
        event("u", 1, "/a", "scroll"),
        event("u", 2, "/unseen", "view_item"),
        event("u", 3, None, "purchase"),
        event(None, 4, "/a", "view_item"),
        event("u", 5, "/a", "view_item", **{Raw.TRAFFIC_TYPE: "internal"}),
    ]
    assert page_events(tmp_path, *rows) == []


def test_events_of_pages_that_are_left_out_leave_with_them(tmp_path: Path) -> None:
    rows = [
        event("u", 0, "/a"),
        event("u", 1, "/b"),
        event("u", 2, "/a", "view_item"),
        event("u", 3, "/b", "purchase"),
    ]
    assert page_events(tmp_path, *rows, strip_pages=(SITE + "/a",)) == [("/b", "purchase", 1)]
