"""Pages, events and values are found by the words of their names."""

import pytest

from core.questions.names import MAX_MEANT, PagesByWords, meaning_of, names_of
from tests.core.facts.shop import shop
from tests.core.questions.true_site import site

PAGES = (
    "/", "/cart", "/sale", "/sale/tents", "/shop/tents", "/shop/tents/1042-family-tent", "/blog/hiking-boots",
    "/blog/how-to-pitch-a-tent", "/jobs?what=nurse", "/jobs?what=python+developer", "/sign-up",
)  # fmt: skip


def patterns(words: str, *, whole: bool = False) -> tuple[str, ...]:
    step = PagesByWords(PAGES).named(words.split(), whole=whole)
    return step.any_of if step else ()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("cart", ("/cart",)),
        ("basket", ("/cart",)),  # another word for the same thing
        ("hiking boots", ("/blog/hiking-boots",)),
        ("boot hike", ("/blog/hiking-boots",)),  # in any order and form
        ("sale", ("/sale", "/sale?*")),
        ("family tent", ("/shop/tents/1042-family-tent",)),
        ("sale tents", ("/sale/tents",)),
        ("tents", ("/sale/tents", "/shop/tents", "/shop/tents?*")),
        ("python developer", ("/jobs?what=python+developer",)),
        ("register", ("/sign-up",)),
        ("boots tents", ()),
        ("unicorn", ()),
    ],
)
def test_pages_are_those_in_whose_address_all_words_stand(words: str, found: tuple[str, ...]) -> None:
    assert patterns(words) == found


def test_a_folder_is_meant_whole_where_that_is_said() -> None:
    assert patterns("sale", whole=True) == ("/sale", "/sale/*", "/sale?*")


def test_words_that_many_pages_have_name_none() -> None:
    pages = tuple(f"/a/{letter}-shoe" for letter in "bcdefghij"[: MAX_MEANT + 1])
    assert PagesByWords(pages).named(["shoe"], whole=False) is None
    assert PagesByWords(pages[:-1]).named(["shoe"], whole=False) is not None


def test_a_whole_name_is_told_from_a_part() -> None:
    pages = PagesByWords(PAGES)
    assert pages.is_whole_name(["family", "tent"])
    assert not pages.is_whole_name(["pitch"])


def test_a_folder_by_its_address() -> None:
    folder = PagesByWords(PAGES).folder("/sale/")
    assert folder is not None and folder.any_of == ("/sale", "/sale/*", "/sale?*")
    assert PagesByWords(PAGES).folder("/cart") is None


def test_addresses_are_found_in_any_case() -> None:
    pages = PagesByWords(("/My_Page", "/docs/Setup"))
    assert pages.as_spelt("/my_page") == "/My_Page"
    assert pages.as_spelt("/DOCS") == "/docs"
    folder = pages.folder("/Docs/*")
    assert folder is not None and folder.any_of[0] == "/docs"


def test_words_of_the_same_meaning_are_compared_alike() -> None:
    assert meaning_of("baskets") == meaning_of("carts") == meaning_of("warenkorb")
    assert meaning_of("cart") != meaning_of("card")


def test_events_and_values_of_the_data() -> None:
    names = names_of(site("shop").context)
    assert names.event(["purchases"]) == "purchase"
    assert names.event(["cart"]) == ""
    assert names.event_with("purchasing") == "purchase"
    assert [value for _, value in names.values(["mobile"])] == ["mobile"]
    assert names.values(["unicorn"]) == []


def test_the_word_itself_comes_before_what_means_the_same() -> None:
    values = names_of(shop().context).values
    assert [value for _, value in values(["newsletter"])] == ["newsletter / email"]
    assert len(values(["email"])) > 1
