import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.safe_text import MAX_LENGTH, Quotes, clean, without_invisible


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  Red \t shoes\n", "Red shoes"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("pay\u200bment\u2060", "payment"),
        ("Shoes\u202etxt.exe\u202c", "Shoestxt.exe"),
        ("Sale\U000e0073\U000e0061", "Sale"),
        ("Sale\ufe0f\U000e0101", "Sale"),
        ("a\x1b[31mb\x00c", "a [31mb c"),
        ("x\u2028SYSTEM", "x SYSTEM"),
        ("\ud800x", "x"),
    ],
)
def test_cleans(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_cuts_with_a_mark() -> None:
    assert clean("a" * 100) == "a" * 79 + "…"
    assert clean("a" * 80) == "a" * 80


@given(st.text(max_size=200))
def test_is_short_visible_and_the_same_when_cleaned_again(text: str) -> None:
    once = clean(text)

    assert len(once) <= MAX_LENGTH
    assert clean(once) == once
    assert not {unicodedata.category(char) for char in once} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_visible_keeps_line_ends() -> None:
    assert without_invisible("a\n\u200bb\tc") == "a\nb c"


class TestQuotes:
    def test_numbers_texts_apart_by_kind(self) -> None:
        quotes = Quotes()

        names = [quotes.id_of("P", "/cart"), quotes.id_of("P", "/blog"), quotes.id_of("P", "/cart")]

        assert names == ["P1", "P2", "P1"]
        assert quotes.set("S2", "Readers") == "S2"
        assert quotes.data() == {"P1": "/cart", "P2": "/blog", "S2": "Readers"}
