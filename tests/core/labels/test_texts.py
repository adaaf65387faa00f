import pytest

from core.labels.label_types import Document, Subject
from core.labels.texts import normalise_text, subject_text, url_words

SHIRT = "https://shop.example/en/mens/red-shirt.html?id=77&q=cotton"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (SHIRT, "mens red shirt cotton"),
        ("https://shop.example/", ""),
        ("https://shop.example/p/123456", ""),
        ("https://shop.example/order/{id}/paid", "order paid"),
        ("https://shop.example/f%C3%BCr/Schuhe_Damen", "für Schuhe Damen"),
        ("https://shop.example/商品/靴", "商品"),
        ("not a url at all", "not url at all"),
        ("https://[foo/red-shoes", "red shoes"),
        ("https://a]b/red-shoes?q=tea", "red shoes tea"),
        ("http://ex℀mple.com/red-shoes", "red shoes"),
    ],
)
def test_words_of_a_url(url: str, words: str) -> None:
    assert url_words(url) == words


def test_title_url_breadcrumbs_and_document_make_the_text() -> None:
    document = Document(text="Soft and warm.", breadcrumbs=("Home", "Men"))
    subject = Subject("t", (SHIRT,), ("Red shirt", "Another title"), documents=(document,))
    assert subject_text(subject) == "Red shirt. mens red shirt cotton. Home, Men. Soft and warm."


def test_which_page_is_most_viewed_does_not_change_the_text() -> None:
    urls = ("https://shop.example/oak", "https://shop.example/ash")
    assert subject_text(Subject("t", urls)) == subject_text(Subject("t", urls[::-1])) == "ash"


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("sale P41", "sale"),
        ("P41", ""),
        ("A-13 trousers", "trousers"),
        ("USB-C charger 65W", "USB-C charger 65W"),
    ],
)
def test_product_codes_say_nothing(title: str, text: str) -> None:
    assert subject_text(Subject("t", ("https://shop.example/",), (title,))) == text


def test_a_page_without_words_has_no_text() -> None:
    assert subject_text(Subject("t", ("https://shop.example/",))) == ""
    assert subject_text(Subject("t", ("https://shop.example/",), ("\u200b \n",))) == ""


def test_parts_in_another_script_can_be_left_out() -> None:
    subject = Subject("t", ("https://shop.example/running-shoes",), ("ランニングシューズ",))
    assert subject_text(subject) == "ランニングシューズ. running shoes"
    assert subject_text(subject, latin_only=True) == "running shoes"


def test_text_is_capped() -> None:
    document = Document(text="word " * 10_000)
    url = "https://shop.example/" + "a-b-cd" * 10_000
    page = Subject("t", (url,), ("x" * 2_000_000,), documents=(document,))
    assert len(subject_text(page)) < 2_000


def test_invisible_and_control_characters_go() -> None:
    assert normalise_text("a\u200bb\u202ec\x00d\n\te\ud800\ufeff ﬁ  ") == "abc d e fi"
