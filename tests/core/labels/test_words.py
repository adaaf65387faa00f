import pytest

from core.labels.words import TEXT_CHARACTERS, fold, stem_of, words_of


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Ménage", "menage"),
        ("GRÖßE", "grosse"),
        ("Łódź", "lodz"),
        ("smørrebrød", "smorrebrod"),
        ("Куртка", "куртка"),
        ("ギョウザ", "ギョウザ"),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("segment", "stem"),
    [
        ("Über_uns.html", "uber-uns"),
        ("%C3%BCber+uns", "uber-uns"),
        ("a--b", "a-b"),
        ("cart.php", "cart"),
        ("v1.2", "v1.2"),
        ("", ""),
    ],
)
def test_stems(segment: str, stem: str) -> None:
    assert stem_of(segment) == stem


def test_words() -> None:
    assert words_of("Kid's T-Shirts, 2_pack!") == ["kid's", "t", "shirts", "2", "pack"]
    assert len(words_of("a " * 10_000)) == TEXT_CHARACTERS // 2
