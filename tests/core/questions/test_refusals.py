"""Why a question is not answered, and what is near to it."""

from core.questions.grammar import parse
from core.questions.refusals import nearest
from tests.core.facts.toy import context


def near(question: str, understood: str = "") -> tuple[str, ...]:
    return nearest(parse(question, context()), context(), lambda text: understood in text)


def test_what_is_offered_shares_the_parts_of_the_question() -> None:
    assert near("outcome rate of segment 1 on mobile") == (
        "How many of Segment 1 are mostly on mobile?", "Outcome rate of Segment 1", "Describe Segment 1",
    )  # fmt: skip
    assert near("the best of segment 2")[0] == "Outcome rate of Segment 2"
    assert near("segments with over 4 buyers")[0] == "Most converted users"
    assert near("how do segment 1 and segment 2 feel")[0] == "Compare Segment 1 and Segment 2"


def test_a_word_of_a_name_or_value_offers_it() -> None:
    assert near("hunters")[0] == "Describe Segment 1"
    assert near("who saw the cart")[0] == "Highest share who saw /cart"


def test_only_what_is_understood_is_offered_and_at_most_three() -> None:
    assert len(near("nonsense")) == 3
    assert near("nonsense", understood="differ") == ("How do the segments differ?",)
    assert near("nonsense", understood="?!") == ()
