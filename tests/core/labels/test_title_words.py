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
        ("best", False),  # a piece of what things are called
        ("luna", True),  # the end of an address
        ("2026", False),
        ("sleepwell", False),  # every title
        ("Sleep Well", False),  # the host
        ("pages", False),  # no title says it
        ("collections", False),
        ("contact", True),
        ("compare", True),  # a page of its own
    ],
)
def test_what_names_something_is_told_by_the_titles(text: str, tells: bool) -> None:
    is_name = " " in text or SHOP.is_name(text)
    assert (SHOP.is_titled(text) and not SHOP.is_brand(text) and is_name) == tells


def test_titles_that_tell_nothing_are_not_asked() -> None:
    alike = TitleWords.of([f"https://a.example/tents/{page}" for page in range(9)], ["A shop"] * 9)
    assert alike.is_titled("tents") and alike.is_brand("shop")
    assert TitleWords.of(["s.e/tents/a"], []).is_titled("tents")


@pytest.mark.parametrize(
    ("page", "title"), [("/beds.html", ""), ("/shop/beds-12", ""), ("/c.php", "Beds (24) | Sleepwell")]
)
def test_neither_a_file_ending_nor_a_count_is_a_part_of_a_name(page: str, title: str) -> None:
    assert TitleWords.of([f"https://s.example{page}"], [title]).is_name("bed")


def test_what_addresses_of_files_end_with_is_said_before_the_ending() -> None:
    site = TitleWords.of([f"https://s.example/{kind}-beds.html" for kind in ("oak", "sofa", "bunk")], [])
    assert site.is_kind("beds") and not site.is_kind("html")
