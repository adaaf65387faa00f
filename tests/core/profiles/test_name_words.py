"""Items in the words of a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.labels.words import roots
from core.profiles.name_words import CHARACTERS, MAX_NAME_WORDS, SiteWords, is_plain, item_phrase, lower
from tests.core.profiles.named_toy import SITE


@pytest.mark.parametrize(
    ("family", "item", "text"),
    [
        ("page", "/shop/sleeping-bags", "sleeping bags"),
        ("page", "/about.html", "about"),
        ("page", "/kase", "Käse"),
        ("page", "/%E6%9E%95", "枕"),
        ("page", "/search?q=tent", ""),
        ("page", "/p/12345", ""),
        ("page", "/blouses/c17", "blouses c17"),
        ("page", "/blouses/3f9a77c0b1", ""),
        ("page", "/blouses/rain/", "rain"),
        ("page", "/", "homepage"),
        ("page", "https://s.e/", "homepage"),
        ("page", "/orders/{id}", ""),
        ("page", "/how-to-choose-the-right-topper", ""),
        ("folder", "/shop/rain/", "rain"),
        ("word", "kase", "Käse"),
        ("word", "usb", "USB"),
        ("word", "the", ""),
        ("word", "xs", ""),
        ("theme", "Bags & accessories", "bags & accessories"),
        ("type", "Blog", "blog readers"),
        ("type", "Cart & checkout", "cart & checkout visitors"),
        ("type", "Search", "searchers"),
        ("interest", "Bags", "bags"),
        ("level", "weekend visitors", "weekend visitors"),
        ("device", "mobile", "mobile visitors"),
        ("source", "newsletter / email", "from newsletter"),
        ("source", "(direct) / (none)", ""),
        ("source", "google / cpc", "from google cpc"),
        ("outcome", "purchase", "buyers"),
        ("outcome", "video_start", "video start users"),
        ("outcome", "page:/thank-you", "thank you visitors"),
        ("outcome", "template:/order/:slug", ""),
        ("measure", "sessions_mean", "returning"),
        ("measure", "revenue_per_user", ""),
        ("browser", "Firefox", ""),
    ],
)
def test_an_item_is_said_in_the_words_of_the_site(family: str, item: str, text: str) -> None:
    assert item_phrase(family, item, SITE) == text


def test_what_addresses_spell_without_marks_is_said_as_titles_write_it() -> None:
    site = SiteWords(("s.e/raetsel/", "s.e/grün/"), ("Rätsel | Zeitung", "Ein Quiz"), {"Raetsel": 3})
    assert item_phrase("interest", "Raetsel", site) == "Rätsel"
    assert item_phrase("word", "gruen", site) == item_phrase("word", "grun", site) == "grün"


def test_less_of_a_habit_has_its_own_word() -> None:
    assert (
        item_phrase("measure", "page_views_mean", SITE, less=True) == "fewer pages"
    )  # than the others; not "few"


@given(
    st.sampled_from(["page", "folder", "word", "theme", "type", "source", "outcome"]), st.text(max_size=90)
)
def test_whatever_an_item_is_called_it_is_short(family: str, item: str) -> None:
    text = item_phrase(family, item, SITE)
    assert len(text) <= CHARACTERS
    assert len(text.split()) < MAX_NAME_WORDS


def test_a_capital_stays_where_it_is_more_than_a_beginning() -> None:
    assert [lower(text) for text in ("Blog", "USB", "A13", "iPhone", "Käse und Brot")] == [
        "blog", "USB", "A13", "iPhone", "käse und Brot",
    ]  # fmt: skip


def test_a_capital_is_as_most_titles_write_the_word_inside_of_them() -> None:
    titles = ("Tampere bed | Sleepwell", "Wooden beds", "Bed of the year", "Beds of Japan", "BEDS AND MORE")
    site = SiteWords(("/tampere", "/wooden-beds", "/japan"), titles, {"Beds": 3, "Beds in Tampere": 3})
    assert [site.spelled(word) for word in ("tampere", "beds", "japan", "more")] == [
        "Tampere", "beds", "Japan", "more",
    ]  # fmt: skip
    assert item_phrase("theme", "Beds", site) == "beds"
    assert item_phrase("interest", "Beds in Tampere", site) == "beds in Tampere"


def test_a_code_is_no_word() -> None:
    assert [word for word in ("a13", "of", "枕", "toppers", "p4") if is_plain(word)] == [
        "枕",
        "toppers",
    ]


def test_a_plural_has_the_root_of_its_singular() -> None:
    assert roots(["Mattresses, Toppers"]) == roots(["topper mattress"])


def test_addresses_come_before_titles() -> None:
    assert SITE.place("toppers") < SITE.place("blog") < SITE.place("kase") < SITE.place("never said")
    assert SiteWords((), (), {}).spelled("word") == "word"


def test_neither_the_brand_nor_a_folder_of_programs_nor_a_piece_of_names_is_a_name() -> None:
    titles = [
        f"{one} | Sleepwell" for one in ("Best toppers", "Best pillows", "Best beds", "Toppers", "Pillows")
    ]
    slugs = ("best-toppers", "best-pillows", "best-beds", "toppers", "pillows", "beds")
    pages = [f"https://sleepwell.example/pages/{slug}" for slug in slugs]
    site = SiteWords(tuple(pages), (*titles, "Beds | Sleepwell"), {"Offers": 3})
    assert [item_phrase("word", word, site) for word in ("sleepwell", "best", "pages", "toppers")] == [
        "", "", "", "toppers",
    ]  # fmt: skip
    assert (item_phrase("folder", "/pages/", site), item_phrase("folder", "/pillows/", site)) == (
        "",
        "pillows",
    )
    assert (item_phrase("theme", "Sleepwell", site), item_phrase("theme", "Beds", site)) == ("", "beds")
    assert [item_phrase("interest", name, site) for name in ("Pages", "Beds", "Offers")] == [
        "",
        "beds",
        "offers",
    ]
