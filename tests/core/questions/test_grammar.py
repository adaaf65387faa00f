"""Reading a question."""

from dataclasses import replace

import pytest

from core.facts.items import Dimension
from core.questions.grammar import MAX_LENGTH, parse
from core.questions.parsed import Parsed
from tests.core.facts.toy import context


def read(question: str, names: dict[int, str] | None = None) -> Parsed:
    return parse(question, context() if names is None else context(names))


@pytest.mark.parametrize(
    "text", ["segment 2", "cluster 2", "S2", "#2", "segment number 2", "Blog readers", "c2"]
)
def test_a_segment_by_number_or_name(text: str) -> None:
    assert read(text).rows == ["segment:1"]


@pytest.mark.parametrize(
    "text", ["segments 1 and 2", "segment 1, 2", "cluster 1 vs 2", "s1 s2", "segment 1 or segment 2"]
)
def test_two_segments(text: str) -> None:
    assert read(text).rows == ["segment:0", "segment:1"]


@pytest.mark.parametrize("text", ["segment 9", "cluster 0", "#7"])
def test_segments_that_do_not_exist_are_missing(text: str) -> None:
    parsed = read(text)
    assert (parsed.rows, len(parsed.missing)) == ([], 1)


def test_all_that_a_question_says() -> None:
    parsed = read("top 3 pages of segment 1 by views")
    assert (parsed.rows, parsed.dimensions, parsed.measures) == (
        ["segment:0"],
        [Dimension.PAGE],
        ["page_views"],
    )
    assert (parsed.number, parsed.cues, parsed.unknown) == (3, {"top"}, [])


def test_values_of_the_data() -> None:
    parsed = read("mobile users from a / b who saw /cart and Blog pages")
    assert parsed.items == [
        (Dimension.DEVICE, "mobile"), (Dimension.SOURCE, "a / b"), (Dimension.PAGE, "/cart"),
        (Dimension.TYPE, "Blog"),
    ]  # fmt: skip
    assert parsed.nouns


def test_a_misspelt_word_is_read_and_noted() -> None:
    parsed = read("revneue of the Blog raeders")
    assert (parsed.measures, parsed.rows) == (["revenue"], ["segment:1"])
    assert parsed.notes == ["“revneue” is read as “revenue”.", "“raeders” is read as “readers”."]


@pytest.mark.parametrize("word", ["worth", "truth", "court", "sport", "closer", "past", "worthy"])
def test_no_english_word_is_read_as_another(word: str) -> None:
    parsed = read(f"segments with the {word} revenue")
    assert parsed.notes == [] and parsed.cues <= {"segments"}


def test_a_wrong_letter_is_asked_about() -> None:
    assert read("revanue of segment 1").asks == ["Do you mean “revenue” by “revanue”?"]
    assert read("sesions of segment 1").asks == ["Do you mean “sessions” by “sesions”?"]


def test_a_misspelt_value_is_asked_about() -> None:
    parsed = read("share of moblie users")
    assert parsed.items == []
    assert parsed.asks == ["Do you mean “mobile” by “moblie”?"]


def test_two_words_equally_near_are_asked_about() -> None:
    parsed = read("Borek", {0: "Borex", 1: "Borel"})
    assert parsed.asks == ["Do you mean “borel” or “borex” by “borek”?"]


def test_a_word_with_two_meanings_is_asked_about() -> None:
    parsed = read("Revenue", {0: "Revenue"})
    assert parsed.asks == ["“revenue” can mean the gross revenue or Revenue (segment 1). Which do you mean?"]


def test_two_segments_of_one_name_are_asked_about() -> None:
    assert "Same (segment 1) or Same (segment 2)" in read("Same", {0: "Same", 1: "Same"}).asks[0]


@pytest.mark.parametrize("text", ["Mars", "/nowhere", "segments 1-2", "99", "2 3", "-1"])
def test_what_is_not_understood(text: str) -> None:
    assert read(text).unknown


