from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from core.labels.label_settings import LabelClass, Taxonomy, default_taxonomy
from core.labels.label_types import Label, Rung
from core.labels.pages import LabelPages
from core.labels.structure import structure_types

SHOP = default_taxonomy()
NEWS = SHOP.model_copy(
    update={"types": tuple(LabelClass(name=name, descriptions=(name,)) for name in ("Article", "Section"))}
)
CART = {"/cart": Label("Cart & checkout", Rung.RULES)}
ITEMS = [f"/shop/tents/{name}" for name in ("heron", "merlin", "kestrel", "osprey")]
TENTS = ["/", "/cart", "/shop", "/shop/tents", *ITEMS]


def typed(
    paths: Sequence[str],
    decided: Mapping[str, Label] = CART,
    steps: Sequence[tuple[str, str, int]] = (),
    taxonomy: Taxonomy = SHOP,
) -> dict[str, str]:
    """Path → type that structure says; host by host where a path has one."""
    urls = tuple(path if "://" in path else f"https://a.example{path}" for path in paths)
    counted = None
    if steps:
        rows, columns, counts = zip(*((paths.index(a), paths.index(b), n) for a, b, n in steps), strict=True)
        counted = sparse.coo_array((counts, (rows, columns)), (len(paths), len(paths))).tocsr()
    ones = np.ones((2, len(paths)), dtype=np.int64)
    pages = LabelPages(urls, ("",) * len(urls), urls, *ones, steps=counted)
    found = structure_types(pages, [decided.get(path) for path in paths], taxonomy)
    assert all(label.rung is Rung.STRUCTURE for label in found if label)
    return {path: label.value for path, label in zip(paths, found, strict=True) if label}


def test_pages_side_by_side_below_a_list_are_products_of_a_shop() -> None:
    assert typed(TENTS) == dict.fromkeys(ITEMS, "Product") | {"/shop": "Category", "/shop/tents": "Category"}


def test_without_a_cart_they_are_articles_where_the_taxonomy_has_them() -> None:
    found = typed(TENTS, {}, taxonomy=NEWS)
    assert found == dict.fromkeys(ITEMS, "Article") | {"/shop": "Section", "/shop/tents": "Section"}
    assert typed(TENTS, {}) == {}


@pytest.mark.parametrize(
    "paths",
    [
        pytest.param(["/cart", "/heron", "/merlin", "/kestrel", "/osprey", "/avocet"], id="flat"),
        pytest.param(["/cart", *ITEMS], id="no list was seen"),
        pytest.param(TENTS[:-1], id="three are no pattern"),
        pytest.param(
            ["/cart", *(f"/shop/{x}{part}" for x in "abcde" for part in ("", "/reviews"))],
            id="parts of pages",
        ),
        pytest.param(
            ["/cart", "/shop", *(f"/shop/{x}" for x in ("packs", "packs/a", "packs/b", *"cdefg"))],
            id="lists and items under names of one form",
        ),
    ],
)  # fmt: skip
def test_it_abstains(paths: list[str]) -> None:
    assert "Product" not in typed(paths).values()


def test_made_names_beside_lists_with_plain_ones_are_items() -> None:
    made = [f"/shop/the-{x}-tent-for-two" for x in "abcd"]
    found = typed(["/cart", "/shop", "/shop/packs", "/shop/packs/a", "/shop/packs/b", *made])
    assert found == dict.fromkeys(made, "Product") | {"/shop": "Category"}


def test_pages_that_are_reached_from_elsewhere_are_not_the_lists_items() -> None:
    def ways(from_list: int, from_search: int) -> dict[str, str]:
        steps = [("/shop/tents", ITEMS[0], from_list), ("/", ITEMS[1], from_search)]
        return typed(TENTS, CART, [*steps, (ITEMS[0], "/cart", 20), ("/", "/shop", 30)])

    assert "Product" in ways(2, 18).values()
    assert ways(1, 19) == {}


def test_what_a_shop_tells_of_but_does_not_sell_is_left_open() -> None:
    events = ["/events", *(f"/events/{city}" for city in ("leeds", "oslo", "paris", "bern"))]
    paths = [*TENTS, *events]
    steps = [
        *(("/shop/tents", item, 10) for item in ITEMS),
        *((item, "/cart", 5) for item in ITEMS),
        *(("/events", city, 10) for city in events[1:]),
        *((city, "/", 10) for city in events[1:]),
        ("/", "/shop", 30),
    ]
    found = typed(paths, CART, steps)
    assert set(ITEMS) <= found.keys()
    assert not set(events) & found.keys()


def test_help_pages_that_rules_know_are_no_items() -> None:
    known = dict.fromkeys(ITEMS[:1], Label("Service", Rung.RULES))
    assert typed(TENTS, CART | known) == {}


def test_a_site_where_surer_rungs_know_better_is_left_alone() -> None:
    more = [f"/shop/tents/{x}" for x in "abcdefgh"]
    agreeing = dict.fromkeys(more, Label("Product", Rung.EVENTS))
    assert len(typed([*TENTS, *more], CART | agreeing)) == len(ITEMS) + 2
    against = dict.fromkeys(more, Label("Category", Rung.EVENTS))
    assert typed([*TENTS, *more], CART | against) == {}


def test_on_a_flat_site_what_leads_to_many_products_is_a_list() -> None:
    items = [f"/{x}" for x in "abcd"]
    shown = dict.fromkeys(items, Label("Product", Rung.EVENTS))
    paths = ["/tents", "/guide", "/one", *items]
    steps = [
        *(("/tents", item, 3) for item in items),
        ("/tents", "/guide", 8),
        *(("/guide", item, 2) for item in items),
        ("/guide", "/tents", 12),
        ("/one", "/a", 30),
    ]
    assert typed(paths, shown, steps) == {"/tents": "Category"}
    by_rule = dict.fromkeys(items, Label("Product", Rung.RULES))
    assert typed(paths, by_rule, steps) == {}  # rules may know half of the products


def test_the_evidence_says_how_many_and_by_which_way() -> None:
    paths = ["/cart", "/shop", *(f"/shop/{x}" for x in "abcd")]
    counted = sparse.coo_array(([15, 5], ([1, 3], [2, 2])), (6, 6)).tocsr()
    urls = tuple(f"https://a.example{path}" for path in paths)
    pages = LabelPages(urls, ("",) * 6, urls, *np.ones((2, 6), dtype=np.int64), steps=counted)
    found = structure_types(pages, [CART["/cart"], *[None] * 5], SHOP)
    way = "75% of the steps to such pages come from their lists"
    assert [label.evidence for label in found[1:3] if label] == [
        f"4 pages of one kind lie below it; {way}",
        f"one of 4 such pages below /shop; {way}",
    ]


@given(st.lists(st.text("ab/-1?=", max_size=12), max_size=20))
def test_any_addresses_are_one_label_or_none_each(paths: list[str]) -> None:
    urls = tuple(f"https://a.example/{path}" for path in paths)
    pages = LabelPages(urls, ("",) * len(urls), urls, *np.ones((2, len(urls)), dtype=np.int64))
    assert len(structure_types(pages, [None] * len(urls), SHOP)) == len(urls)
