"""Questions and answers."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts.answer import Answer, Chart, FigureList, Note, Reading
from core.facts.context import Context
from core.facts.sentences import plain
from core.ingest.sample import write_sample
from core.query.query import By, Is, Query
from core.questions.answers import NOT_COMPARED, ask
from core.questions.topics import HELP
from core.questions.words import own_phrases
from tests.core.facts.shop import USERS, shop
from tests.core.facts.toy import context, without_outcome
from tests.core.questions.true_site import site

EIGHT = context()


def noted(answer: Answer) -> list[str]:
    return [block.text for block in answer.blocks if isinstance(block, Note)]


def said(answer: Answer) -> str:
    return plain(answer.blocks, answer.titles)


def talk(*questions: str, about: Context = EIGHT) -> Answer:
    """The last answer of a conversation."""
    last, answer = None, None
    for question in questions:
        answer = ask(question, about, last)
        last = answer.reading or last
    assert answer is not None
    return answer


def test_an_answer_has_blocks_titles_a_query_and_a_reading() -> None:
    answer = ask("What is the outcome rate of segment 2?", EIGHT)
    assert [(fact.row, fact.value) for fact in answer.facts] == [("all", 0.5)]
    assert (answer.declined, answer.source, answer.suggestions) == (False, "rules", ())
    assert answer.titles["segment:1"].full == "Blog readers (segment 2)"
    assert said(answer).startswith("Share of users who did purchase, of users who are in Blog readers")
    assert answer.reading is not None
    assert answer.reading.rows == ("segment:1",)
    assert Query.model_validate_json(answer.reading.query) == Query.model_validate_json(answer.query)
    assert Reading.model_validate_json(answer.reading.model_dump_json()) == answer.reading


def test_an_edited_name_is_known_at_once() -> None:
    renamed = replace(EIGHT, names={0: "Champions", 1: "Others"})
    assert [fact.value for fact in ask("How many users are in Champions?", renamed).facts] == [3]
    assert ask("How many users are in Sale hunters?", renamed).declined


def test_no_part_of_a_name_is_read_as_a_period() -> None:
    renamed = replace(EIGHT, names={0: "Weekend climbers", 1: "Blog readers"})
    assert [fact.value for fact in ask("users of the Weekend climbers", renamed).facts] == [3]


def test_a_name_that_is_only_suggested_is_said_to_be() -> None:
    offered = replace(EIGHT, names={}, suggested={0: "Sale hunters"})
    for question in ("How many users are in Sale hunters?", "Describe the Sale hunters"):
        assert noted(ask(question, offered))[0] == (
            "“Sale hunters” is only suggested as the name of Segment 1."
        )


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ("outcome rate of segment 9", "There is no segment 9"),
        ("customers from Mars", "I do not understand “mars”, so I do not answer."),
        ("which is the best segment", "By what?"),
        ("what is their revenue", "Which users do you mean?"),
        ("describe it", "Which segment do you mean? The segments are"),
        ("sort from least to most users", "Do you mean the most or the least?"),
        ("what changed", "Nothing changed yet"),
        ("outcome rate of segmnet 1", "Which segment do you mean?"),
        ("what is the revenue of the two biggest segments", "Of which segment?"),
        ("users and sessions of segment 1", "One figure at a time"),
        ("what share of revenue comes from segment 1", "no share is counted"),
        ("", "That asks for no figure."),
        ("hello", "That asks for no figure."),
        ("users " * 300, "at most 200 words"),
        ("how many users " * 20_000, "at most 200 words"),
        ("users in the last 99999999999 days", "I do not understand"),
    ],
)
def test_declined_in_one_line_with_the_reason_and_what_can_be_asked(question: str, why: str) -> None:
    answer = ask(question, EIGHT)
    assert answer.declined
    (text,) = noted(answer)
    assert why in text
    assert HELP not in text
    assert not answer.facts
    assert 1 <= len(answer.suggestions) <= 3
    assert not any(ask(nearest, EIGHT).declined for nearest in answer.suggestions)


def test_the_question_without_what_is_not_understood_is_offered_first() -> None:
    offered = ask("how many zebras saw /cart on mobile", EIGHT).suggestions
    assert offered[0] == "how many saw /cart on mobile"


def test_nothing_about_the_outcome_is_offered_where_there_is_none() -> None:
    answer = ask("outcome rate of segment 1", without_outcome())
    assert answer.declined
    assert not any("rate" in nearest for nearest in answer.suggestions)


# whom it is about


@pytest.mark.parametrize(
    ("question", "heading"),
    [
        ("outcome rate of segments 1 and 2", "Share of users who did purchase, of users who are in"),
        ("which segment has the most users", "Users, by segment, most first"),
        ("what is the biggest segment", "Users, by segment, most first"),
        ("which segment saw /cart most", "Share of users who saw /cart, by segment, most first"),
        (
            "which segment has the highest share of mobile users",
            "Share of users who are mostly on mobile, by",
        ),
        ("lowest outcome rate", "Share of users who did purchase, by segment, fewest first"),
        (
            "where do users of segment 1 leave",
            "Sessions, of users who are in Sale hunters (segment 1), by last",
        ),
        ("is segment 1 mostly on mobile?", "Share of users who are mostly on mobile, of users who are in"),
        (
            "do users of segment 1 come on mobile or desktop",
            "Share of users, of users who are in Sale hunters",
        ),
        ("outcome rate of the biggest segment", "Share of users who did purchase, of users who are in Sale"),
    ],
)
def test_how_questions_about_segments_are_read(question: str, heading: str) -> None:
    assert said(ask(question, EIGHT)).startswith(heading)


def test_segments_above_the_average_are_those_above_the_figure_of_all_users() -> None:
    about = site("shop").context
    (every,) = ask("sessions a user", about).facts
    each = ask("sessions a user by segment", about).facts
    above = ask("which segments are above average in sessions a user", about).facts
    below = ask("segments below average in sessions a user", about).facts
    assert {fact.row for fact in above} == {fact.row for fact in each if fact.value > every.value}
    assert {fact.row for fact in below} == {fact.row for fact in each if fact.value < every.value}


def test_rows_within_no_limit_are_an_answer() -> None:
    answer = ask("segments with more than 900 users", EIGHT)
    assert (answer.declined, said(answer)) == (
        False, "Users, by segment, only rows with more than 900, all days: none.",
    )  # fmt: skip


def test_a_chart_is_drawn_of_the_rows() -> None:
    for questions in (("chart the outcome rate by segment",), ("outcome rate by segment", "as a chart")):
        chart = talk(*questions).blocks[-1]
        assert isinstance(chart, Chart)
        assert [fact.row for fact in chart.facts] == ["segment:0", "segment:1"]


# questions that go on


@pytest.mark.parametrize(
    ("questions", "heading"),
    [
        (("outcome rate of segment 2", "and segment 1?"),
         "Share of users who did purchase, of users who are in Sale hunters (segment 1)"),
        (("outcome rate of segment 2", "how many users does it have?"),
         "Users who are in Blog readers"),
        (("outcome rate of segment 2", "and overall?"), "Share of users who did purchase, all days"),
        (("describe segment 1", "what is its revenue?"), "Gross revenue, of users who are in Sale hunters"),
        (("describe segment 1", "total revenue"), "Gross revenue, all days"),
        (("revenue of segment 1", "what is the outcome rate"), "Share of users who did purchase, all days"),
        (("share of mobile users in segment 1", "what about desktop?"),
         "Share of users who are mostly on desktop, of users who are in Sale hunters (segment 1)"),
        (("what share of segment 1 saw /cart", "and /sale?"), "Share of users who saw /sale, of users who"),
        (("which segment has the most users", "what is its revenue?"), "Gross revenue, of users who are in"),
        (("outcome rate of segment 2", "its top pages"), "Page views, of users who are in Blog readers"),
    ],
)  # fmt: skip
def test_a_question_goes_on_with_the_last_one(questions: tuple[str, ...], heading: str) -> None:
    assert said(talk(*questions)).startswith(heading)


def test_rows_that_are_gone_are_not_followed() -> None:
    assert ask("why?", EIGHT, Reading(rows=("segment:7",))).declined


# two questions


@pytest.mark.parametrize(
    "question",
    [
        "How many users are in segment 1 and how many users are in segment 2?",
        "How many users are in segment 1? And in segment 2?",
        "How many users are in segment 1; how many users are in segment 2?",
    ],
)
def test_two_questions_are_answered_one_by_one(question: str) -> None:
    assert [fact.value for fact in ask(question, EIGHT).facts] == [3, 2]


@pytest.mark.parametrize(
    "question",
    [
        "How many users are in segment 1 and which likes jazz?",
        "of users who saw /cart, how many bought and how many are on mobile",
        "How many users of segment 1 are on mobile and how many on desktop",
    ],
)
def test_what_is_not_understood_is_never_half_answered(question: str) -> None:
    answer = ask(question, EIGHT)
    assert answer.declined
    assert not answer.facts


# hostile and random


@given(st.text(max_size=80))
def test_any_text_gets_an_answer_or_is_declined(text: str) -> None:
    assert ask(text, EIGHT).blocks


WORDS = sorted(
    {" ".join(phrase) for phrase in own_phrases()} | {"segment 1", "segment 2", "/cart", "5", "and"}
)


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), st.lists(st.sampled_from(WORDS), max_size=4))
def test_known_words_in_any_order_never_break_it(words: list[str], further: list[str]) -> None:
    first = ask(" ".join(words), EIGHT)
    for answer in (first, ask(" ".join(further), EIGHT, first.reading)):
        assert answer.blocks
        assert {row for fact in answer.facts for row in fact.segments} <= {*answer.titles}
        assert answer.reading is None if answer.declined else True
        kept = [block for block in answer.blocks if isinstance(block, FigureList)]
        assert all(block.facts for block in kept)


@pytest.mark.parametrize(
    "question",
    ["outcome rate of segment 1 > segment 2", "segment 1 < segment 2 users", "users of segment <1>"],
)
def test_a_sign_that_compares_is_not_read_over(question: str) -> None:
    assert ask(question, EIGHT).declined


def test_what_else_a_word_can_name_is_computed_and_offered() -> None:
    named = replace(site("shop").context, names={0: "Mobile"})
    answer = ask("how many users are mobile?", named)
    assert "mostly on mobile" in said(answer)
    (other,) = answer.readings
    assert Query.model_validate_json(other.query).where == Is(dimension=By.SEGMENT, any_of=("segment:0",))
    assert other.figure == ask("how many users are in segment 1?", named).facts[0].text


@pytest.mark.parametrize("question", ["users who saw /sale more than /cart", "who of /cart came back there?"])
def test_what_would_be_a_guess_is_declined(question: str) -> None:
    assert ask(question, site("shop").context).declined


def test_the_revenue_of_a_month_is_what_the_raw_rows_of_its_days_add_up_to(tmp_path: Path) -> None:
    write_sample(tmp_path / "shop.csv", USERS, seed=3)  # what the shop was made from
    rows = pd.read_csv(tmp_path / "shop.csv")
    days = pd.to_datetime(rows["event_timestamp"], unit="us").dt.date
    paid = rows["purchase_revenue"][rows["event_name"] == "purchase"]
    answer = ask("What was the revenue last month?", shop().context)
    period = Query.model_validate_json(answer.query).period
    assert period is not None
    assert period.last_day == days.max()
    then = days.between(period.first_day, period.last_day)
    assert [fact.value for fact in answer.facts] == [pytest.approx(paid[then].sum())]
    assert 0 < paid[then].sum() < paid.sum()


def test_whether_it_is_significant_is_told_of_a_comparison_and_of_nothing_else() -> None:
    about = site("shop").context
    compared = ask("conversion rate on mobile compared with desktop", about)
    again = ask("is this significant?", about, compared.reading)
    assert again.blocks == compared.blocks and not again.declined
    for last in (None, ask("conversion rate by device", about).reading):
        alone = ask("Is the difference statistically significant?", about, last)
        assert alone.declined and alone.blocks[0] == Note(text=NOT_COMPARED)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("net order value in November 2025", "Net order value is known of the whole time only"),
        ("time to purchase by page", "Time until a step is counted by segment, visitor, number of sessions"),
        ("the lift of what", "Lift needs the event, page or condition"),
    ],
)
def test_a_refusal_is_in_words(question: str, said: str) -> None:
    answer = ask(question, site("shop").context)
    assert answer.declined and isinstance(answer.blocks[0], Note)
    assert said in answer.blocks[0].text
