import pytest

from core.labels.themes import ThemeMatcher, decide

MATCHER = ThemeMatcher(
    {
        "Apparel": ("jacket", "*jacke", "*jacken", "gift"),
        "Bags": ("bag", "tasche"),
        "Food": ("jam", "berry"),
        "Outdoor": ("sleeping bag", "tent", "sleeping"),
    }
)


@pytest.mark.parametrize(
    ("text", "theme"),
    [
        ("Rain jackets", "Apparel"),
        ("Regenjacken für Damen", "Apparel"),
        ("jacke", "Apparel"),
        ("Sleeping bags", "Outdoor"),  # the longest phrase first
        ("Tote bag", "Bags"),
        ("Wild berries", "Food"),
        ("James", None),
        ("jacketed", None),
        ("baggage", None),
        ("jacket bag", None),  # of equals, none
        ("bag with tents for sleeping", "Outdoor"),
        ("", None),
        ("куртка", None),
    ],
)
def test_words_tell_the_theme(text: str, theme: str | None) -> None:
    decided = decide(MATCHER.find([text]))
    assert (decided and decided[0]) == theme


def test_a_word_counts_once() -> None:
    assert decide(MATCHER.find(["bag bag bag tent sleeping"])) == ("Outdoor", ("sleeping", "tent"))
