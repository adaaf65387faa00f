import pytest

from core.facts.answer import Fact, Unit
from core.writing.prose.mentions import ALL, REST, UNKNOWN, Kind, Lexicon
from core.writing.prose.sentence import split_sentences

SEGMENTS = {
    "segment:0": ("Segment 1", "Bargain hunters"),
    "segment:1": ("Segment 2", "Top 10 fans"),
    "group:one_page": ("One-page users",),
}
FACT = Fact("F1", "lift:page", "lift", ("segment:0",), 2.0, Unit.RATIO, "2.0×", item="Cart")


def named(text: str, kind: Kind) -> list[tuple[str, ...]]:
    return [one.keys for one in Lexicon([FACT], SEGMENTS).mentions(text) if one.kind is kind]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Segment 2 is", ["segment:1"]),
        ("cluster 2 is", ["segment:1"]),
        ("S2 is", ["segment:1"]),
        ("more than S2.", ["segment:1"]),
        ("S2: 90", ["segment:1"]),
        ("the rate of all users", [ALL]),
        ("8 % of all users", []),
        ("segment two is", ["segment:1"]),
        ("segments 1 and 2 are", ["segment:0", "segment:1"]),
        ("segment 1 vs 2", ["segment:0", "segment:1"]),
        ("BARGAIN  hunters buy", ["segment:0"]),
        ("Segment 1 (Bargain hunters) buys", ["segment:0"]),
        ("Top 10 fans buy", ["segment:1"]),
        ("the Bargain hunters segment", ["segment:0"]),
        ("segment 7 is", [UNKNOWN]),
        ("one-page users leave", ["group:one_page"]),
        ("all users", [ALL]),
        ("than the rest", [REST]),
        ("segment 1,908 views", []),
    ],
)
def test_finds_segments(text: str, keys: list[str]) -> None:
    assert named(text, Kind.SEGMENT) == [(key,) for key in keys]


def test_the_longest_name_wins() -> None:
    assert named("page views per user", Kind.METRIC) == [("page_views_mean",)]
    assert named("page views", Kind.METRIC) == [("page_views",)]


def test_a_phrase_may_mean_several_measures() -> None:
    (keys,) = named("they converted", Kind.METRIC)

    assert {"outcome_rate", "outcome_users"} <= set(keys)


def test_a_one_word_item_is_named_in_its_own_spelling_only() -> None:
    assert named("saw Cart", Kind.ITEM) == [("Cart",)]
    assert named("put it in the cart", Kind.ITEM) == []


def test_sentences_end_at_full_stops_and_lines_but_not_within_numbers_or_abbreviations() -> None:
    text = "It has 1.5 views, e.g. Home. Then more!\n- A list"

    parts = [text[start:end].strip() for start, end in split_sentences(text)]

    assert parts == ["It has 1.5 views, e.g. Home.", "Then more!", "- A list"]
