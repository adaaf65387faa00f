"""F1 and F2 are users of segments 1 and 2, F3 and F4 their outcome rates; F5 and F6 compare."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts.answer import Fact, Unit
from core.writing.prose.check import check_slots

ONE, TWO = "segment:0", "segment:1"
SEGMENTS = {ONE: ("Segment 1", "Hunters"), TWO: ("Segment 2", "Readers")}
FACTS = (
    Fact("F1", "users", "users", (ONE,), 120, Unit.COUNT, "120"),
    Fact("F2", "users", "users", (TWO,), 90, Unit.COUNT, "90"),
    Fact("F3", "outcome_rate", "outcome rate", (ONE,), 0.124, Unit.SHARE, "12.4%"),
    Fact("F4", "outcome_rate", "outcome rate", (TWO,), 0.081, Unit.SHARE, "8.1%"),
    Fact("F5", "ratio:users", "ratio of users", (ONE, TWO), 2.0, Unit.RATIO, "2.0×", comparison=True),
    Fact("F6", "difference:outcome_rate", "gap", (ONE, TWO), 0.043, Unit.POINTS, "+4.3", comparison=True),
    Fact("F7", "share:page", "share that saw it", (ONE,), 0.4, Unit.SHARE, "40%", item="/blog"),
    Fact("F8", "top:page", "top page", (ONE,), "/blog", Unit.TEXT, "/blog"),
    Fact("F9", "most:users", "most users", (ONE,), "Hunters", Unit.TEXT, "Hunters", comparison=True),
)  # fmt: skip


def problems(text: str, question: str = "") -> list[str]:
    checked = check_slots(text, FACTS, segments=SEGMENTS, question=question)
    return [text[one.start : one.end] for one in checked.problems]


@pytest.mark.parametrize(
    "text",
    [
        "Segment 1 has [[F1]] users.",
        "Hunters have [[F1]] users, Readers [[F2]].",
        "[[F1]] users are in segment 1 and [[F2]] in segment 2.",
        "Of the [[F1]] users in segment 1, [[F3]] convert.",
        "Segment 1 has more users than segment 2: [[F5]] as many users.",
        "Segment 1 has twice as many users as segment 2 ([[F5]]).",
        "The outcome rate of segment 1 is [[F6]] higher than that of segment 2.",
        "In segment 1, [[F7]] saw /blog.",
        "In segment 1, [[F7]] saw [[F8]].",
        "[[F9]] has the most users, [[F1]].",
        "Segment 1 is large. It has [[F1]] users and converts at [[F3]].",
        "1. Segment 1 likes sales.\n2. Segment 2 reads.",
        "Show segment 2 more guides.",
        "S1 has [[F5]] as many users as S2.",
        "S1: [[F7]] of users saw /blog.",
        "S1 ([[F3]]) and S2 ([[F4]]) differ by [[F6]] in outcome rate.",
        "| Segment | Users |\n|---|---|\n| S1 | [[F1]] |\n| S2 | [[F2]] |",
    ],
)
def test_a_right_answer_has_no_problem(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Segment 1 has [[F2]] users.", "[[F2]]"),
        ("S2: [[F7]] of users saw /blog.", "[[F7]]"),
        ("S2 has [[F5]] as many users as S1.", "[[F5]]"),
        ("[[F2]] users are in segment 1 and [[F1]] in segment 2.", "[[F2]]"),
        ("Segment 1 has [[F3]] users a session.", "[[F3]]"),
        ("Segment 1 has [[F99]] users.", "[[F99]]"),
        ("It is [[F1]].", "[[F1]]"),
        ("Segment 1 has 120 users.", "120"),
        ("Segment 1 has a hundred and twenty users.", "a hundred and twenty"),
        ("Half of segment 1 convert.", "Half"),
        ("A third of segment 1 convert.", "A third"),
        ("Ten percent of segment 1 convert.", "Ten percent"),
        ("Segment 1 is the second largest segment by users.", "second"),
        ("Segment 1 has more users than segment 2.", "more"),
        ("Segment 1 has the most users.", "most"),
        ("Segment 1 has doubled its users.", "doubled"),
        ("Segment 1 has three times as many users as segment 2 ([[F5]]).", "three times"),
        ("Segment 2 has [[F5]] as many users as segment 1.", "[[F5]]"),
        ("The outcome rate of segment 1 is [[F6]] lower than that of segment 2.", "[[F6]]"),
        ("In segment 1, [[F7]] saw /cart.", "[[F7]]"),
        ("Segment 8 has [[F1]] users.", "Segment 8"),
    ],
)
def test_a_wrong_answer_has(text: str, wrong: str) -> None:
    assert wrong in problems(text)


def test_numbers_of_the_question_may_be_repeated() -> None:
    assert problems("These 5 are listed.", "What are the top 5 pages?") == []
    assert problems("These 6 are listed.", "What are the top 5 pages?") == ["6"]


def test_a_short_answer_goes_on_about_the_question() -> None:
    assert problems("It is [[F1]].", "How many users are in segment 1?") == []


def test_an_analysts_table_of_measures_is_understood() -> None:
    text = "The headcount of segment 1 is [[F1]]; its bliss is [[F3]]."

    plain = check_slots(text, FACTS, segments=SEGMENTS)
    own = check_slots(
        text, FACTS, segments=SEGMENTS, metrics={"users": ["headcount"], "outcome_rate": ["bliss"]}
    )

    assert not plain.ok
    assert own.ok


def test_the_complaint_says_what_and_why() -> None:
    checked = check_slots("Segment 1 has [[F2]] users.", FACTS, segments=SEGMENTS)

    assert checked.complaint() == "- '[[F2]]': the sentence is about segment 1, this is of segment 2"


def test_a_segments_number_in_the_question_is_no_number_that_may_be_repeated() -> None:
    assert problems("Segment 1 has 1 users.", "Describe segment 1") == ["1"]
    assert problems("These are the top 5 for segment 1.", "Top 5 for segment 1") == []


@given(
    st.sampled_from(FACTS[:4]),
    st.sampled_from([ONE, TWO]),
    st.sampled_from(["has {} users", "converts at {}"]),
)
def test_a_slot_may_only_stand_where_segment_and_measure_are_its_own(fact: Fact, key: str, said: str) -> None:
    metric = "users" if "users" in said else "outcome_rate"

    found = problems(f"{SEGMENTS[key][0]} {said.format(f'[[{fact.id}]]')}.")

    assert (found == []) == (fact.segments == (key,) and fact.metric == metric)


@given(st.text(max_size=200))
def test_any_text_is_read_to_its_end(text: str) -> None:
    checked = check_slots(text, FACTS, segments=SEGMENTS)

    assert all(0 <= one.start < one.end <= len(text) for one in checked.problems)
    assert checked.ok == (checked.complaint() == "")
