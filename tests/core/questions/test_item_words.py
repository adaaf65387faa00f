"""What people call what is in the data."""

from dataclasses import replace

import pytest

from core.facts.context import Context
from core.facts.items import Dimension
from core.questions.lexicon import country_of, item_words, stem
from tests.core.facts.toy import context


def about(*pages: str, **attributes: tuple[str, ...]) -> Context:
    """A context with these pages and values."""
    made = context()
    tables = replace(made.tables, basis=replace(made.tables.basis, pages=pages))
    tables.__dict__["attributes"] = attributes
    return replace(made, tables=tables)


SHOP = about(
    "/", "/cart", "/checkout/cart", "/shop/hiking-boots", "/compare/hiking-boots", "/skirts/b10",
    "/search?q=tent",
    source=("newsletter / email", "google / cpc", "google / organic"),
    country=("Germany", "South Korea", "Brazil", "Austria", "Australia"),
)  # fmt: skip


NAMED, STEMMED = item_words(SHOP)


def pages(*words: str) -> list[str]:
    return [one.value for one in STEMMED.get(words, ()) if one.dimension is Dimension.PAGE]


def test_a_page_is_called_by_the_end_of_its_address() -> None:
    assert pages("skirt", "b10") == pages("b10") == ["/skirts/b10"]
    assert pages("cart") == ["/cart"]  # the address that is only this comes first
    assert pages("checkout", "cart") == ["/checkout/cart"]
    assert pages("hike", "boot") == ["/shop/hiking-boots", "/compare/hiking-boots"]
    assert pages("search", "q", "tent") == ["/search?q=tent"]
    assert pages("skirt") == []


def test_a_source_is_called_by_any_of_its_words() -> None:
    assert [one.value for one in NAMED["newsletter",]] == ["newsletter / email"]
    assert len(NAMED["google",]) == 2
    assert len(NAMED["google", "cpc"]) == 1


@pytest.mark.parametrize(
    ("people", "country"),
    [
        ("germans", "Germany"), ("koreans", "South Korea"), ("brazilian", "Brazil"), ("austrians", "Austria"),
        ("australians", "Australia"), ("martians", ""), ("francce", ""),
    ],
)  # fmt: skip
def test_people_are_of_the_country_whose_letters_they_share(people: str, country: str) -> None:
    assert country_of(people, SHOP) == country


def test_forms_of_a_word_share_their_stem() -> None:
    assert {stem(word) for word in ("hiking", "hikes", "hike", "hiked")} == {"hike"}
