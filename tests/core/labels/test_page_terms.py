"""Folders and words of a page, and the theme that they tell."""

import pytest

from core.labels.label_settings import LabelClass
from core.labels.page_terms import Term, spelt_terms, terms_of, theme_of


def test_folders_are_the_segments_before_the_last_and_words_come_from_title_and_address() -> None:
    terms = terms_of(["https://a.example/de/rain-jackets/Ember_2.html"], ["Ember, rote Jacke"])
    assert terms.folders == {"rain-jackets"}
    assert {"ember", "rote", "jacke", "rote jacke", "rain", "jackets", "jacket", "rain jacket"} <= terms.words


def test_what_only_some_addresses_have_is_no_word_of_all() -> None:
    terms = terms_of(["https://a.example/tents/fell", "https://a.example/boots/fell"], [])
    assert (terms.folders, terms.words) == (frozenset(), {"fell"})


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("醤油ラーメンの作り方", {"醤油", "ラーメン"}),  # hiragana between them is grammar
        ("ギョウザ", {"ギョウザ"}),  # no accent is taken from a kana
        ("ข้าวผัด", set()),  # a script without blanks that we cannot part: no word rather than a wrong one
        ("Größe 42", {"grosse"}),
    ],
)
def test_words_of_other_scripts(title: str, words: set[str]) -> None:
    found = {term for _, term in spelt_terms(title)}
    assert words <= found
    assert bool(words) == bool(found)


def theme(name: str, folders: tuple[str, ...] = (), words: tuple[str, ...] = ()) -> LabelClass:
    return LabelClass(name=name, descriptions=(name,), folders=folders, words=words)


def test_a_folder_goes_before_a_word_and_the_first_theme_before_the_next() -> None:
    themes = [theme("Toppers", words=("toppers",)), theme("Sale", ("sale",)), theme("Beds", words=("bed",))]
    cases = {
        "https://a.example/sale/topper": ("Sale", Term(True, "sale")),
        "https://a.example/bed-topper": ("Toppers", Term(False, "topper")),  # of "toppers", in the singular
        "https://a.example/beds": ("Beds", Term(False, "bed")),
        "https://a.example/bed/topper": ("Beds", Term(True, "bed")),  # its folder, though a word of another
    }
    for url, (name, term) in cases.items():
        found = theme_of(terms_of([url], []), themes)
        assert found is not None
        assert (found[0].name, found[1]) == (name, term)
    assert theme_of(terms_of(["https://a.example/contact"], []), themes) is None