def test_a_name_wins_over_the_words_in_it() -> None:
    parsed = read("outcome rate of top 10 revenue users", {0: "Top 10 revenue users"})
    assert (parsed.rows, parsed.measures, parsed.number) == (["segment:0"], ["outcome_rate"], None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Welche Seiten hat Segment 2?", "Hier wird nur Englisch verstanden."),
        ("top pages du segment 2", "Seul l’anglais est compris ici."),
        ("¿Cuál es la tasa de conversión?", "Aquí solo se entiende el inglés."),
        ("what was the revenue", ""),
        ("the weather in Berlin", ""),
    ],
)
def test_another_language_is_told_by_its_function_words(text: str, says: str) -> None:
    assert read(text).language == says


@pytest.mark.parametrize(
    ("text", "above", "value", "share", "reached"),
    [
        ("segments with outcome rate over 4 %", True, 0.04, True, False),
        ("segments with more than half of it", True, 0.5, True, False),
        ("segments with at most 1,000.5 users", False, 1000.5, False, True),
    ],
)
def test_a_limit_is_read(text: str, above: bool, value: float, share: bool, reached: bool) -> None:
    limit = read(text).limit
    assert limit is not None
    assert (limit.above, limit.value, limit.share, limit.reached) == (above, value, share, reached)
    assert [limit.holds(one) for one in (value - 1, value, value + 1)] == [not above, reached, above]


@pytest.mark.parametrize("text", ["users with more than 3 sessions", "segment 1 over 3 sessions"])
def test_a_limit_of_single_users_is_none(text: str) -> None:
    parsed = read(text)
    assert (parsed.limit, "threshold" in parsed.cues) == (None, True)
    assert read("segment 1 has more users than segment 2").limit is None


def test_forms_of_a_word_mean_the_same_and_stop_words_nothing() -> None:
    assert read("comparing").cues == {"compare"}
    assert read("therefore moreover").unknown == []
    assert read("what are the articles they saw").dimensions == [Dimension.PAGE]


def test_a_page_that_is_named_by_words_is_noted() -> None:
    parsed = read("who saw the cart")
    assert parsed.items == [(Dimension.PAGE, "/cart")]
    assert (parsed.guessed, parsed.notes) == (["/cart"], ["“cart” is read as the page /cart."])


def test_what_is_not_so_must_be_an_item() -> None:
    assert "not" in read("not in segment 2").unknown
    assert read("not on mobile").unknown == []


def test_users_beside_a_figure_are_one() -> None:
    assert read("users and sessions of segment 1").measures == ["users", "sessions"]
    assert read("revenue, sessions and users").measures == ["revenue", "sessions", "users"]
    assert read("revenue of users of segment 1").measures == ["revenue"]


def test_largest_is_of_what_follows_or_of_all_users() -> None:
    assert read("the largest revenue").cues == {"most"}
    assert read("outcome rate of the largest segment").cues == {"biggest", "segments"}
    assert read("which is the smallest").cues == {"smallest"}


def test_a_question_that_goes_on() -> None:
    assert read("and segment 1").cues == {"also"}
    assert read("what about segment 1").cues == {"also"}
    assert read("by revenue").leans
    assert not read("revenue by segment").leans


def test_a_very_long_question_is_not_read() -> None:
    assert read("users " * (MAX_LENGTH + 1)).unknown


def test_a_name_that_is_only_suggested_is_read_and_noted() -> None:
    made = replace(context({0: "Sale hunters"}), suggested={0: "Shoe fans", 1: "Guide readers"})
    parsed = parse("users of Guide readers", made)
    assert parsed.rows == ["segment:1"]
    assert parsed.notes == ["“Guide readers” is only suggested as the name of Segment 2."]
    assert parse("users of Shoe fans", made).rows == []  # the segment has a name of its own


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("Mobile users", "share of mobile users in segment 2"),
        ("Buyers", "How many buyers are in segment 2?"),
        ("Sale hunters", "users of Sale hunters"),
        ("S1", "users of S1"),
        ("Top 3", "top 3 pages of segment 1"),
        ("All users", "sessions of all users"),
    ],
)
def test_a_name_that_is_only_suggested_changes_no_question(name: str, question: str) -> None:
    made = context({0: "Sale hunters"})
    assert parse(question, replace(made, suggested={1: name})) == parse(question, made)
