"""Parts of a query: taken out, or changed for what else they could be."""

from core.facts.context import Context
from core.query.in_words import sentence
from core.query.parts import parts
from core.query.query import Query
from core.questions.reading import read
from tests.core.questions.true_site import site


def shop() -> Context:
    return site("shop").context


def said(query: Query | None) -> str:
    return sentence(query, shop().title) if query else ""


def instead(question: str) -> dict[str, list[str]]:
    """Each part with what it could be instead."""
    return {part.text: list(part.instead) for part in parts(read(question, shop()).queries[0], shop())}


def test_each_part_can_be_taken_out_but_for_the_measure() -> None:
    query = read("conversion rate per device of users who saw /cart on weekends", shop()).queries[0]
    assert [(part.text, said(part.without)) for part in parts(query, shop())] == [
        ("share of users who did purchase", ""),
        ("saw /cart", "Share of users who did purchase, by user's main device, on Saturday or Sunday"),
        ("by user's main device",
         "Share of users who did purchase, of users who saw /cart, on Saturday or Sunday"),
        ("on Saturday or Sunday",
         "Share of users who did purchase, of users who saw /cart, by user's main device, all days"),
    ]  # fmt: skip


def test_an_attribute_has_the_other_values_and_a_number_other_numbers() -> None:
    found = instead("how many users on mobile with at least 2 sessions saw /cart 3 times")
    assert set(found["are mostly on mobile"]) == {"are mostly on desktop", "are mostly on tablet"}
    assert found["have at least 2 sessions"] == [f"have at least {n} sessions" for n in (1, 3, 5, 10, 20)]
    assert "saw /cart exactly once" in found["saw /cart exactly 3 times"]


def test_a_denied_value_stays_denied_and_a_range_has_no_single_number() -> None:
    found = instead("users not on mobile with 2 to 4 sessions")
    assert "are not mostly on desktop" in found["are not mostly on mobile"]
    assert found["have at least 2 and at most 4 sessions"] == []


def test_order_rows_and_dimension() -> None:
    found = instead("top 5 pages of users who bought")
    assert found["most first"] == ["fewest first"]
    assert found["5 rows"] == ["3 rows", "10 rows", "20 rows", "50 rows"]
    assert "by user's main device" in found["by page"] and "by page" not in found["by page"]


def test_another_measure_is_of_the_same_users() -> None:
    query = read("share of mobile users who bought", shop()).queries[0]
    choices = {text: said(one) for text, one in parts(query, shop())[0].instead.items()}
    assert choices["users"] == "Users who are mostly on mobile and did purchase, all days"
    assert choices["sessions a user"] == (
        "Sessions a user, of users who are mostly on mobile and did purchase, all days"
    )
    query = read("users who bought", shop()).queries[0]
    choices = {text: said(one) for text, one in parts(query, shop())[0].instead.items()}
    assert choices["share of users who did purchase"] == "Share of users who did purchase, all days"


def test_what_does_not_fit_is_not_offered() -> None:
    found = instead("net revenue on mobile by device")
    assert not [text for text in found["by user's main device"] if text in ("by day", "by hour")]
