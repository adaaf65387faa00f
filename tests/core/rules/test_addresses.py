"""A page and the raw addresses that became it have one key."""

from __future__ import annotations

import pytest

from core.base.settings import UrlSettings
from core.ingest.clean.urls import canonicalise
from core.rules.addresses import key_of, page_test, parameters, spellings
from core.rules.conditions import RuleCondition, RuleField

RAW = (
    "https://SHOP.example/Sale/", "https://shop.example/index.html", "https://shop.example/",
    "https://shop.example/a/index.php/?gclid=1", "https://shop.example/a#top",
    "https://shop.example/b;jsessionid=9?x=1",
)  # fmt: skip


@pytest.mark.parametrize("raw", RAW)
def test_a_raw_address_and_its_page_meet(raw: str) -> None:
    (page,) = canonicalise([raw], UrlSettings()).pages
    assert key_of(raw.partition("?")[0].partition("#")[0]) == key_of(page)


def test_an_address_is_found_decoded_and_encoded() -> None:
    assert "https://shop.example/caf%c3%a9" in spellings("https://shop.example/café")
    assert "https://shop.example/s?q=%C3%BC" in spellings("https://shop.example/s?q=ü")
    assert spellings("https://shop.example/sale") == ["https://shop.example/sale"]


def test_parameters_that_make_another_page() -> None:
    assert parameters(["https://s.example/a?q=1&cat=2", "/b", "/c?q=3"]) == [
        "cat", "q"
    ]  # fmt: skip


PAGES = tuple(
    f"https://shop.example{path}"
    for path in ("/shop/a", "/shop/b", "/shop/b/c", "/shop/{id}", "/blog", "/shop/7")
)
KEYS = tuple(map(key_of, PAGES))


def test_a_folder_is_a_pattern_where_that_tells_its_pages() -> None:
    folder = RuleCondition(field=RuleField.FOLDER, value="/shop/")
    test = page_test(folder, [0, 1, 2, 3, 5], KEYS, PAGES)
    assert (test.keys, test.patterns) == ((), (r"^https://shop\.example/shop/",))
    some = page_test(folder, [0, 1], KEYS, PAGES)
    assert (some.keys, some.patterns) == (KEYS[:2], ())


def test_merged_pages_are_a_pattern_without_the_pages_beside_them() -> None:
    test = page_test(RuleCondition(field=RuleField.PAGE, value=PAGES[3]), [3], KEYS, PAGES)
    assert test.patterns == (r"^https://shop\.example/shop/[^/?&#]+$",)
    assert set(test.but) == {KEYS[0], KEYS[1], KEYS[5]}
    assert test.merged == (PAGES[3],)


def test_a_template_that_also_fits_others_is_a_list() -> None:
    template = RuleCondition(field=RuleField.TEMPLATE, value="https://shop.example/shop/:slug")
    assert page_test(template, [0, 1, 3, 5], KEYS, PAGES).patterns == (
        r"^https://shop\.example/shop/[^/?&#]+$",
    )
    assert page_test(template, [0], KEYS, PAGES).keys == (KEYS[0],)
