"""A page and the raw addresses that became it have one key."""

from __future__ import annotations

import re

import pytest

from core.base.settings import UrlSettings
from core.ingest.clean import personal_data, urls
from core.ingest.clean.urls import canonicalise
from core.rules.conditions import RuleCondition, RuleField
from core.rules.raw_events import PageTest, as_sent, key_of, page_test, parameters

RAW = (
    "https://SHOP.example/Sale/", "https://shop.example/index.html", "https://shop.example/",
    "https://shop.example/a/index.php/?gclid=1", "https://shop.example/a#top",
    "https://shop.example/b;jsessionid=9?x=1",
)  # fmt: skip


@pytest.mark.parametrize("raw", RAW)
def test_a_raw_address_and_its_page_meet(raw: str) -> None:
    (page,) = canonicalise([raw], UrlSettings()).pages
    assert key_of(raw.partition("?")[0].partition("#")[0].partition(";")[0], UrlSettings()) == key_of(
        page, UrlSettings()
    )


def test_an_address_is_found_decoded_and_as_a_browser_sends_it() -> None:
    cafe = as_sent("https://shop.example/café+x")
    for found in ("café+x", "caf%C3%A9+x", "café%20x", "caf%C3%A9%2Bx"):
        assert re.fullmatch(cafe, f"https://shop.example/{found}")
    assert as_sent("https://shop.example/sale") == r"https://shop\.example/sale"


def test_parameters_that_make_another_page() -> None:
    pages = ["https://s.example/a?q=1&cat=2", "/b&kind=x", "/c?q=3", "/d#/route?p=1", "/e=1&f=2"]
    assert parameters(pages) == ["cat", "p", "q"]


PAGES = tuple(
    f"https://shop.example{path}"
    for path in ("/shop/a", "/shop/b", "/shop/b/c", "/shop/{id}", "/blog", "/shop/7", "/shop/{x}")
)
KEYS = tuple(key_of(page, UrlSettings()) for page in PAGES)


def how_told(field: RuleField, value: str, *pages: int) -> PageTest:
    """How these pages are told, which a condition counts."""
    condition = RuleCondition(field=field, value=value)
    return page_test([PAGES[page] for page in pages], KEYS, UrlSettings(), condition=condition)


def test_a_folder_is_a_pattern_where_that_tells_its_pages() -> None:
    test = how_told(RuleField.FOLDER, "/shop/", 0, 1, 2, 3, 5, 6)
    assert (test.keys, test.patterns) == ((), (r"^https://shop\.example/shop/",))
    some = how_told(RuleField.FOLDER, "/shop/", 0, 1)
    assert (some.keys, some.patterns) == (KEYS[:2], ())


def test_merged_pages_are_a_pattern_without_the_pages_beside_them() -> None:
    test = how_told(RuleField.PAGE, PAGES[3], 3)
    assert test.patterns == (r"^https://shop\.example/shop/[^/?&#]+$",)
    assert set(test.but) == {KEYS[0], KEYS[1], KEYS[5], KEYS[6]}
    assert test.merged == (PAGES[3],)


def test_braces_of_the_site_itself_are_an_address_like_any_other() -> None:
    assert how_told(RuleField.PAGE, PAGES[6], 6) == PageTest((KEYS[6],))


def test_a_date_and_what_was_typed_may_hold_slashes() -> None:
    for page, raw in (("/{date}/x", "/2024/5/31/x"), ("/s?q={email}&x=1", "/s?q=a/b&x=1")):
        (pattern,) = page_test([page], [], UrlSettings()).patterns
        assert re.search(pattern, raw)


def test_every_mark_that_cleaning_leaves_is_known() -> None:
    kinds = {*personal_data._EXACT.values(), *personal_data._ENDINGS.values(), "card", "iban", "ip"}
    marks = {"{…}", "{n}", *(mark for mark, _ in urls._SEGMENT_KINDS), *(f"{{{kind}}}" for kind in kinds)}
    assert all(page_test([f"/{mark}"], [], UrlSettings()).merged for mark in marks)


def test_a_template_that_also_fits_others_is_a_list() -> None:
    template = "https://shop.example/shop/:slug"
    assert how_told(RuleField.TEMPLATE, template, 0, 1, 3, 5, 6).patterns == (
        r"^https://shop\.example/shop/[^/?&#]+$",
    )
    assert how_told(RuleField.TEMPLATE, template, 0).keys == (KEYS[0],)
