from __future__ import annotations

from core.labels.label_settings import Taxonomy, default_taxonomy
from core.labels.label_types import Label, Rung
from core.labels.structure import lists_above_products

SITE = "https://a.example"
PRODUCT = Label("Product", Rung.EVENTS)


def test_every_list_above_products_is_found_up_to_the_root() -> None:
    decided = {
        SITE: None,
        f"{SITE}/": None,
        f"{SITE}/shop": None,
        f"{SITE}/shop/:slug": None,
        f"{SITE}/shop/:slug/:slug": PRODUCT,
        f"{SITE}/other": None,
    }
    found = lists_above_products(decided, default_taxonomy())
    assert sorted(found) == [f"{SITE}/shop", f"{SITE}/shop/:slug"]
    assert {one.value for one in found.values()} == {"Category"}
    assert found[f"{SITE}/shop"].evidence == "products lie below it: /shop/:slug/:slug"


def test_what_is_decided_stays_and_ends_the_way_up() -> None:
    search = Label("Search", Rung.RULES)
    decided = {f"{SITE}/a": None, f"{SITE}/a/find": search, f"{SITE}/a/find/:slug": PRODUCT}
    assert lists_above_products(decided, default_taxonomy()) == {}


def test_a_single_product_page_says_nothing() -> None:
    assert lists_above_products({f"{SITE}/a": None, f"{SITE}/a/tent": PRODUCT}, default_taxonomy()) == {}


def test_without_the_two_types_nothing_is_found() -> None:
    types = [{"name": name, "descriptions": ["x"]} for name in ("Product", "Other")]
    taxonomy = Taxonomy.checked(themes=default_taxonomy().themes, types=types)
    assert lists_above_products({f"{SITE}/a": None, f"{SITE}/a/:slug": PRODUCT}, taxonomy) == {}
