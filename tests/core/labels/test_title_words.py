"""Which words name something: a made-up shop whose pages can be read at a glance."""

import pytest

from core.labels.title_words import TitleWords

PAGES = {
    "/": "Sleepwell",
    "/collections/mattresses": "Mattresses | Sleepwell",
    "/products/luna": "Mattress Luna | Sleepwell",
    "/products/orion": "Mattress Orion | Sleepwell",
    "/products/sol": "Pillow Sol | Sleepwell",
    "/blogs/best-mattress": "Best mattress of 2026 | Sleepwell",
    "/blogs/best-pillow": "10 best pillows | Sleepwell",
    "/blogs/best-toppers": "The best toppers | Sleepwell",
    "/collections/toppers": "Toppers | Sleepwell",
    "/pages/contact": "Contact | Sleepwell",
    "/compare": "Compare mattresses | Sleepwell",
    "/compare/pillows": "Compare pillows | Sleepwell",
    "/compare/toppers": "Compare toppers | Sleepwell",
}
SHOP = TitleWords.of([f"https://www.sleep-well.co.uk{page}" for page in PAGES], list(PAGES.values()))


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("mattresses", True),
        ("Mattress", True),  # begins "Mattress Luna", but also stands alone
        ("best mattress", True),
        ("best", False),  # only ever begins, before three things that are said elsewhere as well
        ("sleepwell", False),  # every title
        ("Sleep Well", False),  # the host
        ("pages", False),  # no title says it
        ("collections", False),
        ("contact", True),
        ("compare", True),  # as "best", but with a page of its own
    ],
)
def test_what_names_something_is_told_by_the_titles(text: str, tells: bool) -> None:
    assert (SHOP.is_titled(text) and not SHOP.is_brand(text) and not SHOP.is_praise(text)) == tells


def test_titles_that_tell_nothing_are_not_asked() -> None:
    alike = TitleWords.of([f"https://a.example/tents/{page}" for page in range(9)], ["A shop"] * 9)
    assert alike.is_titled("tents") and alike.is_brand("shop")
    assert TitleWords.of(["s.e/tents/a"], []).is_titled("tents")


def test_products_of_one_kind_with_names_of_their_own_do_not_make_it_a_word_of_praise() -> None:
    titles = [f"Topper {name}" for name in ("Alp", "Bay", "Cap", "Dune")] + ["Imprint"]
    assert TitleWords.of([], titles).openers == frozenset()


def test_a_word_that_is_said_of_a_few_things_of_many_tells_them_apart() -> None:
    romans = [f"{first} {second}" for first in ("Roman", "Greek") for second in ("art", "law", "army")]
    assert "roman" not in TitleWords.of([], romans + [f"Mountain {n}" for n in range(40)]).openers
